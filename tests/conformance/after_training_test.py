"""What comes after training works with every posterior and every baseline."""

import keras
import matplotlib
import numpy as np
import pytest

import bbh_tf as bbh
from tests.conformance import cases
from tests.conformance import parts

matplotlib.use("Agg")

X = np.random.default_rng(1).normal(size=(40, 4)).astype("float32")
OUTLIERS = 5.0 * X[::-1]


def _trained():
    """A network whose logits say a good deal of the classes."""
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    kernel = np.random.default_rng(2).normal(size=(4, 3))
    network.set_weights([kernel, np.zeros(3)])
    return network


def _of_case(name):
    model = bbh.models.BayesianModel(
        cases.CASES[name].network(), 40, num_prediction_samples=3, seed=1
    )
    model.compile("sgd", run_eagerly=True)
    return model


def _of_posterior(name):
    model = parts.model("posteriors", name)
    model.compile("sgd", run_eagerly=True)
    return model


def _laplace(covariance):
    network = _trained()
    labels = network.predict(X, verbose=0).argmax(axis=1)
    labels[::4] = 0
    return bbh.models.laplace(
        network,
        (X, labels),
        covariance=covariance,
        prior_precision=1.0,
        num_prediction_samples=3,
        seed=0,
    )


MODELS = {
    **{
        name: lambda name=name: _of_posterior(name)
        for name in parts.PARTS["posteriors"]
    },
    **{
        name: lambda name=name: _of_case(name)
        for name in ("MCDropout", "MNF", "LocalReparameterization")
    },
    "DeepEnsemble": lambda: bbh.models.DeepEnsemble(
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), 2, seed=1
    ),
    "laplace": lambda: _laplace("full"),
    "laplace, diagonal": lambda: _laplace("diagonal"),
    "ordinary Keras model": _trained,
}


def _inputs(model, x):
    """Brings inputs to the shape that a network takes."""
    network = getattr(model, "network", model)
    size = network.inputs[0].shape[1:] if hasattr(network, "inputs") else (4,)
    if size == (4,):
        return x
    return np.resize(x, (len(x), *size))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:The trained weights are no mode")
def test_all_of_it(name, tmp_path):
    keras.utils.set_random_seed(1)
    model = MODELS[name]()
    is_ordinary = type(model) is keras.Sequential
    x, outliers = _inputs(model, X), _inputs(model, OUTLIERS)
    logits, out_logits = (
        model.predict(data, verbose=0)
        if is_ordinary
        else model.predict_samples(data)
        for data in (x, outliers)
    )
    draws = logits[None] if is_ordinary else logits
    mean = bbh.uncertainty.class_probabilities(draws).mean(axis=0)
    # Three in four are as predicted.
    labels = mean.argmax(axis=1)
    labels[::4] = (labels[::4] + 1) % 3
    nll = bbh.uncertainty.negative_log_likelihood

    tempered = bbh.postprocessing.with_temperature(model, x, labels)
    probabilities = tempered.predict(x, verbose=0)
    if is_ordinary:
        probabilities = bbh.uncertainty.class_probabilities(probabilities)
        found = tempered.layers[-1].temperature
    else:
        found = model.temperature
        entropies = model.predict_uncertainty(x)["entropy"]
        np.testing.assert_allclose(
            entropies,
            bbh.uncertainty.predictive_entropy(probabilities),
            atol=1e-5,
        )
    assert nll(probabilities, labels) < nll(mean, labels)
    assert found == pytest.approx(
        bbh.postprocessing.fit_temperature(logits, labels)
    )
    tempered.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again.predict(x, verbose=0), tempered.predict(x, verbose=0)
    )

    for kind in ("ThresholdSets", "AdaptiveSets"):
        sets = getattr(bbh.postprocessing, kind)(level=0.8)
        sets.calibrate(probabilities[:20], labels[:20])
        held = sets.predict(probabilities[20:])
        assert held.shape == (20, 3) and held.any()

    wrong = mean.argmax(axis=1) != labels
    doubt = 1 - mean.max(axis=1)
    curve = bbh.uncertainty.risk_coverage(wrong, doubt)
    assert 0 < bbh.uncertainty.augrc(wrong, doubt) < 0.25
    measured = bbh.uncertainty.evaluate_outliers(logits, out_logits)
    assert ("mutual_information" in measured) == (not is_ordinary)
    diagram = bbh.uncertainty.reliability_diagram(probabilities, labels, 5)
    for axes in (
        bbh.plots.reliability(diagram),
        bbh.plots.risk_coverage(curve),
        bbh.plots.entropy_histograms(
            {"x": bbh.uncertainty.predictive_entropy(mean)}, num_classes=3
        ),
    ):
        matplotlib.pyplot.close(axes.figure)


def _of_numbers(*layers):
    model = bbh.models.BayesianModel(
        keras.Sequential([keras.Input((4,)), *layers]),
        40,
        likelihood="normal_learned_scale",
        num_prediction_samples=3,
        seed=1,
    )
    model.compile("sgd", run_eagerly=True)
    return model


def _laplace_of_numbers():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    network.set_weights([np.ones((4, 1)), np.zeros(1)])
    data = X, X.sum(axis=1, keepdims=True)
    likelihood = bbh.models.likelihoods.Normal(0.5)
    return bbh.models.laplace(
        network, data, likelihood, mean="mode", num_prediction_samples=3, seed=0
    )


OF_NUMBERS = {
    "Implicit": lambda: _of_numbers(
        bbh.layers.Bayesian(keras.layers.Dense(2), cases.implicit())
    ),
    "MeanField": lambda: _of_numbers(
        bbh.layers.Bayesian(keras.layers.Dense(2), cases.mean_field())
    ),
    "MCDropout": lambda: _of_numbers(
        bbh.layers.MCDropout(0.5, seed=1), keras.layers.Dense(2)
    ),
    "MNF": lambda: _of_numbers(
        bbh.layers.MNFDense(2, flow_units=4, auxiliary_flow_units=4)
    ),
    "DeepEnsemble": lambda: bbh.models.DeepEnsemble(
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]),
        2,
        likelihood="normal_learned_scale",
        seed=1,
    ),
    "laplace": _laplace_of_numbers,
}


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_all_of_it_for_numbers(name):
    keras.utils.set_random_seed(1)
    model = OF_NUMBERS[name]()
    noise = np.random.default_rng(0).normal(size=(40, 1))
    y = (model.predict(X, verbose=0) + 4 * noise).astype("float32")
    before = model.evaluate(X, y, verbose=0, return_dict=True)["nll"]
    bbh.postprocessing.with_temperature(model, X, y)
    after = model.evaluate(X, y, verbose=0, return_dict=True)["nll"]
    assert after < before and model.temperature > 1.5
    found = model.predict_uncertainty(X, level=0.8)
    intervals = bbh.postprocessing.QuantileIntervals(0.8)
    intervals.calibrate(found["lower"], found["upper"], y)
    lower, upper = intervals.predict(found["lower"], found["upper"])
    # ceil(41 * 0.8) of the labels that it was calibrated on.
    assert np.sum((lower <= y) & (y <= upper)) >= 33
    intervals = bbh.postprocessing.AbsoluteIntervals(0.8)
    intervals.calibrate(found["mean"], y, scales=found["std"])
    lower, upper = intervals.predict(found["mean"], scales=found["std"])
    assert np.sum((lower <= y) & (y <= upper)) == 33
    assert bbh.uncertainty.aurc(noise[:, 0] ** 2, found["std"][:, 0]) > 0
    axes = bbh.plots.predictive_bands(X[:, :1], found["mean"], found["std"])
    matplotlib.pyplot.close(axes.figure)
