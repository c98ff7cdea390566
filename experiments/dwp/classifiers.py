"""Classifiers that are trained many times, and compiled once.

One object serves all runs of one prior: `train` puts every variable back to
where it was when the object was made, then gives kernels, dense layers and
seeds their values of this run. So no run depends on those before it.
"""

import math

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from experiments import epoch_bar
from experiments import plain_network
from experiments.dwp import dropout_posterior
from experiments.dwp import hypernet_posterior
from experiments.dwp import layer_densities
from experiments.dwp import networks
from experiments.dwp import snapshot

# Steps in one call of the compiled program.
_STEPS_AT_ONCE = 20
_LOG_UNIFORM = "log_uniform", "log_uniform_additive"
_BY_SAMPLES = "dwp_hypernet"
# A sigmoid of -2, as in the authors' code.
_FIRST_ALPHA = 1 / (1 + math.exp(2.0))
# Parts of a training whose mean measures are kept.
_PARTS = 10
_BATCH_OF_PREDICTIONS = 1000
# Far more draws than a training makes: streams of layers do not meet.
_DRAWS_OF_A_LAYER = 2**20


class Classifier:
    """Base of the two kinds; `make` chooses.

    Args:
        settings: a `settings.ClassificationConfig`.
        num_steps: steps of a training.
        model: a Keras model.
        network: the network in it.
    """

    def __init__(self, settings, num_steps, model, network):
        self.settings = settings
        self.model = model
        self.network = network
        self._num_steps = num_steps
        optimizer = bbh.optimizers.FusedAdam(
            keras.optimizers.schedules.PolynomialDecay(
                settings.learning_rate, num_steps, 0.0
            )
        )
        self._compile(
            optimizer=optimizer,
            jit_compile=False,
            steps_per_execution=math.gcd(self._part(), _STEPS_AT_ONCE),
        )
        optimizer.build(model.trainable_variables)
        self._first = snapshot.Snapshot(model)

    def train(self, images, labels, kernels, seed):
        """Trains from given kernels.

        Args:
            images: `(count, height, width, channels)`.
            labels: `(count,)`.
            kernels: dictionary from names of layers to arrays.
            seed: seed of the dense layers, the batches and the noise.

        Returns:
            Dictionary from measures to lists, the means over each tenth of
            the steps.
        """
        self._first.restore()
        fresh = keras.Sequential(
            [
                keras.Input(self._dense_inputs()),
                *networks.head(self.settings.dataset, seed),
            ]
        )
        dense = [
            layer
            for layer in self.network.layers
            if isinstance(layer, keras.layers.Dense)
        ]
        values = iter(fresh.get_weights())
        for layer in dense:
            for variable in (layer.kernel, layer.bias):
                variable.assign(next(values))
        self._begin(kernels, seed, len(images))
        part = self._part()
        history = self.model.fit(
            _batches(images, labels, self.settings.batch_size, seed),
            steps_per_epoch=part,
            epochs=self._num_steps // part,
            shuffle=False,
            callbacks=[epoch_bar.EpochBar(f"{self._num_steps:,} steps")],
            verbose=0,
        )
        return {
            key: [float(value) for value in values]
            for key, values in history.history.items()
        }

    def probabilities(self, images):
        """Predicts; returns `(count, classes)`."""
        raise NotImplementedError

    def _compile(self, **kwargs):
        raise NotImplementedError

    def _begin(self, kernels, seed, num_examples):
        raise NotImplementedError

    def _part(self):
        is_even = self._num_steps % _PARTS == 0
        return self._num_steps // _PARTS if is_even else self._num_steps

    def _dense_inputs(self):
        flat = next(
            layer
            for layer in self.network.layers
            if isinstance(layer, keras.layers.Flatten)
        )
        return (flat.output.shape[1],)


class _Bayesian(Classifier):
    def __init__(self, settings, num_steps, kind, prior):
        network = bbh.models.bayesify(
            networks.classifier(settings.dataset, 0),
            _posterior(settings, kind),
            prior=prior,
            layers=networks.names_of(settings.dataset),
            local_reparameterization=kind != _BY_SAMPLES,
        )
        model = bbh.models.BayesianModel(
            network,
            # Each run says how many.
            num_train_examples=1,
            kl_scale=settings.kl_scale,
            num_prediction_samples=settings.num_prediction_samples,
            **_estimate(kind),
        )
        self._kind = kind
        super().__init__(settings, num_steps, model, network)

    def _compile(self, **kwargs):
        self.model.compile(**kwargs)

    def _begin(self, kernels, seed, num_examples):
        std = math.exp(0.5 * self.settings.initial_log_variance)
        for index, layer in enumerate(self.model.random_layers):
            kernel = kernels[layer.name]
            if self._kind == "log_uniform":
                ratio = math.sqrt(_FIRST_ALPHA)
            else:
                square = np.mean(np.square(kernel, dtype=np.float64))
                ratio = std / math.sqrt(square)
            layer.posterior.start_at([kernel], ratio)
            # Noise of single examples; without it, the model's seed is all.
            if layer.seed_generator is not None:
                layer.seed_generator.state.assign(
                    [seed, index * _DRAWS_OF_A_LAYER]
                )
        self.model.kept_seed.set(seed)
        self.model.num_train_examples = num_examples

    def probabilities(self, images):
        return self.model.predict(
            images, batch_size=_BATCH_OF_PREDICTIONS, verbose=0
        )


class _Deterministic(Classifier):
    def __init__(self, settings, num_steps):
        l2_biases = settings.l2 if settings.preset == "released_code" else 0.0
        network = plain_network.PlainNetwork(
            [
                *networks.convolutions(
                    settings.dataset, 1.0, settings.l2, l2_biases
                ),
                *networks.head(settings.dataset, 0),
            ]
        )
        super().__init__(settings, num_steps, network, network)

    def _compile(self, **kwargs):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(loss=loss, **kwargs)

    def _begin(self, kernels, seed, num_examples):
        del seed, num_examples
        for name, kernel in kernels.items():
            self.network.get_layer(name).kernel.assign(kernel)

    def probabilities(self, images):
        logits = self.model.predict(
            images, batch_size=_BATCH_OF_PREDICTIONS, verbose=0
        )
        return np.asarray(bbh.uncertainty.class_probabilities(logits))


def make(settings, num_steps, kind, densities, strategy=None):
    """Makes the classifier of a prior.

    Args:
        settings: a `settings.ClassificationConfig`.
        num_steps: steps of a training.
        kind: a key of `settings.PRIORS`.
        densities: dictionary from layers to `LayerDensity`.
        strategy: the `tf.distribute.Strategy` to train under; None for the one
            in force.

    Returns:
        A `Classifier`.
    """
    keras.utils.set_random_seed(0)
    strategy = strategy or tf.distribute.get_strategy()
    if kind == "deterministic":
        with strategy.scope():
            return _Deterministic(settings, num_steps)
    # A prior that is fitted is so by each worker, on one device.
    prior = _priors(settings, kind, densities)
    with strategy.scope():
        return _Bayesian(settings, num_steps, kind, prior)


def _estimate(kind):
    if kind == _BY_SAMPLES:
        return {
            "divergence": bbh.divergences.KernelKL(min_distance=1e-4),
            "num_samples": 5,
            "num_likelihood_samples": 5,
        }
    divergence = bbh.divergences.MonteCarloKL()
    if kind in ("normal", *_LOG_UNIFORM):
        divergence = bbh.divergences.AnalyticKL()
    return {"divergence": divergence, "num_samples": 1}


def _posterior(settings, kind):
    if kind == _BY_SAMPLES:
        return hypernet_posterior.HypernetPosterior()
    if kind == "log_uniform":
        return dropout_posterior.DropoutPosterior()
    return bbh.posteriors.MeanField(
        settings.initial_log_variance, kernels_only=True
    )


def _priors(settings, kind, densities):
    if kind == "normal":
        return None
    if kind in _LOG_UNIFORM:
        return bbh.priors.LogUniform("kingma")
    return {
        name: layer_densities.prior(
            kind,
            density,
            settings.num_slices,
            train_reverse=settings.preset != "released_code",
        )
        for name, density in densities.items()
    }


def _batches(images, labels, batch_size, seed):
    if len(images) <= batch_size:
        return tf.data.Dataset.from_tensors((images, labels)).repeat()
    return (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .shuffle(len(images), seed=seed)
        .repeat()
        .batch(batch_size, drop_remainder=True)
    )
