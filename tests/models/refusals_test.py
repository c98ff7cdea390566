"""Bad input is refused with one clear line."""

import keras
import numpy as np
import pytest
import tensorflow_probability as tfp

import bbh_tf as bbh
from tests.models import small_models

layers = keras.layers
tfd = tfp.distributions
X, Y = small_models.data()
NAN, INFINITY = float("nan"), float("inf")
_made = {}


def _model():
    if not _made:
        _made["model"] = small_models.model()
    return _made["model"]


def _new(**kwargs):
    return lambda: small_models.model(**kwargs)


def _layer(*args, **kwargs):
    args = args or (layers.Dense(3),)
    kwargs.setdefault("posterior", small_models.implicit())
    return lambda: bbh.layers.Bayesian(*args, **kwargs)


def _two_outputs():
    inputs = keras.Input((4,))
    hidden = bbh.layers.Bayesian(layers.Dense(3), small_models.implicit())
    return keras.Model(inputs, [hidden(inputs), layers.Dense(2)(inputs)])


def _built(layer):
    network = keras.Sequential([keras.Input((4,)), layer])
    return network


class _WithoutVariance(tfp.distributions.Normal):
    def __init__(self, outputs):
        super().__init__(outputs, 1.0)

    def _stddev(self):
        raise NotImplementedError


def _ordered(outputs):
    return tfd.OrderedLogistic([-1.0, 1.0], outputs[:, 0])


class _OnlySamples(bbh.priors.Prior):
    pass


COUNT = "to be a positive integer; got"
CASES = {
    # BayesianModel
    "num_train_examples 0": (_new(num_train_examples=0), COUNT),
    "num_train_examples -1": (_new(num_train_examples=-1), COUNT),
    "num_train_examples 1.5": (_new(num_train_examples=1.5), COUNT),
    "num_train_examples True": (_new(num_train_examples=True), COUNT),
    "num_samples 0": (_new(num_samples=0), "num_samples " + COUNT),
    "num_prior_samples 0": (
        _new(num_prior_samples=0),
        "num_prior_samples " + COUNT,
    ),
    "num_likelihood_samples 0": (
        _new(num_likelihood_samples=0),
        "num_likelihood_samples " + COUNT,
    ),
    "num_prediction_samples text": (
        _new(num_prediction_samples="3"),
        "num_prediction_samples .* got '3'",
    ),
    "kl_scale nan": (_new(kl_scale=NAN), "kl_scale .*finite.* got nan"),
    "kl_scale -1": (_new(kl_scale=-1), "kl_scale .*finite.* got -1"),
    "kl_scale text": (_new(kl_scale="1"), "kl_scale .*finite.* got '1'"),
    "one sample with KernelKL": (
        _new(num_samples=1),
        "KernelKL needs num_samples to be at least 2; got 1",
    ),
    **{
        f"AnalyticKL with a {name} prior": (
            lambda prior=prior: small_models.model(
                _built(
                    bbh.layers.Bayesian(
                        layers.Dense(3),
                        bbh.posteriors.MeanField(),
                        prior,
                        name="fc",
                    )
                ),
                divergence=bbh.divergences.AnalyticKL(),
            ),
            f"layer 'fc' has Normal and {type(prior).__name__}. MonteCarloKL",
        )
        for name, prior in {
            "Laplace": tfd.Laplace(0.0, 1.0),
            "Student's t": tfd.StudentT(3.0, 0.0, 1.0),
            "mixture": tfd.MixtureSameFamily(
                tfd.Categorical(probs=[0.5, 0.5]), tfd.Normal(0.0, [0.1, 1.0])
            ),
        }.items()
    },
    "four samples and four neighbours": (
        _new(
            num_samples=4, divergence=bbh.divergences.KernelKL(True, False, 4)
        ),
        "KernelKL needs num_samples to be at least 5; got 4",
    ),
    "two prior samples and three neighbours": (
        _new(
            num_prior_samples=2,
            divergence=bbh.divergences.KernelKL(num_neighbours=3),
        ),
        "KernelKL needs num_prior_samples to be at least 3; got 2",
    ),
    "AnalyticKL with Implicit": (
        _new(divergence=bbh.divergences.AnalyticKL()),
        "layer 'hidden' has Implicit, which has none. KernelKL needs",
    ),
    "AnalyticKL with dependent weights": (
        lambda: _layer(
            posterior=bbh.posteriors.MultivariateNormal(),
            kl_weight=1,
            divergence=bbh.divergences.AnalyticKL(),
        )().build((None, 4)),
        "posterior of independent weights.*MultivariateNormal. MonteCarloKL",
    ),
    "AnalyticKL with a prior of dependent weights": (
        lambda: _layer(
            layers.Conv2D(2, 3),
            posterior=bbh.posteriors.MeanField(),
            prior=bbh.priors.KernelNormal(3),
            kl_weight=1,
            divergence=bbh.divergences.AnalyticKL(),
        )().build((None, 4, 4, 1)),
        "prior of independent weights.*KernelNormal. MonteCarloKL",
    ),
    "unknown likelihood": (
        _new(likelihood="softmax"),
        "categorical_logits, normal.*got 'softmax'",
    ),
    "likelihood of scale 0": (
        lambda: bbh.models.likelihoods.Normal(0),
        "positive, finite scale; got 0",
    ),
    "divergence by name": (_new(divergence="kernel"), "Expected a divergence"),
    "annealing a number": (_new(annealing=0.5), "annealing.*got 0.5"),
    "seed float": (_new(seed=1.5), "made of integers; got 1.5"),
    "seed too large": (_new(seed=2**63), "must fit in 64 bits"),
    "two outputs": (
        lambda: small_models.model(_two_outputs()),
        "one output; .* has 2",
    ),
    "no Bayesian layer": (
        lambda: small_models.model(_built(layers.Dense(3))),
        "no Bayesian layer: wrap layers",
    ),
    "network not built": (
        lambda: small_models.model(keras.Sequential([_layer()()])),
        "is not built",
    ),
    "network a layer": (
        lambda: small_models.model(layers.Dense(3)),
        "Expected a functional or Sequential",
    ),
    "loss in compile": (
        lambda: _model().compile("adam", loss="mse"),
        "takes its loss from the likelihood.* got loss='mse'",
    ),
    "loss_weights in compile": (
        lambda: _model().compile("adam", loss_weights=[1.0]),
        "got loss_weights=",
    ),
    # Training and prediction
    "no labels in fit": (
        lambda: small_models.model().train_on_batch(X),
        "Training needs labels",
    ),
    "no labels in evaluate": (
        lambda: _model().evaluate(X),
        "evaluate needs labels",
    ),
    "labels of another shape": (
        lambda: _model().evaluate(X, np.zeros((8, 2))),
        "Expected one-hot labels of shape",
    ),
    "labels too few": (
        lambda: _model().evaluate(X, Y[:3]),
        r"same number of examples; got \[3, 8\]",
    ),
    "batch_size 0": (
        lambda: _model().predict(X, batch_size=0),
        "batch_size " + COUNT + " 0",
    ),
    "batch_size 2.5": (
        lambda: _model().predict(X, batch_size=2.5),
        "batch_size " + COUNT + " 2.5",
    ),
    "no examples": (lambda: _model().predict(X[:0]), "at least one example"),
    "a scalar": (lambda: _model().predict(1.0), "arrays of examples"),
    "a list of labels": (
        lambda: _model().evaluate(X, Y.tolist()),
        "arrays of examples; got a list of single values as y: make",
    ),
    "a list of inputs": (
        lambda: _model().predict(X.tolist()),
        "arrays of examples; got a list of single values as x: make",
    ),
    "num_train_examples 10**30": (
        _new(num_train_examples=10**30),
        "num_train_examples to be at most 9223372036854775807; got 1000",
    ),
    "a likelihood without a mean": (
        lambda: _new(likelihood=_ordered)().evaluate(X, Y, verbose=0),
        "has a mean, .*; OrderedLogistic has none: give it one",
    ),
    "a likelihood without a variance": (
        lambda: _new(likelihood=_WithoutVariance)().predict_uncertainty(X),
        "has a variance; _WithoutVariance has none: give it one",
    ),
    "nothing": (lambda: _model().predict(None), "arrays of examples"),
    "steps 0": (lambda: _model().predict(X, steps=0), "steps " + COUNT),
    "num_samples 0 in predict": (
        lambda: _model().predict(X, num_samples=0),
        "num_samples " + COUNT,
    ),
    "seed float in predict": (
        lambda: _model().predict_samples(X, seed=0.5),
        "made of integers; got 0.5",
    ),
    "index -1 in draw": (lambda: _model().draw(index=-1), "index.*got -1"),
    "an interval of classes": (
        lambda: _model().predict_uncertainty(X, level=0.9),
        "labels that are numbers; got level=0.9 for a likelihood over classes",
    ),
    "level 1": (
        lambda: _model().predict_uncertainty(X, level=1.0),
        "level to be a probability between 0 and 1; got 1.0",
    ),
    # Bayesian
    "not a layer": (_layer("Dense"), "a Keras layer to wrap.* got 'Dense'"),
    "a class of layers": (_layer(layers.Dense), "a Keras layer to wrap"),
    "a cell": (_layer(layers.LSTMCell(3)), "LSTMCell .* wrap the recurrent"),
    "nested": (_layer(_layer()()), "holds, a Bayesian layer already"),
    "nested deeper": (
        _layer(layers.TimeDistributed(_layer()())),
        "holds, a Bayesian layer already",
    ),
    "posterior text": (_layer(posterior="implicit"), "Expected a posterior"),
    "prior a number": (_layer(prior=1.0), "A prior is"),
    "kl_weight -1": (_layer(kl_weight=-1), "kl_weight .*finite.*got -1"),
    "kl_weight nan": (_layer(kl_weight=NAN), "kl_weight .*finite.*got nan"),
    "kl_weight inf": (_layer(kl_weight=INFINITY), "kl_weight .*got inf"),
    "layer's num_samples 1": (_layer(num_samples=1), "at least 2; got 1"),
    "layer's num_samples 2.5": (_layer(num_samples=2.5), COUNT + " 2.5"),
    "layer's seed": (_layer(seed="a"), "made of integers; got 'a'"),
    "layer's seed too large": (_layer(seed=-(2**64)), "fit in 64 bits"),
    "sublayers one text": (_layer(sublayers="a"), "list of names .*got 'a'"),
    "sublayers unknown": (
        lambda: _layer(sublayers=["nobody"])().build((None, 4)),
        "no inner layer named 'nobody'; it has dense",
    ),
    "no weights": (
        lambda: _layer(layers.ReLU())().build((None, 4)),
        "no trainable weights that could be random",
    ),
    "layer's AnalyticKL with Implicit": (
        lambda: _layer(
            kl_weight=1, divergence=bbh.divergences.AnalyticKL()
        )().build((None, 4)),
        "AnalyticKL needs a posterior with a density",
    ),
    "AnalyticKL with a prior of float64": (
        lambda: _layer(
            posterior=bbh.posteriors.MeanField(),
            prior=tfd.Normal(np.float64(0), np.float64(1)),
            kl_weight=1,
            divergence=bbh.divergences.AnalyticKL(),
        )().build((None, 4)),
        "a prior of float32, as the posterior; .* a Normal of float64",
    ),
    "AnalyticKL with a prior of samples": (
        lambda: _layer(
            posterior=bbh.posteriors.MeanField(),
            prior=_OnlySamples(),
            kl_weight=1,
            divergence=bbh.divergences.AnalyticKL(),
        )().build((None, 4)),
        "AnalyticKL needs a prior with a density",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line(name):
    call, message = CASES[name]
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_unknown_arguments_of_evaluate():
    with pytest.raises(TypeError, match="no argument 'nsamples'"):
        _model().evaluate(X, Y, nsamples=3)
