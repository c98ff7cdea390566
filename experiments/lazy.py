"""Modules that are imported at their first use.

Importing TensorFlow takes seconds. What reads flags and describes runs must
not wait for it, so that a wrong flag is told at once.
"""

import importlib


def import_module(name):
    """Returns what stands for a module until it is first asked for a name.

    Args:
        name: the module's full name.
    """
    return _Module(name)


class _Module:
    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        return getattr(importlib.import_module(self._name), attribute)
