"""A run of active learning buys what its scores say."""

import numpy as np
import pytest
from matplotlib import figure

import bbh_tf as bbh
from experiments import provenance
from experiments.bhn import active_learning
from experiments.bhn import active_learning_figure
from experiments.bhn import active_learning_table
from experiments.bhn import image_sets
from experiments.bhn import methods
from experiments.bhn import pool as pools
from experiments.bhn import scores as scores_of
from experiments.bhn import starts
from experiments.bhn import training
from experiments.errors import ExperimentError


@pytest.fixture(name="data")
def digits():
    return image_sets.load("digits", num_test=50)


def run(name, score, start, data, seed=0, num_labels=40):
    settings = active_learning.Settings(
        "digits", "paper", 4, 8, num_labels, 2, 60, 2, 50
    )
    method = methods.parse(name)
    made, recipe = active_learning.maker(method, start, settings, data)
    return made, active_learning.run(
        made, recipe, method, score, start, settings, data, seed
    )


def test_the_authors_variation_ratio_is_that_of_the_mean_prediction():
    draws = np.array([[[0.9, 0.1]], [[0.45, 0.55]], [[0.6, 0.4]]])
    for found in (
        scores_of.of(draws)["variation_ratio"],
        scores_of.one_of("variation_ratio", draws),
    ):
        np.testing.assert_allclose(found, [0.35])


def test_scores_choose_what_brute_force_chooses(data, monkeypatch):
    seen = []
    draws_of = training.draws

    def record(*args, **kwargs):
        seen.append(draws_of(*args, **kwargs))
        return seen[-1]

    bought = []
    take = pools.Pool.take

    def buy(pool, chosen):
        bought.append(list(chosen))
        take(pool, chosen)

    monkeypatch.setattr(training, "draws", record)
    monkeypatch.setattr(pools.Pool, "take", buy)
    _, found = run("dropout", "bald", "warm", data)
    assert found["labels"] == [20, 40]
    assert found["repeats"] == 0
    assert len(set(found["taken"])) == 40
    scored = [x for x in seen if x.shape[1] == 60]
    assert len(scored) == 2

    def entropy(p):
        return -sum(x * np.log(x) for x in p if x > 0)

    for draws, chosen in zip(scored, bought, strict=True):
        by_hand = [
            entropy(draws[:, i].mean(axis=0))
            - np.mean([entropy(p) for p in draws[:, i]])
            for i in range(60)
        ]
        np.testing.assert_allclose(
            bbh.acquisition.bald(draws), by_hand, atol=1e-9
        )
        left = np.delete(by_hand, chosen)
        assert min(np.array(by_hand)[chosen]) >= max(left) - 1e-9


def test_the_band_is_the_tables_standard_deviation():
    def group(*accuracies):
        return [
            {"measures": {"labels": [20], "accuracy": [x]}} for x in accuracies
        ]

    axis = figure.Figure().add_subplot()
    for some in (group(0.5), group(0.5, 0.7)):
        active_learning_figure._line(axis, some, methods.parse("mle"), "warm")
    alone, several = (
        np.ptp(band.get_paths()[0].vertices[:, 1]) for band in axis.collections
    )
    assert alone == 0
    assert several == pytest.approx(2 * 0.2 / np.sqrt(2))


def test_instability_is_what_its_caption_says():
    found = [
        {
            "trial": {"method": "mle", "score": "bald", "start": "warm"},
            "measures": {
                "labels": [20, 30, 40, 50],
                "accuracy": [0.5, 0.4, 0.6, 0.55],
            },
            "seconds": 1.0,
        }
    ]
    heading, row = active_learning_table.table(found)
    # Falls of 10 and 5 points, and a rise.
    assert row[heading.index("instability")] == "5.00"
    assert "in which a rise counts 0" in active_learning_table.CAPTION


def test_a_panel_without_runs_says_so(tmp_path, monkeypatch):
    def trial(score, start):
        names = {"method": "mle", "score": score, "start": start}
        return {
            "trial": names,
            "measures": {"labels": [20, 30], "accuracy": [0.5, 0.6]},
        }

    told = []
    monkeypatch.setattr(
        active_learning_figure.figures,
        "save",
        lambda made, path: told.extend(
            [text.get_text() for text in axis.texts] for axis in made.axes
        ),
    )
    active_learning_figure.write(
        [
            trial("bald", "warm"),
            trial("bald", "fresh"),
            trial("random", "warm"),
        ],
        tmp_path,
    )
    assert told == [[], [], [], ["not run"]]


def test_the_last_purchase_is_what_is_left_to_buy(data):
    _, found = run("mle", "random", "warm", data, num_labels=34)
    assert found["labels"] == [20, 34]
    assert len(set(found["taken"])) == 34


def test_a_run_is_its_seed_s_and_gal_decays_by_the_labels(data):
    made, first = run("dropout", "random", "gal", data, num_labels=30)
    assert float(made.decay.factor) == pytest.approx(3.5 / 30)
    _, again = run("dropout", "random", "gal", data, num_labels=30)
    assert first == again


def test_too_few_images_to_begin_with_are_named():
    few = image_sets.load("digits", num_train=60, num_test=50)
    with pytest.raises(ExperimentError, match="--num_train: more images than"):
        run("mle", "random", "warm", few)


# Few labels are what active learning begins with.
@pytest.mark.filterwarnings("ignore:.* random weights for:UserWarning")
def test_only_the_annealing_begins_anew(data, monkeypatch):
    seen = []
    fit = training.fit

    def record(model, *args):
        kernel = model.network.trainable_variables[0].numpy()
        before = int(model.examples_seen.value.numpy()), kernel
        fit(model, *args)
        now = model.network.trainable_variables[0].numpy()
        seen.append((*before, int(model.examples_seen.value.numpy()), now))

    monkeypatch.setattr(training, "fit", record)
    for start in ("annealed", "warm"):
        run("bbh", "random", start, data, num_labels=30)
    assert [(before, after) for before, _, after, _ in seen] == [
        (0, 40),
        (0, 60),
        (0, 40),
        (40, 100),
    ]
    np.testing.assert_array_equal(seen[1][1], seen[0][3])


def test_a_start_of_one_method_says_what_it_is():
    def trial(start):
        return {"trial": {"start": start}}

    assert not starts.notes([trial("warm"), trial("fresh")])
    (note,) = starts.notes([trial("warm"), trial("gal")])
    assert note.startswith("Gal's settings: new weights, 5 epochs")


def test_only_what_has_no_draws_is_said_to_choose_at_random():
    def notes(*runs):
        found = [
            {
                "trial": {"method": method, "score": score, "start": "warm"},
                "provenance": provenance.describe(),
            }
            for method, score in runs
        ]
        settings = active_learning.Settings(
            "digits", "paper", 4, 8, 40, 2, 60, 2, 50
        )
        told = active_learning_table.notes(settings, found)
        return [x for x in told if "draws agree" in x]

    assert not notes(("bbh", "bald"), ("mle", "random"), ("mle", "max_entropy"))
    assert "BALD is 0" in notes(("dropout", "bald"), ("mle", "bald"))[0]
    both = notes(("mle", "mean_std"), ("mle", "bald"))
    assert "BALD and mean STD are 0" in both[0]


def test_what_is_asked_for_is_run():
    found = methods.check(["dropout", "bbh"])
    asked = ["bald", "random"], ["warm", "gal"]
    runs = starts.combinations(found, *asked, is_default=False)
    assert [(x.name, start, scores) for x, start, scores in runs] == [
        ("dropout", "warm", ["bald", "random"]),
        ("dropout", "gal", ["bald", "random"]),
        ("bbh", "warm", ["bald", "random"]),
    ]
    *_, last = starts.combinations(found, *asked, is_default=True)
    assert last == (found[1], "warm", ["bald"])
    with pytest.raises(ExperimentError, match="gal.*for dropout; got.*bbh"):
        starts.combinations(found[1:], ["bald"], ["gal"], is_default=False)
    with pytest.raises(ExperimentError, match="for bbh and gal, .*; got"):
        starts.combinations(
            methods.check(["mle"]),
            ["bald"],
            ["annealed", "gal"],
            is_default=False,
        )
