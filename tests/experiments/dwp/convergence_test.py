"""What a start is worth in steps: the autoencoder of images, and in small."""

import numpy as np
import pytest
from scipy import special
from scipy import stats

from experiments import provenance
from experiments.dwp import convergence_report
from experiments.dwp import convergence_run
from experiments.dwp import image_autoencoder
from experiments.dwp import settings
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from tests.experiments import commands
from tests.experiments.dwp import small


def test_the_autoencoder_is_nearest_to_the_stated_size():
    form = image_autoencoder.FORMS["mnist"]
    counts = [
        image_autoencoder.ImageAutoencoder(
            form._replace(latent_dim=form.latent_dim + more)
        ).count_params()
        for more in (-1, 0, 1)
    ]
    off = np.abs(np.array(counts) - 1_641_665)
    assert off.argmin() == 1
    assert counts[1] == 1_642_909
    made = image_autoencoder.ImageAutoencoder(form)
    assert made.decoder.output_shape[1:] == (28, 28, 1)


def test_the_heads_start_apart():
    model = image_autoencoder.ImageAutoencoder(
        image_autoencoder.FORMS["digits"], 3
    )
    mean, variance = (
        model.encoder.get_layer(name).kernel.numpy()
        for name in ("mean", "variance")
    )
    assert (mean != variance).all()


def test_the_bound_is_the_autoencoders():
    form = image_autoencoder.FORMS["digits"]
    model = image_autoencoder.ImageAutoencoder(form)
    image = np.random.default_rng(0).uniform(size=(1, 8, 8, 1))
    image = image.astype("float32")
    found = np.asarray(model(np.repeat(image, 4000, axis=0)), np.float64)
    # Sampled by hand, with the KL sampled too.
    mean, variance = (np.asarray(x)[0] for x in model.encoder(image))
    r = stats.norm(mean, np.sqrt(variance))
    z = r.rvs((4000, form.latent_dim), np.random.default_rng(1))
    logits = np.asarray(model.decoder(z.astype("float32")), np.float64)
    log_p = image * special.log_expit(logits)
    log_p += (1 - image) * special.log_expit(-logits)
    expected = log_p.sum(axis=(1, 2, 3))
    expected += (stats.norm.logpdf(z) - r.logpdf(z)).sum(axis=1)
    error = np.hypot(found.std(), expected.std()) / np.sqrt(4000)
    assert abs(found.mean() - expected.mean()) < 4 * error


def test_runs_are_added_and_start_as_they_are_told(tmp_path, capsys):
    inputs = small.write(tmp_path)
    config = settings.ConvergenceConfig("digits", *inputs, num_test=40)
    steps = {"classifier": 12, "autoencoder": 2}

    def run(networks, starts, num_runs, folder=tmp_path):
        runs = settings.ConvergenceRuns(networks, starts, num_runs, steps)
        return convergence_run.run(config, runs, None, folder, "command")

    found = run(("classifier", "autoencoder"), ("filters", "xavier"), 1)
    assert len(found) == 4
    by_run = {
        (r["run"]["network"], r["run"]["initialisation"]): r["found"]
        for r in found
    }
    assert by_run["classifier", "xavier"]["steps"] == [10, 12]
    assert by_run["autoencoder", "filters"]["steps"] == [2]
    values = {key: one["values"] for key, one in by_run.items()}
    assert values["autoencoder", "filters"] != values["autoencoder", "xavier"]
    samples = convergence_report.samples_path(
        tmp_path, {"initialisation": "xavier", "num_steps": 2, "run": 0}
    )
    with np.load(samples) as some:
        assert some["samples"].shape == (1, 6, 8, 8)
    page = exhibit.read(tmp_path)
    assert "weights train; the first 40 test images." in page["notes"][0]
    assert [x.file for x in page["figures"]] == [
        "convergence.png",
        "samples.png",
    ]
    assert [row[0] for row in page["tables"][0].rows] == [
        "learned kernels",
        "Xavier",
    ]
    # Alone, after others have been: the same numbers.
    alone = tmp_path / "alone"
    alone.mkdir()
    (one,) = run(("autoencoder",), ("xavier",), 1, alone)
    assert one["found"]["values"] == values["autoencoder", "xavier"]
    assert "learned kernels" in capsys.readouterr().out
    config = settings.ConvergenceConfig("digits", *inputs, num_test=50)
    with pytest.raises(ExperimentError, match=r"other settings \(num_test\)"):
        run(("classifier",), ("xavier",), 1)


def test_more_images_than_there_are_are_refused(tmp_path):
    runs = settings.ConvergenceRuns(("classifier",), ("xavier",), 1, {})
    config = settings.ConvergenceConfig("digits", num_test=361)
    with pytest.raises(ExperimentError, match="--num_test: .* 360; got 361"):
        convergence_run.run(config, runs, None, tmp_path, "command")


def test_a_run_made_again_with_more_steps_is_one_run(tmp_path):
    found = [
        {
            "run": {
                "network": "classifier",
                "initialisation": "xavier",
                "num_steps": num_steps,
                "run": run,
            },
            "found": {"steps": steps, "values": [0.5 + 0.2 * run] * len(steps)},
            "provenance": provenance.describe(),
        }
        for num_steps, steps in ((20, [10, 20]), (30, [10, 20, 30]))
        for run in (0, 1)
    ]
    config = settings.ConvergenceConfig("digits")
    convergence_report.write(tmp_path, config, found, "command")
    (table,) = exhibit.read(tmp_path)["tables"]
    assert table.heading[1:] == ["10 steps", "20 steps", "30 steps"]
    assert table.rows == [["Xavier", *["0.600 ± 0.141 (2)"] * 3]]


def test_wrong_flags_are_told_in_one_line():
    for flags, message in (
        (["--data_dir=b"], "--data_dir: expected none with digits, which"),
        (["--networks=both"], "--networks: expected some of classifier, aut"),
        (
            ["--dataset=cifar10", "--kernels=a", "--networks=autoencoder"],
            "--networks: expected some of classifier, each once",
        ),
        (
            ["--initialisations=xavier", "--preset=released_code"],
            "--preset: expected none beside --initialisations; got released",
        ),
    ):
        done = commands.call("dwp_convergence", "--output_dir=a", *flags)
        commands.check_refused(done, message)
