"""Bayes by Hypernet in one call."""

import keras

from bbh_tf import annealing
from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import hypernetworks
from bbh_tf import posteriors
from bbh_tf import priors
from bbh_tf.models import one_call
from bbh_tf.optimizers import epoch_cosine_decay

# What each form sets that the paper and our measurements see differently.
_FORMS = {
    "advised": {
        # N(0, 1) weights are several times as large as trained ones, for which
        # training has to make up.
        "prior": priors.NormalLearnedScale,
        "units": (64, 256, 4),
        "noise_dim": 8,
        "num_neighbours": 3,
        "num_likelihood_samples": 1,
        "learning_rate": 3e-4,
        # Now and then a draw's weights act together, and its network answers
        # in millions. A gradient of such a size would stay in Adam's second
        # moments, and halt the training for tens of epochs.
        "global_clipnorm": 100.0,
        # Begun at random, each draw is a network of its own: small ones on few
        # images never learn, whatever the KL counts.
        "start": "pretrained",
        "initializer": "hyperfan",
        "annealed": 0.45,
    },
    "paper": {
        "prior": priors.Normal,
        "units": (64, 256, 512),
        "noise_dim": 1,
        "num_neighbours": 1,
        "num_likelihood_samples": 1,
        "learning_rate": 1e-4,
        "global_clipnorm": None,
        "start": "random",
        "initializer": "glorot_uniform",
        "annealed": 0.15,
    },
}
# Few examples are few steps, and one draw's gradient is mostly noise: on 100
# of them it leaves networks that have hardly learnt, as a small rate does. On
# many, that rate breaks what single draws have learnt, and narrower heads are
# the better ones, which on few they are not.
_FEW_EXAMPLES = 10_000
_ON_FEW = {
    "units": (64, 256, 16),
    "num_likelihood_samples": 5,
    "learning_rate": 1e-3,
}


def bayes_by_hypernet(
    network,
    num_train_examples,
    likelihood="categorical_logits",
    form="advised",
    num_epochs=100,
    learning_rate=None,
    print_fn=print,
    **settings,
):
    """Makes a Keras model Bayesian with hypernetworks, ready for `fit`.

    A hypernetwork for each kernel and bias turns normal noise into weights.
    What is chosen for you, by `form`:

    | | `"advised"` | `"paper"` |
    |---|---|---|
    | hidden widths | 64, 256, 4 (up to 10,000 examples 16) | 64, 256, 512 |
    | noise dimensions | 8 | 1 |
    | prior | `NormalLearnedScale` | N(0, 1) |
    | divergence | `NearestNeighbourEntropy`, neighbour 3 | `KernelKL` |
    | annealed over | 5 to 50 % of the epochs | 5 to 20 % |
    | likelihood under | 5 draws up to 10,000 examples, else 1 | 1 draw |
    | hypernetworks' kernel initialiser | hyperfan | Glorot |
    | initial weights | around those of `network` | random |
    | `FusedAdam` at | 3e-4 (up to 10,000 examples 1e-3), falling | 1e-4 |
    | gradients clipped at | 100 | not |

    In both, the KL counts in full, with five samples per step. With
    `scope="network"` the initialiser is Glorot in both. The choices are
    printed. With a prior without a density of single weights (`KernelNormal`,
    `KernelFlow`, or one that can be sampled only) the advised divergence is
    `KernelKL(num_neighbours=3)`; a `DeepWeightPrior` needs
    `train_reverse=False` for it, or a `divergence` of your own. With a
    `posterior` of your own that is no `Implicit`, or a `divergence` that
    compares samples, the prior is N(0, 1), as it is with `prior=None` and for
    layers that a dictionary of priors does not name. A `posterior` of your own
    starts at random unless you pass `start="pretrained"`, since not all
    posteriors can start around given weights. Be careful with larger learning
    rates on many examples: on MNIST over 100 epochs, training at 1e-3
    collapsed.

    Args:
        network: a built functional or Sequential `keras.Model`, without a
            softmax at its end; it is left as it was.
        num_train_examples: number of examples in the training set, N.
        likelihood: as `BayesianModel` takes it; the default is for classes,
            `"normal_learned_scale"` for regression.
        form: `"advised"`, what this library's measurements say
            (`docs/choosing.md`); or `"paper"`.
        num_epochs: for how many epochs you mean to train. The advised
            learning rate has fallen to a hundredth then, and stays there.
        learning_rate: of Adam, at the beginning; None for the form's. A
            Keras schedule is taken as it is.
        print_fn: function that prints the choices; None for silence.
        **settings: any other argument of `bayesify` (`prior`, `layers`,
            `start`, ...) and of `BayesianModel` (`kl_scale`, `divergence`,
            `annealing`, `seed`, ...), which is taken in place of the choice;
            `posterior` too.

    Returns:
        A compiled `BayesianModel`, with the accuracy as a metric where the
        likelihood is of classes.

    Raises:
        ValueError: if an argument is invalid.

    Warns:
        UserWarning: where there are so many weights for each example that the
            KL is likely to outweigh the data.

    Example:

    ```python
    model = bbh_tf.models.bayes_by_hypernet(
        network, num_train_examples=len(images), num_epochs=10, seed=0
    )
    model.fit(images, labels, epochs=10)
    model.predict_uncertainty(test_images)
    ```

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Sec. 2 and 3.
    """
    if form not in _FORMS:
        raise ValueError(
            'bayes_by_hypernet expects form to be "advised" or "paper"; got '
            f"{form!r}."
        )
    checks.check_count("num_train_examples", num_train_examples)
    checks.check_count("num_epochs", num_epochs)
    chosen = _FORMS[form]
    if form == "advised" and num_train_examples <= _FEW_EXAMPLES:
        chosen = {**chosen, **_ON_FEW}
    if settings.get("scope") == "network":
        # The weights of all layers are one vector, which has no fan-in.
        chosen = {**chosen, "initializer": "glorot_uniform"}
    defaults = {
        "posterior": posteriors.Implicit(
            hypernetworks.MLP(
                chosen["units"], kernel_initializer=chosen["initializer"]
            ),
            noise_dim=chosen["noise_dim"],
        ),
        "start": chosen["start"],
        "prior": chosen["prior"](),
        "divergence": lambda pairs: _divergence(form, pairs),
        "annealing": annealing.Linear(
            0.05 * num_epochs, chosen["annealed"] * num_epochs
        ),
        "num_likelihood_samples": chosen["num_likelihood_samples"],
    }
    rate = chosen["learning_rate"] if learning_rate is None else learning_rate
    rate = checks.check_learning_rate(rate)
    is_schedule = isinstance(
        rate, keras.optimizers.schedules.LearningRateSchedule
    )
    if form == "advised" and not is_schedule:
        rate = epoch_cosine_decay.EpochCosineDecay(rate, num_epochs)
    return one_call.make(
        network,
        num_train_examples,
        likelihood,
        rate,
        print_fn,
        defaults,
        settings,
        chosen["global_clipnorm"],
    )


def _divergence(form, pairs):
    count = _FORMS[form]["num_neighbours"]
    if form == "advised":
        entropy = divergences.NearestNeighbourEntropy(count)
        try:
            entropy.check(pairs)
            return entropy
        except ValueError:
            pass
    return divergences.KernelKL(num_neighbours=count)
