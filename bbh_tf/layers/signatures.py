"""The call signature of a wrapper: that of the layer it wraps."""

import inspect

import keras


def takes_training(call):
    """Whether a layer's `call` has the argument `training`."""
    return "training" in inspect.signature(call).parameters


def with_training(call):
    """Returns the signature of a layer's `call`, with `training` in it."""
    signature = inspect.signature(call)
    if takes_training(call):
        return signature
    parameters = list(signature.parameters.values())
    training = inspect.Parameter(
        "training", inspect.Parameter.KEYWORD_ONLY, default=None
    )
    has_var_keyword = parameters and (
        parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
    )
    parameters.insert(len(parameters) - bool(has_var_keyword), training)
    return signature.replace(parameters=parameters)


def to_symbolic(value):
    """Turns a tensor or array into a `keras.KerasTensor`, else nothing."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return keras.KerasTensor(
            value.shape, keras.backend.standardize_dtype(value.dtype)
        )
    return value
