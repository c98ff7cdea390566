"""Handwritten digits that come with scikit-learn: no download needed."""

import numpy as np

from bbh_tf import checks
from bbh_tf.datasets.image_data import ImageData
from bbh_tf.datasets.letters import render_letters

_NUM_TEST = 360
# Fixed for good: figures are comparable only on one and the same split.
_SPLIT_SEED = 0


def load_digits(num_validation=0):
    """Loads 1,797 digits of 8x8 pixels, and letters as outliers.

    The split is stratified, shuffled and always the same: 1,437 training
    and 360 test images, each class to within one image of its share.
    Pixels are counts from 0 to 16, divided by 16. Outliers are the letters
    A to J at the same resolution, see `render_letters`.

    Args:
        num_validation: int from 0 to 1,436; so many images are moved from
            the end of the training part to the validation part, to choose
            settings by without looking at the test set.

    Returns:
        An `ImageData` with images `(examples, 8, 8, 1)`.

    Raises:
        ValueError: if `num_validation` is out of range.
        ImportError: if scikit-learn, matplotlib or pillow is not installed.

    References:
        Alpaydin, Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998 (its test part).
    """
    try:
        from sklearn import datasets
        from sklearn import model_selection
    except ImportError as error:
        raise ImportError(
            f"The digits data needs scikit-learn ({error}): "
            f"pip install bbh_tf[experiments]"
        ) from error
    raw = datasets.load_digits()
    most = len(raw.target) - _NUM_TEST - 1
    if not checks.is_count(num_validation, fewest=0, most=most):
        raise ValueError(
            f"num_validation: expected an integer from 0 to {most}, "
            f"got {num_validation!r}."
        )
    images = (raw.images[..., np.newaxis] / 16.0).astype(np.float32)
    labels = raw.target.astype(np.int32)
    train_images, test_images, train_labels, test_labels = (
        model_selection.train_test_split(
            images,
            labels,
            test_size=_NUM_TEST,
            stratify=labels,
            random_state=_SPLIT_SEED,
        )
    )
    num_train = len(train_labels) - num_validation
    outlier_images, _ = render_letters(images.shape[1])
    return ImageData(
        name="digits",
        outlier_name="letters",
        num_classes=10,
        train_images=train_images[:num_train],
        train_labels=train_labels[:num_train],
        validation_images=train_images[num_train:],
        validation_labels=train_labels[num_train:],
        test_images=test_images,
        test_labels=test_labels,
        outlier_images=outlier_images,
    )
