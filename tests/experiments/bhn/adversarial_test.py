"""Adversaries are scored as by hand, and moved as their preset says."""

import numpy as np
import pytest

from experiments.bhn import adversarial
from experiments.bhn import image_sets
from experiments.bhn import methods
from experiments.bhn import training


def test_measures_are_those_by_hand():
    generator = np.random.default_rng(0)
    clean, moved = generator.dirichlet(np.ones(3), (2, 4, 30))
    labels = generator.integers(0, 3, 30)
    found = adversarial.measures(clean, moved, labels)
    mean = moved.mean(axis=0)
    wrong = mean.argmax(axis=1) != labels
    assert found["accuracy"] == pytest.approx(1 - wrong.mean())
    entropy, of_clean = (
        -np.sum(p * np.log(p), axis=1) for p in (mean, clean.mean(axis=0))
    )
    assert found["scores"]["max_entropy"] == pytest.approx(entropy.mean())

    def auroc(low, high):
        return np.mean(np.array(high)[:, None] > np.array(low))

    assert found["adversaries"]["max_entropy"] == pytest.approx(
        auroc(of_clean, entropy)
    )
    assert found["errors"]["max_entropy"] == pytest.approx(
        auroc(entropy[~wrong], entropy[wrong])
    )
    assert adversarial.measures(clean, moved, mean.argmax(1))["errors"] is None


@pytest.mark.parametrize(
    ("preset", "limits"), [("paper", (0, 1)), ("released_code", (-0.3, 1.3))]
)
def test_pixels_stay_in_range_but_for_the_released_code(
    preset, limits, monkeypatch
):
    data = image_sets.load("digits", num_train=60, num_test=20)
    seen = []
    draws_of = training.draws

    def record(model, images, *args):
        seen.append(images)
        return draws_of(model, images, *args)

    monkeypatch.setattr(training, "draws", record)
    settings = adversarial.Settings(
        "digits", preset, (5,), 1, 3, epsilons=(0.1, 0.3)
    )
    method = methods.parse("mle")
    made = adversarial.maker(method, settings, data)
    found = adversarial.trial(made, method, settings, data, 0)
    assert (seen[-1].min(), seen[-1].max()) == pytest.approx(limits, abs=1e-6)
    np.testing.assert_array_equal(seen[0], data.test_images)
    for lines in found.values():
        assert [x["epsilon"] for x in lines] == [0, 0.1, 0.3]
        assert lines[0]["adversaries"]["max_entropy"] == pytest.approx(0.5)
    # Both gradients are of the only draw that there is.
    assert found["one_draw"] == found["average"]
