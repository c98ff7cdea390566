"""How all methods of the tasks are made and trained."""

import dataclasses
import math

import keras
import numpy as np

import bbh_tf as bbh
from experiments import epoch_bar
from experiments import shuffled
from experiments.bhn import networks
from experiments.bhn import released
from experiments.errors import diverged

# Inputs of the data-dependent initialisation.
_NUM_INITIAL = 64
# Of orders and masks, as in the authors' code.
_STRUCTURE_SEED = 1234
_PREDICTION_BATCH = 1000


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is the same for all methods of a task.

    Attributes:
        epochs: for how many epochs the learning rate falls.
        batch_size: examples in a step.
        learning_rate: Adam's.
        decays: whether it falls to a tenth, by the same factor each step.
        anneals: whether the KL grows from 0 over the first half.
        prior_precision: of the normal prior on the scales.
        dropout_rate: of MC dropout; of several layers, a tuple.
        decay: L2 factor of kernels without hypernetworks.
        coupling_units: width of the hidden layer of a coupling.
        mixing: order of the elements between couplings.
        clips_softmax: whether the loss has the authors' clipped softmax.
        quiet_noise: whether the noise is the authors' of 0.01.
        min_scale: added to the scales of the first map of a flow.
        initial_std: where standard deviations of the scales start, as a part
            of the root mean square of their kernel's.
        standardizes: whether scales and biases start where the first images'
            activations are standardised; else, as in the authors' code where
            that is off, biases at 0 and scales at normal values of standard
            deviation 0.01, whatever `initial_std` is.
        kl_scale: factor of the KL; 1 is Bayes' rule.
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    decays: bool = True
    anneals: bool = False
    prior_precision: float = 1.0
    dropout_rate: float | tuple = 0.5
    decay: float = 0.0
    coupling_units: int = 200
    mixing: str = "random"
    clips_softmax: bool = False
    quiet_noise: bool = False
    min_scale: float = 0.0
    initial_std: float = 0.01
    standardizes: bool = True
    kl_scale: float = 1.0


class Maker:
    """Makes models of one method, again and again, in the same programs.

    Compiling takes longer than a small training. So a new model's state is
    written into the first one's variables, and what is drawn once for a
    structure (orders of elements, masks) is the same for all.

    Args:
        method: a `methods.Method`.
        recipe: a `Recipe`.
        network_of: function from a dropout rate (None for no dropout) and a
            regulariser (None with hypernetworks) to a network.
        num_train: number of examples that the KL is over.

    Attributes:
        decay: the `networks.WeightDecay` of all its networks, if they have one.
    """

    def __init__(self, method, recipe, network_of, num_train):
        self._method = method
        self._recipe = recipe
        self._network_of = network_of
        self._num_train = num_train
        self._model = None
        # One for all models, whose programs read its factor.
        self.decay = networks.WeightDecay(recipe.decay)

    def fresh(self, images, seed):
        """Returns a model as it is before training.

        What this returned before is that model from now on.

        Args:
            images: training images, of which the first are for data-dependent
                initialisation.
            seed: of weights and draws, an integer.

        Returns:
            A compiled `bbh_tf.models.BayesianModel`. Maximum likelihood is
            dropout of rate 0, whose draws are all the same.
        """
        keras.utils.set_random_seed(seed)
        made = self._make(images)
        # Set, not given: the seed of a model that goes on is another later.
        made.kept_seed.set(seed)
        if self._model is None:
            made.compile(
                self._optimizer_of(made),
                steps_per_execution=8,
                jit_compile=False,
            )
            made.optimizer.build(made.trainable_variables)
            self._model = made
            return made
        model = self._model
        for variable, new in zip(
            model.network.variables, made.network.variables, strict=True
        ):
            variable.assign(new)
        model.kept_seed.set(seed)
        model.num_train_examples = self._num_train
        for counter in (model.draw_number, model.examples_seen):
            counter.assign(0)
        for variable in model.optimizer.variables:
            if variable is not model.optimizer.learning_rate:
                variable.assign(keras.ops.zeros_like(variable))
        return model

    def _optimizer_of(self, made):
        if not made.compiled:
            return _optimizer(self._recipe, self._num_train)
        # Bayes by Hypernet comes with its own, whose rate falls.
        own = made.optimizer
        if self._recipe.decays:
            return own
        return bbh.optimizers.FusedAdam(
            float(own.learning_rate), global_clipnorm=own.global_clipnorm
        )

    def _make(self, images):
        method, recipe = self._method, self._recipe
        settings = {"kl_scale": recipe.kl_scale}
        if recipe.clips_softmax:
            settings["likelihood"] = released.clipped_softmax
        if method.name == "bbh":
            return bbh.models.bayes_by_hypernet(
                self._network_of(None, None),
                self._num_train,
                num_epochs=recipe.epochs,
                print_fn=None,
                **settings,
            )
        if method.flow is None:
            rate = recipe.dropout_rate
            if method.name == "mle":
                rate = 0.0 if np.isscalar(rate) else (0.0,) * len(rate)
            decay = self.decay if recipe.decay else None
            network = self._network_of(rate, decay)
        else:
            network = self._network_of(None, None)
            if recipe.standardizes:
                bbh.models.standardize_activations(
                    network, images[:_NUM_INITIAL]
                )
            network = _with_flow(network, method, recipe)
            settings.update(
                num_samples=1, divergence=bbh.divergences.MonteCarloKL()
            )
            if recipe.anneals:
                settings["annealing"] = bbh.annealing.Linear(
                    0.0, recipe.epochs / 2
                )
        return bbh.models.BayesianModel(network, self._num_train, **settings)


def _with_flow(network, method, recipe):
    units = (recipe.coupling_units,)
    if method.flow == "iaf":
        flow = bbh.flows.inverse_autoregressive(
            method.num_layers, units, seed=_STRUCTURE_SEED
        )
    else:
        flow = bbh.flows.real_nvp(
            method.num_layers, units, recipe.mixing, seed=_STRUCTURE_SEED
        )
    first, *others = flow.flows
    first = bbh.flows.ElementwiseAffine(
        first.initial_log_scale, min_scale=recipe.min_scale
    )
    if recipe.quiet_noise:
        others = [released.QuietNoise(), first, *others]
    else:
        others = [first, *others]
    return bbh.models.bayesify(
        network,
        # Without a start, what the flow makes of noise is all there is.
        bbh.posteriors.WeightNormFlow(
            bbh.flows.Chain(others), initial_scale=0.0
        ),
        prior=bbh.priors.Normal(0.0, recipe.prior_precision**-0.5),
        scope="network",
        start="pretrained" if recipe.standardizes else "random",
        relative_std=recipe.initial_std,
    )


def _optimizer(recipe, num_train):
    rate = recipe.learning_rate
    if recipe.decays:
        steps = recipe.epochs * math.ceil(num_train / recipe.batch_size)
        rate = keras.optimizers.schedules.ExponentialDecay(rate, steps, 0.1)
    return bbh.optimizers.FusedAdam(rate, global_clipnorm=10.0)


def fit(model, recipe, images, labels, seed, after_epoch=None):
    """Trains for the recipe's epochs.

    Args:
        model: a model of `Maker`.
        recipe: its `Recipe`.
        images: `float32` array `(examples, height, width, channels)`.
        labels: their classes.
        seed: seed of the batches, an integer.
        after_epoch: function that is called with the number of epochs done,
            or None. (To call `fit` again and again costs a second each time.)

    Returns:
        Keras' metrics of the last epoch, a dictionary of numbers.
    """
    callbacks = [epoch_bar.EpochBar(f"seed {seed}")]
    if after_epoch is not None:
        callbacks.append(
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: after_epoch(epoch + 1)
            )
        )
    keras.utils.set_random_seed(seed)
    history = model.fit(
        shuffled.batches((images, labels), recipe.batch_size, seed),
        shuffle=False,
        epochs=recipe.epochs,
        callbacks=callbacks,
        verbose=0,
    ).history
    return {name: float(values[-1]) for name, values in history.items()}


def draws(model, images, num_draws, is_fixed=False):
    """Predicts with several draws of the weights.

    Args:
        model: a model of a `Maker`.
        images: `float32` array `(examples, height, width, channels)`.
        num_draws: number of draws.
        is_fixed: whether all draws are the same (maximum likelihood): then
            one is made, and returned twice, as scores need two.

    Returns:
        float64 array `(draws, examples, classes)`, probabilities.

    Raises:
        ExperimentError: if a logit is not finite: the training diverged.
    """
    logits = model.predict_samples(
        images,
        1 if is_fixed else num_draws,
        batch_size=_PREDICTION_BATCH,
    )
    if not np.isfinite(logits).all():
        raise diverged("finite predictions")
    found = bbh.uncertainty.class_probabilities(logits)
    return np.repeat(found, 2, axis=0) if is_fixed else found
