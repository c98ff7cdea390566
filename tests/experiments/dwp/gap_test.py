"""The gap of the bound: of a density that is known, and the command."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf import weights
from experiments.dwp import gap_bounds
from experiments.dwp import gap_run
from experiments.dwp import settings
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from tests.experiments import commands
from tests.experiments.dwp import small
from tests.priors import linear_gaussian

_X = np.random.default_rng(0).normal(size=(6, 4, 4, 2)).astype("float32")
_Y = np.arange(6) % 3
_DRAWS = 3


def _model(error):
    network = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2D(6, 3, name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    posterior = bbh.posteriors.MeanField(
        -4.0, keras.initializers.RandomNormal(0.0, 0.5, seed=1), True
    )
    return bbh.models.BayesianModel(
        bbh.models.bayesify(
            network,
            posterior,
            prior={"conv": linear_gaussian.prior(error=error)},
            layers="conv",
        ),
        num_train_examples=6,
        divergence=bbh.divergences.MonteCarloKL(),
        seed=0,
    )


def _measure(model, num_importance=2000, num_slices=100, seed=0):
    return gap_bounds.measure(
        model, _X, _Y, num_importance, _DRAWS, num_slices, seed
    )


def _truth(model):
    """The bound with the density itself, on the draws that are looked at."""
    (layer,) = model.random_layers
    key = bbh.randomness.key(0, 1, 0)
    (kernels,), _ = layer.posterior.sample(_DRAWS, key)
    slices = np.asarray(weights.to_kernel_slices(kernels), np.float64)
    found = linear_gaussian.normal().logpdf(slices.reshape(_DRAWS, -1, 9))
    probabilities = bbh.uncertainty.class_probabilities(
        model.predict_samples(_X, num_samples=_DRAWS)
    )
    likelihood = np.log(np.asarray(probabilities)[:, np.arange(6), _Y])
    entropy = float(layer.posterior.entropy())
    return likelihood.sum(1).mean() + entropy + found.sum(1).mean()


def test_the_exact_reverse_model_leaves_no_gap():
    model = _model(0.0)
    found = _measure(model, 20)
    assert found["num_slices"] == 12
    assert found["gap"][0] == pytest.approx(0.0, abs=0.02)
    assert found["auxiliary"][0] == pytest.approx(_truth(model), abs=0.02)
    # All slices were looked at: no error is left.
    assert found["auxiliary"][1] == 0.0


def test_the_gap_of_a_wrong_one_is_closed_by_many_samples():
    model = _model(0.3)
    truth, found = _truth(model), _measure(model)
    assert found["importance_weighted"][0] == pytest.approx(truth, abs=0.5)
    assert found["auxiliary"][0] < truth - 1
    assert found["auxiliary_of_prior"][0] < found["auxiliary"][0]
    gap = found["importance_weighted"][0] - found["auxiliary"][0]
    assert found["gap"][0] == pytest.approx(gap, rel=1e-6)
    # Some of the slices stand for all, whichever they are.
    some = [_measure(model, 100, 4, seed)["auxiliary"] for seed in range(8)]
    off = np.mean([value for value, _ in some]) - found["auxiliary"][0]
    error = np.sqrt(np.mean([error**2 for _, error in some]) / 8)
    assert abs(off) < 4 * error


def test_networks_are_trained_once(tmp_path):
    inputs = small.write(tmp_path)
    config = settings.GapConfig(
        "digits", *inputs, num_examples=10, num_steps=2, num_draws=2
    )
    times = []
    for count in (20, 40):
        runs = settings.GapRuns(("trained",), (count,), (0,))
        found = gap_run.run(config, runs, None, tmp_path, "command")
        (path,) = (tmp_path / "networks").iterdir()
        times.append(path.stat().st_mtime_ns)
    assert times[0] == times[1]
    made, again = (record["found"] for record in found)
    # The network that was trained is the one that was read.
    for name in ("likelihood", "entropy", "auxiliary_of_prior"):
        assert made[name] == again[name]
    assert made["auxiliary"] != again["auxiliary"]
    rows = exhibit.read(tmp_path)["tables"][0].rows
    assert [row[2] for row in rows] == ["20", "40", "10,000"]
    assert rows[-1][4] == "−23,375"
    other = settings.GapConfig("digits", *inputs, num_steps=3)
    with pytest.raises(ExperimentError, match="other settings"):
        gap_run.run(other, runs, None, tmp_path, "command")


def test_markov_chains_are_refused(tmp_path):
    kernels, autoencoders = small.write(tmp_path)
    bbh.models.KernelAutoencoder(3, 2, num_steps=1).save(autoencoders[1])
    config = settings.GapConfig("digits", kernels, autoencoders)
    runs = settings.GapRuns(("trained",), (1,), (0,))
    with pytest.raises(ExperimentError, match="=0, .* got 1 for conv2"):
        gap_run.run(config, runs, None, tmp_path, "command")


def test_wrong_flags_are_told_in_one_line():
    for flag, message in (
        ("--data_dir=b", "--data_dir: expected none with digits, which"),
        ("--num_examples=55", "a multiple of 10 from 10; got 55."),
        ("--reverses=none", "--reverses: expected some of trained, frozen"),
    ):
        done = commands.call("dwp_gap", "--output_dir=a", flag)
        commands.check_refused(done, message)
