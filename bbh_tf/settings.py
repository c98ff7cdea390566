"""What of a layer or model can be set while it is trained, and what cannot."""

import functools
import inspect

import keras
import tensorflow as tf


class Fixed:
    """Refuses to set an argument of the constructor once programs read it.

    Keras compiles a step once; a Python number is then a part of it, and
    setting it would change nothing, in silence. A part of a class, first among
    its bases. Layers and models are fixed when they are built, other objects
    when they are made; what is a `Setting` can be set.
    """

    def __setattr__(self, name, value):
        kind = type(self)
        is_fixed = name in vars(self) and getattr(self, "built", True)
        is_new = vars(self).get(name) is not value
        if is_fixed and is_new and name in _arguments(kind):
            others = [x for x in _arguments(kind) if _is_setting(kind, x)]
            instead = f"; {', '.join(others)} can be set" if others else ""
            raise AttributeError(
                f"{kind.__name__}.{name} is read when programs are compiled, "
                f"and setting it would change nothing: make a new one{instead}."
            )
        super().__setattr__(name, value)


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


def _is_setting(kind, name):
    return isinstance(inspect.getattr_static(kind, name, None), Setting)


@functools.cache
def _arguments(kind):
    """Returns the names of a class's constructor's arguments, bases' too."""
    names = {}
    for base in kind.__mro__:
        # Of Keras' own, `trainable` say, some can be set.
        if base.__module__.startswith(("keras.", "tensorflow.")):
            continue
        if "__init__" in vars(base):
            names.update(inspect.signature(base.__init__).parameters)
    return tuple(name for name in names if name not in ("self", "name"))
