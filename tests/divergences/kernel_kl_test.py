"""The nearest-neighbour KL against the formula, and what leaves it alone."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.divergences import KernelKL
from tests.divergences import nearest_neighbours

FORMS = [
    pytest.param(per_weight, released_code, id=f"{form} {code}")
    for per_weight, form in ((True, "per-weight"), (False, "full"))
    for released_code, code in ((False, "plain"), (True, "released"))
]
COUNTS = [(5, 5), (2, 1), (6, 3), (40, 25), (70, 90)]


def samples(n, m, shapes, seed=0, scale=0.7):
    generator = np.random.default_rng(seed)

    def draw(count, scale, loc):
        return [
            (loc + scale * generator.standard_normal((count, *shape))).astype(
                np.float32
            )
            for shape in shapes
        ]

    return draw(n, scale, 0.1), draw(m, 1.0, 0.0)


def flat(tensors):
    return np.concatenate([x.reshape(len(x), -1) for x in tensors], axis=1)


def reference(posterior, prior, per_weight, released_code, k=1):
    q, p = flat(posterior), flat(prior)
    if per_weight:
        return nearest_neighbours.by_weight(q, p, released_code, k).sum()
    return nearest_neighbours.of_all(q, p, released_code, k)


def naive(q, p, per_weight, released_code, k=1):
    """All differences at once, for TensorFlow to differentiate."""
    n, m, num_weights = q.shape[0], p.shape[0], q.shape[1]
    above = tf.square(q[tf.newaxis] - p[:, tf.newaxis])
    below = tf.square(q[tf.newaxis] - q[:, tf.newaxis])
    if not per_weight:
        above, below = (tf.reduce_sum(x, 2)[..., None] for x in (above, below))
    below += tf.eye(n, dtype=q.dtype)[..., None] * 1e10
    above, below = (tf.sort(x, axis=0)[k - 1] for x in (above, below))
    copies = 1 if per_weight else num_weights
    constants = num_weights if per_weight or released_code else 1
    if released_code:
        above, below = tf.sqrt(above + 1e-8), tf.sqrt(below + 1e-8) + 1e-8
        terms = tf.math.log(above / below + 1e-8)
        return copies * tf.reduce_sum(terms) / n + constants * math.log(
            n / (n - 1)
        )
    terms = 0.5 * tf.math.log(above / below)
    return copies * tf.reduce_sum(terms) / n + constants * math.log(m / (n - 1))


def gradients(function, *arguments):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = function(*arguments)
    return tape.gradient(value, arguments)


@pytest.mark.parametrize(("per_weight", "released_code"), FORMS)
@pytest.mark.parametrize(("n", "m"), COUNTS)
def test_equals_the_formula(n, m, per_weight, released_code):
    q, p = samples(n, m, [(3, 4), (), (5,), (2, 2, 2, 3)])
    value = KernelKL(per_weight, released_code)(q, p)
    assert value.dtype == tf.float32
    assert value.shape == ()
    assert float(value) == pytest.approx(
        reference(q, p, per_weight, released_code), rel=1e-5
    )


# Few samples are sorted, many are visited in a loop.
@pytest.mark.parametrize("per_weight", [True, False])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 3), (5, 20), (40, 24)])
def test_equals_the_formula_for_k_neighbours(n, m, k, per_weight):
    q, p = samples(n, m, [(3, 4), (), (5,)])
    estimate = KernelKL(per_weight, num_neighbours=k)
    expected = reference(q, p, per_weight, False, k)
    assert float(estimate(q, p)) == pytest.approx(expected, rel=1e-5)
    q, p = flat(q), flat(p)
    found = gradients(estimate, tf.constant(q), tf.constant(p))
    expected = gradients(
        lambda q, p: naive(q, p, per_weight, False, k),
        tf.constant(q, tf.float64),
        tf.constant(p, tf.float64),
    )
    for one, two in zip(found, expected):
        assert np.abs(two).max() > 0.1
        np.testing.assert_allclose(
            one, two, rtol=1e-3, atol=1e-4 * np.abs(two).max()
        )


@pytest.mark.parametrize("per_weight", [True, False])
def test_equals_a_loop_over_pairs(per_weight):
    q, p = samples(3, 4, [(2, 2)])
    points, candidates = flat(q).astype(float), flat(p).astype(float)
    parts = [[k] for k in range(4)] if per_weight else [list(range(4))]
    total = 0.0
    for part in parts:
        for i in range(3):
            other = min(
                math.dist(points[i, part], candidates[j, part])
                for j in range(4)
            )
            own = min(
                math.dist(points[i, part], points[j, part])
                for j in range(3)
                if j != i
            )
            total += len(part) / 3 * math.log(other / own)
        total += math.log(4 / 2)
    assert float(KernelKL(per_weight)(q, p)) == pytest.approx(total, rel=1e-5)


def test_sums_half_a_million_weights_without_losing_digits():
    q, p = samples(5, 5, [(500_000,)], scale=0.1)
    expected = nearest_neighbours.by_weight(q[0], p[0]).sum()
    assert float(KernelKL()(q, p)) == pytest.approx(expected, rel=1e-5)


def test_a_tensor_is_a_list_of_one():
    q, p = samples(5, 4, [(3, 2)])
    estimate = KernelKL()
    assert float(estimate(q[0], p[0])) == float(estimate(q, p))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_floats_are_taken_in_float32(dtype):
    q, p = samples(5, 5, [(3, 2)])
    q, p = tf.cast(q[0], dtype), tf.cast(p[0], dtype)
    value = KernelKL()(q, p)
    assert value.dtype == tf.float32
    wide = [tf.cast(x, tf.float32).numpy() for x in (q, p)]
    assert float(value) == pytest.approx(
        nearest_neighbours.by_weight(*wide).reshape(-1).sum(), rel=1e-5
    )


@pytest.mark.parametrize(("per_weight", "released_code"), FORMS)
def test_eager_graph_and_xla_agree(per_weight, released_code):
    q, p = samples(5, 5, [(3, 4), ()])
    estimate = KernelKL(per_weight, released_code)

    def value_and_gradients(q, p):
        with tf.GradientTape() as tape:
            tape.watch((q, p))
            value = estimate(q, p)
        return [value, *tf.nest.flatten(tape.gradient(value, (q, p)))]

    q, p = ([tf.constant(x) for x in side] for side in (q, p))
    eager = value_and_gradients(q, p)
    graph = tf.function(value_and_gradients)(q, p)
    xla = tf.function(value_and_gradients, jit_compile=True)(q, p)
    for one, two, three in zip(eager, graph, xla):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one, three, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("per_weight", "released_code"), FORMS)
@pytest.mark.parametrize(("n", "m"), [(5, 5), (2, 3), (40, 40)])
def test_gradient_is_that_of_all_differences(n, m, per_weight, released_code):
    q, p = samples(n, m, [(6,)])
    found = gradients(
        KernelKL(per_weight, released_code),
        tf.constant(q[0]),
        tf.constant(p[0]),
    )
    expected = gradients(
        lambda q, p: naive(q, p, per_weight, released_code),
        tf.constant(q[0], tf.float64),
        tf.constant(p[0], tf.float64),
    )
    for one, two in zip(found, expected):
        assert np.abs(two).max() > 0.1
        np.testing.assert_allclose(
            one, two, rtol=1e-3, atol=1e-4 * np.abs(two).max()
        )


@pytest.mark.parametrize(("per_weight", "released_code"), FORMS)
def test_gradient_is_that_of_finite_differences(per_weight, released_code):
    q, p = samples(4, 3, [(3,)], seed=3)
    found = gradients(
        KernelKL(per_weight, released_code),
        tf.constant(q[0]),
        tf.constant(p[0]),
    )
    step = 1e-6
    for which, gradient in enumerate(found):
        for place in np.ndindex(*gradient.shape):
            values = []
            for sign in (1, -1):
                sides = [q[0].astype(np.float64), p[0].astype(np.float64)]
                sides[which][place] += sign * step
                values.append(
                    reference([sides[0]], [sides[1]], per_weight, released_code)
                )
            slope = (values[0] - values[1]) / (2 * step)
            assert float(gradient[place]) == pytest.approx(
                slope, rel=2e-3, abs=1e-3
            )


@pytest.mark.parametrize(("per_weight", "released_code"), FORMS)
@pytest.mark.parametrize("n", [3, 40])
def test_duplicates_stay_finite(n, per_weight, released_code):
    q, p = samples(n, n, [(4,)])
    q[0][1] = q[0][0]
    p[0][0] = q[0][2]
    estimate = KernelKL(per_weight, released_code)
    found = gradients(estimate, tf.constant(q[0]), tf.constant(p[0]))
    assert math.isfinite(float(estimate(q, p)))
    for gradient in found:
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize(("per_weight", "released_code"), FORMS)
def test_all_samples_equal_stay_finite(per_weight, released_code):
    zeros = tf.zeros((5, 7))
    estimate = KernelKL(per_weight, released_code)
    assert math.isfinite(float(estimate(zeros, zeros)))
    for gradient in gradients(estimate, zeros, tf.zeros((5, 7))):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("per_weight", [True, False])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("n", "row", "k"), [(5, 0, 1), (5, 3, 3), (20, 3, 3)])
def test_what_is_no_number_shows(per_weight, side, n, row, k):
    both = samples(n, n, [(4,)])
    both[side][0][row, 1] = np.nan
    assert math.isnan(float(KernelKL(per_weight, num_neighbours=k)(*both)))


@pytest.mark.parametrize(
    ("arguments", "n", "m", "message"),
    [
        ({}, 1, 5, r"at least 2; got \[1\] of the posterior"),
        (
            {"num_neighbours": 3},
            3,
            3,
            r"at least 4; got \[3\] of the posterior",
        ),
        ({"num_neighbours": 3}, 4, 2, r"at least 3; got \[2\] of the prior"),
        (
            {"num_neighbours": 0},
            4,
            4,
            "num_neighbours to be a positive integer",
        ),
        (
            {"num_neighbours": 3, "released_code": True},
            4,
            4,
            "knows num_neighbours=1 only; got 3",
        ),
        (
            {"min_distance": -1e-4},
            4,
            4,
            "min_distance to be a finite number >= 0; got -0.0001",
        ),
        (
            {"min_distance": 1e-3, "released_code": True},
            4,
            4,
            "a min_distance of its own, 1e-4; got 0.001",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, n, m, message):
    with pytest.raises(ValueError, match=message):
        KernelKL(**arguments)(np.zeros((n, 2)), np.zeros((m, 2)))


@pytest.mark.parametrize("per_weight", [True, False])
@pytest.mark.parametrize("k", [1, 3])
def test_min_distance_is_added_under_the_root(k, per_weight):
    # The formula of samples with one more coordinate, in which all differ by
    # the same.
    q, p = (tf.constant(x[0]) for x in samples(5, 6, [(4,)], scale=1e-2))
    estimate = KernelKL(per_weight, num_neighbours=k, min_distance=1e-2)

    def expected(q, p):
        def root(x, others, same):
            squared = tf.square(x[:, None] - others[None])
            if not per_weight:
                squared = tf.reduce_sum(squared, 2, keepdims=True)
            rank = k if same else k - 1
            return 0.5 * tf.math.log(tf.sort(squared, axis=1)[:, rank] + 1e-4)

        copies, constants = (1, 4) if per_weight else (4, 1)
        terms = root(q, p, False) - root(q, q, True)
        return copies * tf.reduce_sum(terms) / 5 + constants * math.log(6 / 4)

    exact = [tf.cast(x, tf.float64) for x in (q, p)]
    assert float(estimate(q, p)) == pytest.approx(
        float(expected(*exact)), rel=1e-5
    )
    for one, two in zip(gradients(estimate, q, p), gradients(expected, *exact)):
        assert np.abs(two).max() > 1
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3)


def test_min_distance_bounds_the_gradient_as_the_released_code_does():
    # Two samples 1e-6 apart, all others far.
    q = tf.constant([[0.0], [1e-6], [1.0], [2.0], [4.0]])
    p = tf.constant([[0.4], [-0.9], [3.0]])
    plain, bounded, released = (
        gradients(KernelKL(**arguments), q, p)[0].numpy()
        for arguments in (
            {},
            {"min_distance": 1e-4},
            {"released_code": True},
        )
    )
    # Of the two, each is the other's nearest: 2 / (5 * 1e-6).
    assert np.abs(plain).max() == pytest.approx(4e5, rel=1e-3)
    # 2 / 5 * x / (x^2 + e^2) at x = 1e-6, e = 1e-4.
    assert bounded[0, 0] - plain[0, 0] == pytest.approx(-4e5 + 40, rel=1e-4)
    np.testing.assert_allclose(bounded, released, rtol=1e-3, atol=1e-2)


def test_k_neighbours_among_equal_samples_stay_finite():
    q, p = samples(5, 20, [(4,)])
    q[0][1:4] = q[0][0]
    estimate = KernelKL(num_neighbours=3)
    assert math.isfinite(float(estimate(q, p)))
    for gradient in gradients(estimate, tf.constant(q[0]), tf.constant(p[0])):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("per_weight", "released_code"), FORMS)
def test_invariances(per_weight, released_code):
    q, p = samples(5, 4, [(3, 4), (6,)])
    estimate = KernelKL(per_weight, released_code)
    value = float(estimate(q, p))
    generator = np.random.default_rng(1)
    # All tensors of a side must keep their samples together.
    rows = generator.permutation(5)
    by_sample = [[x[rows] for x in q], [x[::-1] for x in p]]
    columns = generator.permutation(18)
    shift = generator.standard_normal(18).astype(np.float32)
    others = {
        "samples": by_sample,
        "weights": [flat(q)[:, columns], flat(p)[:, columns]],
        "shift": [flat(q) + shift, flat(p) + shift],
        "mirror": [-flat(q), -flat(p)],
        "tensors": [q[::-1], p[::-1]],
    }
    for name, (other_q, other_p) in others.items():
        other = float(estimate(other_q, other_p))
        assert other == pytest.approx(value, rel=1e-4), name


def test_scale_drops_out_of_the_plain_formula_alone():
    q, p = samples(5, 5, [(8,)])
    for per_weight in (True, False):
        value = float(KernelKL(per_weight)(q[0], p[0]))
        small = KernelKL(per_weight)(1e-3 * q[0], 1e-3 * p[0])
        assert float(small) == pytest.approx(value, rel=1e-4)
        released = KernelKL(per_weight, released_code=True)
        assert float(released(1e-5 * q[0], 1e-5 * p[0])) != pytest.approx(
            value, rel=1e-2
        )


def test_only_the_full_form_looks_across_weights():
    q, p = samples(5, 5, [(8,)])
    shuffled = q[0].copy()
    shuffled[:, 0] = shuffled[::-1, 0]
    value = float(KernelKL()(q[0], p[0]))
    assert float(KernelKL()(shuffled, p[0])) == pytest.approx(value, rel=1e-5)
    full = KernelKL(per_weight=False)
    assert float(full(shuffled, p[0])) != pytest.approx(
        float(full(q[0], p[0])), rel=1e-3
    )


def test_released_constant_counts_once_a_weight():
    # Distances far above 1e-4, where the other terms do not matter.
    q, p = samples(5, 5, [(50,)])
    plain = float(KernelKL(per_weight=False)(q, p))
    released = float(KernelKL(per_weight=False, released_code=True)(q, p))
    assert released - plain == pytest.approx(49 * math.log(5 / 4), rel=1e-4)


def test_config_round_trip():
    estimate = KernelKL(per_weight=False, released_code=True)
    config = json.loads(
        json.dumps(keras.saving.serialize_keras_object(estimate))
    )
    copy = keras.saving.deserialize_keras_object(config)
    assert isinstance(copy, KernelKL)
    expected = {
        "per_weight": False,
        "released_code": True,
        "num_neighbours": 1,
        "min_distance": 0.0,
    }
    assert copy.get_config() == expected
    # The paper's.
    assert KernelKL().get_config() == {
        "per_weight": True,
        "released_code": False,
        "num_neighbours": 1,
        "min_distance": 0.0,
    }
    bounded = KernelKL(num_neighbours=3, min_distance=1e-4)
    copy = KernelKL.from_config(bounded.get_config())
    assert (copy.num_neighbours, copy.min_distance) == (3, 1e-4)
