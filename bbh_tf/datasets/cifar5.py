"""CIFAR5: five classes of CIFAR-10, and the other five as outliers."""

import numpy as np

from bbh_tf import checks
from bbh_tf.datasets import prepared
from bbh_tf.datasets.image_data import ImageData

_NUM_CLASSES = 5
_NUM_EXAMPLES = {"train": 50000, "test": 10000}
# Each of the ten classes has a tenth of either split.
_NUM_TRAIN = 25000


def load_cifar5(data_dir=None, num_validation=0):
    """Loads 25,000 training and 5,000 test images of classes 0 to 4.

    Classes 0 to 4 of CIFAR-10 (airplane, automobile, bird, cat, deer) keep
    their labels. Outliers are the 5,000 test images of classes 5 to 9 (dog,
    frog, horse, ship, truck); no image of these classes is trained on.
    Images are in the order of tensorflow-datasets, which mixes the classes
    and is always the same.

    Pixels are divided by 255; `augment` and `prepare` expect them so. The
    images take 430 MB, as float32, and twice that while they are loaded.

    Args:
        data_dir: str or path of a tensorflow-datasets folder that holds
            `cifar10/3.x.y`; nothing is downloaded. `None` reads the default
            folder of tensorflow-datasets and downloads on first use.
        num_validation: int from 0 to 24,999; so many images are moved from
            the end of the training part to the validation part, to choose
            settings by without looking at the test set.

    Returns:
        An `ImageData` with images `(examples, 32, 32, 3)`.

    Raises:
        FileNotFoundError: if `data_dir` holds no prepared CIFAR-10.
        OSError: if the download fails.
        ValueError: if `num_validation` is out of range, or the files are
            corrupt or cut short.
        ImportError: if tensorflow-datasets is not installed.

    References:
        Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
        2009.
        Pawlowski et al., "Implicit Weight Uncertainty in Neural Networks",
        arXiv:1711.01297, section on CIFAR5.
    """
    most = _NUM_TRAIN - 1
    if not checks.is_count(num_validation, fewest=0, most=most):
        raise ValueError(
            f"num_validation: expected an integer from 0 to {most}, "
            f"got {num_validation!r}."
        )
    dataset = prepared.PreparedDataset("cifar10", "CIFAR-10", data_dir)
    images, labels = _read(dataset, "train")
    inside = labels < _NUM_CLASSES
    # The whole split goes before the next one comes.
    images, train_labels = prepared.scaled(images[inside]), labels[inside]
    num_train = len(train_labels) - num_validation
    test_images, test_labels = _read(dataset, "test")
    inside = test_labels < _NUM_CLASSES
    return ImageData(
        name="cifar5",
        outlier_name="classes 5 to 9",
        num_classes=_NUM_CLASSES,
        train_images=images[:num_train],
        train_labels=train_labels[:num_train],
        validation_images=images[num_train:],
        validation_labels=train_labels[num_train:],
        test_images=prepared.scaled(test_images[inside]),
        test_labels=test_labels[inside],
        outlier_images=prepared.scaled(test_images[~inside]),
    )


def _read(dataset, split):
    """Reads a split whole, all ten classes: uint8 images, int32 labels."""
    count = _NUM_EXAMPLES[split]
    images, labels = dataset.read(split, count, (32, 32, 3))
    counts = np.bincount(labels, minlength=10)
    if len(counts) != 10 or (counts != count // 10).any():
        raise ValueError(
            f"CIFAR-10: expected {count // 10} {split} images of each of 10 "
            f"classes, got {counts.tolist()}."
        )
    return images, labels
