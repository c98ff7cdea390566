"""Bounds on the evidence of a network, from few samples of z and from many.

    L(K) = E_q log p(D | w) + H(q)
           + sum over slices of E_q E_r log mean_k p(w, z_k) / r(z_k | w)

Atanov et al., arXiv:1810.06943, App. B: K = 1 is the bound that is trained,
L_aux, and L(K) rises to the evidence's own bound with K.
"""

import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import weights
from bbh_tf.priors import latent_bound

# Samples of z that go through the decoder at once.
_CHUNK = 10
# r = p(z) is so far off that few samples tell it.
_SAMPLES_OF_PRIOR = 100


def measure(model, images, labels, num_importance, num_draws, num_slices, seed):
    """Estimates the bounds of a trained network.

    Args:
        model: a `bbh_tf.models.BayesianModel` with `DeepWeightPrior`s.
        images, labels: what it was trained on.
        num_importance: K.
        num_draws: draws of the weights.
        num_slices: slices of a layer that are looked at, chosen at random;
            their mean stands for all.
        seed: seed of slices and draws.

    Returns:
        Dictionary of nats: `likelihood`, E_q log p(D | w); `entropy` of q;
        and lists of an estimate and its standard error over slices,
        `auxiliary`, L(1), `importance_weighted`, L(K), `gap`, their
        difference, and `auxiliary_of_prior`, L(1) with p(z) for r(z | w).
        Besides `num_slices`, of the whole network.
    """
    logits = model.predict_samples(images, num_samples=num_draws)
    each = tf.nn.log_softmax(logits)
    chosen = np.asarray(each)[:, np.arange(len(labels)), labels]
    likelihood = float(chosen.sum(axis=1).mean())
    entropy = sum(
        float(layer.posterior.entropy()) for layer in model.random_layers
    )
    parts = [
        _layer(layer, num_importance, num_draws, num_slices, seed, position)
        for position, layer in enumerate(model.random_layers)
    ]
    found = {"likelihood": likelihood, "entropy": entropy}
    for name, is_whole in (
        ("auxiliary", True),
        ("importance_weighted", True),
        ("gap", False),
        ("auxiliary_of_prior", True),
    ):
        total = sum(part[name][0] for part in parts)
        error = np.sqrt(sum(part[name][1] ** 2 for part in parts))
        rest = likelihood + entropy if is_whole else 0.0
        found[name] = [float(total + rest), float(error)]
    found["num_slices"] = sum(part["count"] for part in parts)
    return found


def _layer(layer, num_importance, num_draws, num_slices, seed, position):
    """Adds up what a layer's slices have, each with its standard error."""
    key = bbh.randomness.key(seed, 1, position)
    (kernels,), _ = layer.posterior.sample(num_draws, key)
    slices = weights.to_kernel_slices(kernels)
    count = slices.shape[1]
    order = np.random.default_rng([seed, position]).permutation(count)
    taken = order[:num_slices]
    slices = tf.gather(slices, taken, axis=1)
    networks = layer.prior.networks

    def of_prior(w, training):
        del training
        shape = tf.shape(w)[0], networks.latent_dim
        return tf.zeros(shape), tf.ones(shape)

    found = {"auxiliary": [], "importance_weighted": []}
    means = []
    trained, prior = (
        _compiled(some)
        for some in (networks, networks._replace(reverse=of_prior))
    )
    for draw in range(num_draws):
        mean, log_mean = _over_samples(
            trained, slices[draw], num_importance, (seed, 2, position, draw)
        )
        found["auxiliary"].append(mean)
        found["importance_weighted"].append(log_mean)
        mean, _ = _over_samples(
            prior, slices[draw], _SAMPLES_OF_PRIOR, (seed, 3, position, draw)
        )
        means.append(mean)
    found = {name: np.mean(values, axis=0) for name, values in found.items()}
    found["gap"] = found["importance_weighted"] - found["auxiliary"]
    found["auxiliary_of_prior"] = np.mean(means, axis=0)
    # Where all slices are looked at, nothing is left to chance but z and w.
    unseen = np.sqrt(1 - len(taken) / count)
    return {
        "count": count,
        **{
            name: (
                count * values.mean(),
                count * unseen * values.std(ddof=1) / np.sqrt(len(values)),
            )
            for name, values in found.items()
        },
    }


def _compiled(networks):
    @tf.function(autograph=False)
    def block(w, key, first):
        noise = bbh.randomness.normal(
            key, _CHUNK, (w.shape[0], networks.latent_dim), first
        )
        return latent_bound.log_weights(networks, w, [noise], False)

    return block


def _over_samples(block, w, num_samples, words):
    """Returns mean and log-mean-exp over z of each slice, `(count,)`."""
    key = bbh.randomness.key(*words)
    found = np.concatenate(
        [
            block(w, key, tf.constant(first))
            for first in range(0, num_samples, _CHUNK)
        ]
    )[:num_samples].astype(np.float64)
    log_mean = np.logaddexp.reduce(found, axis=0) - np.log(num_samples)
    return found.mean(axis=0), log_mean
