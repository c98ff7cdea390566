"""What to label next: scores by hand, ranges, batches, refusals."""

import itertools

import numpy as np
import pytest

import bbh_tf as bbh

acquisition = bbh.acquisition
# Two draws of three examples: sure and of one mind; unsure and of one mind;
# sure and of two minds.
DRAWS = np.array(
    [
        [[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]],
        [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]],
    ]
)
LOG_2 = np.log(2)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ("bald", [0, 0, LOG_2]),
        ("max_entropy", [0, LOG_2, LOG_2]),
        ("least_confidence", [0, 0.5, 0.5]),
        ("variation_ratio", [0, 0, 0.5]),
        ("mean_std", [0, 0, 0.5]),
    ],
)
def test_scores_by_hand(score, expected):
    scores = getattr(acquisition, score)(DRAWS)
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_the_two_readings_of_the_variation_ratio_differ():
    draws = np.array([[[0.9, 0.1]], [[0.45, 0.55]], [[0.6, 0.4]]])
    assert acquisition.least_confidence(draws)[0] == pytest.approx(0.35)
    assert acquisition.variation_ratio(draws)[0] == pytest.approx(1 / 3)


def test_random_scores_are_those_of_the_seed():
    one, two, other = (acquisition.random(DRAWS, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    many = acquisition.random(np.full((1, 5000, 2), 0.5), 0)
    assert many.mean() == pytest.approx(0.5, abs=3 * 0.289 / 5000**0.5)


def test_select_takes_the_highest_and_of_equals_the_first():
    chosen = acquisition.select([0.1, 0.5, 0.2, 0.5], 3)
    np.testing.assert_array_equal(chosen, [1, 3, 2])


def _some_draws(num_draws=6, num_examples=5, num_classes=3, seed=0):
    generator = np.random.default_rng(seed)
    return generator.dirichlet(
        np.full(num_classes, 0.5), (num_draws, num_examples)
    )


def _mutual_information(draws):
    """Of all labels together and the draw, every outcome written out."""
    num_draws, num_examples, num_classes = draws.shape
    joint_entropy = 0.0
    for outcome in itertools.product(range(num_classes), repeat=num_examples):
        p = draws[:, range(num_examples), outcome].prod(axis=1).mean()
        joint_entropy -= p * np.log(p)
    inside = -(draws * np.log(draws)).sum(axis=(1, 2)).mean()
    return joint_entropy - inside


def test_batch_bald_is_the_greedy_choice_of_joint_information():
    draws = _some_draws()
    indices, values = acquisition.batch_bald(draws, 3)
    chosen = []
    for index, value in zip(indices, values):
        information = {
            i: _mutual_information(draws[:, [*chosen, i]])
            for i in range(5)
            if i not in chosen
        }
        assert max(information, key=information.get) == index
        assert value == pytest.approx(information[index], rel=1e-9)
        chosen.append(index)
    assert values[0] == pytest.approx(acquisition.bald(draws).max())


def test_batch_bald_passes_over_what_tells_the_same():
    # The second example is the first once more.
    draws = _some_draws(num_draws=20, num_examples=3)
    bald = acquisition.bald(draws)
    best, worst = np.argmax(bald), np.argmin(bald)
    draws = np.stack([draws[:, best], draws[:, best], draws[:, worst]], axis=1)
    # Of hard votes, so that a copy tells nothing at all.
    draws = np.eye(3)[np.argmax(draws, axis=-1)]
    indices, _ = acquisition.batch_bald(draws, 2)
    assert set(indices) == {0, 2}
    np.testing.assert_array_equal(
        acquisition.select(acquisition.bald(draws), 2), [0, 1]
    )


def test_sampled_outcomes_agree_with_all_of_them():
    draws = _some_draws(10, 6, 5, seed=3)
    indices, exact = acquisition.batch_bald(draws, 5)
    # 625 outcomes of four labels.
    again, sampled = acquisition.batch_bald(draws, 5, num_outcomes=600)
    np.testing.assert_array_equal(again[:4], indices[:4])
    np.testing.assert_array_equal(sampled[:4], exact[:4])
    assert sampled[4] != exact[4]
    assert sampled[4] == pytest.approx(exact[4], rel=0.05)


def test_outcomes_fewer_than_draws_are_of_any():
    # Labels that all draws but the last agree on.
    draws = np.eye(2)[np.array([[0] * 2] * 9 + [[1] * 2])]
    found = [
        acquisition.batch_bald(draws, 2, num_outcomes=1, seed=seed)[1][1]
        for seed in range(20)
    ]
    assert len(np.unique(found)) > 1


def test_no_batch_tells_more_than_which_draw_it_is():
    # Sampled, the information of 12 labels came to 3.04 nats and fell again.
    draws = np.random.default_rng(0).dirichlet(np.full(10, 0.3), (20, 200))
    _, values = acquisition.batch_bald(draws, 12, num_outcomes=2_000)
    assert values.max() <= np.log(20)
    assert values.max() > 0.95 * np.log(20)


def test_many_labels_do_not_underflow():
    # 420 labels of ten classes, of which an outcome has some 1e-420.
    num_draws, num_examples = 3, 420
    draws = np.full((num_draws, num_examples, 10), 0.1)
    draws[:, 0] = np.eye(10)[:num_draws]
    _, values = acquisition.batch_bald(draws, num_examples, num_outcomes=12)
    np.testing.assert_allclose(values, np.log(num_draws), rtol=1e-9)


def test_rows_in_float16_are_rescaled():
    logits = 0.02 * np.random.default_rng(0).normal(size=(20, 30, 10))
    draws = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    draws = draws.astype(np.float16)
    information = acquisition.bald(draws)
    indices, values = acquisition.batch_bald(draws, 1)
    assert indices == np.argmax(information)
    assert values == pytest.approx(information.max(), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: acquisition.bald(DRAWS[0]), r"shape \(num_samples, exam"),
        (
            lambda: acquisition.bald(DRAWS[:1]),
            "probabilities: expected at least 2",
        ),
        (lambda: acquisition.bald(2 * DRAWS), "rows that sum to 1"),
        (lambda: acquisition.bald(np.nan * DRAWS), "NaN or inf"),
        (lambda: acquisition.select([[1.0]], 1), r"expected shape \(examples"),
        (lambda: acquisition.select([1.0], 2), "at most the number of exam"),
        (lambda: acquisition.select([1.0], 0), "count to be a positive"),
        (lambda: acquisition.batch_bald(DRAWS, 4), "at most the number of ex"),
        (lambda: acquisition.random(DRAWS, "a"), "seed to be an integer >= 0"),
        (lambda: acquisition.random(DRAWS, -1), "seed to be an integer >= 0"),
        (
            lambda: acquisition.batch_bald(DRAWS, 1, seed=0.5),
            "seed to be an integer >= 0; got 0.5",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
