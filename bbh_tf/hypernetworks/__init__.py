"""Networks that turn noise into weights."""

from bbh_tf.hypernetworks.hypernetwork import Hypernetwork
from bbh_tf.hypernetworks.matrix_product import MatrixProduct
from bbh_tf.hypernetworks.mlp import MLP
from bbh_tf.hypernetworks.sliced import Sliced

__all__ = ["MLP", "Hypernetwork", "MatrixProduct", "Sliced"]
