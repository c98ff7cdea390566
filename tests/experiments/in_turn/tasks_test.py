"""Two tasks in turn: who remembers the first."""

import numpy as np
import pytest

from bbh_tf import datasets
from experiments.in_turn import table
from experiments.in_turn import tasks


@pytest.fixture(name="data", scope="module")
def fixture_data():
    """Ten patterns of 8 x 8 pixels with noise, which any network tells."""
    random = np.random.default_rng(0)
    patterns = random.integers(0, 2, (10, 8, 8, 1))

    def part(count):
        labels = np.tile(np.arange(10, dtype=np.int32), count)
        noise = random.uniform(0, 0.3, (10 * count, 8, 8, 1))
        images = np.clip(patterns[labels] * 0.7 + noise, 0, 1)
        return images.astype(np.float32), labels

    train, test = part(100), part(5)
    return datasets.ImageData(
        "patterns", "none", 10, *train, train[0][:0], train[1][:0], *test,
        test[0],
    )  # fmt: skip


def test_what_is_handed_on_remembers_better(data):
    settings = tasks.Settings("patterns", (8, 8, 32), 3, 60, 0.1, 20)
    found = tasks.errors("bbb", 0, data, settings)
    assert list(found) == list(tasks.WAYS)
    # Nothing of the second task is known after the first.
    assert found["first"]["first"] < 10
    assert found["first"]["second"] == 100
    assert found["joint"]["all"] < 10
    assert found["fine_tuned"]["second"] < 10
    assert found["handed_on"]["first"] + 10 < found["fine_tuned"]["first"]
    for errors in found.values():
        assert errors["all"] == pytest.approx(
            (errors["first"] + errors["second"]) / 2
        )
        assert errors["first_told"] <= errors["first"]
        assert errors["second_told"] <= errors["second"]


def test_a_table_has_means_over_seeds():
    found = [
        {
            "trained": {"method": "bbh", "seed": seed},
            "errors": {
                way: dict.fromkeys(
                    ("first", "second", "all", "first_told", "second_told"),
                    10.0 + seed,
                )
                for way in tasks.WAYS
            },
        }
        for seed in (0, 2)
    ]
    heading, *rows = table.lines(found)
    assert heading[1:] == [
        "0 to 4", "5 to 9", "all", "0 to 4, told", "5 to 9, told"
    ]  # fmt: skip
    assert [row[1] for row in rows] == ["11.0 ± 1.4"] * 4
    assert rows[0][0] == "Bayes by Hypernet, 0 to 4 only"


def test_notes_name_the_commits_of_runs_that_have_them():
    settings = tasks.Settings("patterns", (8, 8, 32), 3, 60, 0.1, 20)
    known = {"gpus": ["GPU"], "tensorflow": "2", "keras": "3"}
    found = [
        {"trained": {"seed": 0}, "provenance": {"commit": 40 * "a", **known}},
        {"trained": {"seed": 1}, "provenance": {"commit": 40 * "b", **known}},
        # Of the time before they were kept.
        {"trained": {"seed": 2}},
    ]
    assert table.notes(settings, found)[-2:] == [
        "1 run: commit aaaaaaa, GPU, TensorFlow 2, Keras 3.",
        "1 run: commit bbbbbbb, GPU, TensorFlow 2, Keras 3.",
    ]
