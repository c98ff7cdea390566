"""A Bayesian layer that draws for itself in an ordinary Keras model."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import small_models

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = np.array([0, 1, 2, 0, 1, 2, 0, 1])
POSTERIORS = {
    "KernelKL": (
        # Of several neighbours, which draws more of the prior than of q.
        lambda: bbh.divergences.KernelKL(num_neighbours=2),
        lambda: bbh.posteriors.Implicit(bbh.hypernetworks.MLP(units=(4,))),
    ),
    "AnalyticKL": (bbh.divergences.AnalyticKL, bbh.posteriors.MeanField),
}


def _layer(divergence="KernelKL", kl_weight=1 / 8, **regularized):
    keras.utils.set_random_seed(4)
    estimate, posterior = POSTERIORS[divergence]
    return bbh.layers.Bayesian(
        keras.layers.Dense(3, **regularized),
        posterior(),
        kl_weight=kl_weight,
        divergence=estimate(),
        num_samples=3,
        seed=11,
    )


def _plain(layer, *after, **settings):
    model = keras.Sequential([keras.Input((4,)), layer, *after])
    settings.setdefault("optimizer", keras.optimizers.SGD(0.1))
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **settings,
    )
    return model


def _bayesian(layer, divergence="KernelKL"):
    model = bbh.models.BayesianModel(
        keras.Sequential([keras.Input((4,)), layer]),
        num_train_examples=8,
        divergence=POSTERIORS[divergence][0](),
        num_samples=3,
        seed=11,
    )
    model.compile(keras.optimizers.SGD(0.1))
    return model


def _losses(model):
    history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, shuffle=False)
    return history.history["loss"]


@pytest.mark.parametrize("divergence", POSTERIORS)
def test_both_kinds_of_model_train_alike(divergence):
    plain = _plain(_layer(divergence))
    bayesian = _bayesian(_layer(divergence), divergence)
    np.testing.assert_allclose(_losses(plain), _losses(bayesian), **CLOSE)
    for left, right in zip(
        plain.trainable_variables, bayesian.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(left, right, **CLOSE)


def test_kl_weight_does_not_count_in_a_bayesian_model():
    with_it = _losses(_bayesian(_layer(kl_weight=100.0)))
    without = _losses(_bayesian(_layer(kl_weight=None)))
    assert with_it == without


def test_evaluate_has_no_kl():
    layer = _layer()
    model = _plain(layer)
    logits = model.predict(X, verbose=0)
    every = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -every[np.arange(8), Y].mean()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)
    before = _plain(_layer()).train_on_batch(X, Y)
    assert before > expected + 0.1


def test_predict_is_one_network_whatever_the_batches():
    model = _plain(_layer())
    whole = model.predict(X, verbose=0)
    in_threes = model.predict(X, batch_size=3, verbose=0)
    np.testing.assert_allclose(in_threes, whole, **CLOSE)
    np.testing.assert_allclose(model.predict(X, verbose=0), whole, **CLOSE)


def test_each_training_step_draws_anew():
    model = _plain(_layer(), optimizer=keras.optimizers.SGD(0.0))
    first = model.predict(X, verbose=0)
    losses = _losses(model)
    assert len(set(losses)) == 3
    assert int(model.layers[0].draw_number.value) == 3
    assert np.abs(model.predict(X, verbose=0) - first).max() > 1e-3


def test_regularizers_count_once():
    layer = _layer(
        kl_weight=0,
        kernel_regularizer=keras.regularizers.L2(0.5),
        activity_regularizer=keras.regularizers.L1(0.3),
    )
    model = _plain(layer)
    key = bbh.randomness.key(11, 0, 0)
    kernel, bias = (
        np.asarray(tensor[0]) for tensor in layer.posterior.sample(1, key)[0]
    )
    logits = X @ kernel + bias
    every = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = (
        -every[np.arange(8), Y].mean()
        + 0.5 * (kernel**2).sum()
        + small_models.activity_penalty(logits)
    )
    assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: _layer(kernel_regularizer="l2", activity_regularizer="l2"),
        lambda: bbh.layers.MNFDense(3, kl_weight=0.1),
        lambda: _bayesian(_layer(kernel_regularizer="l2")),
    ],
    ids=["layer", "MNF", "model"],
)
def test_losses_are_added_up_where_keras_is_set_to_float64(make):
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        losses = _losses(_plain(make()))
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])
    assert np.isfinite(losses).all()


def test_batch_norm_beside_and_inside():
    keras.utils.set_random_seed(0)
    inside = keras.layers.BatchNormalization()
    beside = keras.layers.BatchNormalization()
    layer = bbh.layers.Bayesian(
        keras.Sequential([keras.layers.Dense(3), inside]),
        bbh.posteriors.MeanField(),
        kl_weight=0,
    )
    model = _plain(layer, beside)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    for norm in (inside, beside):
        assert np.abs(np.array(norm.moving_mean)).max() > 0
        assert np.abs(np.array(norm.moving_variance) - 1).max() > 0
        assert np.abs(np.array(norm.gamma) - 1).max() > 0


def test_stateless_calls_use_the_values_given():
    layer = bbh.layers.Bayesian(
        keras.Sequential(
            [keras.layers.Dense(3), keras.layers.BatchNormalization()]
        ),
        bbh.posteriors.MeanField(),
        kl_weight=0,
    )
    model = _plain(layer)
    trainable = [
        np.full(v.shape, {"gamma": 0.0, "beta": 7.0}.get(v.name, 1.0))
        for v in model.trainable_variables
    ]
    before = [np.array(v) for v in model.non_trainable_variables]
    outputs, others = model.stateless_call(trainable, before, X, training=True)
    np.testing.assert_array_equal(outputs, np.full((8, 3), 7.0))
    named = dict(zip((v.name for v in model.non_trainable_variables), others))
    assert named["draw_number"] == 1
    assert np.abs(named["moving_mean"]).max() > 0
    for old, variable in zip(before, model.non_trainable_variables):
        np.testing.assert_array_equal(old, np.array(variable))


def test_save_and_load(tmp_path):
    model = _plain(_layer())
    _losses(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(X, verbose=0), model.predict(X, verbose=0)
    )
    assert _losses(loaded) == _losses(model)


@pytest.mark.parametrize(
    "make",
    [
        _layer,
        lambda: keras.Sequential([_layer()]),
        lambda: bbh.layers.MNFDense(3, kl_weight=0.1),
        lambda: _bayesian(_layer()),
    ],
    ids=["layer", "inner layer", "MNF", "model"],
)
def test_a_draw_for_each_time_step_is_refused(make):
    layer = keras.layers.TimeDistributed(make(), name="each")
    layer(X.reshape(2, 4, 4))
    with pytest.raises(ValueError, match="TimeDistributed 'each' calls"):
        layer(X.reshape(2, 4, 4), training=True)


def test_one_draw_serves_all_time_steps():
    whole = keras.layers.TimeDistributed(keras.layers.Dense(3))
    layer = bbh.layers.Bayesian(
        whole,
        bbh.posteriors.MeanField(),
        kl_weight=0.1,
        divergence=bbh.divergences.AnalyticKL(),
    )
    outputs = layer(np.ones((2, 4, 4), "float32"), training=True)
    np.testing.assert_array_equal(outputs[:, 0], outputs[:, 1])
    assert len(layer.losses) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda **kwargs: bbh.layers.Bayesian(
            keras.layers.Dense(3), bbh.posteriors.MeanField(), **kwargs
        ),
        lambda **kwargs: bbh.layers.MNFDense(3, **kwargs),
    ],
    ids=["Bayesian", "MNFDense"],
)
def test_training_without_a_kl_is_warned_of_unless_it_is_meant(make, recwarn):
    for model in (
        _plain(make(kl_weight=0)),
        _plain(make(trainable=False), keras.layers.Dense(3)),
        bbh.models.BayesianModel(
            keras.Sequential([keras.Input((4,)), make()]),
            num_train_examples=8,
            divergence=bbh.divergences.MonteCarloKL(),
        ),
    ):
        if not model.compiled:
            model.compile("sgd")
        model.fit(X, Y, verbose=0)
    model = _plain(make(name="random"))
    model.predict(X, verbose=0)
    assert not recwarn
    with pytest.warns(UserWarning, match="'random' trains without a KL"):
        model.fit(X, Y, verbose=0)
