"""Trials go on where they stopped, and only with the same settings."""

import dataclasses

import numpy as np
import pytest

from experiments.bhn import training
from experiments.bhn import trials
from experiments.dwp import run_folder
from experiments.dwp import settings
from experiments.errors import ExperimentError


@dataclasses.dataclass(frozen=True)
class Settings:
    units: tuple
    epochs: int = 3


def test_what_is_done_is_not_done_again_and_stays_of_one_setting(tmp_path):
    kept = trials.Trials(tmp_path, Settings((2, 3)))
    calls = []

    def make():
        calls.append(1)
        return {"error": 1.5}

    def fail():
        raise KeyboardInterrupt

    for seed in (0, 1):
        kept.do({"method": "mle", "seed": seed}, make)
    with pytest.raises(KeyboardInterrupt):
        kept.do({"method": "mle", "seed": 2}, fail)
    again = trials.Trials(tmp_path, Settings((2, 3)))
    again.do({"method": "mle", "seed": 1}, fail)
    again.do({"method": "mle", "seed": 2}, make)
    assert len(calls) == 3
    found = again.found()
    assert [one["trial"]["seed"] for one in found] == [0, 1, 2]
    assert found[0]["measures"] == {"error": 1.5}
    assert list(trials.grouped(found, "method")) == [("mle",)]
    assert trials.origins(found)[0].startswith("3 trials: commit ")
    for other in (Settings((2, 4)), Settings((2, 3), 4)):
        with pytest.raises(ExperimentError, match="holds trials of"):
            trials.Trials(tmp_path, other)


def test_a_trial_that_a_kill_left_half_is_none(tmp_path):
    kept = trials.Trials(tmp_path, Settings((2,)))
    kept.do({"method": "mle", "seed": 0}, lambda: {"error": 1.5})
    there = tmp_path / "trials"
    half = there / ".partial_mle_1.json"
    half.write_text((there / "mle_0.json").read_text())
    assert len(kept.found()) == 1


def test_settings_of_another_experiment_are_not_lost(tmp_path):
    gap = settings.GapConfig()
    for name in "ab":
        (tmp_path / name).mkdir()
    run_folder.begin(tmp_path / "a", gap)
    run_folder.once(tmp_path / "a", {"split": 0}, dict)
    trials.Trials(tmp_path / "b", Settings((2,))).do({"seed": 0}, dict)
    kept = [(x / "settings.json").read_text() for x in tmp_path.iterdir()]
    with pytest.raises(ExperimentError, match="holds trials of"):
        trials.Trials(tmp_path / "a", Settings((2,)))
    with pytest.raises(ExperimentError, match="holds runs of other settings"):
        run_folder.begin(tmp_path / "b", gap)
    now = [(x / "settings.json").read_text() for x in tmp_path.iterdir()]
    assert now == kept


def test_a_training_that_diverged_is_named(tmp_path):
    class Diverged:
        def predict_samples(self, images, *_, **__):
            return np.full((2, len(images), 10), np.nan)

    kept = trials.Trials(tmp_path, Settings((2,)))
    with pytest.raises(ExperimentError, match="^mle, 1: expected finite"):
        kept.do(
            {"method": "mle", "seed": 1},
            lambda: training.draws(Diverged(), np.zeros((3, 4)), 2),
        )
    assert not kept.found()


def test_a_folder_of_before_a_setting_has_its_default(tmp_path):
    (tmp_path / "settings.json").write_text('{"units": [2, 3]}')
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "mle_0.json").write_text("{}")
    trials.Trials(tmp_path, Settings((2, 3)))
    with pytest.raises(ExperimentError, match="trials of epochs 3; got 4"):
        trials.Trials(tmp_path, Settings((2, 3), 4))


def test_settings_are_of_trials_and_trials_of_settings(tmp_path):
    # The first command stopped before its first trial.
    trials.Trials(tmp_path, Settings((2, 3)))
    kept = trials.Trials(tmp_path, Settings((2, 4)))
    kept.do({"method": "mle", "seed": 0}, lambda: {"error": 1.5})
    with pytest.raises(ExperimentError, match=r"units \[2, 4\]; got \[2, 3\]"):
        trials.Trials(tmp_path, Settings((2, 3)))
    (tmp_path / "settings.json").unlink()
    with pytest.raises(ExperimentError, match="which says what .* is of"):
        trials.Trials(tmp_path, Settings((2, 4)))


def test_a_file_that_is_no_trial_is_named(tmp_path):
    kept = trials.Trials(tmp_path, Settings((2, 3)))
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "mle_0.json").write_text("{}")
    with pytest.raises(ExperimentError, match="mle_0.json: expected a trial"):
        kept.found()
