"""The methods: each module with a `METHOD` is one, found by itself."""

import importlib
import pkgutil


def _find():
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    methods = [x.METHOD for x in modules if hasattr(x, "METHOD")]
    return {method.name: method for method in methods}


METHODS = _find()
