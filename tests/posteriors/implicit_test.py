"""The implicit posterior: which noise goes where, and what comes out."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf import memory
from bbh_tf import posteriors
from bbh_tf import randomness
from bbh_tf.divergences import KernelKL
from bbh_tf.hypernetworks import MLP
from bbh_tf.hypernetworks import Sliced
from bbh_tf.posteriors import Implicit
from bbh_tf.weights import WeightSpec

SPECS = [WeightSpec("kernel", (4, 3)), WeightSpec("bias", (3,))]
TWINS = [WeightSpec("one", (50,)), WeightSpec("two", (50,))]


def built(specs=SPECS, hypernetwork=None, **kwargs):
    posterior = Implicit(hypernetwork or MLP(units=(6, 5)), **kwargs)
    posterior.build(specs)
    return posterior


class Recorder:
    """Keeps the noise that the hypernetworks of a posterior are given."""

    def __init__(self, posterior):
        self.seen = []
        posterior._hypernetworks = [
            self.wrap(network) for network in posterior._hypernetworks
        ]

    def wrap(self, network):
        def call(noise):
            self.seen.append(noise.numpy())
            return network(noise)

        return call


def noise_of(position=0, num_samples=5, key=None, first=0, **kwargs):
    posterior = built(**kwargs)
    recorder = Recorder(posterior)
    key = randomness.key(1) if key is None else key
    posterior.sample(num_samples, key, position, first)
    return recorder.seen


@pytest.mark.parametrize("noise_dim", [1, 8])
@pytest.mark.parametrize(
    ("per", "hypernetwork"),
    [
        ("tensor", None),
        ("tensor", Sliced(units=(4,))),
        ("tensor", Sliced(3)),
        ("layer", None),
        ("layer", Sliced(3)),
    ],
)
def test_samples(per, noise_dim, hypernetwork):
    posterior = built(hypernetwork=hypernetwork, per=per, noise_dim=noise_dim)
    samples, log_prob = posterior.sample(5, randomness.key(1))
    assert log_prob is None
    assert [x.shape for x in samples] == [(5, 4, 3), (5, 3)]
    assert {x.dtype for x in samples} == {tf.float32}
    assert posterior.weights_of(samples) is samples
    assert posterior.distributions() is None
    # The samples differ from each other, everywhere.
    assert min(np.std(x, axis=0).min() for x in samples) > 0


@pytest.mark.parametrize("per", ["tensor", "layer"])
def test_counts(per):
    posterior = built(per=per, noise_dim=2)
    hidden = 4 * 6 + 7 * 5
    expected = 6 * 15 + (hidden if per == "layer" else 2 * hidden)
    assert posterior.count_params() == expected
    assert posterior.count_parameters(SPECS) == expected
    assert (
        Implicit(MLP(units=(6, 5)), noise_dim=2, per=per).count_parameters(
            SPECS
        )
        == expected
    )
    report = posterior.parameter_report()
    assert sum(row[2] for row in report) == expected
    assert sum(row[1] for row in report) == 15
    names = ["kernel", "bias"] if per == "tensor" else ["all weights"]
    assert [row[0] for row in report] == [f"MLP of {name}" for name in names]


@pytest.mark.parametrize("noise_dim", [1, 8])
def test_shared_noise(noise_dim):
    arguments = {"shared_noise": True, "noise_dim": noise_dim}
    one, two = noise_of(position=0, **arguments)
    assert one.shape == (5, noise_dim)
    np.testing.assert_array_equal(one, two)
    other_layer = noise_of(position=3, **arguments)
    np.testing.assert_array_equal(one, other_layer[0])
    other_key = noise_of(key=randomness.key(2), **arguments)
    assert not np.isin(one, other_key[0]).any()


@pytest.mark.parametrize("noise_dim", [1, 8])
def test_independent_noise(noise_dim):
    found = []
    for position in (0, 1, -1):
        found += noise_of(position, noise_dim=noise_dim)
    assert len(found) == 6
    for i in range(6):
        for j in range(i):
            assert not np.isin(found[i], found[j]).any()


def test_correlation_across_tensors():
    correlations = {}
    for shared in (True, False):
        one, two = noise_of(num_samples=400, shared_noise=shared)
        correlations[shared] = np.corrcoef(one.ravel(), two.ravel())[0, 1]
    assert correlations[True] == pytest.approx(1)
    assert abs(correlations[False]) < 4 / math.sqrt(400)


def test_slices_of_a_tensor_share_their_noise():
    assert len(noise_of(hypernetwork=Sliced(units=(4,)))) == 2


def test_one_network_a_layer_has_one_noise():
    assert len(noise_of(per="layer")) == 1


@pytest.mark.parametrize("shared_noise", [True, False])
def test_samples_depend_on_their_index_alone(shared_noise):
    posterior = built(shared_noise=shared_noise)
    key = randomness.key(9, 2)
    five, _ = posterior.sample(5, key, position=2)
    again, _ = posterior.sample(5, key, position=2)
    later, _ = posterior.sample(2, key, position=2, first=3)
    dynamic, _ = posterior.sample(2, key, 2, tf.constant(3))
    other, _ = posterior.sample(5, key, position=1)
    for k in range(2):
        np.testing.assert_array_equal(five[k], again[k])
        np.testing.assert_allclose(five[k][3:], later[k], rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(later[k], dynamic[k])
        assert (five[k].numpy() == other[k].numpy()).all() == shared_noise


def test_eager_graph_and_xla_agree():
    posterior = built()
    expected, _ = posterior.sample(3, randomness.key(1))
    for jit_compile in (False, True):
        found = tf.function(
            lambda: posterior.sample(3, randomness.key(1))[0],
            jit_compile=jit_compile,
        )()
        for one, two in zip(found, expected):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("per", ["tensor", "layer"])
@pytest.mark.parametrize("shared_noise", [True, False])
def test_a_step_reaches_every_variable(per, shared_noise):
    posterior = built(per=per, shared_noise=shared_noise)
    with tf.GradientTape() as tape:
        samples, _ = posterior.sample(5, randomness.key(1))
        prior = [tf.random.stateless_normal(x.shape, (1, 2)) for x in samples]
        loss = KernelKL()(samples, prior)
    variables = posterior.trainable_variables
    assert len(variables) == (6 if per == "layer" else 12)
    for variable, gradient in zip(variables, tape.gradient(loss, variables)):
        assert np.isfinite(gradient).all(), variable.path
        assert np.abs(gradient).max() > 0, variable.path


def test_twins_start_apart():
    posterior = built(TWINS, shared_noise=True)
    (one, two), _ = posterior.sample(5, randomness.key(1))
    assert not np.isclose(one, two).any()


def seeded(seed):
    return MLP(
        units=(6, 5),
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
    )


def test_a_seeded_initializer_repeats_and_keeps_twins_apart():
    posterior = built(TWINS, seeded(3), shared_noise=True)
    copy = posteriors.get(posterior)
    copy.build(TWINS)
    other = built(TWINS, seeded(4), shared_noise=True)
    key = randomness.key(1)
    (one, two), _ = posterior.sample(5, key)
    np.testing.assert_array_equal(one, copy.sample(5, key)[0][0])
    assert not np.isclose(one, two).any()
    assert not np.isclose(one, other.sample(5, key)[0][0]).any()


def test_a_recipe_gives_independent_copies():
    recipe = Implicit(MLP(units=(6, 5)), noise_dim=3)
    copies = [posteriors.get(recipe) for _ in range(2)]
    assert not recipe.built
    for copy in copies:
        assert not copy.built
        copy.build(SPECS)
    ids = {id(v) for copy in copies for v in copy.variables}
    assert len(ids) == 24
    for one, two in zip(copies[0].variables, copies[1].variables):
        if len(one.shape) > 1:
            assert not np.isclose(one, two).any(), one.path
    # A built one serves as well, and keeps its variables to itself.
    third = posteriors.get(copies[0])
    assert not third.built
    assert third.variables == []


def test_config_round_trip():
    posterior = Implicit(
        Sliced(3, units=(3,), activation="tanh"),
        noise_dim=8,
        shared_noise=True,
        per="layer",
    )
    config = json.loads(
        json.dumps(keras.saving.serialize_keras_object(posterior))
    )
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is Implicit
    assert copy.get_config() == posterior.get_config()
    assert (copy.noise_dim, copy.shared_noise, copy.per) == (8, True, "layer")
    for one in (posterior, copy):
        one.build(SPECS)
    copy.set_weights(posterior.get_weights())
    key = randomness.key(0)
    for a, b in zip(copy.sample(2, key)[0], posterior.sample(2, key)[0]):
        np.testing.assert_array_equal(a, b)


def test_defaults_are_the_papers():
    posterior = Implicit()
    config = posterior.get_config()
    assert config.pop("hypernetwork")["config"]["units"] == [64, 256, 512]
    assert config == {"noise_dim": 1, "shared_noise": False, "per": "tensor"}
    assert posterior.count_parameters([WeightSpec("k", (800, 500))]) == (
        3 * 64 + 65 * 256 + 257 * 512 + 513 * 400_000
    )


@pytest.mark.parametrize(
    ("per", "advice"),
    [("tensor", "Sliced()"), ("layer", "Sliced(slices=130)")],
)
def test_what_does_not_fit_is_refused_before_it_is_made(
    monkeypatch, per, advice
):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    posterior = Implicit(per=per)
    with pytest.raises(MemoryError) as caught:
        posterior.build([WeightSpec("kernel", (800, 500))])
    message = str(caught.value)
    assert message.startswith("821 MB are needed and 100 MB are free: ")
    assert "kernel (800, 500) with 205,348,416 parameters" in message
    assert advice in message
    assert "\n" not in message
    assert posterior.variables == []
    # What is advised does fit.
    Implicit(
        Sliced() if per == "tensor" else Sliced(slices=130), per=per
    ).build([WeightSpec("kernel", (800, 500))])


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_float32_under_any_policy(policy):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        posterior = built()
        samples, _ = posterior.sample(2, randomness.key(1))
    finally:
        keras.config.set_dtype_policy(previous)
    assert {v.dtype for v in posterior.variables} == {"float32"}
    assert {x.dtype for x in samples} == {tf.float32}
