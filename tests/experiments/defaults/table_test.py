"""Methods are compared with the plain network on the same splits."""

import math

import pytest

from experiments.defaults import table


def run(error, nll, members=(), commit="a"):
    def measures(error, nll):
        return {"error": error, "nll": nll, "auroc": 0.9}

    return {
        "measures": measures(error, nll),
        "members": [measures(*one) for one in members],
        "seconds": 2.0,
        "chosen": "model: FusedAdam(0.001)",
        "provenance": {
            "commit": 40 * commit,
            "gpus": ["GPU"],
            "tensorflow": "2",
            "keras": "3",
        },
    }


FOUND = {
    ("digits", "ensemble", 0): run(1.0, 0.1, [(2.0, 0.2), (4.0, 0.4)]),
    ("digits", "ensemble", 1): run(1.0, 0.2, [(2.0, 0.4), (2.0, 0.6)]),
    ("digits", "bbb", 0): run(3.0, 0.9),
    ("digits", "bbb", 1): run(2.0, 1.0),
    # A split that the ensemble has not.
    ("digits", "bbh", 1): run(1.0, 0.3),
    ("digits", "bbh", 2): run(9.0, 9.0),
}


def test_differences_are_paired():
    assert table.paired(FOUND, "digits", "bbb", "nll") == pytest.approx(
        {0: 0.6, 1: 0.5}
    )
    mean, error = table.difference(FOUND, "digits", "bbb", "nll")
    assert mean == pytest.approx(0.55)
    assert error == pytest.approx(0.1 / math.sqrt(2) / math.sqrt(2))
    mean, error = table.difference(FOUND, "digits", "bbh", "nll")
    assert (mean, error) == (pytest.approx(-0.2), None)
    assert table.difference(FOUND, "digits", "map", "nll") is None


def test_lines_and_notes():
    rows = {row[1]: row for row in table.lines(FOUND)}
    assert list(rows) == [
        "plain network", "deep ensemble", "bayes_by_backprop",
        "bayes_by_hypernet",
    ]  # fmt: skip
    assert all(len(row) == len(table.HEADING) for row in rows.values())
    assert rows["plain network"][2:4] == ["2.5 ± 0.7", "0.400 ± 0.141"]
    assert rows["bayes_by_backprop"][5] == "+0.550 ± 0.050"
    said = table.notes(FOUND, held_out=True)
    assert "held-out part" in said[0]
    assert (
        "bayes_by_backprop, digits: worse than the plain network in nll"
        in (said[1])
    )
    assert (
        "bayes_by_hypernet, digits: no worse than the plain network on one "
        "split; it" in said[2]
    )
    assert said[2].endswith("it chose FusedAdam(0.001).")


def test_notes_name_every_commit_and_the_optimiser_of_the_others():
    found = {**FOUND, ("digits", "map", 0): run(1.0, 0.3, commit="b")}
    *_, others, first, second = table.notes(found, held_out=False)
    assert others == (
        "plain network, MAP, deep ensemble: FusedAdam(0.001), constant."
    )
    assert first == "6 runs: commit aaaaaaa, GPU, TensorFlow 2, Keras 3."
    assert second == "1 run: commit bbbbbbb, GPU, TensorFlow 2, Keras 3."


def test_the_title_says_what_was_given():
    assert table.title({}) == "One call, with nothing but its defaults"
    said = table.title({"learning_rate": 0.01, "num_likelihood_samples": 3})
    assert said.startswith("One call, with learning_rate=0.01, num_likelihood")


def test_without_an_ensemble_nothing_is_said_to_be_no_worse():
    _, said, _ = table.notes({("digits", "bbb", 0): run(3.0, 0.9)}, False)
    assert "digits: beside no plain network, for want of a deep" in said
