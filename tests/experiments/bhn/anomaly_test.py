"""Errors and outliers: scikit-learn's measures, and sets in their scales."""

import gzip
import struct

import numpy as np
import pytest
from sklearn import metrics

from experiments.bhn import anomaly
from experiments.bhn import image_sets
from experiments.bhn import methods
from experiments.bhn import outlier_sets
from experiments.errors import ExperimentError


def test_measures_are_scikit_learn_s():
    generator = np.random.default_rng(0)
    inside, outside = generator.normal(size=50), generator.normal(1, 1, 20)
    found = anomaly.measures({"bald": inside}, {"bald": outside})["bald"]
    is_out = np.repeat([0, 1], [50, 20])
    values = np.concatenate([inside, outside])
    assert found == pytest.approx(
        {
            "auroc": metrics.roc_auc_score(is_out, values),
            "aupr_out": metrics.average_precision_score(is_out, values),
            "aupr_in": metrics.average_precision_score(1 - is_out, -values),
        }
    )
    assert anomaly.measures({"bald": inside}, {"bald": values[:0]}) is None


def test_a_class_is_left_out_everywhere():
    data = image_sets.load("digits")
    rest, images = anomaly.without(data, 3)
    for part in ("train", "validation", "test"):
        labels = getattr(rest, f"{part}_labels")
        assert 3 not in labels and len(set(labels)) == 9
        assert len(labels) == len(getattr(rest, f"{part}_images"))
    assert len(images) + len(rest.test_labels) == len(data.test_labels)
    assert anomaly.without(data, None) == (data, None)


@pytest.mark.parametrize("excluded, num_test", [(0, 20), (8, 1)])
def test_a_class_that_few_test_images_lack_is_refused(excluded, num_test):
    data = image_sets.load("digits", num_test=num_test)
    with pytest.raises(ExperimentError, match="--excluded_class: expected"):
        anomaly.without(data, excluded)


@pytest.fixture(name="omniglot")
def omniglot_folder(tmp_path):
    images = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones(
        (1, 8, 8), np.uint8
    )
    content = struct.pack(">4I", 0x803, 6, 8, 8) + images.tobytes()
    path = tmp_path / "omniglot-background-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(content))
    (tmp_path / "alphabets.tsv").write_text(
        "set\tlabel\talphabet\tcharacters\timages\tfirst_image\tbhn_15\n"
        "background\t0\ta\t1\t2\t0\t1\n"
        "background\t1\tb\t1\t3\t2\t0\n"
        "background\t2\tc\t1\t1\t5\t1\n"
        "evaluation\t0\td\t1\t2\t0\t\n"
    )
    return tmp_path


def test_outliers_are_in_one_scale_or_in_the_authors(omniglot):
    data = image_sets.load("digits", num_test=20)
    honest, released = (
        outlier_sets.load(data, preset, omniglot_dir=omniglot)
        for preset in ("paper", "released_code")
    )
    assert list(honest) == ["uniform", "normal", "letters", "Omniglot"]
    for images in honest.values():
        assert images.dtype == np.float32
        assert images.shape[1:] == (8, 8, 1)
        assert 0 <= images.min() and images.max() <= 1
    places = (255 * honest["Omniglot"][:, 0, 0, 0]).round()
    assert places.tolist() == [0, 1, 5]
    assert released["Omniglot"].max() == 5
    assert released["normal"].min() < -1
    np.testing.assert_array_equal(
        honest["normal"], np.clip(released["normal"], 0, 1)
    )
    with pytest.raises(ExperimentError, match="--notmnist_dir: .*expected"):
        outlier_sets.load(data, "paper", notmnist_dir=omniglot)


def test_a_trial_scores_everything_and_the_preset_turns_a_sign():
    data = image_sets.load("digits", num_train=60, num_test=40)
    found = {}
    for preset in ("paper", "released_code"):
        settings = anomaly.Settings("digits", preset, (5,), 1, 3)
        method = methods.parse("dropout")
        made = anomaly.maker(method, settings, data)
        found[preset] = anomaly.trial(
            made, method, settings, data, {"same": data.test_images}, 0
        )
    honest, released = found["paper"], found["released_code"]
    # Outliers that are the test images cannot be told from them.
    for measures in honest["outliers"]["same"].values():
        assert measures["auroc"] == pytest.approx(0.5)
    for score, sign in (("bald", 1), ("max_entropy", -1)):
        one, other = (
            x["errors"][score]["auroc"] - 0.5 for x in (honest, released)
        )
        assert other == pytest.approx(sign * one, abs=1e-6)
        assert abs(one) > 1e-3
