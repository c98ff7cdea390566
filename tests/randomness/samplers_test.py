"""Random numbers: the same everywhere, independent, of the right law."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf import randomness
from bbh_tf.randomness import samplers

tfd = tfp.distributions
SAMPLERS = {
    "normal": randomness.normal,
    "laplace": randomness.compiled_sampler(
        lambda size, seed: tfd.Laplace(1.0, 2.0).sample(size, seed=seed)
    ),
    "mixture": randomness.compiled_sampler(
        lambda size, seed: tfd.MixtureSameFamily(
            tfd.Categorical(probs=[0.25, 0.75]),
            tfd.Normal([-2.0, 1.0], [0.5, 0.1]),
        ).sample(size, seed=seed)
    ),
}
each_sampler = pytest.mark.parametrize("name", list(SAMPLERS))


@each_sampler
def test_equal_in_eager_graph_and_xla(name):
    def sample(word, first):
        key = randomness.fold(randomness.key(7, word), 5)
        return SAMPLERS[name](key, 3, (4, 25), first)

    arguments = tf.constant(2), tf.constant(6)
    eager = sample(*arguments).numpy()
    assert eager.dtype == np.float32
    graph = tf.function(sample)(*arguments)
    xla = tf.function(sample, jit_compile=True)(*arguments)
    np.testing.assert_array_equal(eager, graph)
    np.testing.assert_array_equal(eager, xla)
    np.testing.assert_array_equal(eager, sample(2, 6))
    # Constants in the graph, which TensorFlow would fold, give the same.
    for jit_compile in (False, True):

        @tf.function(jit_compile=jit_compile)
        def constants(word, first):
            return sample(2, 6), sample(2, first), sample(word, 6)

        for found in constants(*arguments):
            np.testing.assert_array_equal(eager, found)


REPLICAS = """
import sys
import tensorflow as tf
from bbh_tf import randomness

(device,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    device, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def sample():
    return randomness.normal(randomness.key(3, 4), 2, (5,))

expected = sample().numpy().tolist()
for jit_compile in (False, True):
    function = tf.function(sample, jit_compile=jit_compile)
    found = strategy.experimental_local_results(
        tf.function(lambda: strategy.run(function))()
    )
    assert len(found) == 2, found
    for one in found:
        assert one.numpy().tolist() == expected, (jit_compile, one, expected)
print("equal on", strategy.num_replicas_in_sync)
"""


def test_equal_on_two_replicas():
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS], capture_output=True, text=True
    )
    assert done.stdout.strip().endswith("equal on 2"), done.stderr[-2000:]


@each_sampler
def test_a_sample_depends_on_its_index_alone(name):
    key = randomness.key(1)
    five = SAMPLERS[name](key, 5, (70,)).numpy()
    np.testing.assert_array_equal(SAMPLERS[name](key, 2, (70,)), five[:2])
    np.testing.assert_array_equal(SAMPLERS[name](key, 2, (70,), 3), five[3:])
    # However many are made in one call.
    many = SAMPLERS[name](key, 19, (70,)).numpy()
    np.testing.assert_array_equal(many[:5], five)
    np.testing.assert_array_equal(SAMPLERS[name](key, 9, (70,), 10), many[10:])
    one = SAMPLERS[name](key, 1, (7, 10), tf.constant(4, tf.int64))
    np.testing.assert_array_equal(one.numpy().ravel(), five[4])


@pytest.mark.parametrize("size", [1, 2, 3, 15, 16, 17, 63, 64, 65, 97, 1000])
def test_sizes(size):
    sample = randomness.normal(randomness.key(size), 2, (size,)).numpy()
    assert sample.shape == (2, size)
    assert np.isfinite(sample).all()
    assert len(np.unique(sample)) == 2 * size
    assert np.abs(sample).max() < 5.3


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
def test_shapes(shape):
    sample = randomness.normal(randomness.key(0), 4, shape)
    assert sample.shape == (4, *shape)


def test_few_sizes_are_compiled():
    sizes = {samplers._padded(size) for size in range(1, 100_000)}
    assert len(sizes) < 50
    for size in range(1, 5000):
        assert size <= samplers._padded(size) <= max(size + 15, 1.25 * size)
        assert samplers._padded(size) % 2 == 0


@pytest.mark.parametrize(
    "other",
    [
        (1, 2),
        (2, 1),
        (1, 2, 4),
        (1, 2, 0),
        (0, 1, 2, 3),
        (-1, 2, 3),
        (1, 2, 3 + 2**32),
        (1, 2, 3 - 2**63),
    ],
)
def test_other_words_give_other_numbers(other):
    one = randomness.normal(randomness.key(1, 2, 3), 1, (100,)).numpy()
    two = randomness.normal(randomness.key(*other), 1, (100,)).numpy()
    assert not np.isin(one, two).any()


def test_a_position_is_not_an_index():
    # The path (1, 2), sample 3, is not the path (1, 3), sample 2.
    one = randomness.normal(randomness.key(1, 2), 1, (9,), 3).numpy()
    two = randomness.normal(randomness.key(1, 3), 1, (9,), 2).numpy()
    assert not np.isin(one, two).any()


@pytest.mark.parametrize(
    "word", [0, 1, -1, 2**31, 2**63 - 1, -(2**63), -(2**40) - 5]
)
def test_words_of_all_kinds_are_equal(word):
    expected = randomness.key(word).numpy()
    assert expected.dtype == np.int32
    assert expected.shape == (2,)
    halves = expected.astype(np.int64)
    assert (halves[1] << 32) + (halves[0] & 0xFFFFFFFF) == word
    kinds = [np.int64(word), tf.constant(word, tf.int64)]
    kinds += [tf.Variable(word, dtype="int64")]
    kinds += [keras.Variable(np.int64(word), dtype="int64")]
    if -(2**31) <= word < 2**31:
        kinds += [tf.constant(word, tf.int32), np.int32(word), np.array(word)]
    for kind in kinds:
        np.testing.assert_array_equal(randomness.key(kind), expected)
    np.testing.assert_array_equal(
        randomness.fold(randomness.key(5), word), randomness.key(5, word)
    )


def test_keys_are_hashed_well():
    words = tf.range(20_000, dtype=tf.int64)

    @tf.function(jit_compile=True)
    def hashes():
        return tf.map_fn(
            lambda word: tf.stack(samplers._hash(randomness.key(word, 1))),
            words,
            fn_output_signature=tf.uint32,
        )

    found = hashes().numpy()
    assert len(np.unique(found, axis=0)) == 20_000
    # Each half is spread over all bits: 20,000 numbers of 32 bits collide
    # 0.05 times on average.
    for half in found.T:
        assert len(np.unique(half)) >= 19_997
        bits = (half[:, None] >> np.arange(32)) & 1
        assert np.abs(bits.mean(0) - 0.5).max() < 4.5 * 0.5 / 20_000**0.5


def test_moments_of_the_normal():
    values = randomness.normal(randomness.key(11), 20, (50_000,)).numpy()
    values = values.astype(np.float64).ravel()
    error = 1 / np.sqrt(values.size)
    assert abs(values.mean()) < 4 * error
    assert abs((values**2).mean() - 1) < 4 * np.sqrt(2) * error
    assert abs((values**3).mean()) < 4 * np.sqrt(15) * error
    assert abs((values**4).mean() - 3) < 4 * np.sqrt(96) * error
    for bound, probability in ((1.0, 0.841345), (-2.0, 0.022750)):
        spread = np.sqrt(probability * (1 - probability)) * error
        assert abs((values < bound).mean() - probability) < 4 * spread


def test_moments_of_other_samplers():
    count = 20 * 20_000
    laplace = SAMPLERS["laplace"](randomness.key(2), 20, (20_000,)).numpy()
    assert abs(laplace.mean() - 1) < 4 * np.sqrt(8 / count)
    # Var of (x - 1)^2 is (24 - 4) * 2^4.
    assert abs(laplace.var() - 8) < 4 * np.sqrt(320 / count)
    mixture = SAMPLERS["mixture"](randomness.key(2), 20, (20_000,)).numpy()
    assert abs((mixture < -0.4).mean() - 0.25) < 4 * np.sqrt(0.1875 / count)
    assert abs(mixture.mean() - 0.25) < 4 * mixture.std() / np.sqrt(count)


def correlations(rows):
    table = np.corrcoef(rows)
    return table[np.triu_indices(len(rows), 1)]


def test_samples_and_keys_are_uncorrelated():
    size = 4000
    rows = [
        randomness.normal(randomness.key(word, position), 3, (size,)).numpy()
        for word in (0, 1, -1)
        for position in (0, 1, 2)
    ]
    found = correlations(np.concatenate(rows))
    assert len(found) == 27 * 26 // 2
    assert np.abs(found).max() < 4.5 / np.sqrt(size)
    # All together they spread as independent ones do.
    spread = (found**2).mean() * size
    assert abs(spread - 1) < 4 * np.sqrt(2 / len(found))


def test_many_samples_of_a_key_are_uncorrelated():
    size = 1000
    rows = randomness.normal(randomness.key(8), 64, (size,)).numpy()
    found = correlations(rows)
    assert np.abs(found).max() < 5 / np.sqrt(size)
    spread = (found**2).mean() * size
    assert abs(spread - 1) < 4 * np.sqrt(2 / len(found))


def test_neighbours_and_halves_of_a_sample_are_uncorrelated():
    sample = randomness.normal(randomness.key(4), 1, (65_536,)).numpy()[0]
    for lag in (1, 2, 3, 32_768):
        one, two = sample[:-lag], sample[lag:]
        found = np.corrcoef(one, two)[0, 1]
        assert abs(found) < 4 / np.sqrt(len(one)), lag


def test_retracing_for_many_sizes_is_not_complained_of(caplog):
    sampler = randomness.compiled_sampler(
        lambda size, seed: tf.random.stateless_uniform([size], seed)
    )
    for size in (10, 60, 90, 120, 180, 250, 380, 500):
        sampler(randomness.key(0), 1, (size,))
    ours = [r for r in caplog.messages if "compiled_sampler" in r]
    assert ours == []


def test_the_largest_and_smallest_words_give_finite_numbers():
    words = tf.constant([0, 2**31 - 1, 2**31, 2**32 - 1], tf.uint32)
    found = samplers._to_normal(words).numpy()
    # The inverse of the normal distribution function at 2^-24.
    np.testing.assert_allclose(found[[0, 3]], [-5.2947, 5.2947], rtol=1e-3)
    # The two middle cells lie on both sides of 0, as far from it.
    assert found[1] == -found[2] < 0
