"""MNIST through tensorflow-datasets, split as in the paper's code."""

import pathlib
import re

import numpy as np

from bbh_tf.datasets.image_data import ImageData
from bbh_tf.datasets.letters import render_letters
from bbh_tf.datasets.notmnist import load_notmnist

_NUM_VALIDATION = 5000
_NUM_EXAMPLES = {"train": 60000, "test": 10000}
_VERSION = re.compile(r"3\.(\d+)\.(\d+)")


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
    folder = None if data_dir is None else _find_prepared(data_dir)
    tfds = _tensorflow_datasets()
    if folder is None:
        builder = _download(tfds)
    else:
        builder = _open(tfds, folder)
    train_images, train_labels = _read(builder, "train")
    test_images, test_labels = _read(builder, "test")
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


def _tensorflow_datasets():
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise ImportError(
            f"MNIST needs tensorflow-datasets ({error}): "
            f"pip install bbh_tf[experiments]"
        ) from error
    return tensorflow_datasets


def _find_prepared(data_dir):
    """Returns the folder of the newest prepared version 3 of MNIST."""
    # Looked for by hand: tensorflow-datasets would try the network first
    # and, finding nothing, speak of versions rather than of the folder.
    found = []
    for info in pathlib.Path(data_dir).glob("mnist/*/dataset_info.json"):
        version = _VERSION.fullmatch(info.parent.name)
        if version:
            found.append((tuple(map(int, version.groups())), info.parent))
    if not found:
        raise FileNotFoundError(
            f"{data_dir}: expected MNIST prepared by tensorflow-datasets, "
            f"mnist/3.x.y/dataset_info.json, found none; "
            f"`tfds build mnist --data_dir {data_dir}` makes it."
        )
    return max(found)[1]


def _open(tfds, folder):
    try:
        return tfds.builder_from_directory(folder)
    except ImportError:
        raise
    # Unreadable metadata surface as errors of json, of protobuf or of
    # tensorflow-datasets itself, which have no base class in common.
    except Exception as error:
        raise _corrupt(folder, error) from error


def _download(tfds):
    try:
        builder = tfds.builder("mnist:3.*.*")
        builder.download_and_prepare()
    except ImportError:
        raise
    # A failed download surfaces as one of many unrelated classes: those of
    # the HTTP client, of the checksums and of the file system.
    except Exception as error:
        raise OSError(
            f"MNIST could not be downloaded ({_first_line(error)}); pass "
            f"data_dir, a folder with MNIST prepared by tensorflow-datasets."
        ) from error
    return builder


def _read(builder, split):
    """Reads a split whole: float32 images in [0, 1] and int32 labels."""
    import tensorflow as tf

    folder = builder.data_path
    expected = _NUM_EXAMPLES[split]
    try:
        # The order of the file is kept, so "the first 5,000" has a meaning.
        images, labels = builder.as_dataset(
            split=split, batch_size=-1, shuffle_files=False, as_supervised=True
        )
    except (tf.errors.OpError, OSError, ValueError, AssertionError) as error:
        raise _corrupt(folder, error) from error
    if images.shape != (expected, 28, 28, 1) or labels.shape != (expected,):
        raise ValueError(
            f"{folder}: expected {expected} {split} images (28, 28, 1), "
            f"got images {images.shape} and labels {labels.shape}."
        )
    images = images.numpy().astype(np.float32) / np.float32(255)
    return images, labels.numpy().astype(np.int32)


def _corrupt(folder, error):
    return ValueError(
        f"{folder}: expected readable MNIST files, they are corrupt, cut "
        f"short or incomplete ({type(error).__name__}: {_first_line(error)})."
    )


def _first_line(error):
    # TensorFlow wraps its messages in the name of the failing operation.
    text = re.sub(r"\{\{.*?\}\} ?|\[Op:.*", "", str(error)).strip()
    return text.splitlines()[0].rstrip(" .") if text else "no message"
