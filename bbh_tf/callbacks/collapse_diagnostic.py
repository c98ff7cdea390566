"""Watching whether a posterior learns, or falls back to the prior."""

import math
import warnings

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf.callbacks import scalars
from bbh_tf.callbacks import spread
from bbh_tf.models import bayesian_model
from bbh_tf.models import likelihoods

# All weights this near to the prior's spread: nothing is left of the data.
_PRIOR_SPREAD = 0.95
# The paper's single G fell to the prior with a likelihood of 81 % of a guess's.
_BETTER_THAN_A_GUESS = 0.25
# By how much an nll must be below the best before, for the network to learn.
_PROGRESS = 0.01
# An estimate of the KL that is less than this of the least misses most of it.
_LEAST_SHARE = 0.5


class CollapseDiagnostic(keras.callbacks.Callback):
    """Logs how wide each layer's weights are, and warns of a collapse.

    The loss is nll + kl_weight * KL, per example. If the KL outweighs what the
    data can tell, it pulls the posterior to the prior: the loss falls, but
    predictions are no better than a guess. At the end of every epoch these
    scalars are written for TensorBoard:

    - `spread/<layer>`: standard deviation of a weight over draws, mean over
      the weights of each `Bayesian` layer;
    - `spread_of_prior/<layer>`: that, divided by the same for draws of the
      prior, as it is then: near 1, the layer's weights are the prior's (or
      as wide); not where the prior has a density alone;
    - `kl/<layer>`, nats: the divergence of the layer alone, on other draws
      than the step's; not from divergences that learn, which know the whole
      network only. Those of `KernelKL(per_weight=False)` do not add up;
    - `least_kl/<layer>`, nats: the least KL that the means and variances of
      the layer's draws allow, `bbh_tf.divergences.least_kl`; where the prior
      is normal;
    - `weighted_kl/all` and `guess_nll/all`, nats per example, to set beside
      the `nll` that Keras writes.

    It warns, once, after `patience` epochs in a row in which the KL counted,
    the training `nll` was above 75 % of that of a guess, and either

    - the weighted KL was larger than that of a guess, so that even perfect
      predictions would be worth less than giving them up; or
    - all `Bayesian` layers were as spread as the prior, 95 % or more.

    Epochs in which the `nll` is the best so far, by 1 %, do not count: a KL
    is large, and a likelihood poor, while a network still learns.

    An `nll` of densities may be negative. So the `nll` must be below a
    guess's by a quarter of its absolute value, and below the best by 1 % of
    its absolute value; and the first of the two criteria, which knows that no
    `nll` of classes is below 0, applies where the guess's is positive.

    At the end of training it warns where an estimate misses what the posterior
    costs: where the KLs of all layers together are less than half of the
    least, by more than errors of `num_samples` draws explain.

    Args:
        log_dir: folder of the event files; None to write none.
        guess_nll: nats per example of a guess that knows no inputs: the
            entropy of the class frequencies, say. None for log(number of
            classes), log(2) for each label that is 0 or 1; for labels that
            are numbers, None leaves the nll out, and the spread alone decides.
        num_samples: draws of each layer, at least 2.
        patience: epochs in a row before the warning.
        seed: seed of the draws, an integer; they are those of
            `predict_samples(seed=seed)`.

    Raises:
        ValueError: if an argument is invalid, or the model that is
            trained is no `bbh_tf.models.BayesianModel`.

    Example:

    ```python
    model.fit(
        images,
        labels,
        epochs=100,
        callbacks=[bbh_tf.callbacks.CollapseDiagnostic("logs")],
    )
    ```

    References:
        Trippe and Turner, Overpruning in Variational Bayesian Neural
        Networks, arXiv:1801.06230 (posteriors that fall to the prior).
    """

    def __init__(
        self,
        log_dir=None,
        guess_nll=None,
        num_samples=10,
        patience=3,
        seed=0,
    ):
        super().__init__()
        checks.check_count("num_samples", num_samples)
        checks.check_count("patience", patience)
        if num_samples < 2:
            raise ValueError(
                "CollapseDiagnostic needs num_samples to be at least 2; got "
                f"{num_samples}."
            )
        if guess_nll is not None and not checks.is_number(guess_nll):
            raise ValueError(
                "CollapseDiagnostic expects a finite guess_nll; got "
                f"{guess_nll!r}."
            )
        self.log_dir = log_dir
        self.guess_nll = guess_nll
        self.num_samples = int(num_samples)
        self.patience = int(patience)
        self.seed = seed
        self.values = {}

    def set_model(self, model):
        """Takes the model that is trained; Keras calls this."""
        if not isinstance(model, bayesian_model.BayesianModel):
            raise ValueError(
                "CollapseDiagnostic expects a bbh_tf.models.BayesianModel; "
                f"got {type(model).__name__}."
            )
        super().set_model(model)

    def on_train_begin(self, logs=None):
        """Opens the files."""
        self._writer = scalars.writer(self.log_dir)
        self._num_bad = 0
        self._kl = self._least_kl = 0.0
        self._num_random = sum(
            layer.draw_size()
            for layer in self.model.random_layers
            if layer.pair() is not None
        )
        self._has_warned = False
        self._guess = self.guess_nll
        if self._guess is None:
            self._guess = _guess_among_classes(self.model)
        self._best_nll = math.inf if self._guess is None else self._guess

    def on_epoch_end(self, epoch, logs=None):
        """Measures, writes, and warns if it has to."""
        logs = logs or {}
        model = self.model
        key = randomness.key(model.seed, randomness.PREDICTION, self.seed)
        spreads, kls, least = spread.of_layers(model, self.num_samples, key)
        # A prior may learn, too.
        key = randomness.key(model.seed, randomness.PRIOR, self.seed)
        of_priors = spread.of_priors(model, self.num_samples, key)
        ratios = {
            name: value / of_priors[name]
            for name, value in spreads.items()
            if name in of_priors
        }
        self.values = {
            **{f"spread/{name}": x for name, x in spreads.items()},
            **{f"spread_of_prior/{name}": x for name, x in ratios.items()},
            **{f"kl/{name}": x for name, x in kls.items()},
            **{f"least_kl/{name}": x for name, x in least.items()},
        }
        both = kls.keys() & least.keys()
        self._kl = sum(kls[name] for name in both)
        self._least_kl = sum(least[name] for name in both)
        if "kl" in logs:
            self.values["weighted_kl/all"] = logs["kl_weight"] * logs["kl"]
        if self._guess is not None:
            self.values["guess_nll/all"] = self._guess
        scalars.write(self._writer, self.values, epoch)
        self._judge(logs, ratios)

    def on_train_end(self, logs=None):
        """Closes the files, and warns of an estimate that is far too low."""
        if self._writer is not None:
            self._writer.close()
        # Each weight's error is about 1 / num_samples nats near the prior.
        noise = self._num_random / self.num_samples
        missing = self._least_kl - self._kl
        if self._kl < _LEAST_SHARE * self._least_kl and missing > noise:
            warnings.warn(
                f"The estimate of the KL is {self._kl:,.0f} nats at the end, "
                "but no distribution with the means and variances of these "
                f"weights has less than {self._least_kl:,.0f}: the loss does "
                "not hold the posterior to its prior. Take another divergence, "
                "such as NearestNeighbourEntropy(3), or more draws "
                f"(num_samples is {self.model.num_samples}).",
                stacklevel=2,
            )

    def _judge(self, logs, ratios):
        nll = logs.get("nll", math.inf)
        learns = _is_below(nll, self._best_nll, _PROGRESS)
        self._best_nll = min(nll, self._best_nll)
        if self._has_warned or not logs.get("kl_weight"):
            return
        weighted_kl = logs["kl_weight"] * logs["kl"]
        is_guess = self._guess is None or not _is_below(
            nll, self._guess, _BETTER_THAN_A_GUESS
        )
        # With densities there are no perfect predictions, of 0 nats.
        is_drowned = self._guess is not None and 0 < self._guess < weighted_kl
        is_prior = bool(ratios) and min(ratios.values()) > _PRIOR_SPREAD
        is_bad = not learns and is_guess and (is_drowned or is_prior)
        self._num_bad = self._num_bad + 1 if is_bad else 0
        if self._num_bad < self.patience:
            return
        self._has_warned = True
        guess = "" if self._guess is None else f", a guess's {self._guess:.3g}"
        narrowest = (
            f"; weights spread at least {min(ratios.values()):.0%} as the "
            "prior's"
            if ratios
            else ""
        )
        warnings.warn(
            f"The KL drowns the likelihood: for {self.patience} epochs "
            f"KL * kl_weight was {weighted_kl:.3g} nats per example, nll "
            f"{nll:.3g}{guess}{narrowest}. Give it more examples "
            f"(num_train_examples is {self.model.num_train_examples:,}), "
            "fewer random weights, annealing, a smaller kl_scale, or "
            'bayesify(start="pretrained").',
            stacklevel=2,
        )


def _is_below(nll, other, share):
    """Whether an nll is below another by a share of its absolute value."""
    # Infinity less a share of it is no number.
    margin = share * abs(other) if math.isfinite(other) else 0.0
    return nll < other - margin


def _guess_among_classes(model):
    """Returns the nll of equal probabilities; None where none are known."""
    shape = model.network.output_shape[1:]
    if None in shape:
        return None
    if model.likelihood is likelihoods.bernoulli_logits:
        return math.prod(shape) * math.log(2)
    outputs = tf.zeros((1, *shape))
    distribution = likelihoods.distribution(model.likelihood, outputs)
    if not likelihoods.is_categorical(distribution):
        return None
    probabilities = likelihoods.mean(distribution)
    # Of a sequence of labels, the log-likelihoods add up.
    return math.prod(probabilities.shape[1:-1]) * math.log(
        probabilities.shape[-1]
    )
