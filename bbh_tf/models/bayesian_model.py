"""A Keras model with a distribution over its weights."""

import keras

from bbh_tf import annealing as schedules
from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.layers import total_kl
from bbh_tf.models import calibrated
from bbh_tf.models import decay
from bbh_tf.models import kl_weighting
from bbh_tf.models import likelihood_training
from bbh_tf.models import objective
from bbh_tf.models import outputs
from bbh_tf.models import predictive_model
from bbh_tf.models import predictor
from bbh_tf.models import refusals
from bbh_tf.models import report
from bbh_tf.optimizers import epoch_cosine_decay


@keras.saving.register_keras_serializable(package="bbh_tf.models")
class BayesianModel(
    kl_weighting.KLWeighting,
    calibrated.Calibrated,
    likelihood_training.LikelihoodTraining,
    predictive_model.PredictiveModel,
):
    """Trains the posterior of a network's weights, and predicts with it.

    `num_train_examples` and `kl_scale` can be set at any time, for example by
    a callback, and take effect from the next step on; so can be, from the next
    prediction on, `num_prediction_samples`. The other arguments are fixed.

    A training step draws `num_samples` sets of weights and minimises

        mean over the batch of -log p(y | x, w) + kl_weight * KL(q || p),
        kl_weight = annealing(epoch) * kl_scale / num_train_examples,

    with the likelihood under the first draw (or its mean over the first
    `num_likelihood_samples`) and the KL over the weights of all `Bayesian`
    layers together. Layers that are random by themselves (`MCDropout`,
    `MNFDense`) give each example its own noise, and add their own KL, if they
    have one. Regularisers and `add_loss` of the network are added unscaled.
    This is the only place where the KL is scaled.

    Metrics, besides those given to `compile`: `loss`; `nll`, nats per
    example; `kl`, nats for the whole network, unscaled; `kl_weight`.

    Args:
        network: a built functional or sequential `keras.Model` with one
            output and at least one random layer: `bbh_tf.layers.Bayesian`, or
            a layer that is random by itself, such as `MCDropout`.
        num_train_examples: number of examples that are trained on, N.
        likelihood: callable from outputs to a `tfp` distribution of labels,
            or `"categorical_logits"` (outputs without a softmax),
            `"bernoulli_logits"` (without a sigmoid), `"normal"` (scale 1;
            others: `likelihoods.Normal`), `"normal_learned_scale"`.
        divergence: estimate of the KL; None for
            `bbh_tf.divergences.KernelKL()`.
        num_samples: posterior samples of that estimate; the paper's is 5.
        num_prior_samples: prior samples of that estimate; None for as many,
            or at least 20 under a `KernelKL` of several neighbours.
        num_likelihood_samples: draws under which the likelihood is taken.
        split_batches: whether each of them sees a part of the batch, not all.
        annealing: callable from the epoch (examples seen / N, a scalar
            tensor) to a factor; None for 1.
        kl_scale: factor on the KL; 1 is Bayes' rule, any other value a
            tempered posterior.
        num_prediction_samples: draws that `predict` and `evaluate` average.
        seed: seed of all draws; None for a random one. In training, noise of
            single examples (`LocalReparameterization`, `MCDropout`, MNF) has
            generators of its own: give these layers seeds too, or call
            `keras.utils.set_random_seed` before the network is made.
        name: name of the model.

    Raises:
        ValueError: if an argument is invalid, or the divergence needs a
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
        split_batches=False,
        annealing=None,
        kl_scale=1.0,
        num_prediction_samples=100,
        seed=None,
        name=None,
    ):
        super().__init__(likelihood, num_prediction_samples, name)
        self._layers_drawn = tuple(refusals.random_layers_of(network))
        outputs.check(self.likelihood, network)
        self.network = network
        self.kept_seed = randomness.KeptSeed(seed)
        self._predictors = {}
        self.make_calibration()
        checks.check_count("num_samples", num_samples)
        checks.check_count("num_likelihood_samples", num_likelihood_samples)
        if num_prior_samples is not None:
            checks.check_count("num_prior_samples", num_prior_samples)
        self.split_batches = checks.flag("split_batches", split_batches)
        self.num_train_examples = num_train_examples
        self.divergence = divergences.get(divergence)
        self.divergence.check(total_kl.pairs_of(self.random_layers))
        self.num_samples = int(num_samples)
        self.num_prior_samples = int(
            self.divergence.num_prior_draws(num_samples, num_prior_samples)
        )
        self.num_likelihood_samples = int(num_likelihood_samples)
        self._num_draws = max(
            self.divergence.num_draws(self.num_samples),
            self.num_likelihood_samples,
        )
        self.annealing = schedules.get(annealing)
        self.kl_scale = kl_scale
        self._kl_trackers = {
            name: keras.metrics.Mean(name=name) for name in ("kl", "kl_weight")
        }
        self.build()

    def build(self, input_shape=None):
        """Makes the counters; the network is built already."""
        self.draw_number = drawing.add_counter(self, "draw_number")
        self.examples_seen = drawing.add_counter(self, "examples_seen")
        # Held by the model, so that it is saved with it.
        self._divergence_state = self.divergence.build()

    @property
    def random_layers(self):
        """The random layers of the network, in the order of their keys."""
        return self._layers_drawn

    @property
    def bayesian_layers(self):
        """Those of them whose KL the divergence estimates."""
        return tuple(x for x in self._layers_drawn if x.pair() is not None)

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: a Keras optimiser.
            loss: None, or the name of the model's likelihood.
            **kwargs: others of `keras.Model.compile`; metrics see predictions.

        Raises:
            ValueError: if another loss is given, or a metric for logits.
            MemoryError: if gradients and moments do not fit in memory.

        Warns:
            UserWarning: where weight decay would change posteriors.
        """
        report.check_training_memory(self.random_layers, optimizer)
        super().compile(optimizer, loss, **kwargs)
        decay.warn(self)
        epoch_cosine_decay.let_follow(self.optimizer, self.epoch)
        # Made for the layers that were trained so far.
        self._predictors.clear()

    def step_key(self, purpose=randomness.TRAINING):
        """Returns the random key of the next training step."""
        return randomness.key(
            self.kept_seed.word, purpose, self.draw_number.value
        )

    def call(self, inputs, training=None):
        """Runs the network on one draw; for their mean see `predict`.

        In training, inside another model or in your own loop, each call makes
        a new draw and adds the weighted KL, and what the network's layers add,
        to `losses`; together with `compute_loss` that is what `fit` minimises,
        under one draw. (Regularisers of weights that are not random are always
        in `losses`.) Outside training, the draw is that of the next step.

        Args:
            inputs: the network's inputs.
            training: whether this is a step of a training.

        Returns:
            The network's outputs.

        Raises:
            ValueError: in training, under a divergence that must be trained.
        """
        if training:
            return objective.call(self, inputs, self._num_draws)
        draws = drawing.sample(self._layers_drawn, 1, self.step_key())
        outputs, _ = drawing.call(
            self.network,
            self._layers_drawn,
            drawing.weights_of(draws),
            0,
            (inputs,),
            {"training": training},
        )
        return outputs

    def compute_output_spec(self, inputs, training=None):
        """Returns the network's output, without drawing weights."""
        return self.network.compute_output_spec(inputs, training=training)

    def train_step(self, data):
        """Makes one optimiser step; see the class for the loss."""
        return objective.train_step(self, data, self._num_draws)

    def draws(self, inputs, num_samples, seed):
        return self._predictor().outputs(
            inputs, num_samples, seed, self.calibration_data
        )

    def masks(self, inputs):
        return self._predictor().masks(inputs)

    def networks(self, num_samples=None, seed=0):
        yield from self._predictor().networks(
            self._count(num_samples), seed, self.calibration_data
        )

    def draw(self, seed=0, index=0):
        """Makes an ordinary Keras model of one draw of the weights.

        Args:
            seed: seed of the draws, an integer.
            index: number of the draw.

        Returns:
            A functional or sequential `keras.Model` without any layer of
            this library, whose outputs are `predict_samples(x, seed=seed)`
            at `index`.

        Raises:
            ValueError: if `index` is no number of a draw, a draw of a layer is
                no ordinary layer (`MCDropout`), or a layer that is not of this
                library makes Bayesian layers of its own.
        """
        checks.check_count("index", index, fewest=0)
        return self._predictor().plain(seed, index, self.calibration_data)

    def _predictor(self):
        # What is in the network may be another (quantised, say) than it was.
        ids = tuple(id(variable) for variable in self.network.variables)
        key = (bool(self.jit_compile), bool(self.run_eagerly), ids)
        if key not in self._predictors:
            self._predictors[key] = predictor.Predictor(
                self.network,
                self._layers_drawn,
                self.kept_seed,
                *key[:2],
                self.distribute_strategy,
            )
        return self._predictors[key]

    def summary(self, print_fn=None, **kwargs):
        """Prints the network, then what its posteriors hold.

        Args:
            print_fn: function that prints a line; None for `print`.
            **kwargs: other arguments of `keras.Model.summary`.
        """
        self.network.summary(print_fn=print_fn, **kwargs)
        for text in report.texts(self):
            (print_fn or print)(text)

    def get_config(self):
        """Returns the constructor's arguments."""
        self.check_format()
        checks.check_config(self.divergence)
        serialize = keras.saving.serialize_keras_object
        plain = (
            "num_train_examples",
            "num_samples",
            "num_prior_samples",
            "num_likelihood_samples",
            "split_batches",
            "kl_scale",
            "num_prediction_samples",
            "seed",
            "name",
        )
        kept = ("network", "likelihood", "divergence", "annealing")
        return {
            **{name: serialize(getattr(self, name)) for name in kept},
            **{name: getattr(self, name) for name in plain},
        }
