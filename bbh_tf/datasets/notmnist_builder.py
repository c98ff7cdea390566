"""notMNIST as a data set of tensorflow-datasets, which has none.

Importing this file imports tensorflow-datasets; `load_notmnist` does so only
where it needs it.
"""

import tensorflow_datasets as tfds

from bbh_tf.datasets import idx

IMAGES = "t10k-images-idx3-ubyte.gz"
LABELS = "t10k-labels-idx1-ubyte.gz"
SHA256 = {
    IMAGES: "70ae9e06201f2827e5b0a3781a3169d735dd2efc69996b9eeaee7f10ed4044d7",
    LABELS: "1fa03836e01c862542f8eb83463bb951bebec6fcb3efa28dad748c6b38a9021b",
}
_MIRRORS = (
    "https://raw.githubusercontent.com/davidflanagan/notMNIST-to-MNIST/master/",
    "https://github.com/davidflanagan/notMNIST-to-MNIST/raw/master/",
)


class NotMNIST(tfds.core.GeneratorBasedBuilder):
    """Letters A to J in many fonts, 28 x 28: the test file of notMNIST.

    10,000 images, 1,000 a letter; labels 0 to 9 are A to J. The files are
    those that the authors of Bayes by Hypernet read, checked by SHA-256.

    References:
        Yaroslav Bulatov, notMNIST dataset, 2011; in MNIST's format by
        David Flanagan, notMNIST-to-MNIST.
    """

    name = "notmnist"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The test file of notMNIST-to-MNIST."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = None

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Letters A to J in many fonts, in MNIST's format.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(28, 28, 1)),
                    "label": tfds.features.ClassLabel(names=list("ABCDEFGHIJ")),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://github.com/davidflanagan/notMNIST-to-MNIST",
        )

    def _split_generators(self, dl_manager):
        paths = [_download(dl_manager, name) for name in (IMAGES, LABELS)]
        return {"test": self._generate_examples(*paths)}

    def _generate_examples(self, images_path, labels_path):
        images = idx.read_images(images_path)
        labels = idx.read_labels(labels_path)
        for number, (image, label) in enumerate(zip(images, labels)):
            yield number, {"image": image[..., None], "label": int(label)}


def _download(dl_manager, name):
    """Downloads a file from the first mirror that has it whole."""
    problems = []
    for mirror in _MIRRORS:
        try:
            path = dl_manager.download(mirror + name)
            idx.check_sha256(path, SHA256[name])
        # A failed download surfaces as one of many unrelated classes.
        except Exception as error:
            problems.append(f"{mirror}: {error}")
        else:
            return path
    raise OSError(
        f"{name} could not be downloaded from any mirror: {'; '.join(problems)}"
    )
