"""Figures 5 to 9, as a person makes them."""

import json

import numpy as np
import pytest

from experiments import run_names
from experiments.errors import ExperimentError
from experiments.posterior import draws as posterior_draws
from experiments.posterior import findings as posterior_findings
from experiments.posterior import panels
from experiments.posterior import tables as posterior_tables
from experiments.reporting import exhibit
from tests.experiments import commands


@pytest.fixture(name="runs", scope="module")
def fixture_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    commands.write_untrained(folder, ("map", "bbb", "bbh"))
    return folder


def test_figures_and_numbers_of_all_runs(runs, tmp_path):
    flags = (
        f"--run={runs}/bbb/seed_0",
        f"--run={runs}/bbh/seed_0,",
        f"--output_dir={tmp_path}",
        "--num_draws=60",
        "--num_chosen=50",
    )
    done = commands.call("posterior_figures", *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Drawing weights") == 2
    found = exhibit.read(tmp_path)
    assert [figure.file for figure in found["figures"]] == [
        "marginals_mnist_methods_bbb_seed_0.png",
        "marginals_mnist_methods_bbh_seed_0.png",
        "correlations.png",
        "spreads.png",
    ]
    shapes, dependence, kl = found["tables"]
    assert [row[:2] for row in shapes.rows] == [
        ["Bayes by Backprop", "60"],
        ["Bayes by Hypernet", "60"],
        ["normal weights", ""],
    ]
    # The last row is what 60 draws of independent weights would have.
    assert len(dependence.rows) == 3
    assert "a curve" in " ".join(found["notes"])
    # These runs were never trained.
    assert [row[:2] for row in kl.rows] == [
        ["Bayes by Backprop", "–"],
        ["Bayes by Hypernet", "–"],
    ]
    runs_found = json.loads((tmp_path / "results.json").read_text())["runs"]
    measures = {run["name"]: run["measures"] for run in runs_found}
    normal = measures["Bayes by Backprop"]
    # As they begin, all weights of Bayes by Backprop have one deviation.
    np.testing.assert_allclose(normal["std_quantiles"], np.exp(-4.5), rtol=0.25)
    assert normal["kernel"]["not_normal"] < 0.1
    assert normal["kernel"]["correlation"] < 0.15
    # And those of a hypernetwork are functions of one number.
    curve = measures["Bayes by Hypernet"]["kernel"]
    assert curve["effective_rank"] < 4
    assert curve["correlation"] > 0.5
    assert curve["not_normal"] > 0.5
    # What was drawn is there, and is not drawn again.
    folder = runs / "bbb" / "seed_0"
    config = posterior_findings.read_config(folder)
    settings = {"num_draws": 60, "num_chosen": 50}
    path = tmp_path / "draws_mnist_methods_bbb_seed_0.npz"
    before = path.read_bytes()
    drawn = posterior_findings.draws(folder, config, tmp_path, settings)
    again = posterior_findings.measure(drawn, config)
    assert {**again, "trained_kl": None} == normal
    # All weights have log-variances of -9, and means that begin near 0.
    most = 0.5 * (np.exp(-9) - 1 + 9) + 0.5 * np.mean(drawn.mean**2)
    each = normal["least_kl"] / normal["num_weights"]
    assert each == pytest.approx(most, rel=0.01)
    assert path.read_bytes() == before
    with pytest.raises(ExperimentError, match="draws of other settings"):
        posterior_findings.draws(
            folder, config, tmp_path, {**settings, "num_draws": 61}
        )
    # The same run, made anew.
    results = folder / "results.json"
    known = results.read_text()
    results.write_text(json.dumps({**json.loads(known), "seconds": 2.0}))
    with pytest.raises(ExperimentError, match="draws of other settings"):
        posterior_findings.draws(folder, config, tmp_path, settings)
    results.write_text(known)


def test_the_prior_of_the_authors_mnf_is_its_own(tmp_path):
    config = {"method": "mnf", "released_mnf": True, "prior_scale": 1.0}
    of_all = {**config, "released_mnf": False, "prior_scale": 2.0}
    results = {"final": {"kl": 7.0}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert posterior_findings.trained_kl(tmp_path, of_all) == 7.0
    # It lacks the convolutions'.
    assert posterior_findings.trained_kl(tmp_path, config) is None
    assert posterior_findings.prior_std({**config, "method": "bhn"}) is None
    weights = np.random.default_rng(0).normal(size=(400, 1000))
    for one, std in ((config, np.exp(0.5)), (of_all, 2.0)):
        assert posterior_findings.prior_std(one) == pytest.approx(std)
        drawn = std * weights
        found = posterior_findings.measure(
            posterior_draws.Draws(
                drawn[:, :20],
                4,
                drawn[:, 20:50],
                drawn.mean(axis=0),
                drawn.std(axis=0, ddof=1),
            ),
            one,
        )
        # Weights at the prior cost nothing.
        assert abs(found["least_kl"]) < 0.005 * weights.shape[1]
        figure = panels.spreads(
            {
                "a": posterior_draws.Draws(
                    drawn, 4, drawn, drawn.mean(axis=0), drawn.std(axis=0)
                )
            },
            [{"table": "mnist_methods", "row": "mnf", **one}],
            [std],
        )
        prior = figure.axes[0].lines[0].get_xdata()
        np.testing.assert_allclose(prior, std)


def test_a_prior_whose_scale_was_learnt_is_no_line():
    config = {
        "table": "mnist_methods",
        "row": "bbh_advised",
        "method": "bbh_advised",
        "prior_scale": 1.0,
        "learned_prior_scale": True,
    }
    assert posterior_findings.prior_std(config) is None
    assert posterior_findings.prior_std({**config, "method": "bbb"}) is None
    weights = np.random.default_rng(0).normal(size=(40, 30))
    drawn = posterior_draws.Draws(
        weights, 4, weights, weights.mean(axis=0), weights.std(axis=0)
    )
    found = {"a": posterior_findings.measure(drawn, config)}
    assert found["a"]["least_kl"] is None
    assert not panels.spreads({"a": drawn}, [config], []).axes[0].lines
    notes = posterior_tables.notes(found, [config], {"num_chosen": 30})
    assert any("learnt its scale" in note for note in notes)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--output_dir=x"], "--run: expected at least one folder"),
        (["--run=x", "--output_dir=x", "--num_draws=2"], "--num_draws: expe"),
        (2 * ["--run={}/bbb/seed_0"] + ["--output_dir=x"], "each run once"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(runs, flags, message):
    done = commands.call(
        "posterior_figures", *(flag.format(runs) for flag in flags)
    )
    commands.check_refused(done, message)


def test_what_has_no_draws_of_weights_is_refused(runs, tmp_path):
    with pytest.raises(ExperimentError, match="got .*: MAP has one set of"):
        posterior_findings.read_config(runs / "map" / "seed_0")
    with pytest.raises(ExperimentError, match="expected the folder of a run"):
        posterior_findings.read_config(tmp_path)
    config = {"method": "bbb", "seed": 0}
    with pytest.raises(ExperimentError, match="has no model"):
        posterior_findings.draws(tmp_path, config, tmp_path, {})


def test_runs_are_named_as_briefly_as_tells_them_apart():
    bbb, mnf = (
        {
            "table": "mnist_methods",
            "row": row,
            "method": row,
            "seed": 0,
            "dataset": "mnist",
        }
        for row in ("bbb", "mnf")
    )
    assert run_names.names([bbb, mnf]) == ["Bayes by Backprop", "MNF"]
    assert run_names.names([bbb, {**bbb, "seed": 1}]) == [
        "Bayes by Backprop, seed 0",
        "Bayes by Backprop, seed 1",
    ]
    other = {**bbb, "table": "cifar5_methods", "dataset": "cifar5"}
    assert run_names.names([bbb, other]) == [
        "Bayes by Backprop, mnist",
        "Bayes by Backprop, cifar5",
    ]


def test_a_kernel_that_does_not_vary_has_no_numbers():
    nothing = {"resolved": 0, "not_normal": None, "multimodal": None}
    ranks = dict.fromkeys(
        (
            "correlation",
            "within_filters",
            "between_filters",
            "effective_rank",
            "participation_ratio",
        )
    )
    run = {
        "num_draws": 10,
        "kernel_size": 72,
        "num_chosen": 20,
        "median_std": 0.0,
        "least_kl": None,
        "kernel": {**nothing, **ranks},
        "chosen": nothing,
    }
    found = {"a": run}
    assert posterior_tables.shapes(found)[1][2:6] == 4 * ["–"]
    assert posterior_tables.dependence(found)[1][2:] == 5 * ["–"]
    assert len(posterior_tables.dependence(found)) == 2
    assert posterior_tables.kl(found)[1:] == []
    notes = posterior_tables.notes(
        found, [{"method": "bbb"}], {"num_chosen": 20}
    )
    assert "a: the first kernel does not vary." in notes
    (said,) = (
        x
        for x in posterior_tables.notes(
            found,
            [{"method": "mnf", "released_mnf": True}],
            {"num_chosen": 20},
        )
        if "N(0, e)" in x
    )
    assert "leaves the KL of convolutions out" in said
    notes = posterior_tables.notes(
        found, [{"method": "bbh_advised", "noise_dim": 8}], {"num_chosen": 20}
    )
    said = "a: the weights of a kernel are functions of 8 random numbers."
    assert said in notes


def test_words_are_those_of_the_numbers():
    kernel = {
        "resolved": 72,
        "not_normal": 0.875,
        "multimodal": 0.01,
        "correlation": 0.5,
    }
    run = {
        "num_draws": 10,
        "kernel_size": 80,
        "num_chosen": 20,
        "least_kl": None,
        "kernel": kernel,
        "chosen": {"resolved": 20},
    }
    *_, words, left_out = posterior_tables.notes(
        {"a": run}, [{"method": "ensemble"}], {"num_chosen": 20}
    )
    assert "are 87.5 % not normal, pass for unimodal" in words
    # Of 10 draws, |r| of independent weights is 0.27 on average.
    assert "1.8 times" in words
    assert "10 draws can show little." in words
    assert "8 of 80 weights (first kernel) vary by no more" in left_out
