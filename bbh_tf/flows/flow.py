"""What all normalizing flows have in common."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import checks
from bbh_tf import fixed

# From there on not all integers are float32 numbers.
_LARGEST_PLACE = 2**24


class Flow(fixed.Fixed, checkpointing.Checkpointed, keras.layers.Layer):
    """Invertible map of vectors, with the log-determinant of its Jacobian.

    A flow turns a simple density into a richer one,

        log q(z') = log q(z) - log |det dz'/dz|.

    It draws nothing: what is random in a flow is handed to it, so that it can
    be inverted. Everything is float32 under any dtype policy.

    A subclass makes its parameters in `build(dim)`, after that of this class,
    counts them in `count_parameters(dim)` and maps in `call` and, where that
    is one pass, `inverse`, which hands its argument to `check_vectors` first.
    A flow given to a posterior or a `Chain` is a recipe: they make their own
    from its configuration.

    Args:
        name: name of the layer.

    Attributes:
        dim: dimension of the vectors, an integer; None before `build`.
        has_inverse: whether `inverse` is available: the way back is one pass.
        has_scales: whether there is a scale of each element, for `start_at`.
        takes_masks: whether `call` and `inverse` need `masks`.
    """

    dim = None
    has_inverse = True
    has_scales = False
    takes_masks = False

    def __init__(self, name=None):
        super().__init__(name=name, dtype="float32")

    def build(self, dim):
        """Makes the parameters. Here, only remembers the dimension.

        Args:
            dim: dimension of the vectors, an integer.

        Raises:
            ValueError: if it is no positive integer.
        """
        checks.check_count("dim", dim)
        self.dim = int(dim)

    def _add_places(self, name, places):
        """Makes a weight that does not train of what was drawn in `build`.

        A map that reads it goes along with `save_weights`, checkpoints and
        `set_weights`, which know nothing of seeds.

        Args:
            name: str.
            places: array of integers, `(count,)`.

        Returns:
            The variable, `float32` as all of a flow is.

        Raises:
            ValueError: if a number is too large to be exact.
        """
        if max(places) > _LARGEST_PLACE:
            raise ValueError(
                f"{type(self).__name__} expects places up to {_LARGEST_PLACE}; "
                f"got {max(places)}."
            )
        return self.add_weight(
            name=name,
            shape=(len(places),),
            initializer=lambda shape, dtype: tf.constant(places, dtype, shape),
            trainable=False,
            autocast=False,
        )

    def check_vectors(self, vectors):
        """Checks what the flow is to map, one way or back.

        Args:
            vectors: tensor of any shape.

        Raises:
            ValueError: if the flow is not built, or was for another dimension.
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before it is called: "
                "build(dim)."
            )
        shape = tf.TensorShape(np.shape(vectors))
        if self.dim and not shape[-1:].is_compatible_with([self.dim]):
            raise ValueError(
                f"{type(self).__name__} was built for vectors of dimension "
                f"{self.dim}: expected shape (..., {self.dim}); got "
                f"{tuple(shape)}."
            )

    def count_parameters(self, dim):
        """Counts the trainable parameters that `build(dim)` would make.

        Args:
            dim: dimension of the vectors, an integer.

        Returns:
            An integer.
        """
        raise NotImplementedError

    def forward(self, z):
        """Maps forward; the same as calling the flow.

        Args:
            z: `float32` tensor of shape `(..., dim)`.

        Returns:
            `(mapped, log_det)`; see `call`.
        """
        return self(z)

    def start_at(self, stds):
        """Makes the map, not trained yet, a scaling around zero.

        Of standard normal noise it then makes values of mean 0 and these
        standard deviations, as nearly as what else is in the flow lets it.

        Args:
            stds: array of positive numbers, `(dim,)`.

        Raises:
            ValueError: if the flow has no scale for each element. Here,
                always.
        """
        del stds
        raise ValueError(
            f"{type(self).__name__} has no scale of each element to start at: "
            "expected a flows.ElementwiseAffine, or a flows.Chain with one."
        )

    def order_back(self, values):
        """Moves what belongs to elements of the output to those of the input.

        Args:
            values: array `(dim,)`.

        Returns:
            An array `(dim,)`. Here, the same: the map keeps the order.
        """
        return values

    def __call__(self, z, *args, **kwargs):
        """Maps forward, once vectors are checked; see `call`."""
        self.check_vectors(z)
        return super().__call__(z, *args, **kwargs)

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

        Raises:
            ValueError: if the way back is not one pass, or as `check_vectors`
                does.
        """
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"name": self.name}

    def get_build_config(self):
        """Returns None: whoever owns a flow builds it."""
        return None


def get(flow):
    """Makes a fresh flow from a recipe.

    Args:
        flow: a `Flow`, built or not, or its serialised form.

    Returns:
        A new, unbuilt flow of the same configuration.

    Raises:
        ValueError: if it is neither, or has arguments that its configuration
            lacks.
    """
    if isinstance(flow, dict):
        flow = keras.saving.deserialize_keras_object(flow)
    if not isinstance(flow, Flow):
        raise ValueError(
            f"Expected a flow, such as bbh_tf.flows.real_nvp(); got {flow!r}."
        )
    checks.check_config(flow)
    config = flow.get_config()
    config.pop("name", None)
    return type(flow).from_config(config)


def without_masks(flow, owner):
    """Makes a fresh flow from a recipe, for what gives it no masks.

    Args:
        flow: see `get`.
        owner: str, the name of who asks, for messages.

    Returns:
        See `get`.

    Raises:
        ValueError: as `get` does, or if the flow takes masks.
    """
    made = get(flow)
    if made.takes_masks:
        raise ValueError(
            f"{owner} expects a flow without masks; got {type(made).__name__}."
        )
    return made


def recipe_config(flow, owner):
    """Returns the serialised form of a recipe; see `without_masks`.

    Owners keep it instead of the recipe: a layer held would be taken for a
    part of the model. What was chosen at random stays.
    """
    config = keras.saving.serialize_keras_object(without_masks(flow, owner))
    # Names are of objects, and a recipe is none.
    config["config"].pop("name", None)
    return config
