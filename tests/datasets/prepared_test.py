"""Clear words on bad files, for all data sets of tensorflow-datasets.

The tests on real files read the tensorflow-datasets folder named by the
environment variable BBH_TF_DATA_DIR, and are skipped where it lacks them.
"""

import sys
import typing

import pytest

from bbh_tf.datasets import load_cifar5
from bbh_tf.datasets import load_mnist
from bbh_tf.datasets import prepared
from tests.datasets import prepared_files


class _Dataset(typing.NamedTuple):
    name: str
    title: str
    load: typing.Callable


_DATASETS = (
    _Dataset("mnist", "MNIST", load_mnist),
    _Dataset("cifar10", "CIFAR-10", load_cifar5),
)


@pytest.fixture(params=_DATASETS, ids=lambda dataset: dataset.name)
def dataset(request):
    return request.param


@pytest.fixture
def copy(dataset, tmp_path):
    folder = prepared_files.find(dataset.name, dataset.title)
    return prepared_files.link(folder, tmp_path)


@pytest.mark.parametrize("exists", [True, False])
def test_refuses_a_folder_without_it(dataset, tmp_path, exists):
    folder = tmp_path if exists else tmp_path / "absent"
    with pytest.raises(FileNotFoundError) as caught:
        dataset.load(folder)
    message = str(caught.value)
    assert str(folder) in message
    expected = f"expected {dataset.title} prepared by tensorflow-datasets"
    assert expected in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())


def test_refuses_another_version(dataset, tmp_path):
    for version in (
        "2.0.0",
        "3.0",
        "4.0.0",
        "3.0.1.incompleteAB",
        "3.0.2.incompleteAB",
    ):
        folder = tmp_path / dataset.name / version
        folder.mkdir(parents=True)
        (folder / "dataset_info.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match="found none"):
        dataset.load(tmp_path)


def _assert_corrupt(dataset, folder):
    with pytest.raises(ValueError, match="corrupt, cut short") as caught:
        dataset.load(folder.parents[1])
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 99_990, 100_000])
def test_refuses_a_file_cut_short(dataset, copy, kept):
    path = next(copy.glob("*train.tfrecord*"))
    with path.open("rb") as file:
        content = file.read(kept)
    prepared_files.replace(path, content)
    _assert_corrupt(dataset, copy)


def test_refuses_a_flipped_byte(dataset, copy):
    path = next(copy.glob("*train.tfrecord*"))
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    prepared_files.replace(path, bytes(content))
    _assert_corrupt(dataset, copy)


def test_refuses_a_missing_file(dataset, copy):
    next(copy.glob("*train.tfrecord*")).unlink()
    _assert_corrupt(dataset, copy)


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
def test_refuses_unreadable_metadata(dataset, copy, name):
    prepared_files.replace(copy / name, b"{ not json")
    _assert_corrupt(dataset, copy)


def test_failed_download_says_what_to_do(dataset, monkeypatch):
    import tensorflow_datasets as tfds

    def refuse(name):
        raise ConnectionError(f"no route for {name}\nsecond line")

    monkeypatch.setattr(tfds, "builder", refuse)
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        dataset.load()
    assert "\n" not in str(caught.value)


def test_missing_package_names_the_extra(dataset, monkeypatch):
    # A None entry makes Python's own import statement fail.
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"pip install bbh_tf\[experiments\]"):
        dataset.load()


def test_a_split_of_any_length_is_read_where_none_is_expected():
    folder = prepared_files.find("cifar100", "CIFAR-100")
    dataset = prepared.PreparedDataset(
        "cifar100", "CIFAR-100", folder.parents[1]
    )
    images, labels = dataset.read("train", None, (32, 32, 3))
    count = len(images)
    assert count > 0 and labels.shape == (count,) and labels.max() < 100
    for expected, shape in ((count + 1, (32, 32, 3)), (None, (32, 32, 1))):
        with pytest.raises(ValueError, match=f"got images \\({count}, 32"):
            dataset.read("train", expected, shape)
