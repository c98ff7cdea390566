"""MNIST: known facts of the real files, and clear words on bad ones.

The tests on real files read the tensorflow-datasets folder named by the
environment variable BBH_TF_DATA_DIR, and are skipped where it has no MNIST.
"""

import json
import shutil

import numpy as np
import pytest

from bbh_tf.datasets import load
from bbh_tf.datasets import load_mnist
from tests.datasets import prepared_files


@pytest.fixture(scope="module")
def prepared():
    return prepared_files.find("mnist", "MNIST")


@pytest.fixture(scope="module")
def data(prepared):
    return load_mnist(prepared.parents[1])


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


def test_refuses_files_that_hold_too_few_images(prepared, tmp_path):
    copy = prepared_files.link(prepared, tmp_path)
    info = copy / "dataset_info.json"
    content = json.loads(info.read_text())
    for split in content["splits"]:
        if split["name"] == "train":
            split["shardLengths"] = ["10000"]
    prepared_files.replace(info, json.dumps(content).encode())
    shutil.copy(
        next(copy.glob("*test.tfrecord*")).resolve(), copy / "few.tfrecord"
    )
    train = next(copy.glob("*train.tfrecord*"))
    train.unlink()
    (copy / "few.tfrecord").rename(train)
    with pytest.raises(ValueError, match="expected 60000 train images"):
        load_mnist(copy.parents[1])


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
