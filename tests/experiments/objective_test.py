"""What the objective is, as a person calls the command."""

import math
import pathlib

import pytest

from experiments import files
from experiments.reporting import exhibit
from tests.experiments import commands

_RESULTS = pathlib.Path(__file__).resolve().parents[2] / "results" / "objective"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--output_dir: expected a folder; got none."),
        (["--output_dir=a", "--num_steps=5"], "--num_steps: expected at least"),
        (["--output_dir=a", "--noise_dim=0"], "--noise_dim: expected at least"),
    ],
)
def test_wrong_flags_are_told_in_one_line(flags, message):
    commands.check_refused(commands.call("objective", *flags), message)


@pytest.mark.slow
def test_writes_figure_and_table(tmp_path):
    done = commands.call(
        "objective",
        "--num_steps=10",
        "--chain_draws=2",
        "--num_weights=50",
        f"--output_dir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr
    found = exhibit.read(tmp_path)
    assert len(found["tables"][0].rows) == 5
    assert (tmp_path / found["figures"][0].file).stat().st_size > 10_000
    # What the numbers of the Gaussian posterior are is said, too.
    assert set(found["notes"]) <= set(done.stdout.splitlines())


def test_what_the_page_says_of_the_runs():
    found = files.read_json(_RESULTS / "results.json")
    variants = found["variants"]
    losses = {
        name: variants[name]["nll"] + variants[name]["kl"]
        for name in ("bound_1", "bound_8", "bbb")
    }
    # The bound is Bayes by Backprop's, but for a few nats.
    assert 0 < losses["bbb"] - losses["bound_1"] < 5
    assert 0 < losses["bbb"] - losses["bound_8"] < 5
    for name in ("bound_1", "bound_8"):
        assert 0 < variants[name]["information"] < 5
        wide = variants[name]["measures"]["seen"]["std_ratio"]
        assert wide == pytest.approx(
            variants["bbb"]["measures"]["seen"]["std_ratio"], rel=0.15
        )
    known = found["gaussian"]
    per_weight = (known["kl"][-1] - known["kl"][-3]) / known["num_weights"]
    assert per_weight == pytest.approx(math.log(10), rel=0.02)
    assert abs(known["estimate"][-1]) < 0.1 * known["num_weights"]
