"""MNIST: known facts of the real files, and clear words on bad ones.

The tests on real files read the tensorflow-datasets folder named by the
environment variable BBH_TF_DATA_DIR, and are skipped where it has no MNIST.
"""

import json
import os
import pathlib
import shutil
import sys

import numpy as np
import pytest

from bbh_tf.datasets import load
from bbh_tf.datasets import load_mnist

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_DATA_DIR = pathlib.Path(
    os.environ.get("BBH_TF_DATA_DIR", _ROOT / "../shared/data/tfds")
)


@pytest.fixture(scope="module")
def prepared():
    found = sorted(_DATA_DIR.glob("mnist/3.*/dataset_info.json"))
    if not found:
        pytest.skip("no prepared MNIST; set BBH_TF_DATA_DIR to its folder")
    return found[-1].parent


@pytest.fixture(scope="module")
def data(prepared):
    return load_mnist(prepared.parents[1])


@pytest.fixture
def copy(prepared, tmp_path):
    """Links to the real files in a folder of its own, to be spoilt."""
    folder = tmp_path / "mnist" / prepared.name
    folder.mkdir(parents=True)
    for path in prepared.iterdir():
        (folder / path.name).symlink_to(path.resolve())
    return folder


def _replace(path, content):
    path.unlink()
    path.write_bytes(content)


def test_sizes(data):
    assert data.train_images.shape == (55000, 28, 28, 1)
    assert data.validation_images.shape == (5000, 28, 28, 1)
    assert data.test_images.shape == (10000, 28, 28, 1)
    assert data.outlier_images.shape[1:] == (28, 28, 1)
    assert (data.name, data.outlier_name) == ("mnist", "letters")


def test_pixel_statistics_are_the_known_ones(data):
    parts = (data.validation_images, data.train_images)
    total = sum(images.sum(dtype=np.float64) for images in parts)
    assert total / (60000 * 784) == pytest.approx(0.130660, abs=1e-6)
    assert data.test_images.mean(dtype=np.float64) == pytest.approx(
        0.132515, abs=1e-6
    )
    assert data.train_images.max() == 1.0
    # The grey levels are the 256 of the files.
    levels = data.test_images * 255
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)


def test_class_counts_are_the_known_ones(data):
    train = np.concatenate([data.validation_labels, data.train_labels])
    np.testing.assert_array_equal(
        np.bincount(train),
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    )
    np.testing.assert_array_equal(
        np.bincount(data.test_labels),
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    )


def test_validation_is_the_start_of_the_training_file(data, prepared):
    import tensorflow_datasets as tfds

    first = tfds.builder_from_directory(prepared).as_dataset(
        split="train[:5000]", batch_size=-1, as_supervised=True
    )
    np.testing.assert_array_equal(
        np.round(data.validation_images * 255), first[0].numpy()
    )
    np.testing.assert_array_equal(data.validation_labels, first[1].numpy())


@pytest.mark.parametrize("exists", [True, False])
def test_refuses_a_folder_without_mnist(tmp_path, exists):
    folder = tmp_path if exists else tmp_path / "absent"
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(folder)
    message = str(caught.value)
    assert str(folder) in message
    assert "expected MNIST prepared by tensorflow-datasets" in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())


def test_refuses_another_version(tmp_path):
    for version in ("2.0.0", "3.0", "4.0.0", "3.0.1.incompleteAB"):
        folder = tmp_path / "mnist" / version
        folder.mkdir(parents=True)
        (folder / "dataset_info.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match="found none"):
        load_mnist(tmp_path)


def _assert_corrupt(folder):
    with pytest.raises(ValueError, match="corrupt, cut short") as caught:
        load_mnist(folder.parents[1])
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 99_990, 100_000])
def test_refuses_a_file_cut_short(copy, kept):
    path = next(copy.glob("*train.tfrecord*"))
    with path.open("rb") as file:
        content = file.read(kept)
    _replace(path, content)
    _assert_corrupt(copy)


def test_refuses_a_flipped_byte(copy):
    path = next(copy.glob("*train.tfrecord*"))
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    _replace(path, bytes(content))
    _assert_corrupt(copy)


def test_refuses_a_missing_file(copy):
    next(copy.glob("*train.tfrecord*")).unlink()
    _assert_corrupt(copy)


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
def test_refuses_unreadable_metadata(copy, name):
    _replace(copy / name, b"{ not json")
    _assert_corrupt(copy)


def test_refuses_files_that_hold_too_few_images(copy):
    info = copy / "dataset_info.json"
    content = json.loads(info.read_text())
    for split in content["splits"]:
        if split["name"] == "train":
            split["shardLengths"] = ["10000"]
    _replace(info, json.dumps(content).encode())
    shutil.copy(
        next(copy.glob("*test.tfrecord*")).resolve(), copy / "few.tfrecord"
    )
    train = next(copy.glob("*train.tfrecord*"))
    train.unlink()
    (copy / "few.tfrecord").rename(train)
    with pytest.raises(ValueError, match="expected 60000 train images"):
        load_mnist(copy.parents[1])


def test_failed_download_says_what_to_do(monkeypatch):
    import tensorflow_datasets as tfds

    def refuse(name):
        raise ConnectionError(f"no route for {name}\nsecond line")

    monkeypatch.setattr(tfds, "builder", refuse)
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        load_mnist()
    assert "\n" not in str(caught.value)


def test_default_folder_reads_what_is_prepared(prepared, monkeypatch):
    import tensorflow_datasets as tfds

    class Prepared:
        data_path = prepared
        prepared_calls = 0

        def download_and_prepare(self):
            self.prepared_calls += 1

        def as_dataset(self, **options):
            return tfds.builder_from_directory(prepared).as_dataset(**options)

    builder = Prepared()
    names = []
    monkeypatch.setattr(tfds, "builder", lambda n: names.append(n) or builder)
    assert load("mnist").test_images.shape == (10000, 28, 28, 1)
    assert builder.prepared_calls == 1
    assert names == ["mnist:3.*.*"]


def test_missing_package_names_the_extra(monkeypatch):
    # A None entry makes Python's own import statement fail.
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"pip install bbh_tf\[experiments\]"):
        load_mnist()
