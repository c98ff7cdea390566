"""Refusing to set what programs have read."""

import functools
import inspect


class Fixed:
    """Refuses to set an argument of the constructor once programs read it.

    Keras compiles a step once; a Python number is then a part of it, and
    setting it would change nothing, in silence. A part of a class, first among
    its bases. Layers and models are fixed when they are built, other objects
    when they are made; what is a `settings.Setting` can be set.
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


def _is_setting(kind, name):
    return hasattr(inspect.getattr_static(kind, name, None), "tensor")


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
