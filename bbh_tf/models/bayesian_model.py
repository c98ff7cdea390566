"""A Keras model with a distribution over its weights."""

import keras
import tensorflow as tf

from bbh_tf import annealing as schedules
from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.layers import total_kl
from bbh_tf.models import drawn_model
from bbh_tf.models import objective
from bbh_tf.models import report


@keras.saving.register_keras_serializable(package="bbh_tf.models")
class BayesianModel(drawn_model.DrawnModel):
    """Trains the posterior of a network's weights, and predicts with it.

    A training step draws `num_samples` sets of weights and minimises

        mean over the batch of -log p(y | x, w) + kl_weight * KL(q || p),
        kl_weight = annealing(epoch) * kl_scale / num_train_examples,

    with the likelihood under the first draw (or the mean over the first
    `num_likelihood_samples`) and the KL over the weights of all `Bayesian`
    layers together. Layers that are random by themselves (`MCDropout`,
    `MNFDense`) give each example noise of its own and bring the KL that they
    have. Regularisers and `add_loss` of the network are added as they are.
    This is the only place where the KL is scaled.

    Metrics, besides those given to `compile`: `loss`; `nll`, nats per
    example; `kl`, nats for the whole network, unscaled; `kl_weight`.

    Args:
        network: a built functional or sequential `keras.Model` with one
            output and at least one random layer of `bbh_tf.layers`.
        num_train_examples: number of examples in the training set, N.
        likelihood: callable from outputs to a `tfp` distribution of labels,
            or `"categorical_logits"` (outputs without a softmax), `"normal"`
            (scale 1; see `bbh_tf.models.likelihoods.Normal` for others) or
            `"normal_learned_scale"`.
        divergence: estimate of the KL; None for
            `bbh_tf.divergences.KernelKL()`.
        num_samples: posterior samples of that estimate; the paper's is 5.
        num_prior_samples: prior samples of that estimate; None for
            `num_samples`, or 20 under a `KernelKL` of several neighbours.
        num_likelihood_samples: draws under which the likelihood is taken.
        annealing: callable from the epoch (examples seen / N, a scalar
            tensor) to a factor; None for 1.
        kl_scale: factor on the KL; 1 is Bayes' rule, any other value a
            tempered posterior.
        num_prediction_samples: draws that `predict` and `evaluate` average.
        seed: seed of all draws; None for a random one.
        name: name of the model.

    Raises:
        ValueError: if an argument is not as said, or the divergence needs a
            density that a posterior or prior does not have.

    Example: see the package's docstring.

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Sec. 2.
    """

    def __init__(
        self,
        network,
        num_train_examples,
        likelihood="categorical_logits",
        divergence=None,
        num_samples=5,
        num_prior_samples=None,
        num_likelihood_samples=1,
        annealing=None,
        kl_scale=1.0,
        num_prediction_samples=100,
        seed=None,
        name=None,
    ):
        super().__init__(
            network, likelihood, num_prediction_samples, seed, name
        )
        for argument, value in (
            ("num_train_examples", num_train_examples),
            ("num_samples", num_samples),
            ("num_likelihood_samples", num_likelihood_samples),
        ):
            checks.check_count(argument, value)
        if num_prior_samples is not None:
            checks.check_count("num_prior_samples", num_prior_samples)
        checks.check_factor("kl_scale", kl_scale)
        self.num_train_examples = int(num_train_examples)
        self.divergence = divergences.get(divergence)
        total_kl.check_pairing(self.divergence, self.bayesian_layers)
        self.num_samples = int(num_samples)
        self.num_prior_samples = int(
            total_kl.num_prior_samples(
                self.divergence, num_samples, num_prior_samples
            )
        )
        self.num_likelihood_samples = int(num_likelihood_samples)
        self._num_draws = total_kl.num_draws(
            self.divergence, self.num_samples, self.num_likelihood_samples
        )
        self.annealing = schedules.get(annealing)
        self.kl_scale = float(kl_scale)
        self._kl_trackers = {
            name: keras.metrics.Mean(name=name) for name in ("kl", "kl_weight")
        }
        self.build()

    def build(self, input_shape=None):
        """Makes the counters; the network is built already."""
        super().build(input_shape)
        self.examples_seen = drawing.add_counter(self, "examples_seen")
        # Held by the model, so that it is saved with it.
        self._divergence_state = self.divergence.build()

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: a Keras optimiser.
            loss: must be None: the loss is the negative log-likelihood.
            **kwargs: other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if a loss is given.
            MemoryError: if gradients and moments do not fit in memory.
        """
        report.check_training_memory(self.random_layers, optimizer)
        super().compile(optimizer, loss, **kwargs)

    def train_step(self, data):
        """Makes one optimiser step; see the class for the loss.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            Dictionary of metrics.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError("Training needs labels: expected (x, y); got x.")
        num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
        num_local = tf.shape(keras.tree.flatten(x)[0])[0]
        num_examples = objective.sum_over_replicas(num_local)
        kl_weight = self._kl_weight()
        divergence = self._trained_divergence()

        with tf.GradientTape() as tape:
            samples, weights = drawing.sample(
                self.random_layers,
                self._num_draws,
                self.step_key(),
                fixed=False,
            )
            nll, penalty, predictions = objective.data_terms(
                self, x, y, sample_weight, weights
            )
            nll /= tf.cast(num_examples, tf.float32)
            kl = total_kl.divergence(
                self.random_layers,
                [[x[: self.num_samples] for x in drawn] for drawn in samples],
                divergence,
                self.num_prior_samples,
                self.step_key(drawing.PRIOR),
            )
            # The optimiser adds the gradients of the replicas up.
            loss = nll + (kl_weight * kl + penalty) / num_replicas
            scaled_loss = self.optimizer.scale_loss(loss)

        variables = self.trainable_variables
        gradients = tape.gradient(scaled_loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables))
        self.draw_number.assign(self.draw_number.value + 1)
        self.examples_seen.assign(
            self.examples_seen.value + tf.cast(num_examples, tf.int64)
        )
        self._loss_tracker.update_state(
            objective.sum_over_replicas(loss), sample_weight=num_local
        )
        self._nll_tracker.update_state(
            objective.sum_over_replicas(nll), sample_weight=num_local
        )
        for name, value in (("kl", kl), ("kl_weight", kl_weight)):
            self._kl_trackers[name].update_state(value, sample_weight=num_local)
        return self.compute_metrics(x, y, predictions, sample_weight)

    def _trained_divergence(self):
        layers = self.bayesian_layers

        def estimate_of(estimate, key):
            samples, _ = drawing.sample(
                layers, self.num_samples, randomness.fold(key, 0)
            )
            prior_key = randomness.fold(key, 1)
            return total_kl.divergence(
                layers, samples, estimate, self.num_prior_samples, prior_key
            )

        if not layers:
            return self.divergence
        key = self.step_key(drawing.DISCRIMINATOR)
        return self.divergence.fit_step(estimate_of, key)

    def _kl_weight(self):
        # float32 would lose count at 2^24 examples.
        epoch = tf.cast(self.examples_seen.value, tf.float64)
        epoch = tf.cast(epoch / self.num_train_examples, tf.float32)
        factor = self.annealing(epoch)
        scale = self.kl_scale / self.num_train_examples
        return tf.cast(factor, tf.float32) * scale

    def summary(self, print_fn=None, **kwargs):
        """Prints the network, then what its posteriors hold.

        Args:
            print_fn: function that prints a line; None for `print`.
            **kwargs: other arguments of `keras.Model.summary`.
        """
        self.network.summary(print_fn=print_fn, **kwargs)
        (print_fn or print)(report.posterior_table(self))

    def get_config(self):
        """Returns the constructor's arguments."""
        serialize = keras.saving.serialize_keras_object
        return {
            "network": serialize(self.network),
            "num_train_examples": self.num_train_examples,
            "likelihood": serialize(self.likelihood),
            "divergence": serialize(self.divergence),
            "num_samples": self.num_samples,
            "num_prior_samples": self.num_prior_samples,
            "num_likelihood_samples": self.num_likelihood_samples,
            "annealing": serialize(self.annealing),
            "kl_scale": self.kl_scale,
            "num_prediction_samples": self.num_prediction_samples,
            "seed": self.seed,
            "name": self.name,
        }
