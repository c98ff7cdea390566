"""Image data with outliers, as plain NumPy arrays.

`load("digits")` needs no download: scikit-learn's handwritten digits with
printed letters as outliers. `load("mnist")` reads or downloads MNIST,
`load("cifar5")` five classes of CIFAR-10 with the other five as outliers.
The packages behind them come with `pip install bbh_tf[experiments]` and are
imported only when a data set is loaded.

`augment` and `prepare` make crops of CIFAR images to train and to test on.
"""

from bbh_tf.datasets.augmentation import CROP_SHAPE
from bbh_tf.datasets.augmentation import augment
from bbh_tf.datasets.augmentation import prepare
from bbh_tf.datasets.augmentation import prepared_range
from bbh_tf.datasets.cifar5 import load_cifar5
from bbh_tf.datasets.digits import load_digits
from bbh_tf.datasets.image_data import ImageData
from bbh_tf.datasets.letters import render_letters
from bbh_tf.datasets.mnist import load_mnist
from bbh_tf.datasets.notmnist import load_notmnist
from bbh_tf.datasets.registry import load

__all__ = [
    "CROP_SHAPE",
    "ImageData",
    "augment",
    "load",
    "load_cifar5",
    "load_digits",
    "load_mnist",
    "load_notmnist",
    "prepare",
    "prepared_range",
    "render_letters",
]
