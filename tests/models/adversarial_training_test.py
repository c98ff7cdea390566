"""A model that trains a discriminator beside its posterior."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.layers import drawing
from tests.models import small_models

X, Y = small_models.data(8)
POSTERIORS = {
    "implicit": small_models.implicit(),
    "mean field": bbh.posteriors.MeanField(-3.0),
}
each_posterior = pytest.mark.parametrize("name", list(POSTERIORS))


def recipe(**kwargs):
    settings = {
        "units": (6, 5),
        "num_pretraining_steps": 3,
        "num_steps": 2,
        "num_weights": 20,
    }
    return bbh.divergences.AdversarialKL(**{**settings, **kwargs})


def model_of(name="implicit", divergence=None, compiled=True, **kwargs):
    keras.utils.set_random_seed(1)
    model = small_models.model(
        small_models.network(posterior=POSTERIORS[name]),
        divergence=divergence or recipe(),
        num_samples=3,
        num_prior_samples=4,
        compiled=False,
    )
    if compiled:
        model.compile(keras.optimizers.Adam(0.01), **kwargs)
    return model


def fit(model, epochs=1):
    model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0)


def learned(model):
    return [np.array(v) for v in model.divergence.discriminator.variables]


@each_posterior
def test_the_kl_by_hand(name):
    model = model_of(name)
    # Built anew from the same seed: the same parameters, those of the
    # discriminator included.
    other = model_of(name)
    logs = model.train_on_batch(X, Y, return_dict=True)
    keys = []

    def estimate_of(estimate, key):
        keys.append(tuple(key.numpy()))
        return estimate(*_sides(other, key, 0, 1))

    trained = other.divergence.fit_step(
        estimate_of, bbh.randomness.key(3, bbh.randomness.DISCRIMINATOR, 0)
    )
    assert len(set(keys)) == 5
    q = _samples(other, 3, bbh.randomness.key(3, bbh.randomness.TRAINING, 0))
    expected = float(trained(q, [x[:1] for x in q]))
    assert abs(expected) > 1e-3
    assert logs["kl"] == pytest.approx(expected, rel=1e-4)
    assert logs["loss"] == pytest.approx(logs["nll"] + expected / 8, rel=1e-4)
    for ours, theirs in zip(learned(model), learned(other), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def _sides(model, key, *words):
    q_key, p_key = (bbh.randomness.fold(key, word) for word in words)
    q = _samples(model, 3, q_key)
    specs = [small_models.spec_of(x) for x in q]
    return q, bbh.priors.Normal().sample(
        4, specs, bbh.randomness.fold(p_key, 0)
    )


def _samples(model, count, key):
    draws = drawing.sample(model.bayesian_layers, count, key)
    return [tensor for draw in draws for tensor in draw.samples]


@each_posterior
def test_the_discriminator_is_saved_and_is_no_trainable_variable(
    name, tmp_path
):
    model = model_of(name)
    ours = {id(v) for v in model.divergence.discriminator.variables}
    for frozen in (False, True):
        model.trainable = not frozen
        assert not ours & {id(v) for v in model.trainable_variables}
    model.trainable = True
    assert len(ours & {id(v) for v in model.variables}) == len(ours) == 19

    fit(model)
    # In each of two steps, and before the first.
    assert int(model.divergence.discriminator.num_steps_taken) == 3 + 2 * 2
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.divergence.get_config() == model.divergence.get_config()
    before = small_models.state(loaded)
    for old, new in zip(small_models.state(model), before, strict=True):
        np.testing.assert_array_equal(old, new)
    reloaded = learned(loaded)
    for old, new in zip(learned(model), reloaded, strict=True):
        np.testing.assert_array_equal(old, new)

    fit(model)
    fit(loaded)
    after = small_models.state(loaded)
    for old, new in zip(small_models.state(model), after, strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(reloaded, learned(loaded)):
        assert (old != new).any()


def test_weights_files_hold_it(tmp_path):
    path = tmp_path / "model.weights.h5"
    model, other = (model_of("mean field") for _ in range(2))
    fit(model)
    model.save_weights(path)
    other.optimizer.build(other.trainable_variables)
    other.load_weights(path)
    for old, new in zip(learned(model), learned(other), strict=True):
        np.testing.assert_array_equal(old, new)


def test_eager_code_and_xla_agree():
    eager = model_of("mean field", run_eagerly=True)
    compiled = model_of("mean field", jit_compile=True)
    for model in (eager, compiled):
        fit(model)
    states = small_models.state(eager), small_models.state(compiled)
    for ours, theirs in zip(*states, strict=True):
        # Adam divides by the root of tiny second moments.
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_the_kl_draws_the_posterior_to_the_prior():
    """Without data to speak of, q = N(mean, e^-4) widens and centres."""
    model = model_of(
        "mean field",
        recipe(units=(32, 32), num_pretraining_steps=200, num_weights=None),
        compiled=False,
    )
    model.kl_scale = 1e4
    model.compile(keras.optimizers.Adam(0.03))

    def spread():
        key = bbh.randomness.key(9)
        flat = np.concatenate(
            [np.reshape(x, (500, -1)) for x in _samples(model, 500, key)],
            axis=1,
        )
        return flat.mean(), flat.std()

    assert spread()[1] < 0.6
    model.fit(X, Y, batch_size=8, epochs=150, verbose=0)
    mean, std = spread()
    # The discriminator sees all weights together: so are they judged.
    assert abs(mean) < 0.2
    assert 0.8 < std < 1.2


def test_models_made_from_one_recipe_share_nothing():
    divergence = recipe()
    one, two = (model_of(divergence=divergence) for _ in range(2))
    assert divergence.discriminator is None
    assert one.divergence.discriminator.variables
    ours = {id(v) for v in one.variables}
    assert not any(id(v) in ours for v in two.variables)


def test_others_have_no_state():
    model = small_models.model(compiled=False)
    assert not [v for v in model.variables if "discriminator" in v.path]
    # Two counters, and what can be set: the seed, N, the KL's scale, and the
    # temperature.
    assert len(model.variables) == len(model.network.variables) + 2 + 4


def test_it_is_in_single_precision(tmp_path):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = model_of("mean field")
        fit(model)
    finally:
        keras.config.set_dtype_policy(previous)
    variables = model.divergence.discriminator.variables
    assert {v.dtype for v in variables} == {"float32", "int64"}
    assert all(np.isfinite(x).all() for x in learned(model))


def test_a_plain_model_does_not_train_it():
    with pytest.raises(ValueError, match="without state.* AdversarialKL"):
        bbh.layers.Bayesian(
            keras.layers.Dense(3),
            small_models.implicit(),
            kl_weight=0.1,
            divergence=recipe(),
        )
