"""Fifty steps beside the most literal way of writing them.

No blocks, no compiled divergence, no fused update: dense hypernetworks, all
differences of the kernel KL as one tensor, Keras' own Adam.
"""

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import randomness
from bbh_tf.hypernetworks import blocked_dense

_NUM_STEPS = 50
_NUM_SAMPLES = 5
_NUM_TRAIN = 60
_SEED = 4
_UNITS = (6, 7)


class Straightforward:
    """The model again, from the paper's formulas."""

    def __init__(self, model):
        self._shapes, self._hypernetworks = [], []
        for layer in model.bayesian_layers:
            values = [
                np.asarray(v) for v in layer.posterior.trainable_variables
            ]
            for variable in layer.replaced_variables:
                shape = tuple(variable.shape)
                self._shapes.append(shape)
                self._hypernetworks.append(_take(values, np.prod(shape)))
            assert not values
        self.variables = [
            v for pairs in self._hypernetworks for pair in pairs for v in pair
        ]
        self._adam = keras.optimizers.Adam(1e-4)
        self._adam.build(self.variables)

    def step(self, number, x, y, kl_weight):
        """Makes a step and returns its loss."""
        key = randomness.key(_SEED, bbh.randomness.TRAINING, number)
        noise = [
            randomness.normal(
                randomness.fold(key, position), _NUM_SAMPLES, (2, 1)
            )[:, tensor]
            for position in range(len(self._shapes) // 2)
            for tensor in range(2)
        ]
        size = int(sum(np.prod(shape) for shape in self._shapes))
        prior_key = randomness.key(_SEED, bbh.randomness.PRIOR, number)
        prior = randomness.normal(
            randomness.fold(prior_key, 0), _NUM_SAMPLES, (size,)
        )
        with tf.GradientTape() as tape:
            samples = [
                _generate(pairs, z)
                for pairs, z in zip(self._hypernetworks, noise)
            ]
            logits = _lenet(
                x, [tf.reshape(w[0], s) for w, s in zip(samples, self._shapes)]
            )
            nll = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            )
            kl = _kernel_kl(tf.concat(samples, axis=1), prior)
            loss = nll + kl_weight * kl
        values = [v.value for v in self.variables]
        self._adam.apply(tape.gradient(loss, values), self.variables)
        return float(loss), float(nll), float(kl)


def _take(values, size):
    """Takes one hypernetwork off the front of a list of arrays."""
    pairs = [(values.pop(0), values.pop(0)) for _ in _UNITS]
    blocks = []
    while values[0].ndim == 2:
        blocks.append(values.pop(0))
    pairs.append((np.concatenate(blocks, axis=1), values.pop(0)))
    assert pairs[-1][0].shape[1] == size
    return [tuple(keras.Variable(v) for v in pair) for pair in pairs]


def _generate(pairs, z):
    hidden = tf.concat([z, tf.ones_like(z[:, :1])], axis=1)
    for kernel, bias in pairs[:-1]:
        hidden = tf.nn.leaky_relu(hidden @ kernel.value + bias.value, 0.1)
    kernel, bias = pairs[-1]
    return hidden @ kernel.value + bias.value


def _lenet(x, weights):
    for kernel, bias in (weights[0:2], weights[2:4]):
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "VALID") + bias)
        x = tf.nn.max_pool2d(x, 2, 2, "SAME")
    x = tf.reshape(x, (x.shape[0], -1))
    x = tf.nn.relu(x @ weights[4] + weights[5])
    return x @ weights[6] + weights[7]


def _kernel_kl(q, p):
    n, m = q.shape[0], p.shape[0]
    to_prior = tf.abs(q[:, tf.newaxis] - p[tf.newaxis])
    to_self = tf.abs(q[:, tf.newaxis] - q[tf.newaxis])
    to_self += tf.eye(n)[:, :, tf.newaxis] * 1e9
    ratio = tf.reduce_min(to_prior, 1) / tf.reduce_min(to_self, 1)
    return tf.reduce_sum(tf.math.log(ratio)) / n + q.shape[1] * np.log(
        m / (n - 1)
    )


def test_losses_equal_over_fifty_steps(monkeypatch):
    monkeypatch.setattr(blocked_dense, "_BLOCK_BYTES", 4 * _UNITS[-1] * 64)
    keras.utils.set_random_seed(0)
    network = bbh.models.lenet(
        bbh.posteriors.Implicit(bbh.hypernetworks.MLP(units=_UNITS)),
        input_shape=(8, 8, 1),
        num_classes=4,
        units=(3, 5, 9),
        kernel_size=3,
    )
    model = bbh.models.BayesianModel(
        network,
        _NUM_TRAIN,
        num_samples=_NUM_SAMPLES,
        annealing=bbh.annealing.Linear(2, 6),
        seed=_SEED,
    )
    model.compile(bbh.optimizers.FusedAdam(1e-4))
    other = Straightforward(model)
    generator = np.random.default_rng(0)
    x = generator.random((12, 8, 8, 1)).astype(np.float32)
    y = generator.integers(0, 4, 12)

    found, expected, weights = [], [], []
    for number in range(_NUM_STEPS):
        model.reset_metrics()
        logs = model.train_on_batch(x, y, return_dict=True)
        found.append([logs["loss"], logs["nll"], logs["kl"]])
        # An epoch is five steps; the KL sets in after two.
        factor = min(max((number / 5 - 2) / 6, 0.0), 1.0)
        weights.append(factor / _NUM_TRAIN)
        np.testing.assert_allclose(logs["kl_weight"], weights[-1], 1e-5)
        expected.append(other.step(number, x, y, weights[-1]))
    found, expected = np.array(found), np.array(expected)
    assert weights[0] == 0 and weights[-1] == 1 / _NUM_TRAIN
    # The losses move by much more than what they may differ by.
    assert np.ptp(expected[:, 0]) > 0.1
    np.testing.assert_allclose(found[:30], expected[:30], 1e-4, 1e-4)
    # The KL's gradient is one over distances that may be tiny: differences of
    # rounding grow from step to step.
    np.testing.assert_allclose(found, expected, 5e-3, 5e-3)
    for ours, theirs in zip(
        [v for v in model.trainable_variables if v.path.endswith("/bias")],
        [v for v in other.variables if len(v.shape) == 1],
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3)
