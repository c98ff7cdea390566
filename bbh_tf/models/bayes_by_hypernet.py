"""Bayes by Hypernet in one call."""

from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import hypernetworks
from bbh_tf import posteriors
from bbh_tf.models import likelihoods
from bbh_tf.models import one_call

# What each form sets that the paper and our measurements see differently.
_FORMS = {
    "advised": {"units": (64, 256, 16), "noise_dim": 8, "num_neighbours": 3},
    "paper": {"units": (64, 256, 512), "noise_dim": 1, "num_neighbours": 1},
}
_LEARNING_RATES = {"advised": 1e-3, "paper": 1e-4}
# Few examples are few steps, and one draw's gradient is mostly noise: on 100
# of them it leaves networks that have hardly learnt. Nor should steps be spent
# on making weights as large as the layers want them, as Glorot's beginning
# does; labels that are numbers are lost under outputs that begin so wide.
_FEW_EXAMPLES = 10_000
_LIKELIHOOD_DRAWS = 5


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
    """Makes a Keras model's weights random by hypernetworks, ready for `fit`.

    A hypernetwork for each kernel and bias turns normal noise into weights.
    What is chosen for you, by `form`:

    | | `"advised"` | `"paper"` |
    |---|---|---|
    | hidden widths | 64, 256, 16 | 64, 256, 512 |
    | noise dimensions | 8 | 1 |
    | divergence | `NearestNeighbourEntropy`, neighbour 3 | `KernelKL` |
    | likelihood under | 5 draws up to 10,000 examples, 1 beyond | 1 draw |
    | beginning, 10,000 examples of classes at most | hyperfan | Glorot |
    | beginning else | Glorot | Glorot |
    | optimiser | `FusedAdam(1e-3)` | `FusedAdam(1e-4)` |

    In both the KL counts in full, on N(0, 1) weights, five samples a step,
    and is annealed from 5 to 20 % of `num_epochs`, as in the authors' code.
    The choices are printed. Where a prior cannot say its density, the advised
    divergence is `KernelKL(num_neighbours=3)`.

    Args:
        network: a built functional or Sequential `keras.Model`, without a
            softmax at its end; it is left as it was.
        num_train_examples: number of examples in the training set, N.
        likelihood: as `BayesianModel` takes it; the default is for classes,
            `"normal_learned_scale"` for regression.
        form: `"advised"`, what this library's measurements say
            (`docs/choosing.md`); or `"paper"`.
        num_epochs: for how many epochs you mean to train.
        learning_rate: of Adam; None for the form's.
        print_fn: function that prints the choices; None for silence.
        **settings: any other argument of `bayesify` (`prior`, `layers`,
            `start`, ...) and of `BayesianModel` (`kl_scale`, `divergence`,
            `annealing`, `seed`, ...), which is taken in place of the choice;
            `posterior` too.

    Returns:
        A compiled `BayesianModel`, with the accuracy as a metric where the
        likelihood is of classes.

    Raises:
        ValueError: if an argument is not as said.

    Warns:
        UserWarning: where there are so many weights for each example that the
            KL is likely to drown the data.

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
    is_small = form == "advised" and num_train_examples <= _FEW_EXAMPLES
    is_of_classes = (
        likelihoods.get(likelihood) is likelihoods.categorical_logits
    )
    begin = "hyperfan" if is_small and is_of_classes else "glorot_uniform"
    defaults = {
        "posterior": posteriors.Implicit(
            hypernetworks.MLP(_FORMS[form]["units"], kernel_initializer=begin),
            noise_dim=_FORMS[form]["noise_dim"],
        ),
        "divergence": lambda pairs: _divergence(form, pairs),
    }
    if is_small:
        defaults["num_likelihood_samples"] = _LIKELIHOOD_DRAWS
    if learning_rate is None:
        learning_rate = _LEARNING_RATES[form]
    return one_call.make(
        network,
        num_train_examples,
        likelihood,
        num_epochs,
        learning_rate,
        print_fn,
        defaults,
        settings,
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
