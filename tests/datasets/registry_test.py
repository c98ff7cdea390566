"""Loading by name."""

import subprocess
import sys

import numpy as np
import pytest

from bbh_tf.datasets import load
from bbh_tf.datasets import load_digits


def test_digits_by_name():
    by_name = load("digits", num_validation=20)
    direct = load_digits(20)
    np.testing.assert_array_equal(by_name.train_images, direct.train_images)
    assert len(by_name.validation_labels) == 20


@pytest.mark.parametrize("name", ["MNIST", "", None, "cifar10", ["mnist"]])
def test_refuses_an_unknown_name(name):
    with pytest.raises(ValueError, match="one of digits, mnist, cifar5, got"):
        load(name)


def test_mnist_passes_its_folder_on(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected MNIST prepared"):
        load("mnist", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match="expected MNIST prepared"):
        load("mnist", data_dir=tmp_path, num_validation=5000)


def test_cifar5_passes_its_folder_and_its_split_on(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected CIFAR-10 prepared"):
        load("cifar5", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match="expected CIFAR-10 prepared"):
        load("cifar5", data_dir=tmp_path, num_validation=2500)
    with pytest.raises(ValueError, match="expected an integer from 0 to 24999"):
        load("cifar5", data_dir=tmp_path, num_validation=25000)


@pytest.mark.parametrize("num_validation", [1, 60000, -5000, None])
def test_mnist_refuses_another_split(tmp_path, num_validation):
    with pytest.raises(ValueError, match="expected 0 or 5000 for mnist"):
        load("mnist", data_dir=tmp_path, num_validation=num_validation)


def test_import_loads_none_of_the_optional_packages():
    # Keras imports some of them itself, where they are installed.
    code = (
        "import sys, keras, tensorflow;"
        "before = set(sys.modules);"
        "import bbh_tf;"
        "names = {'sklearn', 'matplotlib', 'PIL', 'tensorflow_datasets',"
        " 'tensorflow_probability', 'tf_keras'};"
        "sys.exit(', '.join(names & (set(sys.modules) - before)) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
