"""The normal prior whose scale is learnt with the posterior."""

import keras
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.priors import prior


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class NormalLearnedScale(
    prior.Prior, checkpointing.Checkpointed, keras.layers.Layer
):
    """N(0, s^2) for each weight, with a variance s^2 of each tensor's own.

    N(0, 1) weights are far larger than those of trained networks, and what
    training gains from the data has to make up for it. Here the data say how
    large a tensor's weights are. Their precision 1 / s^2 has a gamma prior;
    given q(w), its best posterior is a gamma distribution, too, whose mean
    each training step puts in its place:

        s^2 = (rate + E_q[sum_i w_i^2] / 2) / (concentration + d / 2)

    for the d weights of a tensor. So s is not trained by the optimiser, and no
    gradient passes through it: at its optimum there is none. The expectation
    is closed where q's distributions are known (`MeanField`), and else a mean
    over the step's draws. The nats that the scales themselves cost, some
    log(d) / 2 for each tensor, are not in the KL.

    It needs a divergence that is least where q is as wide as p, such as
    `NearestNeighbourEntropy`, `AnalyticKL` and `MonteCarloKL`. `KernelKL` is
    least where q is wider: p would follow, and both widen without end. It
    suits `Implicit`, which is not charged for dependence between weights. With
    `MeanField` on few examples training fell back to the prior, whose scale
    fell with it.

    Each layer has its own variances, saved with it (but not in a clone made
    from the configuration alone); `trainable = False` keeps them as they are.

    Args:
        concentration: of the gamma prior of the precision, positive.
        rate: of it, positive: `rate / concentration` is the variance before
            the first step.
        **kwargs: other arguments of a Keras layer: `trainable`.

    Raises:
        ValueError: if an argument is not positive and finite.

    Example:

    ```python
    model = bbh_tf.models.BayesianModel(
        bbh_tf.models.bayesify(
            network,
            bbh_tf.posteriors.Implicit(bbh_tf.hypernetworks.MLP()),
            prior=bbh_tf.priors.NormalLearnedScale(),
            start="pretrained",
        ),
        num_train_examples=60_000,
        divergence=bbh_tf.divergences.NearestNeighbourEntropy(),
    )
    ```

    References:
        Wu et al., Deterministic Variational Inference for Robust Bayesian
        Neural Networks, arXiv:1810.03958, on the empirical Bayes of such
        scales. None of the papers that this library is a port of has it.
    """

    def __init__(self, concentration=1.0, rate=1.0, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        for argument, value in (
            ("concentration", concentration),
            ("rate", rate),
        ):
            if not checks.is_positive(value):
                raise ValueError(
                    "NormalLearnedScale expects a positive, finite "
                    f"{argument}; got {value!r}."
                )
        self.concentration = float(concentration)
        self.rate = float(rate)

    def build(self, specs):
        """Makes the variances, one for each of the specs."""
        self._variance = self.add_weight(
            name="variance",
            shape=(len(specs),),
            initializer=keras.initializers.Constant(
                self.rate / self.concentration
            ),
            trainable=False,
            # Every replica finds the same.
            aggregation="none",
            autocast=False,
        )
        self.built = True

    def fit_step(self, posterior, samples, specs):
        """Finds the variances; see the class and `Prior.fit_step`."""
        if not self.trainable:
            return
        halves = _half_sums_of_squares(posterior, samples)
        variances = [
            (self.rate + half) / (self.concentration + spec.size / 2)
            for half, spec in zip(halves, specs, strict=True)
        ]
        self._variance.assign(tf.stack(variances))

    def sample(self, num_samples, specs, key):
        """Draws samples; see `Prior.sample`."""
        scales = self._scales(specs)
        size = sum(spec.size for spec in specs)
        flat = randomness.normal(key, num_samples, (size,))
        unit = weights.unflatten(flat, [spec.shape for spec in specs])
        return [scale * x for scale, x in zip(scales, unit)]

    def distributions(self, specs):
        """Returns a `tfp.distributions.Normal` for each spec.

        Raises:
            ValueError: if this is no layer's prior yet.
        """
        import tensorflow_probability as tfp

        return [
            tfp.distributions.Normal(0.0, scale)
            for scale in self._scales(specs)
        ]

    def _scales(self, specs):
        if not self.built:
            raise ValueError(
                "NormalLearnedScale has no variances yet: expected the prior "
                "of a built layer, or a call of build(specs) first."
            )
        if len(specs) != self._variance.shape[0]:
            raise ValueError(
                "NormalLearnedScale expects the specs that it was built with, "
                f"{self._variance.shape[0]}; got {len(specs)}."
            )
        return tf.unstack(tf.sqrt(self._variance.value))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "concentration": self.concentration,
            "rate": self.rate,
            "trainable": self.trainable,
        }


def _half_sums_of_squares(posterior, samples):
    """Returns E_q[sum_i w_i^2] / 2 of each tensor."""
    found = posterior.distributions()
    if found is None:
        return [tf.nn.l2_loss(x) / x.shape[0] for x in samples]
    return [tf.reduce_sum(q.variance() + q.mean() ** 2) / 2 for q in found]
