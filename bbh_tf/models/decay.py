"""Weight decay of an optimiser, which knows nothing of posteriors."""

import warnings


def warn(model):
    """Warns where weight decay would change posteriors.

    Args:
        model: a compiled `bbh_tf.models.BayesianModel`.
    """
    optimizer = model.optimizer
    # What a `LossScaleOptimizer` wraps.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not optimizer.weight_decay:
        return
    decayed = [
        variable
        for layer in model.random_layers
        for variable in getattr(layer, "posterior", layer).trainable_variables
        # Keras has no public name for it.
        if optimizer._use_weight_decay(variable)
    ]
    if decayed:
        warnings.warn(
            f"weight_decay={optimizer.weight_decay:g} of the optimiser pulls "
            "parameters of posteriors to 0, such as "
            f"{decayed[-1].path!r}: log-variances too, hence standard "
            "deviations to 1, besides what the prior does. Leave it out, or "
            "call exclude_from_weight_decay of the optimiser first.",
            stacklevel=3,
        )
