"""Flows: inverses, log-determinants, densities, masks, refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from tests.flows import densities

flows = bbh.flows
FLOWS = {
    "affine": lambda: flows.ElementwiseAffine(0.3, 1.0, 0.01),
    "coupling": lambda: flows.Coupling(units=(7, 5)),
    "weight-normalised coupling": lambda: flows.Coupling(
        units=(7,), weight_norm=True
    ),
    "coupling of a given network": lambda: flows.Coupling(
        keras.Sequential(
            [keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(4)]
        )
    ),
    "coupling, tightly bounded": lambda: flows.Coupling(
        units=(7,), max_log_scale=0.2
    ),
    "coupling, not bounded": lambda: flows.Coupling(
        units=(7,), max_log_scale=None
    ),
    "permutation": lambda: flows.Permutation(seed=3),
    "reversal": lambda: flows.Permutation("reversed"),
    "RealNVP": lambda: flows.real_nvp(3, (7,), initial_log_scale=-0.5, seed=1),
    "no coupling": lambda: flows.real_nvp(0),
    "nothing": lambda: flows.Chain([]),
    "IAF": lambda: flows.inverse_autoregressive(2, (9, 8), -0.5, seed=1234),
    "one IAF, not normalised": lambda: flows.InverseAutoregressive(
        (9,), None, weight_norm=False
    ),
    "one IAF, tightly bounded": lambda: flows.InverseAutoregressive(
        (9,), seed=3, max_log_scale=0.2
    ),
}
AUTOREGRESSIVE = {
    "IAF",
    "one IAF, not normalised",
    "one IAF, tightly bounded",
}


def built(name, dim=5, scale=0.3):
    keras.utils.set_random_seed(0)
    flow = FLOWS[name]()
    flow.build(dim)
    densities.shake(flow, scale)
    return flow


@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("name", FLOWS)
def test_log_det_is_that_of_a_jacobian(name, dim):
    flow = built(name, dim)
    z = densities.normal_noise(6, dim)
    with tf.GradientTape() as tape:
        tape.watch(z)
        mapped, log_det = flow.forward(z)
    _, expected = np.linalg.slogdet(tape.batch_jacobian(mapped, z))
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-4)
    assert log_det.shape == (6,)
    if dim == 5 and name in ("RealNVP", "IAF"):
        assert np.ptp(log_det) > 0.1
        # Rectified units have corners: most points are away from them.
        by_steps = densities.numerical_log_det(lambda x: flow(x)[0], z)
        assert np.median(np.abs(by_steps - log_det)) < 1e-2


@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("name", sorted(set(FLOWS) - AUTOREGRESSIVE))
def test_inverse(name, dim):
    # Scales far from 1 lose digits that no inverse brings back.
    flow = built(name, dim, scale=0.1)
    z = densities.normal_noise(20, dim)
    mapped, log_det = flow(z)
    back, back_log_det = flow.inverse(mapped)
    np.testing.assert_allclose(back, z, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(back_log_det, -log_det, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", sorted(AUTOREGRESSIVE))
def test_an_inverse_of_many_passes_is_refused_by_name(name):
    with pytest.raises(ValueError, match="Autoregressive has no inverse"):
        built(name).inverse(densities.normal_noise(2, 5))


@pytest.mark.parametrize("name", ["affine", "RealNVP", "IAF"])
def test_draws_have_the_density_that_is_claimed(name):
    flow = built(name, 2, scale=0.2)
    z = densities.normal_noise(200_000, 2)
    x, log_det = flow(z)
    log_noise = -0.5 * tf.reduce_sum(z**2 + np.log(2 * np.pi), axis=1)
    corner, size = densities.dense_rectangle(x, log_noise - log_det)
    area, error = densities.area_by_draws(x, log_noise - log_det, corner, size)
    assert area == pytest.approx(np.prod(size), abs=3 * error)
    assert error < 0.05 * area
    wrong, error = densities.area_by_draws(x, log_noise + log_det, corner, size)
    assert abs(wrong - np.prod(size)) > 3 * error


def test_affine_and_permutation_are_those_of_tfp():
    affine = built("affine")
    z = densities.normal_noise(4, 5)
    scale = np.exp(np.array(affine.log_scale)) + 0.01
    oracle = tfp.bijectors.Chain(
        [
            tfp.bijectors.Shift(np.array(affine.shift)),
            tfp.bijectors.Scale(scale),
        ]
    )
    mapped, log_det = affine(z)
    np.testing.assert_allclose(mapped, oracle.forward(z), rtol=1e-5, atol=1e-6)
    expected = oracle.forward_log_det_jacobian(z, event_ndims=1)
    np.testing.assert_allclose(log_det, np.broadcast_to(expected, 4), rtol=1e-5)
    permutation = flows.Permutation([2, 0, 1, 4, 3])
    permutation.build(5)
    oracle = tfp.bijectors.Permute([2, 0, 1, 4, 3])
    np.testing.assert_array_equal(permutation(z)[0], oracle.forward(z))
    upstream = densities.normal_noise(4, 5, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(z)
        total = tf.reduce_sum(permutation(z)[0] * upstream)
    np.testing.assert_array_equal(
        tape.gradient(total, z), oracle.inverse(upstream)
    )


def test_coupling_is_that_of_tfp():
    coupling = built("coupling")

    def shift_and_scale(kept, units, **kwargs):
        shift, scale = coupling._shift_and_scale(kept)
        return shift, tf.math.log(scale)

    oracle = tfp.bijectors.RealNVP(2, shift_and_log_scale_fn=shift_and_scale)
    z = densities.normal_noise(4, 5)
    mapped, log_det = coupling(z)
    np.testing.assert_allclose(mapped, oracle.forward(z), rtol=1e-5)
    np.testing.assert_allclose(
        log_det, oracle.forward_log_det_jacobian(z, 1), rtol=1e-5
    )


@pytest.mark.parametrize("ordering", [None, [3, 0, 4, 1, 2], "random"])
def test_an_element_sees_those_before_it_and_no_others(ordering):
    flow = flows.InverseAutoregressive((40, 30), ordering, seed=5)
    flow.build(5)
    densities.shake(flow, 0.5)
    z = densities.normal_noise(20, 5)
    with tf.GradientTape() as tape:
        tape.watch(z)
        mapped, _ = flow(z)
    jacobian = np.array(tape.batch_jacobian(mapped, z))
    depends = np.abs(jacobian).max(axis=0) > 0
    if ordering == "random":
        # Some order makes it triangular, the diagonal in it.
        order = np.argsort(depends.sum(axis=1))
        assert depends[np.ix_(order, order)][np.triu_indices(5, 1)].sum() == 0
        assert depends.diagonal().all()
        return
    places = np.arange(5) if ordering is None else np.array(ordering)
    np.testing.assert_array_equal(depends, places[:, None] >= places)


def test_orderings_differ_between_layers_and_seeds_repeat():
    chain = flows.inverse_autoregressive(2)
    again = flows.get(chain)
    degrees = [flow._degrees(20)[0] for flow in chain.flows[1:]]
    assert (degrees[0] != degrees[1]).any()
    for one, other in zip(degrees, again.flows[1:]):
        np.testing.assert_array_equal(one, other._degrees(20)[0])
    random = [flows.inverse_autoregressive(1) for _ in range(2)]
    one, other = (chain.flows[1]._degrees(20)[0] for chain in random)
    assert (one != other).any()
    repeated = [flows.inverse_autoregressive(1, seed=3) for _ in range(2)]
    one, other = (chain.flows[1]._degrees(20)[0] for chain in repeated)
    np.testing.assert_array_equal(one, other)
    one, again, other = (_orders(flows.real_nvp(2, seed=x)) for x in (3, 3, 5))
    np.testing.assert_array_equal(one, again)
    assert (one[0] != one[1]).any() and (one != other).any(axis=1).all()


def _orders(chain):
    chain.build(20)
    mixing = [x for x in chain.flows if isinstance(x, flows.Permutation)]
    return np.array([flow(tf.range(20.0)[None])[0][0] for flow in mixing])


@pytest.mark.parametrize(
    "make",
    [
        lambda: flows.Permutation(),
        lambda: flows.real_nvp(2, (7,), initial_log_scale=-0.5),
        lambda: flows.inverse_autoregressive(2, (9, 8), -0.5),
    ],
)
def test_weights_hold_the_orders_that_a_flow_chose_itself(make):
    one, other = make(), make()
    z = densities.normal_noise(3, 20)
    one.build(20)
    other.build(20)
    densities.shake(one, 0.3)
    program = tf.function(other, jit_compile=True, autograph=False)
    expected = one(z)[0]
    assert np.abs(program(z)[0] - expected).max() > 0.1
    other.set_weights(one.get_weights())
    for mapped in (other(z)[0], program(z)[0]):
        np.testing.assert_allclose(mapped, expected, rtol=1e-4, atol=1e-5)
    if other.has_inverse:
        np.testing.assert_allclose(
            other.inverse(expected)[0], z, rtol=1e-3, atol=1e-3
        )
    values = np.arange(20.0)
    np.testing.assert_array_equal(
        other.order_back(values), one.order_back(values)
    )


@pytest.mark.parametrize("name", FLOWS)
def test_vectors_of_another_dimension_are_refused(name):
    message = r"dimension 5: expected shape \(\.\.\., 5\); got "
    flow = built(name)
    ways = [flow, flow.forward, flow.inverse]
    for way in ways[: None if flow.has_inverse else 2]:
        for shape in ((3, 4), (3, 1), (6,), ()):
            with pytest.raises(ValueError, match=message):
                way(np.zeros(shape, "float32"))
    with pytest.raises(ValueError, match="dim to be a positive integer; got 0"):
        FLOWS[name]().build(0)
    if flow.has_inverse:
        with pytest.raises(ValueError, match="must be built before"):
            FLOWS[name]().inverse(np.zeros((3, 5), "float32"))


def test_seeds_of_a_stack_wrap_around():
    one, *_, other = _orders(flows.real_nvp(2, seed=2**63 - 1))
    assert (one != other).any()


def test_stacks_start_near_a_scaling_by_exp_of_minus_six():
    for chain in (flows.real_nvp(8), flows.inverse_autoregressive(4)):
        chain.build(30)
        mapped, log_det = chain(densities.normal_noise(2000, 30))
        stds = np.std(mapped, axis=0)
        np.testing.assert_allclose(stds, np.exp(-6.25), rtol=0.15)
        np.testing.assert_allclose(log_det / 30, -6.25, atol=0.05)


def test_start_at_sets_the_scales():
    stds = np.array([0.1, 0.2, 3.0, 0.5, 0.4], np.float32)
    for name in ("affine", "IAF", "RealNVP"):
        flow = FLOWS[name]()
        flow.build(5)
        flow.start_at(stds)
        mapped = flow(densities.normal_noise(4000, 5))[0]
        np.testing.assert_allclose(np.std(mapped, axis=0), stds, rtol=0.1)
    with pytest.raises(ValueError, match="above min_scale, 0.01; got 0.001"):
        built("affine").start_at(np.full(5, 0.001))
    with pytest.raises(ValueError, match="Chain has no scale of each element"):
        flows.Chain([flows.Coupling()]).start_at(stds)


def test_start_at_makes_a_second_scale_one():
    stds = np.array([0.1, 0.2, 3.0, 0.5, 0.4], np.float32)
    chain = flows.Chain(
        [
            flows.Coupling(),
            flows.ElementwiseAffine(),
            flows.Permutation("reversed"),
            flows.Chain([flows.Permutation(seed=1), flows.ElementwiseAffine()]),
        ]
    )
    chain.build(5)
    chain.start_at(stds)
    mapped = chain(densities.normal_noise(4000, 5))[0]
    np.testing.assert_allclose(np.std(mapped, axis=0), stds, rtol=0.1)


@pytest.mark.parametrize("name", FLOWS)
def test_parameters_are_counted_as_made(name):
    flow = built(name)
    made = sum(int(np.prod(v.shape)) for v in flow.trainable_variables)
    assert FLOWS[name]().count_parameters(5) == made


def test_gradients_reach_every_parameter():
    for name in ("RealNVP", "IAF", "weight-normalised coupling"):
        flow = built(name)
        z = densities.normal_noise(50, 5)
        with tf.GradientTape() as tape:
            mapped, log_det = flow(z)
            total = tf.reduce_sum(mapped**2) + tf.reduce_sum(log_det)
        for gradient in tape.gradient(total, flow.trainable_variables):
            assert np.isfinite(gradient).all() and np.any(gradient)


def test_more_axes():
    for name in ("RealNVP", "IAF"):
        flow = built(name)
        z = densities.normal_noise(6, 5)
        mapped, log_det = flow(z)
        folded, folded_log_det = flow(tf.reshape(z, (2, 3, 5)))
        np.testing.assert_allclose(
            tf.reshape(folded, (6, 5)), mapped, rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(
            tf.reshape(folded_log_det, (6,)), log_det, rtol=1e-5, atol=1e-6
        )


@keras.saving.register_keras_serializable(package="tests")
class _Doubled(flows.Flow):
    def build(self, dim):
        del dim

    def count_parameters(self, dim):
        del dim
        return 0

    def call(self, z):
        log_det = tf.fill(tf.shape(z)[:-1], z.shape[-1] * np.log(2.0))
        return 2.0 * z, tf.cast(log_det, tf.float32)


class _Forgetful(flows.ElementwiseAffine):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor


def test_a_flow_of_ones_own_needs_no_configuration_for_no_arguments():
    chain = flows.get(flows.Chain([_Doubled()]))
    chain.build(3)
    mapped, log_det = chain(tf.ones((1, 3)))
    np.testing.assert_array_equal(mapped, np.full((1, 3), 2.0))
    np.testing.assert_allclose(log_det, [3 * np.log(2.0)], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: flows.Chain([_Forgetful()]), "inherits has no 'factor'"),
        (lambda: flows.Chain(3), "a list of flows; got 3"),
        (lambda: flows.Chain([3]), "Expected a flow, such as"),
        (lambda: flows.Chain([flows.MaskedRealNVP()]), "without masks; got"),
        (lambda: flows.Coupling(3), "a Keras layer or model; got 3"),
        (lambda: flows.Coupling(units=(0,)), "units to be a list of positive"),
        (lambda: flows.Coupling(units=7), "units to be a list of positive"),
        (lambda: flows.Coupling(min_scale=-1), "min_scale to be a finite"),
        (
            lambda: flows.Coupling(max_log_scale=0),
            "max_log_scale to be a finite number > 0, or None .*; got 0",
        ),
        (
            lambda: flows.real_nvp(max_log_scale=np.inf),
            "max_log_scale to be a finite number > 0",
        ),
        (
            lambda: flows.InverseAutoregressive(max_log_scale="2"),
            "max_log_scale to be a finite number > 0",
        ),
        (
            lambda: flows.ElementwiseAffine(np.nan),
            "log_scale to be a finite number;",
        ),
        (lambda: flows.Permutation("x"), '"reversed" or a list of places'),
        (lambda: flows.Permutation([None, 1]), "each of 0, 1, ... once"),
        (lambda: flows.Permutation([0, 0]), "each of 0, 1, ... once"),
        (lambda: flows.Permutation([0, 1]).build(3), "dimension 2, as the"),
        (lambda: flows.InverseAutoregressive(ordering="x"), "list of places"),
        (
            lambda: flows.InverseAutoregressive(ordering=[0, 1]).build(3),
            "dimension 2, as the",
        ),
        (lambda: flows.real_nvp(-1), "num_layers to be an integer >= 0"),
        (lambda: flows.real_nvp(0, mixing="x"), '"reversed" or a list of'),
        (
            lambda: flows.inverse_autoregressive(0, units=7),
            "units to be a list of positive",
        ),
        (lambda: flows.real_nvp()(np.zeros((1, 2))), "must be built before"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
