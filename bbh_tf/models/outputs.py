"""What the outputs of a network must be for a likelihood to make sense."""

import keras

from bbh_tf.models import likelihoods


def check(likelihood, network):
    """Refuses outputs that would be scored, but not as was meant.

    Args:
        likelihood: a callable, as `likelihoods.get` returns it.
        network: a built functional or sequential `keras.Model` with one
            output.

    Raises:
        ValueError: if class logits have been through a softmax, or there is
            only one; or if a learned scale has no output of its own.
    """
    (output,) = network.outputs
    size = output.shape[-1] if output.shape else None
    if isinstance(likelihood, keras.layers.Layer) and not likelihood.built:
        # Its variables are to be there before the optimiser asks for them.
        likelihood.build(output.shape)
    if likelihood is likelihoods.categorical_logits:
        if size == 1:
            raise ValueError(
                'The likelihood "categorical_logits" expects one output for '
                f"each class, at least 2; {network.name!r} has 1. For two "
                'classes make it 2; for numbers take likelihood="normal".'
            )
        softmax = _softmax_of(network)
        if softmax is not None:
            raise ValueError(
                'The likelihood "categorical_logits" expects logits; layer '
                f"{softmax.name!r} ends in a softmax, and a second one would "
                "make all predictions nearly alike. Make it without, or set "
                "its `activation = keras.activations.linear` first."
            )
    if likelihood is likelihoods.normal_learned_scale and size and size % 2:
        raise ValueError(
            'The likelihood "normal_learned_scale" expects two outputs for '
            "each label, a mean and a raw scale; "
            f"{network.name!r} has {size} in all."
        )


def mask(outputs):
    """Returns the Keras mask of outputs, bools `(batch, ...)`, or None."""
    return getattr(outputs, "_keras_mask", None)


def have_mask(network):
    """Whether the outputs of a network come with a Keras mask."""
    return mask(network.outputs[0]) is not None


def _softmax_of(network):
    """Returns the operation that ends a network in a softmax, or None."""
    last = network.outputs[0]._keras_history.operation
    while isinstance(getattr(last, "layer", None), keras.layers.Layer):
        # `Bayesian`, `TimeDistributed` and other wrappers.
        last = last.layer
    if isinstance(last, keras.Model):
        return _softmax_of(last) if getattr(last, "outputs", None) else None
    activation = getattr(last, "activation", None)
    # The layer, and the operation of `keras.ops`, have this name.
    is_softmax = type(last).__name__ == "Softmax"
    return (
        last if is_softmax or activation is keras.activations.softmax else None
    )
