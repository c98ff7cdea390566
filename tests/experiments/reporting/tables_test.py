"""Tables say what the results say."""

import pytest

from experiments.errors import ExperimentError
from experiments.reporting import table_notes
from experiments.reporting import tables
from experiments.robustness import table as robustness_table


def _result(method, seed, error, **extra):
    measures = dict.fromkeys(
        ("in_auc", "outlier_auc", "nll", "ece", "auroc"), 0.5
    )
    return {
        "config": {
            "method": method,
            "seed": seed,
            "dataset": "digits",
            "preset": "paper",
            "epochs": 3,
            "num_steps": None,
        },
        "measures": {"error_percent": error, **measures},
        "seconds": 10.0,
        "settings": "adam 0.001, KL weight 0.1 / 1,437",
        "num_train": 1437,
        "num_test": 360,
        "num_outliers": 456,
        "outliers": "letters",
        "num_parameters": 12,
        "final": {"loss": 1.0, "kl": 1437.0, "kl_weight": 1 / 1437, **extra},
    }


def test_mean_and_standard_deviation_over_seeds():
    table = tables.rows([_result("bbh", 0, 1.0), _result("bbh", 1, 3.0)])
    ((config, cells),) = table
    assert config["method"] == "bbh"
    mean, spread = cells["error_percent"]
    assert mean == 2.0
    assert abs(spread - 2**0.5) < 1e-12


def test_one_seed_has_no_deviation():
    text = tables.text_table([_result("map", 0, 1.0)])
    assert "±" not in text
    assert "1.00" in text


def test_what_results_lack_is_a_dash_or_no_column():
    old, new = _result("map", 0, 1.0), _result("bbh", 0, 1.0)
    heading, *_ = tables.lines([old], "paper", "")
    assert "AURC ‰" not in heading
    assert "AURC: area" not in "\n".join(table_notes.notes([old]))
    new["measures"]["aurc_per_mille"] = 0.25
    heading, first, _, second, paper = tables.lines([old, new], "paper", "")
    place = heading.index("AURC ‰")
    assert (first[place], second[place], paper[place]) == ("–", "0.25", "")
    assert "AURC: area" in "\n".join(table_notes.notes([old, new]))
    # A mean over some of the seeds would be another's.
    both = tables.lines([new, {**_result("bbh", 1, 1.0)}], "paper", "")
    assert both[1][place] == "–"


def test_the_papers_row_stands_below_ours_and_is_marked():
    lines = tables.text_table([_result("bbh", 0, 1.0)]).splitlines()
    assert lines[1].startswith("Bayes by Hypernet")
    assert lines[2].startswith("  paper, MNIST")
    assert "0.56" in lines[2]
    assert "11504" in lines[2]


def test_a_row_of_our_own_has_no_paper_s_below():
    result = _result("bbb", 0, 1.0)
    result["config"].update(table="mnist_divergences", row="entropy")
    text = tables.text_table([result])
    assert "Nearest-neighbour entropy" in text
    assert "paper" not in text


def test_rows_of_a_table_keep_the_papers_order():
    results = [_result("bbh", 0, 1.0) for _ in range(3)]
    for result, row in zip(results, ("layerwise", "single", "sliced")):
        result["config"].update(table="mnist_architectures", row=row)
    results.sort(key=tables.order)
    rows = [result["config"]["row"] for result in results]
    assert rows == ["single", "sliced", "layerwise"]
    assert len(tables.by_row(results)) == 3


def test_notes_name_the_other_data_set_and_the_kl_weight():
    notes = "\n".join(table_notes.notes([_result("bbh", 0, 1.0)]))
    assert "another data set" in notes
    assert "KL weight 0.1 / 1,437" in notes
    assert "1.000 nats per example" in notes


def test_notes_say_of_each_row_what_it_was_measured_on():
    same = [_result("map", 0, 1.0), _result("map", 1, 1.0)]
    same += [_result("bbh", 0, 1.0)]
    first, *_ = table_notes.notes(same)
    assert first.startswith("digits: 1,437 training and 360 test images, 456 ")
    assert "over 1 to 2 seeds; preset paper, 3 epochs." in first
    other = _result("dropout", 0, 1.0)
    other["config"].update(preset="released_code", num_validation=100)
    first, second, *_ = table_notes.notes([*same, {**other, "num_test": 100}])
    assert first.startswith("MAP, Bayes by Hypernet, on digits: 1,437 train")
    assert second.startswith("MC dropout, on digits: 1,437 training and 100 ")
    assert "100 held-out images" in second
    assert second.endswith("over 1 seed; preset released_code, 3 epochs.")


def test_curves_of_other_settings_are_refused():
    results = [
        {**_result("map", seed, 1.0), "settings": {"epsilons": epsilons}}
        for seed, epsilons in ((0, [0.0, 0.1, 0.3]), (1, [0.0, 0.2]))
    ]
    with pytest.raises(ExperimentError, match="curves of equal settings"):
        robustness_table.text(results)


def test_one_number_has_no_deviation():
    assert tables.format_mean([2.0], 2) == "2.00"
    # Of a sample: over n - 1.
    assert tables.format_mean([1.0, 3.0], 2) == "2.00 ± 1.41"
