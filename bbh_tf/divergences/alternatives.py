"""Which divergences would do where one does not."""

import tensorflow as tf


def of(pair):
    """Says which divergences can compare a posterior with its prior.

    Args:
        pair: a `Pair`, whose draw is not looked at.

    Returns:
        A sentence, for the end of a message.
    """
    found = []
    if pair.posterior.has_log_prob and pair.prior.has_log_prob(pair.specs):
        found.append("MonteCarloKL needs densities only")
    if pair.prior.can_be_sampled():
        found.append("KernelKL needs samples only")
        if pair.prior.trains_with_density():
            found[-1] += (
                ", but a prior that stays as it is, such as "
                "autoencoder.as_prior(train_reverse=False)"
            )
    if _has_closed_form(pair):
        found.append("AnalyticKL has their closed form")
    if found:
        return f"{'; '.join(found)}."
    return (
        f"No divergence compares {type(pair.posterior).__name__} with "
        f"{type(pair.prior).__name__}: expected another posterior, such as "
        "MeanField, or another prior, such as Normal."
    )


def is_known(q, p):
    """Whether TensorFlow Probability knows the KL of two distributions."""
    # Traced, not computed: it may be one of many weights.
    known = tf.function(lambda: q.kl_divergence(p), autograph=False)
    try:
        known.get_concrete_function()
    except NotImplementedError:
        return False
    return True


def _has_closed_form(pair):
    posterior = pair.posterior.distributions()
    prior = pair.prior.distributions(pair.specs)
    if posterior is None or prior is None:
        return False
    return all(
        q.dtype == p.dtype and is_known(q, p) for q, p in zip(posterior, prior)
    )
