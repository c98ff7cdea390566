"""A Bayesian layer that draws for itself, in a plain Keras model."""

import warnings

from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.layers import total_kl


def call(layer, training, args, kwargs):
    """Runs the wrapped layer on the draw of the layer's own counter.

    In training the counter goes on, and the KL, times `kl_weight`, is added
    to the layer's losses. A layer alone does not know its position in the
    network: layers of one seed have the same noise.

    Args:
        layer: a built `bbh_tf.layers.Bayesian`.
        training: a bool.
        args: positional arguments of the wrapped layer.
        kwargs: keyword arguments of the wrapped layer.

    Returns:
        What the wrapped layer returns.
    """
    has_kl = training and is_weighted(layer)
    num_draws = 1
    if has_kl:
        num_draws = max(1, layer.divergence.num_draws(layer.num_samples))
    number = layer.draw_number.value
    draw = drawing.sample_for_training if training else drawing.sample
    draws = draw(
        [layer],
        num_draws,
        randomness.key(layer.kept_seed.word, randomness.TRAINING, number),
    )
    draws, (weights,) = drawing.apart(draws, 1)
    # Called as a layer it would come here again.
    outputs, losses = drawing.call(
        layer, [layer], weights, 0, args, kwargs, function=layer.run
    )
    if has_kl:
        total_kl.fit_priors([layer], draws)
        kl = total_kl.divergence(
            [layer],
            draws,
            layer.divergence,
            layer.divergence.num_prior_draws(layer.num_samples),
            randomness.key(layer.kept_seed.word, randomness.PRIOR, number),
        )
        losses.append(type(layer).kl_weight.tensor(layer, "float32") * kl)
    total_kl.add_losses(layer, losses)
    if training:
        drawing.count_on(layer.draw_number, (args, kwargs))
    return outputs


def is_weighted(layer):
    """Whether a layer that trains alone adds its KL.

    Args:
        layer: a `bbh_tf.layers.Bayesian` or an MNF layer.

    Warns:
        UserWarning: if nobody has said whether it is to.
    """
    if layer.kl_weight is not None:
        return True
    if layer.trainable:
        warnings.warn(
            f"{layer.name!r} trains without a KL, towards point estimates: "
            "expected its network in a BayesianModel, or kl_weight=1 / (number "
            "of training examples), 0 for none.",
            stacklevel=3,
        )
    return False
