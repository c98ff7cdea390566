"""Reading data sets that tensorflow-datasets has prepared, or prepares."""

import pathlib
import re

import numpy as np

_VERSION = re.compile(r"3\.(\d+)\.(\d+)")


class PreparedDataset:
    """An image data set of tensorflow-datasets, of major version 3.

    Args:
        name: its name there, `"mnist"` say.
        title: its name in messages, `"MNIST"` say.
        data_dir: str or path of a folder that holds `<name>/3.x.y`; nothing
            is downloaded. `None` reads the default folder of
            tensorflow-datasets and downloads on first use.

    Raises:
        FileNotFoundError: if `data_dir` holds no such data set.
        OSError: if the download fails.
        ValueError: if its description is corrupt.
        ImportError: if tensorflow-datasets is not installed.
    """

    def __init__(self, name, title, data_dir=None):
        self._name = name
        self._title = title
        folder = None if data_dir is None else self._find(data_dir)
        try:
            import tensorflow_datasets as tfds
        except ImportError as error:
            raise ImportError(
                f"{title} needs tensorflow-datasets ({error}): "
                f"pip install bbh_tf[experiments]"
            ) from error
        if folder is None:
            self._builder = self._download(tfds)
        else:
            self._builder = self._open(tfds, folder)

    def _find(self, data_dir):
        """Returns the folder of the newest prepared version 3."""
        # Looked for by hand: tensorflow-datasets would try the network first
        # and, finding nothing, speak of versions rather than of the folder.
        found = []
        pattern = f"{self._name}/*/dataset_info.json"
        for info in pathlib.Path(data_dir).glob(pattern):
            version = _VERSION.fullmatch(info.parent.name)
            if version:
                found.append((tuple(map(int, version.groups())), info.parent))
        if not found:
            raise FileNotFoundError(
                f"{data_dir}: expected {self._title} prepared by "
                f"tensorflow-datasets, {self._name}/3.x.y/dataset_info.json, "
                f"found none; `tfds build {self._name} --data_dir {data_dir}` "
                "makes it."
            )
        return max(found)[1]

    def _open(self, tfds, folder):
        try:
            return tfds.builder_from_directory(folder)
        except ImportError:
            raise
        # Unreadable metadata surface as errors of json, of protobuf or of
        # tensorflow-datasets itself, which have no base class in common.
        except Exception as error:
            raise self._corrupt(folder, error) from error

    def _download(self, tfds):
        try:
            builder = tfds.builder(f"{self._name}:3.*.*")
            builder.download_and_prepare()
        except ImportError:
            raise
        # A failed download surfaces as one of many unrelated classes: those
        # of the HTTP client, of the checksums and of the file system.
        except Exception as error:
            raise OSError(
                f"{self._title} could not be downloaded "
                f"({_first_line(error)}); pass data_dir, a folder with "
                f"{self._title} prepared by tensorflow-datasets."
            ) from error
        return builder

    def read(self, split, count, shape):
        """Reads a split whole, in the order of its files.

        Args:
            split: `"train"` or `"test"`.
            count: how many images it has; None for any number.
            shape: shape of an image, a tuple.

        Returns:
            `(images, labels)`: arrays `uint8` `(count, *shape)` and `int32`
            `(count,)`.

        Raises:
            ValueError: if files are corrupt or cut short, or hold something
                else.
        """
        import tensorflow as tf

        folder = self._builder.data_path
        try:
            images, labels = self._builder.as_dataset(
                split=split,
                batch_size=-1,
                shuffle_files=False,
                as_supervised=True,
            )
        except (
            tf.errors.OpError,
            OSError,
            ValueError,
            AssertionError,
        ) as error:
            raise self._corrupt(folder, error) from error
        expected = len(images) if count is None else count
        if images.shape != (expected, *shape) or labels.shape != (expected,):
            raise ValueError(
                f"{folder}: expected {expected} {split} images {shape}, "
                f"got images {images.shape} and labels {labels.shape}."
            )
        return images.numpy(), labels.numpy().astype(np.int32)

    def _corrupt(self, folder, error):
        return ValueError(
            f"{folder}: expected readable {self._title} files, they are "
            f"corrupt, cut short or incomplete ({type(error).__name__}: "
            f"{_first_line(error)})."
        )


def scaled(images):
    """Returns `uint8` images as `float32`, from 0 to 1."""
    return np.divide(images, np.float32(255), dtype=np.float32)


def _first_line(error):
    # TensorFlow wraps its messages in the name of the failing operation.
    text = re.sub(r"\{\{.*?\}\} ?|\[Op:.*", "", str(error)).strip()
    return text.splitlines()[0].rstrip(" .") if text else "no message"
