"""Priors with few examples, in small: runs by themselves, and together."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.weights import WeightSpec
from experiments.dwp import classification_run
from experiments.dwp import classifiers
from experiments.dwp import gap_run
from experiments.dwp import layer_densities
from experiments.dwp import networks
from experiments.dwp import settings
from experiments.dwp.dropout_posterior import DropoutPosterior
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from tests.experiments import commands
from tests.experiments.dwp import small


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return small.write(tmp_path_factory.mktemp("inputs"))


def _run(inputs, folder, priors, splits, num_steps=4, **changes):
    config = settings.ClassificationConfig(
        "digits", "paper", *inputs, num_slices=8, num_test=30, **changes
    )
    runs = settings.ClassificationRuns(
        priors, (10,), ("means",), splits, num_steps
    )
    return classification_run.run(config, runs, None, folder, "command")


@pytest.fixture(scope="module")
def whole(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    found = _run(inputs, folder, ("dwp", "deterministic"), (0, 1))
    return folder, found


def _of(found, prior, split):
    return next(
        record["found"]
        for record in found
        if (record["run"]["prior"], record["run"]["split"]) == (prior, split)
    )


def test_a_run_does_not_depend_on_those_before_it(inputs, whole, tmp_path):
    alone = _of(_run(inputs, tmp_path, ("dwp",), (1,)), "dwp", 1)
    beside = _of(whole[1], "dwp", 1)
    first = _of(whole[1], "dwp", 0)
    assert first["nll"] != beside["nll"]
    for name in ("accuracy", "nll", "history"):
        assert alone[name] == beside[name]


def test_runs_are_added_and_never_made_again(inputs, whole, capsys):
    folder, found = whole
    before = {p: p.read_text() for p in (folder / "runs").iterdir()}
    assert len(before) == len(found) == 4
    more = _run(inputs, folder, ("deterministic",), (0,), num_steps=2)
    assert len(more) == 5
    assert all(path.read_text() == text for path, text in before.items())
    page = exhibit.read(folder)
    assert page["figures"][0].file == "accuracy.png"
    rows = page["tables"][0].rows
    assert [row[0] for row in rows].count("no prior: weights, with L2") == 2
    notes = " ".join(page["notes"])
    assert "The reverse model trains with the posterior." in notes
    assert "KernelKL" not in notes
    assert "log-uniform" not in notes
    differences = page["tables"][1].rows
    assert len(differences) == 1
    each = [
        _of(found, "dwp", split)["accuracy"]
        - _of(found, "deterministic", split)["accuracy"]
        for split in (0, 1)
    ]
    mean, error = differences[0][2].replace("−", "-").split(" ± ")
    assert float(mean) == pytest.approx(100 * np.mean(each), abs=0.051)
    expected = 100 * np.std(each, ddof=1) / np.sqrt(2)
    assert float(error) == pytest.approx(expected, abs=0.051)
    assert "deep weight prior" in capsys.readouterr().out
    with pytest.raises(ExperimentError, match=r"other settings \(l2\)"):
        _run(inputs, folder, ("deterministic",), (0,), l2=1.0)


def test_what_diverged_is_told(inputs, tmp_path, whole):
    path = whole[0] / "runs" / "dwp_means_10_4_0.json"
    record = json.loads(path.read_text())
    record["found"].update(accuracy=None, nll=None, history=None)
    there = tmp_path / "runs"
    there.mkdir()
    (there / path.name).write_text(json.dumps(record))
    shutil.copy(whole[0] / "settings.json", tmp_path)
    _run(inputs, tmp_path, ("dwp",), (0,))
    assert exhibit.read(tmp_path)["tables"][0].rows[0][2] == "diverged (1)"


def test_the_kl_counts_as_it_is_told(inputs, whole, tmp_path):
    (record,) = _run(inputs, tmp_path, ("dwp",), (1,), kl_scale=0.0)
    assert record["found"]["history"]["kl_weight"] == [0.0]
    full = _of(whole[1], "dwp", 1)["history"]
    assert full["kl_weight"][0] == pytest.approx(1 / 10)
    assert record["found"]["nll"] != _of(whole[1], "dwp", 1)["nll"]


def test_a_hypernetwork_sees_samples_of_the_prior_alone(inputs, tmp_path):
    (record,) = _run(inputs, tmp_path, ("dwp_hypernet",), (0,))
    found = record["found"]["history"]
    # A hypernetwork that has hardly moved from the decoder's means is far
    # narrower than the prior.
    assert found["kl"][-1] > 1000
    assert found["kl_weight"][0] == pytest.approx(1 / 10)
    notes = " ".join(exhibit.read(tmp_path)["notes"])
    assert "KernelKL(min_distance=1e-4) of 5 samples" in notes
    assert "there is no reverse model" in notes
    assert "independent normals" not in notes


def test_layers_have_noise_of_their_own(inputs, tmp_path):
    densities = layer_densities.load("digits", *inputs, tmp_path)
    config = settings.ClassificationConfig("digits", "paper", *inputs)
    model = classifiers.make(config, 1, "normal", densities)
    images = networks.load("digits", None)
    kernels = layer_densities.initial_kernels("digits", "means", densities, 3)
    model.train(*networks.split(images, 10, 0), kernels, 3)
    generators = [x.seed_generator for x in model.model.random_layers]
    assert len(generators) == 2
    states = [x.state.numpy().tolist() for x in generators]
    # Drawn from in the one step: neither stream is as long as what parts them.
    assert states[0] == [3, 1]
    noise = [bbh.randomness.example_normal((9,), x) for x in generators]
    assert np.abs(noise[0] - noise[1]).min() > 0


def test_the_kl_of_dropout_leaves_the_means_alone():
    generator = np.random.default_rng(0)
    value = generator.normal(0, 0.3, (3, 3, 2, 4)).astype("float32")
    posterior = DropoutPosterior()
    posterior.build([WeightSpec("kernel", value.shape)])
    posterior.start_at([value], 0.5)
    (q,) = posterior.distributions()
    np.testing.assert_allclose(q.mean(), value)
    np.testing.assert_allclose(q.variance(), 0.25 * value**2, rtol=1e-5)
    with tf.GradientTape() as tape:
        prior = bbh.priors.LogUniform("kingma").distributions([None])
        kl = bbh.divergences.AnalyticKL()(posterior.distributions(), prior)
    to_mean, to_logit = tape.gradient(kl, posterior.trainable_variables)
    assert np.abs(to_mean).max() < 1e-3 < 0.1 < np.abs(to_logit).min()
    with pytest.raises(ValueError, match="relative_std below 1; got 1.5"):
        posterior.start_at([value], 1.5)


def test_the_networks_are_the_papers():
    for dataset, count in (("mnist", 115_658), ("cifar10", 5_759_498)):
        assert networks.classifier(dataset, 0).count_params() == count


def test_splits_are_stratified_and_differ():
    images = networks.load("digits", None)
    first, labels = networks.split(images, 30, 0)
    assert np.bincount(labels).tolist() == [3] * 10
    again, _ = networks.split(images, 30, 0)
    other, _ = networks.split(images, 30, 1)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    with pytest.raises(ExperimentError, match="of each class; got 300"):
        networks.split(images, 3000, 0)


@pytest.mark.parametrize(
    ("run", "config", "runs"),
    [
        (
            classification_run.run,
            settings.ClassificationConfig(),
            settings.ClassificationRuns(
                ("dwp",), (10, 3000), ("means",), (0,), 1
            ),
        ),
        (
            gap_run.run,
            settings.GapConfig(num_examples=3000),
            settings.GapRuns(("trained",), (1,), (0,)),
        ),
    ],
)
def test_too_many_examples_are_told_before_anything_trains(
    tmp_path, run, config, runs
):
    with pytest.raises(ExperimentError, match="of each class; got 300"):
        run(config, runs, None, tmp_path, "command")
    assert not list(tmp_path.glob("*/*"))


def test_kernels_to_start_from(inputs, tmp_path):
    densities = layer_densities.load("digits", *inputs, tmp_path)
    kernels = layer_densities.initial_kernels("digits", "filters", densities, 3)
    assert [x.shape for x in kernels.values()] == [
        (3, 3, 1, 16),
        (3, 3, 16, 32),
    ]
    learned = densities["conv1"].kernels
    slices = kernels["conv1"][:, :, 0].transpose(2, 0, 1)
    places = [
        int(np.flatnonzero((learned == x).all(axis=(1, 2)))[0]) for x in slices
    ]
    assert len(set(places)) == 16
    xavier = layer_densities.draw("xavier", None, (3, 3, 64, 64), 0)
    assert xavier.std() == pytest.approx(np.sqrt(2 / (9 * 128)), rel=0.02)
    # Draws have the noise of p(w | z) besides.
    means, samples = (
        layer_densities.draw(how, densities["conv1"], (3, 3, 8, 64), 0)
        for how in ("means", "samples")
    )
    assert samples.std() > 2 * means.std()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--output_dir: expected a folder; got none."),
        (["--output_dir=a", "--priors=dwp,flat"], "--priors: expected some of"),
        (
            ["--output_dir=a", "--num_examples=55"],
            "multiples of 10 from 10, each once; got 55.",
        ),
        (
            ["--output_dir=a", "--data_dir=b"],
            "--data_dir: expected none with digits, which read no folder",
        ),
        (
            ["--output_dir=a", "--kl_scale=-1"],
            "--kl_scale: expected 0 <= x < 1e6; got -1.0.",
        ),
        (
            ["--output_dir=a", "--dataset=mnist"],
            "--kernels: expected a file for each convolution; got none.",
        ),
    ],
)
def test_wrong_flags_are_told_in_one_line(flags, message):
    commands.check_refused(commands.call("dwp_classification", *flags), message)
