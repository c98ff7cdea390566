"""What exported runs are made of: images, values, orders, programs."""

import re

import numpy as np
import pytest
import tensorflow as tf

from experiments import config as configs
from experiments.errors import ExperimentError
from experiments.exporting import exported_run
from experiments.exporting import images as export_images
from experiments.exporting import lowering as export_lowering
from experiments.exporting import programs as export_programs
from experiments.exporting import shuffling
from experiments.exporting import values as export_values


def _random():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("num_values", "dtype"),
    [(17, np.uint8), (256, np.uint8), (257, np.float32)],
)
def test_images_come_back_as_they_were(num_values, dtype):
    values = _random().normal(size=num_values).astype(np.float32)
    chosen = np.concatenate([np.arange(num_values)] * 4)
    images = values[_random().permutation(chosen)].reshape(-1, 2, 2, 1)
    encoded = export_images.encode(images)
    assert encoded.codes.dtype == dtype
    decoded = export_images.decode(
        tf.constant(encoded.codes), tf.constant(encoded.values)
    )
    np.testing.assert_array_equal(decoded, images)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1437])
def test_the_order_is_tensorflows(count):
    seed = tf.constant([count, 7], tf.int64)
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    wanted = tf.random.experimental.stateless_shuffle(
        tf.range(count), seed=seed, alg="philox"
    )
    found = shuffling.shuffled(count, int(key[0]), *map(int, counter))
    np.testing.assert_array_equal(found, wanted)


def test_each_epoch_and_member_has_an_order_of_its_own():
    (config,) = configs.Config(
        table="mnist_methods",
        dataset="digits",
        rows=("ensemble",),
        seeds=(3,),
        scale="smoke",
        preset="paper",
        output_dir="unused",
        epochs=3,
        num_members=2,
    ).runs()
    keys = export_programs.epoch_keys(config)
    assert keys.shape == (3, 2, 3)
    assert len({tuple(words) for words in keys.reshape(6, 3)}) == 6


def _normal(scale, count=600_000):
    draws = _random().normal(size=2 * count)
    return draws[np.abs(draws) < 2][:count].astype(np.float32) * scale


def _uniform(scale, count=600_000):
    return _random().uniform(-scale, scale, count).astype(np.float32)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("truncated_normal", _normal(0.03)), ("uniform", _uniform(0.03))],
)
def test_large_values_are_drawn_anew_from_their_distribution(kind, value):
    jax = pytest.importorskip("jax", reason="Values are drawn anew by JAX.")
    start = export_values.start_of("kernel", value, carry_all=False)
    assert start["kind"] == kind
    # The relative standard error of the scale is 0.9 / sqrt(600,000) at most.
    assert start["scale"] == pytest.approx(0.03, rel=0.006)
    described = {**start, "shape": [600, 1000], "dtype": "float32"}
    drawn, again, other = (
        np.asarray(exported_run._first_value(jax, described, seeds, {}))
        for seeds in ((1, 2), (1, 2), (1, 3))
    )
    assert export_values.start_of("kernel", drawn, False)["kind"] == kind
    assert drawn.shape == (600, 1000) and drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, again)
    assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < 0.006


@pytest.mark.parametrize(
    "value",
    [
        _normal(0.03) + np.float32(1e-3),
        np.concatenate([_normal(0.03, 300_000), _normal(0.05, 300_000)]),
        np.concatenate([_uniform(0.03, 300_000), _normal(0.03, 300_000)]),
        _random().normal(size=600_000).astype(np.float32),
        np.ones(600_000, np.float32),
        np.ones(600_000, np.int32),
    ],
)
def test_other_large_values_are_refused_by_name(value):
    with pytest.raises(ExperimentError, match="^net/kernel: expected zeros"):
        export_values.start_of("net/kernel", value, carry_all=False)
    assert export_values.start_of("x", value, True) == {"kind": "values"}


def test_zeros_and_small_values():
    zeros, ones = np.zeros(600_000, np.float32), np.ones(6, np.float32)
    assert export_values.start_of("x", zeros, True) == {"kind": "zeros"}
    assert export_values.start_of("x", ones, False) == {"kind": "values"}


def _lowered(variables):
    factors = tf.constant([[1.0, 2.0]])

    @tf.function(jit_compile=True, autograph=False)
    def function(x, unused):
        def body(step):
            for variable in variables:
                variable.assign_add(tf.matmul(factors, x))
            return [step + 1]

        tf.while_loop(lambda step: step < 3, body, [tf.constant(0)])
        return {"b": tf.reduce_sum(variables[0]), "a": tf.reduce_max(x)}

    return export_lowering.lower(
        function,
        [tf.TensorSpec((2, 3)), tf.TensorSpec((), tf.uint8)],
        variables[:1],
    )


def test_a_program_names_its_parameters_and_says_nothing_of_this_machine():
    variable = tf.Variable(tf.ones((1, 3)))
    program = _lowered([variable])
    assert program.parameters[:2] == ["x", "unused"]
    kinds = [type(x) for x in program.parameters[2:]]
    assert sorted(x.__name__ for x in kinds) == ["ResourceVariable", "ndarray"]
    assert program.results == ["a", "b"]
    ((parameter, output),) = program.updates
    assert program.parameters[parameter] is variable
    assert output == 2
    assert "HIGHEST" in program.text and "DEFAULT" not in program.text
    assert not re.search(r"\bloc\b|mhlo\.copy|\.py", program.text)


def test_a_variable_that_nobody_named_is_refused():
    known, unknown = (tf.Variable(tf.ones((1, 3))) for _ in "ab")
    with pytest.raises(ValueError, match="1 known variables; got one that"):
        _lowered([known, unknown])
