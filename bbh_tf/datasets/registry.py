"""Data sets by name, for experiments that take the name as an option."""

from bbh_tf.datasets.cifar5 import load_cifar5
from bbh_tf.datasets.digits import load_digits
from bbh_tf.datasets.mnist import load_mnist

_NAMES = ("digits", "mnist", "cifar5")
_MNIST_VALIDATION = 5000


def load(name, data_dir=None, num_validation=0, outlier_dir=None):
    """Loads a data set by its name.

    Args:
        name: `"digits"`, `"mnist"` or `"cifar5"`.
        data_dir: str or path, where prepared MNIST or CIFAR-10 lies, see
            `load_mnist` and `load_cifar5`. Digits come inside scikit-learn
            and read no folder.
        num_validation: int, images to move from the training to the
            validation part of digits or CIFAR5. MNIST always has its 5,000,
            so there only 0 (no wish) and 5,000 are taken.
        outlier_dir: str or path, where notMNIST lies, see `load_mnist`;
            digits have rendered letters always, CIFAR5 the classes that are
            left.

    Returns:
        An `ImageData`.

    Raises:
        ValueError: if the name is unknown or `num_validation` does not fit
            the data set; further errors as the loaders say.

    Example:
    ```python
    data = load("digits", num_validation=137)
    data.train_images.shape  # (1300, 8, 8, 1)
    ```
    """
    if name == "digits":
        return load_digits(num_validation)
    if name == "mnist":
        if num_validation not in (0, _MNIST_VALIDATION):
            raise ValueError(
                f"num_validation: expected 0 or {_MNIST_VALIDATION} for "
                f"mnist, whose split is fixed, got {num_validation!r}."
            )
        return load_mnist(data_dir, outlier_dir)
    if name == "cifar5":
        return load_cifar5(data_dir, num_validation)
    raise ValueError(
        f"name: expected one of {', '.join(_NAMES)}, got {name!r}."
    )
