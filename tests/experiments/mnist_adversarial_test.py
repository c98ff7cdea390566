"""Figure 3 from runs that are done, as a person calls it."""

import json
import pathlib

import numpy as np
import pytest

import bbh_tf as bbh
from experiments import checkpoints
from experiments import config as configs
from experiments import runner
from experiments.robustness import measures as robustness
from tests.experiments import commands


@pytest.fixture(name="runs", scope="module")
def fixture_runs(tmp_path_factory):
    config = configs.Config(
        table="mnist_methods",
        dataset="digits",
        rows=("map", "ensemble", "bbb"),
        seeds=(0,),
        scale="short",
        preset="paper",
        output_dir=str(tmp_path_factory.mktemp("runs")),
        num_steps=150,
        num_members=2,
        num_prediction_samples=5,
        kl_scale=0.01,
    )
    return config, runner.run(config)


def test_curves_and_figure_of_all_runs(runs, tmp_path):
    config, results = runs
    flags = (
        f"--runs={config.output_dir}",
        f"--output_dir={tmp_path}",
        "--num_images=100",
        "--num_samples=5",
        "--epsilons=0,0.1,0.3",
    )
    done = commands.call("mnist_adversarial", *flags)
    assert done.returncode == 0, done.stderr
    lines = [x for x in done.stdout.splitlines() if "seed 0" in x]
    assert [line.split(",")[0] for line in lines] == [
        *3 * ["MAP"],
        *3 * ["Deep ensemble"],
        *3 * ["Bayes by Backprop"],
    ]
    assert (tmp_path / "adversarial.png").read_bytes()[:4] == b"\x89PNG"
    for result in results:
        row = result["config"]["row"]
        path = tmp_path / row / "seed_0.json"
        curves = json.loads(path.read_text())["curves"]
        for curve in curves.values():
            assert [point["epsilon"] for point in curve] == [0.0, 0.1, 0.3]
            # The attack of no size is none; one of 0.3 is felt.
            assert curve[0]["accuracy"] > curve[2]["accuracy"] + 0.1
            assert 0 <= curve[0]["entropy"] <= 1
        clean = {curve[0]["accuracy"] for curve in curves.values()}
        assert len(clean) == 1
    report = commands.call("report", f"--runs={tmp_path}")
    assert report.returncode == 0, report.stderr
    assert "(Figure 3)" in report.stdout
    assert lines[-1] in report.stdout
    before = path.stat().st_mtime_ns
    again = commands.call("mnist_adversarial", *flags)
    # The same table, without the work.
    assert "Attacking" not in again.stdout
    assert done.stdout.endswith(again.stdout)
    assert path.stat().st_mtime_ns == before
    other = commands.call("mnist_adversarial", *flags[:-1], "--epsilons=0")
    assert other.returncode == 1
    assert "holds curves of other settings" in other.stderr
    other = commands.call("mnist_adversarial", *flags, "--data_dir=a")
    commands.check_refused(other, "--data_dir: expected none with digits")


def test_a_curve_is_the_attack_and_the_prediction(runs):
    config, _ = runs
    folder = pathlib.Path(config.output_dir) / "map" / "seed_0"
    model, _ = checkpoints.Checkpoints(folder).load()
    data = runner.load_data(config)
    images, labels = data.test_images[:50], data.test_labels[:50]
    curves = robustness.curves(model, images, labels, (0, 1), [0.2], 10, 1)
    for attack, (mode, clips) in robustness.ATTACKS.items():
        clip_range = (0, 1) if clips else None
        moved = bbh.attacks.fgsm(
            model.networks(), images, labels, 0.2, mode, clip_range
        )
        logits = model.predict(moved, verbose=0)
        right = np.mean(np.argmax(logits, axis=1) == labels)
        assert curves[attack][0]["accuracy"] == pytest.approx(right)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--output_dir=x"], "--runs: expected folders with results of runs"),
        (["--runs=/nowhere"], "--output_dir: expected a folder"),
        (["--output_dir=x", "--epsilons=a"], "--epsilons: expected numbers"),
        (["--output_dir=x", "--epsilons=-1"], "--epsilons: expected numbers"),
        (["--output_dir=x", "--num_images=0"], "--num_images: expected at"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(flags, message):
    done = commands.call("mnist_adversarial", *flags)
    commands.check_refused(done, message)


def test_runs_on_other_data_are_refused(runs, tmp_path):
    config, _ = runs
    done = commands.call(
        "cifar5_adversarial",
        f"--runs={config.output_dir}",
        f"--output_dir={tmp_path}",
    )
    commands.check_refused(
        done, "--runs: expected runs of tables on CIFAR5; got"
    )
