"""Laplace's approximation of a trained network's last layer."""

import numpy as np

from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import memory
from bbh_tf import posteriors
from bbh_tf import priors
from bbh_tf.models import data_blocks
from bbh_tf.models import likelihoods
from bbh_tf.models import outputs as outputs_of
from bbh_tf.models.bayesify import bayesify
from bbh_tf.models.last_layer import curvature
from bbh_tf.models.last_layer import fitting
from bbh_tf.models.last_layer.head import Head
from bbh_tf.models.last_layer.laplace_model import LaplaceModel

# The Hessian, its eigenvectors, their workspace, and the factor.
_COPIES = 5


def laplace(
    network,
    train_data,
    likelihood="categorical_logits",
    covariance="full",
    prior_precision=None,
    mean="trained",
    batch_size=None,
    num_prediction_samples=100,
    seed=None,
    name=None,
):
    """Makes the last layer of a trained network Bayesian, without training.

    The posterior of the last layer's weights is a normal distribution around
    the trained ones, with a covariance that is the inverse of

        H + prior_precision I,

    with H the generalised Gauss-Newton matrix of the log-likelihood of all
    training data, summed, which is the Hessian since the layer is linear. The
    other layers stay as they are. With a normal likelihood, and the mean at
    the mode, that is the exact posterior of the last layer.

    Args:
        network: a trained functional or Sequential `keras.Model` that ends in
            a `keras.layers.Dense` without activation, with outputs `(batch,
            units)`; it is left as it was.
        train_data: what it was trained on: a tuple `(x, y)` or `(x, y,
            sample_weight)` of arrays; or a `tf.data.Dataset`, or others that
            `fit` takes, of such batches. Weights are of examples; where they
            are 0, labels need be none.
        likelihood: `"categorical_logits"` (classes; labels are numbers or
            probabilities), `"bernoulli_logits"` (each output a probability
            of its own), `likelihoods.Normal(scale)`, or `"normal"`, where the
            scale, too, maximises the marginal likelihood.
        covariance: `"full"`, D^2 numbers for D weights, in a
            `posteriors.MultivariateNormal`; or `"diagonal"`, in a
            `posteriors.MeanField`: the inverse of the diagonal of the matrix
            above.
        prior_precision: 1 / variance of each weight's normal prior; None for
            the value that maximises the marginal likelihood.
        mean: `"trained"`, the trained weights, so that the mean of the draws
            predicts as the network does; or `"mode"`, the mode under this
            prior, found by Newton's method in several passes over the data,
            for which the covariance must be full.
        batch_size: examples in a batch, where there are arrays; None for 256.
        num_prediction_samples: as in `BayesianModel`.
        seed: as in `BayesianModel`.
        name: name of the model.

    Returns:
        A `LaplaceModel`, which is a `BayesianModel` and has `log_evidence`,
        nats. It predicts, draws, is saved and exported as any; its prior is
        the one of `prior_precision`.

    Raises:
        ValueError: if an argument is invalid, or the network is not
            trained: it has weights that are not finite, or predicts the
            training data worse than a constant.
        MemoryError: before anything is computed, if D^2 numbers do not fit.
            (There are D^3 operations besides, for the mode in each pass: a
            second for 1,000 weights, minutes for 5,000.)

    Warns:
        UserWarning: with `mean="trained"`, where a mode is further away than
            draws are.

    Example:

    ```python
    data = (images, labels)
    model = bbh_tf.models.laplace(trained_network, data, mean="mode")
    model.predict_uncertainty(test_images)
    ```

    References:
        MacKay, A Practical Bayesian Framework for Backpropagation Networks,
        1992; Daxberger et al., Laplace Redux, arXiv:2106.14806; Immer et al.,
        Scalable Marginal Likelihood Estimation, arXiv:2104.04975.
    """
    kind, noise_scale, found = _kind_of(likelihood)
    _check_arguments(covariance, prior_precision, mean)
    head = Head(network)
    outputs_of.check(found, network)
    is_full = covariance == "full"
    if is_full:
        memory.require(
            8 * _COPIES * head.size**2,
            f"the full covariance of {head.size:,} weights of the last layer, "
            f'{head.layer.name!r}; covariance="diagonal" needs one number for '
            "each.",
        )
    batches = data_blocks.batches(
        *(train_data if isinstance(train_data, tuple) else (train_data,)),
        batch_size=batch_size,
    )
    fit = fitting.fit(
        lambda weights: curvature.moments(
            _data(batches, head, kind), kind, weights, is_full
        ),
        head.weights(),
        prior_precision,
        noise_scale,
        mean == "mode",
    )
    if kind is curvature.GAUSSIAN:
        found = likelihoods.Normal(fit.noise_scale)
    return LaplaceModel(
        _network(network, head, fit, is_full),
        fit.num_examples,
        likelihood=found,
        divergence=divergences.MonteCarloKL()
        if is_full
        else divergences.AnalyticKL(),
        num_prediction_samples=num_prediction_samples,
        seed=seed,
        name=name,
        log_evidence=fit.log_evidence,
        prior_precision=fit.precision,
    )


def _kind_of(likelihood):
    """Returns the curvature, the noise's scale or None, and the callable."""
    if isinstance(likelihood, str) and likelihood == "normal":
        return curvature.GAUSSIAN, None, likelihoods.Normal()
    found = likelihoods.get(likelihood)
    if isinstance(found, likelihoods.Normal):
        return curvature.GAUSSIAN, found.scale, found
    for known, kind in (
        (likelihoods.categorical_logits, curvature.SOFTMAX),
        (likelihoods.bernoulli_logits, curvature.SIGMOID),
    ):
        if found is known:
            return kind, 1.0, found
    raise ValueError(
        'laplace expects the likelihood "categorical_logits", '
        '"bernoulli_logits", "normal" or likelihoods.Normal(scale); got '
        f"{likelihoods.name_of(found)}."
    )


def _check_arguments(covariance, prior_precision, mean):
    if covariance not in ("full", "diagonal"):
        raise ValueError(
            'laplace expects covariance to be "full" or "diagonal"; got '
            f"{covariance!r}."
        )
    if mean not in ("trained", "mode"):
        raise ValueError(
            f'laplace expects mean to be "trained" or "mode"; got {mean!r}.'
        )
    if mean == "mode" and covariance == "diagonal":
        raise ValueError(
            'laplace(mean="mode") expects covariance="full": Newton\'s method '
            'needs the whole matrix; got "diagonal".'
        )
    if prior_precision is not None and not checks.is_positive(prior_precision):
        raise ValueError(
            "laplace expects prior_precision to be a positive, finite number, "
            f"or None; got {prior_precision!r}."
        )


def _data(batches, head, kind):
    """Yields features, targets and weights of the examples, in `float64`."""
    for block in batches.blocks():
        for inputs, labels, weights in block:
            if labels is None:
                raise ValueError(
                    "laplace expects train_data with labels, such as a tuple "
                    "(x, y); got none."
                )
            features = head.features(inputs)
            factors = _factors(weights, len(features))
            targets = _targets(
                np.asarray(labels), factors, kind, head.num_units
            )
            yield features, targets, factors


def _targets(labels, factors, kind, num_units):
    """Returns what outputs are for; 0 where an example counts for nothing."""
    targets = np.zeros((len(factors), num_units))
    # Others need be no labels.
    counts = factors > 0
    found = None
    fits = len(labels) == len(factors)
    if kind is not curvature.SOFTMAX:
        # Of classes, one label is enough for all outputs.
        fits = fits and labels.size == targets.size
    if fits:
        found = kind.targets(labels[counts], num_units)
    if found is None or len(found) != counts.sum():
        raise ValueError(
            f"laplace expects labels for outputs of shape {targets.shape}; got "
            f"shape {labels.shape}."
        )
    targets[counts] = found
    return targets


def _factors(weights, count):
    if weights is None:
        return np.ones(count)
    factors = np.asarray(weights, np.float64).reshape(-1)
    if len(factors) != count or not (
        np.isfinite(factors).all() and (factors >= 0).all()
    ):
        raise ValueError(
            "laplace expects a weight >= 0 for each example, "
            f"({count},); got shape {tuple(np.shape(weights))}."
        )
    return factors


def _network(network, head, fit, is_full):
    """Returns a copy of the network with the distribution in its last layer."""
    recipe = (
        posteriors.MultivariateNormal() if is_full else posteriors.MeanField()
    )
    made = bayesify(
        network,
        recipe,
        prior=priors.Normal(0.0, fit.precision**-0.5),
        layers=lambda layer: layer is head.layer,
    )
    posterior = made.get_layer(head.layer.name).posterior
    means = head.split(fit.mean)
    if is_full:
        posterior.assign(means, fit.scale_tril)
        return made
    stds = head.split(fit.scale_tril.reshape(fit.mean.shape))
    # A mean and a log-variance for each tensor, as it made them.
    posterior.set_weights(
        [x for m, std in zip(means, stds) for x in (m, 2.0 * np.log(std))]
    )
    return made
