"""Models whose files are broken are told in one line."""

import keras
import pytest

from experiments import model_files
from experiments.errors import ExperimentError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(64)])
    folder = tmp_path_factory.mktemp("model")
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    return model, folder


def _zeroed(data):
    # The list of what is in the archive stays, at its end.
    return bytes(len(data) // 2) + data[len(data) // 2 :]


def _truncated(data):
    return data[:-100]


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("model.keras", _zeroed),
        ("model.keras", _truncated),
        ("model.keras", None),
        ("model.weights.h5", _truncated),
        ("model.weights.h5", None),
    ],
)
def test_a_broken_file_is_named(saved, tmp_path, name, harm):
    model, folder = saved
    path = tmp_path / name
    if harm is not None:
        path.write_bytes(harm((folder / name).read_bytes()))
    with pytest.raises(ExperimentError, match="expected .*, whole; ") as caught:
        if name == "model.keras":
            model_files.load(path, "a model")
        else:
            model_files.load_weights(model, path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
