"""A folder of runs is of one setting, once there are runs."""

import pytest

from experiments import files
from experiments.dwp import run_folder
from experiments.dwp import settings
from experiments.errors import ExperimentError

_ONE, _OTHER = (settings.GapConfig(num_examples=count) for count in (50, 100))


@pytest.mark.parametrize("made", ["runs/a.json", "prior/a.npy", "results.json"])
def test_settings_are_of_what_was_made_with_them(tmp_path, made):
    # The first command stopped at a mistake.
    run_folder.begin(tmp_path, _ONE)
    run_folder.begin(tmp_path, _OTHER)
    (tmp_path / made).parent.mkdir(exist_ok=True)
    (tmp_path / made).write_text("")
    run_folder.begin(tmp_path, _OTHER)
    with pytest.raises(ExperimentError, match=r"settings \(num_examples\)"):
        run_folder.begin(tmp_path, _ONE)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(ExperimentError, match=f"which says what .*{made} is"):
        run_folder.begin(tmp_path, _OTHER)


def test_a_run_that_a_kill_left_half_is_none(tmp_path):
    run_folder.begin(tmp_path, _ONE)
    run_folder.once(tmp_path, {"split": 0}, dict)
    (tmp_path / "runs" / ".partial_1.json").write_text("{")
    assert len(run_folder.records(tmp_path, {"split": 0})) == 1


def test_a_missing_file_is_told_with_its_flag(tmp_path):
    for name in ("kernels", "autoencoders"):
        config = settings.GapConfig(**{name: (str(tmp_path / "none"),)})
        with pytest.raises(ExperimentError, match=f"^--{name}: .*none: exp"):
            run_folder.begin(tmp_path, config)


def test_a_file_that_is_no_run_is_named(tmp_path):
    (tmp_path / "runs").mkdir()
    files.write_json(tmp_path / "runs" / "a.json", {})
    with pytest.raises(ExperimentError, match="a.json: expected the record"):
        run_folder.once(tmp_path, {"name": "a"}, dict)
