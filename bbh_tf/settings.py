"""Numbers of a layer or model that can be set while it is trained."""

import keras
import tensorflow as tf


class Setting:
    """A number that programs read anew each time they run.

    A descriptor: as an attribute it is a Python number, and `tensor` is what
    programs read. It is no weight: it is saved as an argument of the
    constructor.

    Args:
        dtype: of the tensor.
        check: function of a name and a value that refuses what is wrong.
        is_optional: whether it may be None, for ever.
    """

    def __init__(self, dtype, check, is_optional=False):
        self._dtype = dtype
        self._check = check
        self._is_optional = is_optional

    def __set_name__(self, owner, name):
        self._name = name
        self._place = f"_{name}_setting"

    def __get__(self, owner, kind=None):
        if owner is None:
            return self
        if self._place not in vars(owner):
            raise AttributeError(self._name)
        variable = vars(owner)[self._place]
        if variable is None:
            return None
        # Also while a program is made.
        with tf.init_scope():
            value = variable.value.numpy()
        return value.item()

    def __set__(self, owner, value):
        is_new = self._place not in vars(owner)
        if value is None and self._is_optional and is_new:
            vars(owner)[self._place] = None
            return
        self._check(self._name, value)
        most = tf.as_dtype(self._dtype).max
        if value > most:
            raise ValueError(
                f"Expected {self._name} to be at most {most}; got {value!r}."
            )
        if is_new:
            # Not by `setattr`: Keras would take it for a weight.
            vars(owner)[self._place] = self._new_variable(value)
        elif vars(owner)[self._place] is None:
            raise AttributeError(
                f"{type(owner).__name__} was made without {self._name}, and "
                f"compiled so: make a new one; got {self._name}={value!r}."
            )
        else:
            vars(owner)[self._place].assign(tf.constant(value, self._dtype))

    def tensor(self, owner, dtype=None):
        """Returns the number as a scalar tensor, of another type if given."""
        value = tf.convert_to_tensor(vars(owner)[self._place].value)
        return tf.cast(value, dtype or self._dtype)

    def variable(self, owner):
        """Returns the variable that holds the number, or None."""
        return vars(owner)[self._place]

    def _new_variable(self, value):
        return keras.Variable(
            lambda shape, dtype: tf.constant(value, dtype),
            shape=(),
            dtype=self._dtype,
            trainable=False,
            autocast=False,
            aggregation="none",
            name=self._name,
        )
