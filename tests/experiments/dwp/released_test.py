"""The released autoencoders, with this code, have the measured figures."""

import os
import pathlib

import numpy as np
import pytest

from experiments.dwp import released
from experiments.errors import ExperimentError

_DATA = pathlib.Path(
    os.environ.get("DWP_KERNELS_DIR", "../shared/data/dwp_kernels")
)


def _file(name):
    path = _DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there: DWP_KERNELS_DIR names its folder.")
    return path


@pytest.mark.parametrize(
    ("size", "name", "bound", "tolerance", "weighted"),
    [
        # Measured by another implementation; within its sampling error.
        (7, "conv7x7-train.npy", 59.64, 0.1, 62.4),
        (7, "conv7x7-test.npy", 49.5, 0.4, 55.0),
        (5, "conv5x5-test.npy", 52.52, 0.3, 53.2),
    ],
)
def test_the_bounds_are_those_measured(size, name, bound, tolerance, weighted):
    model = released.load_autoencoder(_file(f"vae{size}x{size}.npz"), size)
    kernels = released.load_kernels(_file(name))
    found = model.log_prob(kernels[:2000], 20)
    assert found.mean() == pytest.approx(bound, abs=tolerance)
    some = kernels[: 1000 if size == 7 else 100]
    found = model.log_prob(some, 200, importance_weighted=True)
    error = found.std() / np.sqrt(len(found)) if size == 5 else 0.25
    assert found.mean() == pytest.approx(weighted, abs=0.05 + 2 * error)


def test_files_of_something_else_are_refused(tmp_path):
    with pytest.raises(ExperimentError, match="expected the file of a rel"):
        released.load_autoencoder(tmp_path / "none.npz", 7)
    path = tmp_path / "kernels.npy"
    with pytest.raises(ExperimentError, match="expected kernels"):
        released.load_kernels(path)
    np.save(path, np.zeros((3, 4, 4)))
    with pytest.raises(ExperimentError, match=r"k odd; got \(3, 4, 4\)"):
        released.load_kernels(path)
    np.save(path, np.full((3, 5, 5), np.nan))
    with pytest.raises(ExperimentError, match="expected finite kernels"):
        released.load_kernels(path)
    path = tmp_path / "kernels.npz"
    np.savez(path, one=np.zeros((40, 5, 5)))
    assert released.load_kernels(path).shape == (40, 5, 5)
    with pytest.raises(ExperimentError, match="got no decoder"):
        released.load_autoencoder(path, 7)
    # As where a disk was full, or a copy was cut short.
    path.write_bytes(path.read_bytes()[:2000])
    for load, flags in (
        (released.load_kernels, ()),
        (released.load_autoencoder, (5,)),
    ):
        with pytest.raises(ExperimentError, match="npz: expected a file of a"):
            load(path, *flags)
