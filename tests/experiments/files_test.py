"""Files are whole or not there; a folder has one user."""

import pytest

from experiments import files
from experiments.errors import ExperimentError


def test_json_round_trip(tmp_path):
    files.write_json(tmp_path / "a.json", {"b": [1, 2.5, None]})
    assert files.read_json(tmp_path / "a.json") == {"b": [1, 2.5, None]}


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_told_in_one_line(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(ExperimentError, match="No space") as caught:
        with files.replacing(path) as temporary:
            temporary.write_text("half of it")
            raise OSError(28, "No space left on device")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_no_file_can_have_is_told_in_one_line(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(ExperimentError, match="expected a file that can be"):
        files.write_text(tmp_path / "a" / "b.txt", "new")


def test_results_of_other_settings_are_not_replaced(tmp_path):
    files.check_results(tmp_path, {"seed": 0})
    files.write_json(tmp_path / "results.json", {"seed": 0, "units": [1, 2]})
    files.check_results(tmp_path, {"seed": 0, "units": (1, 2)})
    for other in ({"seed": 1}, {"seed": 0, "scale": "full"}):
        with pytest.raises(ExperimentError, match="results of another exp"):
            files.check_results(tmp_path, other)


def test_broken_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ExperimentError, match="a.json: expected a JSON file"):
        files.read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(ExperimentError, match="a JSON object; got list"):
        files.read_json(tmp_path / "a.json")


def test_second_user_is_refused(tmp_path):
    with files.only_user(tmp_path / "run"):
        with pytest.raises(ExperimentError, match="another run is writing"):
            with files.only_user(tmp_path / "run"):
                pass
    with files.only_user(tmp_path / "run"):
        pass


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ExperimentError, match="--output_dir: expected a"):
        with files.only_user(tmp_path / "run"):
            pass
