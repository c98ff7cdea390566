"""What passes from a layer to its copy: variables, and what was adapted.

Keras writes down that a layer is frozen, and not that a variable is.
"""

import keras

from bbh_tf.layers import selection

_LOOKUPS = (keras.layers.IntegerLookup, keras.layers.StringLookup)


def assign(old, new, sources=None):
    """Gives a layer the values of another, and what it was adapted to.

    What is frozen stays so, single variables too.

    Args:
        old: a built Keras layer.
        new: a built layer of the same configuration, or one that wraps such.
        sources: values for `new.variables`, in their order; None for those of
            `old`.

    Raises:
        ValueError: if their numbers differ; see `copy_adapted` besides.
    """
    if sources is None:
        sources = old.variables
    for source, target in zip(sources, new.variables, strict=True):
        assign_variable(source, target)
    copy_adapted(old, new)


def assign_variable(source, target):
    """Gives a variable the value of another, and freezes it likewise.

    Args:
        source: a `keras.Variable`, or a tensor.
        target: the variable.
    """
    target.assign(source)
    if isinstance(source, keras.Variable) and selection.is_frozen(source):
        target.trainable = False


def copy_adapted(old, new):
    """Brings along what variables alone do not.

    Keras computes the mean and variance of an adapted `Normalization` from its
    variables once, and holds the vocabularies of `TextVectorization` and its
    kin in no variable. Here they follow, in layers at any depth.

    Args:
        old: a built Keras layer.
        new: a layer as `assign` takes it, with the variables of `old`.

    Raises:
        ValueError: if a vocabulary has weights that were learnt with it
            (`output_mode="tf_idf"`).
    """
    for before, after in zip(_adapted(old), _adapted(new), strict=True):
        if isinstance(after, keras.layers.Normalization):
            after.finalize_state()
        else:
            _copy_vocabulary(before, after)


def _adapted(layer):
    return [
        sublayer
        for sublayer in selection.sublayers_of(layer)
        if isinstance(sublayer, (keras.layers.Normalization, *_LOOKUPS))
    ]


def _copy_vocabulary(old, new):
    vocabulary = old.get_vocabulary(include_special_tokens=False)
    if list(new.get_vocabulary(include_special_tokens=False)) == list(
        vocabulary
    ):
        return
    if old.output_mode == "tf_idf":
        raise ValueError(
            f"The weights of the vocabulary of {old.name!r} cannot be copied: "
            "expected a layer made with vocabulary=... and idf_weights=...; "
            "got one that was adapted."
        )
    new.set_vocabulary(vocabulary)
