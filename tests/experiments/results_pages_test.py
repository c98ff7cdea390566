"""Pages of results are what the command writes."""

import dataclasses
import json
import pathlib
import re

import pytest

from experiments import config as configs
from experiments import page_fields
from experiments import result_fields
from experiments import results_pages
from experiments.errors import ExperimentError
from experiments.reporting import exhibit

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_pages_are_what_the_command_writes():
    pages = results_pages.pages()
    names = {path.name for path in pages}
    assert {"README.md", "results_bayes_by_hypernet.md"} <= names
    for path, text in pages.items():
        assert path.read_text("utf-8") == text, (
            f"{path.name}: `make results-pages` writes it anew"
        )


def _functions(**functions):
    return {"twice": lambda word: 2 * word, **functions}


def test_a_field_is_filled_again_and_again():
    text = "So <!-- results: twice ab -->old<!-- /results --> it is.\n"
    once = page_fields.fill(text, _functions(), "page.md")
    assert "-->abab<!--" in once
    assert page_fields.fill(once, _functions(), "page.md") == once


def test_lines_become_a_block():
    text = "<!-- results: rows --><!-- /results -->\n"
    filled = page_fields.fill(text, {"rows": lambda: "a\nb"}, "page.md")
    assert filled == ("<!-- results: rows -->\n\na\nb\n\n<!-- /results -->\n")
    assert page_fields.fill(filled, {"rows": lambda: "a\nb"}, "p") == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n a <!-- results: twise b --><!-- /results -->", r"page.md:2: .*"
         "expected one of twice; got 'twise'. Did you mean 'twice'"),
        ("a <!-- results: twice b -->", "one without the other"),
        ("a <!-- /results -->", "one without the other"),
        ("a <!-- results: twice b --> <!-- results: twice c --><!-- /results"
         " -->", "page.md:1: expected <!-- /results -->"),
        ("a <!-- results: twice --><!-- /results -->", "page.md:1: twice: "),
        ("<!-- results: twice b --><!-- /results -->", "a word before"),
    ],
)  # fmt: skip
def test_a_faulty_page_is_refused(text, message):
    with pytest.raises(ExperimentError, match=message):
        page_fields.fill(text, _functions(), "page.md")


@pytest.fixture(name="results")
def fixture_results(tmp_path):
    for folder, row, seed, error, epochs in (
        ("long", "map", 0, 1.0, 100),
        ("long", "map", 1, 3.0, 100),
        ("long", "bbh", 0, 0.5, 100),
        ("short", "bbh", 0, 2.0, 10),
    ):
        path = tmp_path / "results" / folder / row / f"seed_{seed}"
        path.mkdir(parents=True)
        areas = ("in_auc", "outlier_auc", "nll", "ece", "auroc")
        result = {
            "config": {
                "method": row,
                "seed": seed,
                "dataset": "mnist",
                "preset": "paper",
                "epochs": epochs,
                "num_steps": None,
            },
            "measures": {"error_percent": error, **dict.fromkeys(areas, 0.25)},
            "seconds": 10.0,
        }
        (path / "results.json").write_text(json.dumps(result))
        lines = [{"epoch": e, "accuracy": e / 4 + seed / 8} for e in (1, 2)]
        text = "\n".join(map(json.dumps, lines))
        (path / "metrics.jsonl").write_text(text)
    return result_fields.functions(
        tmp_path / "results", tmp_path / "docs" / "page.md"
    )


def test_a_table_tells_lengths_and_seeds(results):
    lines = results["table"]("long", "short").splitlines()
    assert lines[0].startswith("|  | epochs | seeds | error % |")
    assert lines[2].startswith("| MAP | 100 | 2 | 2.00 ± 1.41 | 0.250 ± 0.000")
    assert lines[3].startswith("| *paper, MNIST* |  |  | *0.80* | *0.99* |")
    assert lines[4].startswith("| Bayes by Hypernet | 100 | 1 | 0.50 |")
    assert lines[6].startswith("| Bayes by Hypernet | 10 | 1 | 2.00 |")


def test_numbers_of_rows(results):
    assert results["value"]("long/map", "error_percent") == "2.00 ± 1.41"
    assert results["value"]("short/bbh", "nll") == "0.250"
    assert results["rows"]("mnist_methods", "100", "long") == "2 of 6"
    assert results["rows"]("mnist_methods", "100", "short") == "0 of 6"
    # Less 0.80 and 0.56, the paper's.
    gaps = results["gaps"]("mnist_methods", "100", "long")
    assert gaps == "−0.06 to +1.20"
    assert results["gaps"]("mnist_methods", "10", "short") == "+1.44"
    assert results["gaps"]("mnist_methods", "100", "short") == "–"
    # Of two seeds.
    assert results["accuracy"]("long/map", "2") == "56.2"
    with pytest.raises(ExperimentError, match="epoch 3 of long/map; got none"):
        results["accuracy"]("long/map", "3")


def _write(folder, row, seed=0, epochs=100, measures=(0.8, 0.99, 0.71), **of):
    path = folder / row / f"seed_{seed}"
    path.mkdir(parents=True)
    names = ("error_percent", "in_auc", "outlier_auc")
    asked = {
        "table": "mnist_methods",
        "dataset": "mnist",
        "scale": "full",
        "preset": "paper",
        "output_dir": "somewhere",
        "outlier_dir": "notmnist",
        **of,
    }
    config = configs.Config(rows=(row,), seeds=(seed,), epochs=epochs, **asked)
    config = dataclasses.asdict(config.runs()[0])
    (path / "results.json").write_text(
        json.dumps(
            {
                "config": config,
                "measures": dict(zip(names, measures)),
                "seconds": 1.0,
            }
        )
    )


def _found(tmp_path, table="mnist_methods"):
    fields = result_fields.functions(tmp_path, tmp_path / "docs" / "page.md")
    lines = fields["reproduction"](table).splitlines()[2:]
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in lines]
    return {row[0]: row[1:] for row in rows}, fields["reproduced"](table)


def test_rows_at_their_longest_are_reproduced_or_not(tmp_path):
    _write(tmp_path / "a", "map", measures=(0.94, 0.94, 0.71))
    _write(tmp_path / "a", "map", seed=1, measures=(0.96, 0.94, 0.71))
    # A shorter run, another of the same seed, and others' settings.
    _write(tmp_path / "b", "map", epochs=10, measures=(50.0, 0.0, 0.0))
    _write(tmp_path / "c", "map", measures=(50.0, 0.0, 0.0))
    _write(tmp_path / "d", "map", seed=2, kl_scale=0.1)
    _write(tmp_path / "e", "map", seed=3, changes=(("learning_rate", 0.1),))
    other = {"dataset": "digits", "outlier_dir": None}
    _write(tmp_path / "f", "map", seed=4, epochs=600, **other)
    _write(tmp_path / "g", "map", seed=5, num_prediction_samples=20)
    # Letters are no outliers of the paper's, a few examples no training set.
    _write(tmp_path / "h", "map", seed=6, outlier_dir=None)
    _write(tmp_path / "i", "map", seed=7, scale="smoke")
    # The paper has 0.49, 0.99, 0.65; 0.47, 0.99, 0.58; 0.63; 0.72, 0.97, 0.41.
    _write(tmp_path / "a", "ensemble", epochs=10, measures=(0.5, 0.99, 0.6))
    _write(tmp_path / "a", "dropout", measures=(0.63, 0.99, 0.58))
    _write(tmp_path / "a", "mnf", epochs=10, measures=(1.1, 0.97, 0.51))
    _write(tmp_path / "a", "bbb", measures=(0.72, 0.97, 0.5))
    rows, count = _found(tmp_path)
    assert count == "2 of 6"
    assert rows["MAP"] == [
        *("100 of 100", "2", "0.95 ± 0.01 *(0.80)*", "0.940 ± 0.000 *(0.99)*"),
        *("0.710 ± 0.000 *(0.71)*", "**yes**"),
    ]
    assert rows["Deep ensemble"][0] == "10 of 100"
    assert rows["Deep ensemble"][-1] == "**yes**, after fewer epochs"
    assert rows["MC dropout"][-1] == "no: the cause is not known"
    assert rows["MNF"][-1] == "not run at full length"
    assert rows["Bayes by Backprop"][-1].startswith("no: seeds differ")
    assert rows["Bayes by Hypernet"][0] == "0 of 100"
    assert rows["Bayes by Hypernet"][-1] == "no run of these settings"


def test_runs_with_fewer_draws_are_shown_and_do_not_count(tmp_path):
    coarse = {"num_prediction_samples": 20}
    _write(tmp_path / "a", "map", epochs=10, **coarse)
    _write(tmp_path / "a", "dropout", measures=(0.47, 0.99, 0.58), **coarse)
    # Of equal length, those in full come first.
    _write(tmp_path / "a", "bbb", measures=(9.0, 0.9, 0.9), **coarse)
    _write(tmp_path / "b", "bbb", measures=(0.72, 0.97, 0.41))
    rows, count = _found(tmp_path)
    assert count == "1 of 6"
    assert rows["MAP"][0] == "10 of 100"
    assert rows["MAP"][-1] == "not run at full length"
    assert rows["MC dropout"][2].startswith("0.47")
    assert rows["MC dropout"][-1].startswith("not run in full: fewer draws")
    assert rows["Bayes by Backprop"][-1] == "**yes**"


def test_seeds_of_other_settings_are_not_averaged(tmp_path):
    _write(tmp_path / "one", "map")
    _write(tmp_path / "one", "map", seed=1, global_clipnorm=1.0)
    fields = result_fields.functions(tmp_path, tmp_path / "docs" / "page.md")
    message = "map/seed_0 with global_clipnorm=None and map/seed_1 with"
    with pytest.raises(ExperimentError, match=message):
        fields["table"]("one")


def test_a_row_of_two_tables_is_one_run(tmp_path):
    _write(tmp_path / "a", "bbb", measures=(0.72, 0.97, 0.41))
    of = {"table": "mnist_divergences", "measures": (2, 0, 0)}
    _write(tmp_path / "b", "analytic", epochs=10, **of)
    rows, count = _found(tmp_path, "mnist_divergences")
    assert rows["Closed form"][0] == "100 of 100" and count == "1 of 4"


@pytest.mark.parametrize(
    ("field", "arguments", "message"),
    [
        ("reproduced", ["mnist"], "one of mnist_methods.*got 'mnist'"),
        ("table", [], "expected a folder"),
        ("table", ["nowhere"], "expected a folder of results/; got 'nowhere'"),
        ("value", ["long/mnf", "nll"], "a row of long; got 'mnf'"),
        ("rows", ["mnist", "1", "long"], "one of mnist_methods.*got 'mnist'"),
        ("notes", ["long"], "has no exhibit.json"),
    ],
)
def test_what_is_not_there_is_said(results, field, arguments, message):
    with pytest.raises(ExperimentError, match=message):
        results[field](*arguments)


def test_a_cell_of_an_exhibit(results, tmp_path):
    folder = tmp_path / "results" / "cells"
    folder.mkdir()
    table = exhibit.Table(
        "Errors.",
        ["", "start", "50 examples"],
        [["normal", "Xavier", "1.5"], ["normal", "means", "2.5"]],
    )
    exhibit.write(folder, "Title", [], [table], [], "command")
    cell = results["cell"]
    assert cell("cells", "1", "normal_means", "50_examples") == "2.5"
    for arguments, message in (
        (("2", "normal", "start"), "a table from 1 to 1; got '2'"),
        (("1", "normal", "start"), "'normal' and one column 'start'; got 2"),
        (("1", "normal_means", "end"), "one column 'end'; got 1 and 0"),
    ):
        with pytest.raises(ExperimentError, match=message):
            cell("cells", *arguments)


def test_some_of_the_tables_of_an_exhibit(results, tmp_path):
    folder = tmp_path / "results" / "some"
    folder.mkdir()
    every = [exhibit.Table(f"Table {k}.", ["", "x"], [["a", k]]) for k in "123"]
    exhibit.write(folder, "Title", [], every, [], "command")
    tables = results["tables"]
    assert re.findall("Table (.)", tables("some")) == ["1", "2", "3"]
    assert re.findall("Table (.)", tables("some", "3", "2")) == ["3", "2"]
    with pytest.raises(ExperimentError, match="1 to 3 of 'some'; got '4'"):
        tables("some", "4")


def test_a_bar_does_not_end_a_cell():
    assert result_fields.markdown([["|r|"]]).startswith("| \\|r\\| |")


def _toy_run(seed, **changed):
    part = {"distance_to_reference": 2.0, "std_ratio": 1.5, "nll": 4.0}
    settings = {
        "divergence": "kernel",
        "noise_dim": 1,
        "shared_noise": True,
        "clipnorm": 1.0,
        "num_prior_samples": None,
    }
    return {
        "measures": {"bbh": {"seen": part, "unseen": part}},
        "training": {"bbh": {"kl": 12.34}},
        "settings": {"bbh": {**settings, **changed}},
        "seed": seed,
    }


def test_runs_of_the_toy_are_told_by_their_settings(tmp_path):
    functions = result_fields.functions(tmp_path, tmp_path / "page.md")
    runs = (_toy_run(1), _toy_run(0, clipnorm=0.0), _toy_run(0))
    for number, run in enumerate(runs):
        (tmp_path / "toy").mkdir(exist_ok=True)
        (tmp_path / "toy" / f"{number}.json").write_text(json.dumps(run))
    # Other files of a run.
    (tmp_path / "toy" / "exhibit.json").write_text("{}")
    *_, first, second, third = functions["toy_runs"]("toy").splitlines()
    numbers = r"2.0 \| 2.0 | 1.50 \| 1.50 | 4.00 \| 4.0 | 12.3 |"
    assert first == f"| kernel | 1 |  | 0 | {numbers}"
    assert second == f"| kernel | 1 |  | 1 | {numbers}"
    assert third == f"| kernel | 1 | `--clipnorm=0` | 0 | {numbers}"
    others = {
        "--num_samples=3": _toy_run(0, num_samples=3),
        "--learning_rate=0.5": _toy_run(0, learning_rate=0.5),
        "--scale=smoke": {**_toy_run(0, num_steps=20), "scale": "smoke"},
        "--preset=released_code": {
            **_toy_run(
                0,
                divergence="constant_entropy",
                clipnorm=None,
            ),
            "preset": "released_code",
        },
    }
    (tmp_path / "others").mkdir()
    for number, run in enumerate(others.values()):
        path = tmp_path / "others" / f"{number}.json"
        path.write_text(json.dumps(run))
    _, _, *lines = functions["toy_runs"]("others").splitlines()
    # The last has another divergence.
    assert [line.split(" | ")[2] for line in lines] == [
        f"`{text}`" for text in (*sorted(list(others)[:3]), list(others)[3])
    ]
    assert lines[-1].startswith("| constant_entropy | 1 |")
    (tmp_path / "toy" / "3.json").write_text(json.dumps(_toy_run(1)))
    with pytest.raises(ExperimentError, match="of different settings"):
        functions["toy_runs"]("toy")
    with pytest.raises(ExperimentError, match="expected runs with bbh"):
        functions["toy_runs"]("nothing")
