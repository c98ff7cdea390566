"""Image data with a set of outliers beside it, as plain numpy arrays.

`load("digits")` needs no download: scikit-learn's handwritten digits with
printed letters as outliers. `load("mnist")` reads or downloads MNIST.
The packages behind them come with `pip install bbh_tf[experiments]` and are
imported only when a data set is loaded.
"""

from bbh_tf.datasets.digits import load_digits
from bbh_tf.datasets.image_data import ImageData
from bbh_tf.datasets.letters import render_letters
from bbh_tf.datasets.mnist import load_mnist
from bbh_tf.datasets.notmnist import load_notmnist
from bbh_tf.datasets.registry import load

__all__ = [
    "ImageData",
    "load",
    "load_digits",
    "load_mnist",
    "load_notmnist",
    "render_letters",
]
