"""A flow over kernels: its density, its draws, and what it gains."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import randomness
from bbh_tf import weights


def bent(count, seed):
    """Slices of two pixels, the second a parabola of the first."""
    random = np.random.default_rng(seed)
    first = random.normal(size=count)
    second = first**2 + 0.3 * random.normal(size=count)
    return np.stack([first, second], 1).reshape(count, 1, 2).astype("float32")


@pytest.fixture(name="fitted", scope="module")
def fixture_fitted():
    keras.utils.set_random_seed(0)
    flow = bbh.flows.real_nvp(4, (32,), "reversed", 0.0, seed=0)
    prior = bbh.priors.KernelFlow((1, 2), flow)
    history = prior.fit(bent(4000, 0), num_epochs=30, learning_rate=3e-3)
    for densities in history.values():
        assert len(densities) == 30
        assert densities[-1] > densities[0] + 0.1
    return prior


def test_it_is_denser_than_the_normal_on_new_kernels(fitted):
    normal = bbh.priors.KernelNormal((1, 2))
    normal.fit(bent(4000, 0))
    new = bent(4000, 1)
    gain = fitted.slice_log_prob(new, None) - normal.slice_log_prob(new, None)
    assert np.mean(gain) > 0.3
    assert np.mean(gain) > 5 * np.std(gain) / np.sqrt(len(gain))


def test_the_density_is_that_of_the_draws(fitted):
    edges = np.linspace(-7, 15, 441)
    middles = (edges[1:] + edges[:-1]) / 2
    grid = np.stack(np.meshgrid(middles, middles), -1).reshape(-1, 1, 2)
    mass = np.exp(fitted.slice_log_prob(grid.astype("float32"), None))
    mass = mass * (edges[1] - edges[0]) ** 2
    drawn = np.reshape(
        fitted.sample_slices(8, 2500, randomness.key(0)), (-1, 2)
    )
    # A flow's tails are long: both are compared within the grid.
    inside = np.all((drawn > edges[0]) & (drawn < edges[-1]), axis=1)
    assert inside.mean() > 0.9
    for axis in (0, 1):
        for level in (-0.5, 0.5, 1.5, edges[-1]):
            expected = mass[grid[:, 0, axis] < level].sum()
            found = np.mean(inside & (drawn[:, axis] < level))
            error = np.sqrt(found * (1 - found) / len(drawn))
            assert abs(found - expected) < 4 * error + 0.005


def test_a_layer_has_a_frozen_copy(fitted):
    spec = weights.WeightSpec("kernel", (1, 2, 3, 4))
    copy = fitted.for_layer([spec])
    assert not copy.trainable_variables
    kernel = np.random.default_rng(0).normal(size=(2, 1, 2, 3, 4))
    kernel = kernel.astype("float32")
    key = randomness.key(1)
    np.testing.assert_array_equal(
        copy.log_prob([kernel], [spec], key),
        fitted.log_prob([kernel], [spec], key),
    )
    assert not copy.is_bound


def test_it_does_not_learn_few_kernels_by_heart():
    kernels = np.random.default_rng(0).normal(size=(120, 3, 3))
    new = np.random.default_rng(1).normal(size=(1000, 3, 3)).astype("float32")

    def fit(validation_split, num_epochs):
        keras.utils.set_random_seed(0)
        flow = bbh.flows.real_nvp(4, (64,), initial_log_scale=0.0, seed=0)
        prior = bbh.priors.KernelFlow(3, flow)
        history = prior.fit(
            kernels,
            num_epochs,
            learning_rate=1e-2,
            validation_split=validation_split,
        )
        return float(np.mean(prior.slice_log_prob(new, None))), history

    kept, history = fit(0.1, 60)
    best = 1 + int(np.argmax(history["val_log_prob"]))
    assert 1 <= best < 40
    # What is kept is what fewer epochs would have ended with.
    assert kept == pytest.approx(fit(0.1, best)[0], abs=1e-3)
    by_heart, history = fit(0, 60)
    assert not history["val_log_prob"]
    assert by_heart < kept - 1


def test_kernels_are_held_out_at_random():
    # In the order of a layer: its first are small ones.
    kernels = bent(2000, 2) * np.linspace(0.2, 2.0, 2000)[:, None, None]
    flow = bbh.flows.real_nvp(2, (4,), initial_log_scale=0.0, seed=0)
    prior = bbh.priors.KernelFlow((1, 2), flow)
    history = prior.fit(kernels, 1, learning_rate=1e-9, validation_split=0.25)
    density = np.array(prior.slice_log_prob(kernels.astype("float32"), None))
    error = density.std() / np.sqrt(500)
    assert abs(history["val_log_prob"][0] - density.mean()) < 4 * error
    assert density[:500].mean() > density.mean() + 5 * error


def test_an_inverse_of_several_passes_is_refused():
    with pytest.raises(ValueError, match="whose inverse is one") as error:
        bbh.priors.KernelFlow(3, bbh.flows.inverse_autoregressive(1))
    assert "\n" not in str(error.value)


def test_arguments_of_fit_are_checked():
    prior = bbh.priors.KernelFlow(3, bbh.flows.real_nvp(1, (2,)))
    with pytest.raises(ValueError, match="num_epochs"):
        prior.fit(np.zeros((20, 3, 3)), num_epochs=0)
    for share in (1, -0.1, "all"):
        with pytest.raises(ValueError, match="validation_split"):
            prior.fit(np.zeros((20, 3, 3)), validation_split=share)
    for seed in (-1, 0.5):
        with pytest.raises(ValueError, match="seed to be an integer >= 0"):
            prior.fit(np.zeros((20, 3, 3)), seed=seed)

    for rate in (0, -1, np.nan, "fast"):
        with pytest.raises(ValueError, match="learning_rate to be a finite"):
            prior.fit(np.zeros((20, 3, 3)), learning_rate=rate)


@pytest.mark.parametrize("validation_split", [0, 0.1])
@pytest.mark.parametrize("rate", [1.0, 1e6])
def test_a_diverged_flow_is_not_kept(validation_split, rate):
    prior = bbh.priors.KernelFlow(
        (1, 2), bbh.flows.real_nvp(4, (8,), initial_log_scale=0.0, seed=0)
    )
    prior.fit(bent(400, 0), 1)
    before = prior.get_weights()
    with pytest.raises(ValueError, match="a smaller one") as error:
        prior.fit(
            3 * bent(400, 0), 2, 16, rate, validation_split=validation_split
        )
    assert "\n" not in str(error.value)
    for old, new in zip(before, prior.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ValueError, match="a flow without masks; got Masked"):
        bbh.priors.KernelFlow(3, bbh.flows.MaskedRealNVP())
    kernels = np.random.default_rng(0).normal(size=(5, 1, 2))
    flow = bbh.flows.real_nvp(1, (2,))
    # One slice is left to train on.
    history = bbh.priors.KernelFlow((1, 2), flow).fit(
        kernels, 1, validation_split=0.99, seed=None
    )
    assert np.isfinite(history["log_prob"]).all()
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    outside = bbh.priors.KernelFlow((1, 2), flow)
    with strategy.scope():
        inside = bbh.priors.KernelFlow((1, 2), flow)
        with pytest.raises(ValueError, match="outside the scope"):
            outside.fit(kernels, 1)
    with pytest.raises(ValueError, match="outside the scope"):
        inside.fit(kernels, 1)
