"""Posterior and prior of one layer, as divergences see them."""

import typing

from bbh_tf import randomness


class Pair(typing.NamedTuple):
    """What a divergence compares, for one layer.

    Attributes:
        name: name of the layer, for messages.
        posterior: its `bbh_tf.posteriors.Posterior`, built.
        prior: its `bbh_tf.priors.Prior`.
        specs: `bbh_tf.weights.WeightSpec` of the random variables.
        draw: draws of q, a `LayerDraw`; None where only the kinds of
            distributions are asked for.
    """

    name: str
    posterior: typing.Any
    prior: typing.Any
    specs: list
    draw: typing.Any = None

    @property
    def prior_trains(self):
        """Whether the prior has variables that train, of a user's own say."""
        return bool(getattr(self.prior, "trainable_variables", ()))


def samples_of(pairs):
    """Returns the draws of q of all layers.

    Args:
        pairs: list of `Pair`, with draws.

    Returns:
        List of `float32` tensors `(num_samples, *shape)`.
    """
    return [tensor for pair in pairs for tensor in pair.draw.samples]


def by_prior(pairs):
    """Gathers the layers that have the same prior.

    Args:
        pairs: list of `Pair`.

    Returns:
        List of lists of `Pair`, in the order of their first.
    """
    groups = {}
    for pair in pairs:
        groups.setdefault(pair.prior.sharing_key(), []).append(pair)
    return list(groups.values())


def distributions_of(pairs):
    """Returns what `Prior.distributions` says, for all layers.

    Args:
        pairs: list of `Pair`, each with a prior that has distributions.

    Returns:
        List of `tfp.distributions.Distribution`, in the order of
        `samples_of`; the same object wherever it is the same distribution.
    """
    return _of_each_prior(
        pairs, lambda prior, specs, position: prior.distributions(specs)
    )


def sample_priors(pairs, num_samples, key):
    """Draws from the priors of all layers.

    Args:
        pairs: list of `Pair`.
        num_samples: number of samples of each.
        key: a key of `bbh_tf.randomness`.

    Returns:
        List of `float32` tensors `(num_samples, *shape)`, in the order of
        `samples_of`.
    """
    return _of_each_prior(
        pairs,
        lambda prior, specs, position: prior.sample(
            num_samples, specs, randomness.fold(key, position)
        ),
    )


def _of_each_prior(pairs, ask):
    """Asks each prior once, for the tensors of all its layers.

    Each distinct size of a draw is a compilation.

    Args:
        pairs: list of `Pair`.
        ask: from a prior, specs and the prior's position to a list, one for
            each spec.

    Returns:
        List of what was returned, in the order of `samples_of`.
    """
    found = {}
    for position, group in enumerate(by_prior(pairs)):
        specs = [spec for pair in group for spec in pair.specs]
        rest = iter(ask(group[0].prior, specs, position))
        for pair in group:
            found[id(pair)] = [next(rest) for _ in pair.specs]
    return [each for pair in pairs for each in found[id(pair)]]
