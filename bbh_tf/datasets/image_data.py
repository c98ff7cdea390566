"""The one form in which every data set reaches an experiment."""

import dataclasses

import numpy as np

from bbh_tf import checks

_PARTS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, eq=False)
class ImageData:
    """Labelled images in three parts, and outliers of the same shape.

    Everything is checked when an object is made. Only the validation part
    may be empty, with arrays of shape `(0, height, width, channels)` and
    `(0,)`.

    Attributes:
        name: str, such as `"mnist"`.
        outlier_name: str, such as `"letters"`.
        num_classes: int of at least 2.
        train_images: float32 array `(examples, height, width, channels)`,
            values in [0, 1]; so are the images below.
        train_labels: int32 array `(examples,)`, values in
            `0 .. num_classes - 1`; so are the labels below.
        validation_images: for choosing settings.
        validation_labels: as `train_labels`.
        test_images: for the figures reported, and nothing else.
        test_labels: as `train_labels`.
        outlier_images: of no class; their labels are not kept.

    Raises:
        ValueError: on a wrong rank, dtype or length, an empty part other
            than validation, parts of different image shapes, NaN or values
            outside [0, 1], or labels out of range.
    """

    name: str
    outlier_name: str
    num_classes: int
    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    outlier_images: np.ndarray

    def __post_init__(self):
        self.validate()

    @property
    def image_shape(self):
        """Tuple `(height, width, channels)`."""
        return tuple(self.train_images.shape[1:])

    def validate(self):
        """Checks every array; called when an object is made.

        Raises:
            ValueError: as the class says, in one line naming the array.
        """
        if not checks.is_count(self.num_classes, fewest=2):
            raise ValueError(
                f"num_classes: expected an integer of at least 2, "
                f"got {self.num_classes!r}."
            )
        for part in (*_PARTS, "outlier"):
            self._check_images(f"{part}_images")
        for part in _PARTS:
            self._check_labels(f"{part}_labels", f"{part}_images")

    def take(self, num_train, num_test):
        """Keeps the first images of each part, for runs of a few seconds.

        Validation images and outliers are cut to `num_test` as well, or
        kept whole where there are fewer.

        Args:
            num_train: int from 1 to the training examples.
            num_test: int from 1 to the test examples.

        Returns:
            A smaller `ImageData`; its arrays are views of these.

        Raises:
            ValueError: if a number is not an integer, below 1 or above what
                there is.
        """
        for argument, number, available in (
            ("num_train", num_train, len(self.train_labels)),
            ("num_test", num_test, len(self.test_labels)),
        ):
            if not checks.is_count(number, most=available):
                raise ValueError(
                    f"{argument}: expected an integer from 1 to {available}, "
                    f"got {number!r}."
                )
        return dataclasses.replace(
            self,
            train_images=self.train_images[:num_train],
            train_labels=self.train_labels[:num_train],
            validation_images=self.validation_images[:num_test],
            validation_labels=self.validation_labels[:num_test],
            test_images=self.test_images[:num_test],
            test_labels=self.test_labels[:num_test],
            outlier_images=self.outlier_images[:num_test],
        )

    def _check_images(self, field):
        images = getattr(self, field)
        expected = "float32 array (examples, height, width, channels)"
        _check_array(field, images, np.float32, 4, expected)
        if images.shape[1:] != self.train_images.shape[1:]:
            raise ValueError(
                f"{field}: expected images {self.image_shape} like "
                f"train_images, got {images.shape[1:]}."
            )
        if 0 in images.shape:
            if field == "validation_images" and 0 not in images.shape[1:]:
                return
            raise ValueError(
                f"{field}: expected at least one image, got {images.shape}."
            )
        low, high = float(np.min(images)), float(np.max(images))
        # Written so that NaN, which no comparison holds for, is refused.
        if not (low >= 0.0 and high <= 1.0):
            raise ValueError(
                f"{field}: expected values in [0, 1] and no NaN, "
                f"got {low:.6g} to {high:.6g}."
            )

    def _check_labels(self, field, images_field):
        labels = getattr(self, field)
        _check_array(field, labels, np.int32, 1, "int32 array (examples,)")
        num_images = len(getattr(self, images_field))
        if len(labels) != num_images:
            raise ValueError(
                f"{field}: expected {num_images} labels, one for each of "
                f"{images_field}, got {len(labels)}."
            )
        if len(labels) == 0:
            return
        low, high = int(np.min(labels)), int(np.max(labels))
        if low < 0 or high >= self.num_classes:
            raise ValueError(
                f"{field}: expected values in 0..{self.num_classes - 1}, "
                f"got {low} to {high}."
            )


def _check_array(field, array, dtype, ndim, expected):
    if not isinstance(array, np.ndarray):
        raise ValueError(
            f"{field}: expected a {expected}, got {type(array).__name__}."
        )
    if array.dtype != dtype or array.ndim != ndim:
        raise ValueError(
            f"{field}: expected a {expected}, got {array.dtype} {array.shape}."
        )
