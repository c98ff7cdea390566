"""Variables of likelihoods: a layer's are trained, others have nobody."""

import contextlib
import inspect

import keras
import tensorflow as tf


def check(likelihood):
    """Refuses a likelihood whose variables nobody would train.

    Args:
        likelihood: a callable.

    Raises:
        ValueError: if a function, or an object that is no Keras layer, holds
            a variable that is to be trained.
    """
    if isinstance(likelihood, keras.layers.Layer):
        return
    for leaf in keras.tree.flatten(_held(likelihood)):
        found = [leaf]
        if isinstance(leaf, (keras.layers.Layer, tf.Module)):
            found = leaf.trainable_variables
        for variable in found:
            is_variable = isinstance(variable, (tf.Variable, keras.Variable))
            if is_variable and variable.trainable:
                raise ValueError(
                    "Expected a likelihood without variables, or a "
                    "keras.layers.Layer, whose variables a BayesianModel "
                    f"trains and saves; got {likelihood!r}, which holds the "
                    f"trainable {variable.name!r}."
                )


def check_none(likelihood):
    """Refuses a layer with variables, where several networks are trained.

    Raises:
        ValueError: naming the first of them.
    """
    for variable in getattr(likelihood, "trainable_variables", ()):
        raise ValueError(
            "Expected a likelihood without variables that are to be trained: "
            "members of an ensemble are trained each as if alone; got "
            f"{variable.path!r}."
        )


def _held(likelihood):
    """Returns what a callable refers to."""
    function = inspect.unwrap(likelihood)
    held = list(getattr(likelihood, "__dict__", {}).values())
    for name in ("__self__", "func"):
        of = getattr(likelihood, name, None)
        # Methods of an object, and what a partial function is of.
        if of is not None and not inspect.ismodule(of):
            held += [of] if isinstance(of, keras.layers.Layer) else _held(of)
    held += getattr(likelihood, "args", ())
    held += (getattr(likelihood, "keywords", None) or {}).values()
    held.append(getattr(function, "__defaults__", None))
    for cell in getattr(function, "__closure__", None) or ():
        with contextlib.suppress(ValueError):
            held.append(cell.cell_contents)
    known = getattr(function, "__globals__", {})
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    return held + [known[name] for name in names if name in known]
