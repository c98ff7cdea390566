"""What all normalizing flows have in common."""

import keras

from bbh_tf import checkpointing
from bbh_tf import fixed


class Flow(fixed.Fixed, checkpointing.Checkpointed, keras.layers.Layer):
    """Invertible map of vectors, with the log-determinant of its Jacobian.

    A flow turns a simple density into a richer one,

        log q(z') = log q(z) - log |det dz'/dz|.

    It draws nothing: what is random in a flow is handed to it, so that it can
    be inverted. Everything is float32 under any dtype policy.

    A subclass makes its parameters in `build(dim)` and maps in `call` and
    `inverse`.

    Args:
        name: name of the layer.
    """

    def __init__(self, name=None):
        super().__init__(name=name, dtype="float32")

    def build(self, dim):
        """Makes the parameters.

        Args:
            dim: dimension of the vectors, an integer.
        """
        raise NotImplementedError

    def __call__(self, *args, **kwargs):
        """Maps forward, if it is built; see `call`."""
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before it is called: "
                "build(dim)."
            )
        return super().__call__(*args, **kwargs)

    def call(self, z, masks=None):
        """Maps forward.

        Args:
            z: `float32` tensor of shape `(..., dim)`.
            masks: which elements are kept, in flows that have masks.

        Returns:
            `(mapped, log_det)`: tensors of shapes `(..., dim)` and `(...,)`,
            the latter in nats.
        """
        raise NotImplementedError

    def inverse(self, mapped, masks=None):
        """Maps back.

        Args:
            mapped: `float32` tensor of shape `(..., dim)`.
            masks: those of the forward map.

        Returns:
            `(z, log_det)`, where `log_det` is that of the map back: the
            forward one with its sign turned.
        """
        raise NotImplementedError

    def get_build_config(self):
        """Returns None: whoever owns a flow builds it."""
        return None
