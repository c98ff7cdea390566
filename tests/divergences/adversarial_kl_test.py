"""The discriminator's KL against exact log ratios, and as a function."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.divergences import AdversarialKL
from bbh_tf.divergences import discriminator

MEAN, STD = 0.5, 0.6


def sampler(num_weights, mean=MEAN, std=STD, num_samples=5):
    """Estimates between new samples of N(mean, std^2) and N(0, 1)."""

    def estimate_of(estimate, key):
        q, p = (
            bbh.randomness.normal(
                bbh.randomness.fold(key, side), num_samples, (num_weights,)
            )
            for side in range(2)
        )
        return estimate(mean + std * q, p)

    return estimate_of


def samples(num_weights, n=5, m=5, seed=0):
    generator = np.random.default_rng(seed)
    q = MEAN + STD * generator.standard_normal((n, num_weights))
    p = generator.standard_normal((m, num_weights))
    return q.astype("float32"), p.astype("float32")


def trained(num_steps=3, num_weights=40, **kwargs):
    keras.utils.set_random_seed(1)
    kl = AdversarialKL(num_pretraining_steps=0, num_steps=num_steps, **kwargs)
    kl.fit_step(sampler(num_weights), bbh.randomness.key(0))
    return kl


def state_of(kl):
    return [np.array(v) for v in kl.discriminator.variables]


@pytest.fixture(scope="module")
def converged():
    keras.utils.set_random_seed(1)
    kl = AdversarialKL(num_steps=2_000)
    kl.build()
    step = tf.function(
        lambda: kl.fit_step(sampler(400), bbh.randomness.key(2)).parameters,
        autograph=False,
    )
    step()
    return kl


def _grid():
    x = np.linspace(-6, 6, 12_001)
    q = np.exp(-0.5 * ((x - MEAN) / STD) ** 2) / (STD * math.sqrt(2 * math.pi))
    p = np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
    return x, q * (x[1] - x[0]), p * (x[1] - x[0])


def test_the_optimum_is_the_log_density_ratio(converged):
    x, q, p = _grid()
    logits = converged.discriminator(x).numpy().astype(np.float64)
    exact = np.log(q / p)

    def loss(d):
        return np.sum(q * np.logaddexp(0, -d) + p * np.logaddexp(0, d))

    # About 1/2 sum (q + p) s (1 - s) (D - exact)^2 with s (1 - s) near 0.2:
    # 5e-4 stands for a root mean square of 0.05 nats. (At D = 0 it is 0.18.)
    excess = loss(logits) - loss(exact)
    assert 0 <= excess < 5e-4
    bulk = np.abs(x - MEAN) < 2 * STD
    np.testing.assert_allclose(logits[bulk], exact[bulk], atol=0.2)
    # Linear in D: no further off than that root mean square.
    truth = 0.5 * (STD**2 + MEAN**2 - 1) - math.log(STD)
    assert np.sum(q * logits) == pytest.approx(truth, abs=0.05)

    draws = samples(20_000)
    expected = np.sum(q * logits) * 20_000
    error = np.sqrt(np.sum(q * logits**2) * 20_000 / 5)
    assert abs(float(converged(*draws)) - expected) < 4 * error


def test_a_subset_of_the_weights_is_unbiased():
    # A rate at which the parameters stay what they are.
    kl = trained(num_steps=1, num_weights=13, learning_rate=1e-30)
    few = AdversarialKL(
        num_pretraining_steps=0,
        num_steps=1,
        num_weights=4,
        learning_rate=1e-30,
    )
    few.build().set_weights(kl.discriminator.get_weights())
    q, p = samples(13)
    # Far apart, so that it matters which are taken.
    q += 3.0 * np.arange(13, dtype="float32")

    @tf.function(autograph=False)
    def estimate(number):
        key = bbh.randomness.key(5, number)
        return few.fit_step(sampler(13), key)(q, p)

    values = np.array([float(estimate(tf.constant(i))) for i in range(200)])
    assert len(set(values)) > 100
    mean, error = values.mean(), values.std(ddof=1) / math.sqrt(len(values))
    truth = float(kl(q, p))
    assert abs(mean - truth) < 4 * error
    assert error < 0.1 * abs(truth)
    # Of a subset without repetitions: 4 of 13 weights' own sums.
    by_weight = kl.discriminator(q).numpy().mean(0)
    spread = by_weight.var(ddof=1) * 13**2 / 4 * (1 - 4 / 13)
    assert values.var(ddof=1) == pytest.approx(spread, rel=0.4)
    # Called by itself, it looks at all of them.
    assert float(few(q, p)) == pytest.approx(truth, rel=1e-6)


def test_as_many_weights_as_there_are():
    kl = trained(num_weights=40, learning_rate=1e-30)
    q, p = samples(7)
    few = AdversarialKL(
        num_pretraining_steps=0,
        num_steps=1,
        num_weights=8,
        learning_rate=1e-30,
    )
    few.build().set_weights(kl.discriminator.get_weights())
    estimate = few.fit_step(sampler(7), bbh.randomness.key(0))
    assert float(estimate(q, p)) == float(kl(q, p))


@pytest.mark.parametrize("num_weights", [7, 5_000], ids=["one", "blocks"])
def test_value_and_gradient_are_those_of_the_logits(num_weights):
    kl = trained()
    q, p = map(tf.constant, samples(num_weights))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch((q, p))
        value = 3.0 * kl([q[:, :3], q[:, 3:]], [p[:, :3], p[:, 3:]])
        expected = 3.0 * tf.reduce_sum(kl.discriminator(q)) / 5
    assert float(value) == pytest.approx(float(expected), rel=1e-5)
    np.testing.assert_allclose(
        tape.gradient(value, q), tape.gradient(expected, q), rtol=1e-4
    )
    assert tape.gradient(value, p) is None
    assert not kl.discriminator.trainable_variables


@pytest.mark.parametrize("sizes", [(6, 4), (30_000, 9_000)])
def test_the_loss_is_the_mean_log_loss(sizes):
    kl = trained()
    high, low = samples(max(sizes), 1, 1)
    high, low = high[0, : sizes[0]], low[0, : sizes[1]]
    parameters = discriminator.values_of(kl.discriminator.parameters)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(parameters)
        value = discriminator.loss(parameters, high, low)
        variables = kl.discriminator.parameters
        tape.watch([v.value for v in variables])
        expected = tf.reduce_mean(
            tf.nn.softplus(-kl.discriminator(high))
        ) + tf.reduce_mean(tf.nn.softplus(kl.discriminator(low)))
    assert float(value) == pytest.approx(float(expected), rel=1e-5)
    for ours, theirs in zip(
        tape.gradient(value, parameters),
        tape.gradient(expected, [v.value for v in variables]),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)


def test_its_steps_are_those_of_adam():
    state = discriminator.Discriminator((3,), 0.05)
    start = discriminator.values_of(state.parameters)
    theirs = [keras.Variable(x) for x in start]
    adam = keras.optimizers.Adam(0.05)

    def loss_of(parameters, number):
        shift = tf.cast(number, tf.float32) + 1.0
        return tf.add_n([tf.reduce_sum((x - shift) ** 2) for x in parameters])

    for numbers in (range(3), range(2)):
        state.minimize(loss_of, tf.constant(len(numbers)))
        for number in numbers:
            adam.apply([2 * (v.value - (number + 1.0)) for v in theirs], theirs)
    assert int(state.num_steps_taken) == 5
    for ours, other in zip(state.parameters, theirs):
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-6)


def test_pretraining_is_once_and_every_step_has_samples_of_its_own():
    kl = AdversarialKL(units=(2,), num_pretraining_steps=4, num_steps=2)
    keys = []

    def estimate_of(estimate, key):
        keys.append(tuple(key.numpy()))
        return estimate(*samples(3))

    for number, steps in ((0, 6), (1, 8), (2, 10)):
        estimate = kl.fit_step(estimate_of, bbh.randomness.key(0, number))
        assert int(kl.discriminator.num_steps_taken) == steps
        assert len(set(keys)) == len(keys) == steps
        # What comes back is what has been learned.
        assert float(estimate(*samples(3))) == float(kl(*samples(3)))


def test_every_step_looks_at_weights_of_its_own():
    keras.utils.set_random_seed(1)
    kl = AdversarialKL(
        (2,),
        num_pretraining_steps=0,
        num_steps=20,
        num_weights=4,
        learning_rate=1e-30,
    )
    losses = []

    def estimate_of(estimate, key):
        losses.append(estimate(*samples(100)))
        return losses[-1]

    kl.fit_step(estimate_of, bbh.randomness.key(0))
    assert len({float(loss) for loss in losses}) == 20


def _two_steps(wrap):
    keras.utils.set_random_seed(1)
    kl = AdversarialKL(
        (8,), num_pretraining_steps=2, num_steps=2, num_weights=30
    )
    kl.build()

    @wrap
    def step(number):
        estimate = kl.fit_step(sampler(40), bbh.randomness.key(1, number))
        q, p = map(tf.constant, samples(40))
        with tf.GradientTape() as tape:
            tape.watch(q)
            value = estimate(q, p)
        return value, tf.convert_to_tensor(tape.gradient(value, q))

    results = [step(tf.constant(number)) for number in range(2)]
    return [np.array(x) for x in keras.tree.flatten(results)] + state_of(kl)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_eager_graph_and_xla_agree(jit_compile):
    eager = _two_steps(lambda step: step)
    compiled = _two_steps(
        lambda step: tf.function(step, autograph=False, jit_compile=jit_compile)
    )
    for ours, theirs in zip(eager, compiled, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [1e30, 1e15, 1e-30, 0.0])
def test_extreme_samples(scale):
    kl = AdversarialKL(num_pretraining_steps=10)
    q, p = samples(6)
    estimate = kl.fit_step(
        lambda estimate, key: estimate(scale * q, p), bbh.randomness.key(0)
    )
    x = tf.constant(scale * q)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = estimate(x, p)
    assert np.isfinite(value) and np.isfinite(tape.gradient(value, x)).all()
    parameters = kl.discriminator.parameters
    assert all(np.isfinite(np.array(v)).all() for v in parameters)


def test_a_sample_that_is_no_number_shows():
    kl = trained()
    q, p = samples(6)
    q[1, 2] = np.nan
    assert np.isnan(kl(q, p))


def test_each_model_has_its_own():
    recipe = trained(units=(3, 2), num_weights=5)
    one, two = (bbh.divergences.get(recipe) for _ in range(2))
    assert one.get_config() == two.get_config() == recipe.get_config()
    assert one.discriminator is None
    one.build()
    assert one.build() is one.discriminator
    assert two.discriminator is None
    # Those without state stay what they are.
    kernel = bbh.divergences.KernelKL()
    assert bbh.divergences.get(kernel) is kernel
    assert kernel.build() is None
    assert kernel.fit_step(None, None) is kernel


def test_a_config_is_made_into_one():
    kl = AdversarialKL((7,), 1, 2, 3, 0.5)
    config = keras.saving.serialize_keras_object(kl)
    loaded = bbh.divergences.get(config)
    assert loaded.get_config() == kl.get_config()
    assert loaded.units == (7,)
    assert AdversarialKL(units=()).build()(tf.zeros((2, 3))).shape == (2, 3)


def _call(*sides):
    return lambda: trained(num_steps=1)(*sides)


COUNT = "to be a positive integer; got"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdversarialKL(units=64), "units to be a tuple"),
        (lambda: AdversarialKL(units=(64, 0)), "each of units " + COUNT),
        (lambda: AdversarialKL(num_steps=0), "num_steps " + COUNT),
        (
            lambda: AdversarialKL(num_pretraining_steps=-1),
            "num_pretraining_steps to be an integer >= 0; got",
        ),
        (
            lambda: AdversarialKL(num_pretraining_steps=False),
            "num_pretraining_steps to be an integer >= 0; got",
        ),
        (lambda: AdversarialKL(num_weights=1.5), "num_weights " + COUNT),
        (lambda: AdversarialKL(learning_rate=0), "finite number > 0"),
        (lambda: AdversarialKL(learning_rate="a"), "finite number > 0"),
        (
            lambda: AdversarialKL()(*samples(2)),
            "no discriminator yet: expected a call of fit_step first",
        ),
        (_call([], []), "at least one; got 0 and 0"),
        (_call([tf.zeros((2, 3))] * 2, tf.zeros((2, 3))), "got 2 and 1"),
        (_call(tf.zeros((2, 3)), tf.zeros((2, 4))), r"\(2, 3\) and \(2, 4\)"),
        (_call(tf.zeros(()), tf.zeros(())), r"shape \(n, \*shape\); got"),
        (
            _call([tf.zeros((2, 3)), tf.zeros((1, 3))], [tf.zeros((2, 3))] * 2),
            r"got \[1, 2\] of the posterior",
        ),
        (_call(tf.zeros((2, 3)), tf.zeros((0, 3))), r"got \[0\] of the prior"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
