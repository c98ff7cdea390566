"""notMNIST, the paper's outliers for MNIST."""

import pathlib

import numpy as np

from bbh_tf.datasets import idx

_IMAGES = "t10k-images-idx3-ubyte"
_LABELS = "t10k-labels-idx1-ubyte"
_SHAPE = (10000, 28, 28)


def load_notmnist(data_dir=None):
    """Loads the 10,000 letters that the paper's code takes as outliers.

    Args:
        data_dir: str or path of a folder with the IDX files
            `t10k-images-idx3-ubyte.gz` and `t10k-labels-idx1-ubyte.gz` of
            notMNIST-to-MNIST (gzipped or not), or with what
            tensorflow-datasets prepared from them (`notmnist/1.0.0`).
            Nothing is downloaded. `None` reads the default folder of
            tensorflow-datasets and downloads on first use.

    Returns:
        `(images, labels)`: float32 `(10000, 28, 28, 1)` in [0, 1] and int32
        `(10000,)`, 0 to 9 for A to J.

    Raises:
        FileNotFoundError: if `data_dir` holds neither.
        OSError: if the download fails.
        ValueError: if a file is cut short, damaged or of another data set.
    """
    if data_dir is None:
        images, labels = _prepared(None)
    else:
        folder = pathlib.Path(data_dir)
        files = [_find(folder, name) for name in (_IMAGES, _LABELS)]
        if all(files):
            images = idx.read_images(files[0])
            labels = idx.read_labels(files[1])
        elif (folder / "notmnist").is_dir():
            images, labels = _prepared(folder)
        else:
            raise FileNotFoundError(
                f"{folder}: expected notMNIST, {_IMAGES}.gz and "
                f"{_LABELS}.gz or notmnist/1.0.0, found neither."
            )
    if images.shape != _SHAPE or labels.shape != _SHAPE[:1]:
        raise ValueError(
            f"{data_dir}: expected {_SHAPE[0]} images 28 x 28 with labels, "
            f"got images {images.shape} and labels {labels.shape}."
        )
    counts = np.bincount(labels, minlength=10)
    if len(counts) != 10 or (counts != 1000).any():
        raise ValueError(
            f"{data_dir}: expected 1,000 images of each of 10 letters, got "
            f"{counts.tolist()}; is this MNIST?"
        )
    images = images[..., None].astype(np.float32) / np.float32(255)
    return images, labels.astype(np.int32)


def _find(folder, name):
    for file in (folder / f"{name}.gz", folder / name):
        if file.is_file():
            return file
    return None


def _prepared(folder):
    from bbh_tf.datasets import notmnist_builder

    builder = notmnist_builder.NotMNIST(data_dir=folder)
    if folder is None:
        builder.download_and_prepare()
    images, labels = builder.as_dataset(
        split="test", batch_size=-1, shuffle_files=False, as_supervised=True
    )
    return images.numpy()[..., 0], labels.numpy()
