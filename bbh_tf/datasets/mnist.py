"""MNIST through tensorflow-datasets, split as in the paper's code."""

from bbh_tf.datasets import prepared
from bbh_tf.datasets.image_data import ImageData
from bbh_tf.datasets.letters import render_letters
from bbh_tf.datasets.notmnist import load_notmnist

_NUM_VALIDATION = 5000
_NUM_EXAMPLES = {"train": 60000, "test": 10000}


def load_mnist(data_dir=None, outlier_dir=None):
    """Loads MNIST as 55,000 training, 5,000 validation, 10,000 test images.

    Validation is the first 5,000 images of the training split, the sizes
    of the TensorFlow tutorial reader that the authors used. The images
    themselves differ: tensorflow-datasets stores MNIST in an order of its
    own, always the same one, so its first 5,000 are not the authors'.

    Pixels are divided by 255. Outliers are notMNIST, as in the paper, where
    `outlier_dir` is given, and otherwise the letters A to J rendered from
    fonts at the same size, see `render_letters`.

    Args:
        data_dir: str or path of a tensorflow-datasets folder that holds
            `mnist/3.x.y`; nothing is downloaded. `None` reads the default
            folder of tensorflow-datasets and downloads on first use.
        outlier_dir: str or path of a folder with notMNIST, see
            `load_notmnist`; `None` for rendered letters.

    Returns:
        An `ImageData` with images `(examples, 28, 28, 1)`.

    Raises:
        FileNotFoundError: if `data_dir` holds no prepared MNIST, or
            `outlier_dir` no notMNIST.
        OSError: if the download fails.
        ValueError: if the files are corrupt or cut short.
        ImportError: if tensorflow-datasets, matplotlib or pillow is not
            installed.

    References:
        LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
        document recognition", Proceedings of the IEEE 86(11), 1998.
        Pawlowski et al., "Implicit Weight Uncertainty in Neural Networks",
        arXiv:1711.01297, section on MNIST (the split: released code).
    """
    dataset = prepared.PreparedDataset("mnist", "MNIST", data_dir)
    # The order of the file is kept, so "the first 5,000" has a meaning.
    (train_images, train_labels), (test_images, test_labels) = (
        dataset.read(split, count, (28, 28, 1))
        for split, count in _NUM_EXAMPLES.items()
    )
    train_images, test_images = map(
        prepared.scaled, (train_images, test_images)
    )
    if outlier_dir is None:
        outlier_images, _ = render_letters(28)
    else:
        outlier_images, _ = load_notmnist(outlier_dir)
    return ImageData(
        name="mnist",
        outlier_name="letters" if outlier_dir is None else "notmnist",
        num_classes=10,
        train_images=train_images[_NUM_VALIDATION:],
        train_labels=train_labels[_NUM_VALIDATION:],
        validation_images=train_images[:_NUM_VALIDATION],
        validation_labels=train_labels[:_NUM_VALIDATION],
        test_images=test_images,
        test_labels=test_labels,
        outlier_images=outlier_images,
    )
