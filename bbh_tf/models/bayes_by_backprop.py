"""Bayes by Backprop in one call."""

from bbh_tf import annealing
from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import posteriors
from bbh_tf.models import one_call


def bayes_by_backprop(
    network,
    num_train_examples,
    likelihood="categorical_logits",
    num_epochs=100,
    learning_rate=1e-3,
    print_fn=print,
    **settings,
):
    """Gives each weight of a Keras model its own normal, ready for `fit`.

    It chooses `posteriors.MeanField` with the prior N(0, 1); the full KL, in
    closed form if there is one for the prior (else `MonteCarloKL`), annealed
    from 5 to 20 % of `num_epochs`; and `FusedAdam(1e-3)`. The choices are
    printed.

    Args:
        network: a built functional or Sequential `keras.Model`, without a
            softmax at its end; it is left as it was.
        num_train_examples: number of examples in the training set, N.
        likelihood: as `BayesianModel` takes it; the default is for classes,
            `"normal_learned_scale"` for regression.
        num_epochs: for how many epochs you mean to train.
        learning_rate: of Adam; a number or a Keras schedule.
        print_fn: function that prints the choices; None for silence.
        **settings: any other argument of `bayesify` and of `BayesianModel`,
            which is taken in place of the choice.

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
    model = bbh_tf.models.bayes_by_backprop(
        network, num_train_examples=len(images), num_epochs=10, seed=0
    )
    model.fit(images, labels, epochs=10)
    model.predict_uncertainty(test_images)
    ```

    References:
        Blundell et al., Weight Uncertainty in Neural Networks,
        arXiv:1505.05424.
    """
    checks.check_count("num_epochs", num_epochs)
    defaults = {
        "posterior": posteriors.MeanField(),
        "divergence": _divergence,
        "annealing": annealing.Linear(0.05 * num_epochs, 0.15 * num_epochs),
    }
    return one_call.make(
        network,
        num_train_examples,
        likelihood,
        learning_rate,
        print_fn,
        defaults,
        settings,
    )


def _divergence(pairs):
    closed = divergences.AnalyticKL()
    try:
        closed.check(pairs)
        return closed
    except ValueError:
        return divergences.MonteCarloKL()
