"""The KL that a discriminator learns: adversarial variational Bayes."""

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.divergences import discriminator
from bbh_tf.divergences import sample_divergence
from bbh_tf.divergences import samples


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class AdversarialKL(sample_divergence.SampleDivergence):
    """Estimates KL(q || p) from a discriminator trained beside the posterior.

    The discriminator D sees the value of one weight, of whichever weight it
    is, and is trained to tell samples of q from samples of p. At its optimum
    D(w) = log(q(w) / p(w)), with q and p averaged over the weights, and

        KL = sum over weights of the mean over samples of D(w).

    As D does not know which weight it sees, this is the number of weights
    times the KL of the average weight: never more than the sum of their KLs,
    and far less if narrow posteriors together look like the prior. An estimate
    may be negative.

    It has state: the parameters of D, and the moments of its Adam. A
    `bbh_tf.models.BayesianModel` makes its own from this object's
    configuration, trains and saves it; a plain Keras model does not. Each
    step of D uses new samples of q and p, as many as the model's estimate.

    Args:
        units: widths of the discriminator's hidden layers, ReLU.
        num_pretraining_steps: its steps before the first training step.
        num_steps: its steps before each training step. The paper's are 5,
            the authors' code makes 1.
        num_weights: how many weights, chosen anew at random, each of its
            steps and each estimate looks at; the estimate is scaled up. None
            for all.
        learning_rate: that of its Adam.

    Raises:
        ValueError: if an argument is invalid.

    Example:

    ```python
    bbh_tf.models.BayesianModel(
        bbh_tf.models.bayesify(network, bbh_tf.posteriors.Implicit()),
        num_train_examples=60_000,
        divergence=bbh_tf.divergences.AdversarialKL(num_weights=10_000),
    )
    ```

    References:
        Mescheder et al., Adversarial Variational Bayes, arXiv:1701.04722,
        Eq. 3.3 and Alg. 1.
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, App. A.
    """

    is_learned = True

    def __init__(
        self,
        units=(64, 64),
        num_pretraining_steps=100,
        num_steps=5,
        num_weights=None,
        learning_rate=1e-3,
    ):
        if not isinstance(units, (list, tuple)):
            raise ValueError(
                f"Expected units to be a tuple of integers; got {units!r}."
            )
        for width in units:
            checks.check_count("each of units", width)
        checks.check_count(
            "num_pretraining_steps", num_pretraining_steps, fewest=0
        )
        checks.check_count("num_steps", num_steps)
        if num_weights is not None:
            checks.check_count("num_weights", num_weights)
            num_weights = int(num_weights)
        checks.check_positive("learning_rate", learning_rate)
        self.units = tuple(int(width) for width in units)
        self.num_pretraining_steps = int(num_pretraining_steps)
        self.num_steps = int(num_steps)
        self.num_weights = num_weights
        self.learning_rate = float(learning_rate)
        self.discriminator = None

    def check(self, pairs):
        """Refuses a prior that trains; see `SampleDivergence.check`.

        The estimate moves samples of q. What p is, D alone has seen.

        Raises:
            ValueError: naming the layer, and what would do.
        """
        super().check(pairs)
        for pair in pairs:
            if pair.prior_trains:
                raise ValueError(
                    "AdversarialKL trains no prior: expected one that stays as "
                    "it is, with trainable=False; the "
                    f"{type(pair.prior).__name__} of layer {pair.name!r} has "
                    "trainable variables."
                )

    def build(self):
        """Makes the discriminator, once.

        Returns:
            The `Discriminator`, for whoever is to save it.
        """
        if self.discriminator is None:
            self.discriminator = discriminator.Discriminator(
                self.units, self.learning_rate
            )
        return self.discriminator

    def fit_step(self, estimate_of, key):
        """Trains the discriminator; see `Divergence.fit_step`."""
        state = self.build()
        num_steps = self.num_steps + tf.where(
            state.num_steps_taken.value == 0, self.num_pretraining_steps, 0
        )

        def loss_of(parameters, number):
            step_key = randomness.fold(key, number)
            loss = _Loss(
                parameters, self.num_weights, randomness.fold(step_key, 0)
            )
            return estimate_of(loss, randomness.fold(step_key, 1))

        parameters = state.minimize(loss_of, num_steps)
        return _MeanLogit(
            parameters, self.num_weights, randomness.fold(key, -1)
        )

    def __call__(self, posterior, prior):
        """Estimates the divergence with what has been learned so far.

        Args:
            posterior: samples of q: a tensor of shape `(n, *shape)`, or a
                list of such tensors, one for each weight tensor.
            prior: samples of p in the same form, `(m, *shape)`.

        Returns:
            Scalar `float32` tensor, nats, from all weights, whatever
            `num_weights` is.

        Raises:
            ValueError: if there is no discriminator yet, or the lists, shapes
                or numbers of samples do not fit.
        """
        if self.discriminator is None:
            raise ValueError(
                "AdversarialKL has no discriminator yet: expected a call of "
                "fit_step first, as BayesianModel makes it; got none. A "
                "Bayesian layer in a plain Keras model does not train it: "
                "KernelKL needs no training."
            )
        parameters = discriminator.values_of(self.discriminator.parameters)
        return _MeanLogit(parameters, None, None)(posterior, prior)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "units": list(self.units),
            "num_pretraining_steps": self.num_pretraining_steps,
            "num_steps": self.num_steps,
            "num_weights": self.num_weights,
            "learning_rate": self.learning_rate,
        }


class _Looking(sample_divergence.SampleDivergence):
    """Looks at samples with given parameters of the discriminator."""

    def __init__(self, parameters, num_weights, key):
        self.parameters = parameters
        self.num_weights = num_weights
        self.key = key

    def _chosen(self, posterior, prior):
        """Returns `(n, weights)`, `(m, weights)` and how many there were."""
        posterior = samples.as_samples(posterior)
        prior = samples.as_samples(prior)
        samples.check_pair("AdversarialKL", posterior, prior)
        sides = weights.flatten(posterior), weights.flatten(prior)
        count = sides[0].shape[1]
        if self.num_weights is not None and self.num_weights < count:
            chosen = _subset(self.key, count, self.num_weights)
            sides = [tf.gather(side, chosen, axis=1) for side in sides]
        return *sides, count


class _Loss(_Looking):
    """What the discriminator is trained on: low where q and p differ."""

    def __call__(self, posterior, prior):
        high, low, _ = self._chosen(posterior, prior)
        return discriminator.loss(
            self.parameters, tf.reshape(high, (-1,)), tf.reshape(low, (-1,))
        )


class _MeanLogit(_Looking):
    """The estimate: the parameters stand still, the samples are moved."""

    def __call__(self, posterior, prior):
        high, _, count = self._chosen(posterior, prior)
        num_samples, num_chosen = high.shape
        total = discriminator.sum_of_logits(self.parameters, high)
        return total * (count / num_chosen / num_samples)


def _subset(key, count, num_chosen):
    # Those to which the highest of random numbers fall. There are 2^23
    # different ones, so that a tie for the last place hardly matters.
    lots = randomness.normal(key, 1, (count,))[0]
    return tf.math.top_k(lots, num_chosen, sorted=False).indices
