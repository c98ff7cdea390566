"""Lists of samples, and what divergences refuse in them."""

import tensorflow as tf


def as_samples(samples):
    """Turns a tensor or a list of tensors into a list of `float32` ones."""
    if not isinstance(samples, (list, tuple)):
        samples = [samples]
    return [tf.cast(tf.convert_to_tensor(x), tf.float32) for x in samples]


def check(name, samples, side, fewest=1):
    """Refuses samples that are not alike.

    Args:
        name: name of the divergence.
        samples: list of tensors `(n, *shape)`.
        side: `"posterior"` or `"prior"`.
        fewest: least n.

    Raises:
        ValueError: if shapes are not known, or n is too small or not one.
    """
    for x in samples:
        if not x.shape.is_fully_defined() or not x.shape.rank:
            raise ValueError(
                f"{name} expects samples of known shape (n, *shape); got shape "
                f"{x.shape}."
            )
    counts = sorted({x.shape[0] for x in samples})
    if len(counts) != 1 or counts[0] < fewest:
        raise ValueError(
            f"{name} expects the same number of samples of every tensor, at "
            f"least {fewest}; got {counts} of the {side}."
        )


def check_pair(name, posterior, prior, fewest_posterior=1, fewest_prior=1):
    """Refuses samples of q and p that do not fit together.

    Args:
        name: name of the divergence.
        posterior: list of tensors `(n, *shape)`.
        prior: list of tensors `(m, *shape)`.
        fewest_posterior: least n.
        fewest_prior: least m.

    Raises:
        ValueError: if the lists, shapes or numbers of samples do not fit.
    """
    if not posterior or len(posterior) != len(prior):
        raise ValueError(
            f"{name} expects as many prior as posterior tensors, at least one; "
            f"got {len(posterior)} and {len(prior)}."
        )
    check(name, posterior, "posterior", fewest_posterior)
    check(name, prior, "prior", fewest_prior)
    for q, p in zip(posterior, prior):
        if q.shape[1:] != p.shape[1:]:
            raise ValueError(
                f"{name} expects posterior samples (n, *shape) and prior "
                f"samples (m, *shape); got {tuple(q.shape)} and "
                f"{tuple(p.shape)}."
            )
