"""Layers compute in float16; posterior, samples and KL stay float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = np.arange(8) % 3


@pytest.fixture(autouse=True)
def _policy():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def _posterior(kind):
    if kind == "mean field":
        return bbh.posteriors.MeanField()
    return bbh.posteriors.Implicit(bbh.hypernetworks.MLP(units=(4,)))


def _network(kind, **kwargs):
    return keras.Sequential(
        [
            keras.Input((4,)),
            bbh.layers.Bayesian(
                keras.layers.Dense(300, activation="relu"),
                _posterior(kind),
                **kwargs,
            ),
            bbh.layers.Bayesian(
                keras.layers.Dense(3), _posterior(kind), **kwargs
            ),
        ]
    )


def _watch(layer, seen):
    sample = layer.posterior.sample

    def watched(*args, **kwargs):
        drawn, log_prob = sample(*args, **kwargs)
        seen.update(tensor.dtype.name for tensor in drawn)
        return drawn, log_prob

    layer.posterior.sample = watched


@pytest.mark.parametrize("kind", ["implicit", "mean field"])
@pytest.mark.parametrize("where", ["BayesianModel", "plain"])
def test_training(kind, where):
    network = _network(kind, kl_weight=1 / 8 if where == "plain" else None)
    seen = set()
    for layer in network.layers:
        _watch(layer, seen)
        assert layer.compute_dtype == layer.layer.compute_dtype == "float16"
        assert {v.dtype for v in layer.posterior.weights} == {"float32"}
    assert network.outputs[0].dtype == "float16"
    optimizer = keras.optimizers.Adam(0.01)
    if where == "plain":
        model = network
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss=loss)
    else:
        model = bbh.models.BayesianModel(network, 8, seed=0)
        model.compile(optimizer)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    before = [np.array(v) for v in model.trainable_variables]
    history = model.fit(X, Y, epochs=3, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    if where == "BayesianModel":
        # More than float16 holds exactly, were it summed there.
        assert min(history["kl"]) > 1000
    for old, new in zip(before, model.trainable_variables):
        assert (old != np.array(new)).any()
    assert seen == {"float32"}
    assert network(X).dtype.name == "float16"


def test_predictions_are_float32_and_draws_agree():
    model = bbh.models.BayesianModel(_network("mean field"), 8, seed=0)
    samples = model.predict_samples(X, 3)
    assert samples.dtype == np.float32
    drawn = model.draw(index=2)
    assert drawn.layers[0].compute_dtype == "float16"
    # float16 has 11 bits.
    np.testing.assert_allclose(drawn(X), samples[2], rtol=1e-2, atol=1e-2)


def test_a_policy_for_the_wrapped_layer_too():
    layer = bbh.layers.Bayesian(
        keras.layers.Dense(3, dtype="float32"),
        _posterior("implicit"),
        dtype="mixed_float16",
    )
    assert layer(X).dtype.name == "float16"
    assert layer.layer.dtype_policy.name == "mixed_float16"
    copy = bbh.layers.Bayesian.from_config(layer.get_config())
    assert copy.dtype_policy.name == "mixed_float16"


def test_a_float32_layer_in_a_wrapped_network_keeps_its_weights():
    head = keras.layers.Dense(3, dtype="float32")
    layer = bbh.layers.Bayesian(
        keras.Sequential([keras.Input((4,)), head]),
        bbh.posteriors.MeanField(-2.0),
        seed=1,
    )
    got = layer(X)
    assert (layer.compute_dtype, head.compute_dtype) == ("float16", "float32")
    key = bbh.randomness.key(1, 0, 0)
    kernel, bias = (x[0].numpy() for x in layer.draw(1, key).weights)
    np.testing.assert_allclose(
        got, X.astype("float16") @ kernel + bias, rtol=1e-5, atol=1e-6
    )


def test_regularizers_see_float32():
    layer = bbh.layers.Bayesian(
        # The sum of 40,000 squares of 4 overflows float16.
        keras.layers.Dense(
            10_000, kernel_regularizer=keras.regularizers.L2(1.0)
        ),
        bbh.posteriors.MeanField(mean_initializer="ones"),
    )
    layer(4 * X)
    (penalty,) = layer.losses
    assert penalty.dtype.name == "float32"
    assert float(penalty) == pytest.approx(40_000, rel=0.01)


def test_the_optimizer_keeps_its_scale(tmp_path):
    model = bbh.models.BayesianModel(_network("mean field"), 8, seed=0)
    # Gradients overflow at first, until the scale has been halved often.
    model.compile(
        keras.optimizers.LossScaleOptimizer(
            keras.optimizers.Adam(0.01), initial_scale=2.0**26
        )
    )
    before = [np.array(v) for v in model.trainable_variables]
    for _ in range(15):
        model.train_on_batch(X, Y)
    assert 0 < int(model.optimizer.iterations) < 15
    for old, new in zip(before, model.trainable_variables):
        assert (old != np.array(new)).any()
    scale = float(model.optimizer.dynamic_scale)
    assert scale < 2.0**26
    count = len(model.optimizer.variables)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for kept in (model, loaded):
        kept.fit(X, Y, verbose=0)
        assert len(kept.optimizer.variables) == count
        assert float(kept.optimizer.dynamic_scale) <= scale
    for ours, theirs in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


class _Learnt(bbh.priors.Prior, keras.layers.Layer):
    """A prior with a variable that is made as users make them."""

    def __init__(self):
        super().__init__(dtype="float32")
        self.scale = self.add_weight(
            name="scale", shape=(), initializer=keras.initializers.Constant(0.1)
        )
        self.built = True

    def distributions(self, specs):
        scale = tf.convert_to_tensor(self.scale)
        return [tfp.distributions.Normal(0.0, scale)] * len(specs)


def test_variables_of_users_are_float32_for_layers_alone():
    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.random = bbh.layers.Bayesian(
                keras.layers.Dense(3),
                bbh.posteriors.MeanField(),
                prior=_Learnt(),
                kl_weight=1.0,
                divergence=bbh.divergences.AnalyticKL(),
            )

        def call(self, x):
            # Built here, while a layer of float16 is called.
            return self.random(x, training=True)

    model = Outer()
    model(X)
    assert float(model.random.prior.scale) == np.float32(0.1)
    (loss,) = model.losses
    pairs = [model.random.pair()]
    expected = bbh.divergences.AnalyticKL().estimate(
        pairs, 1, bbh.randomness.key(0)
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize("divergence", ["MonteCarloKL", "KernelKL"])
def test_priors_of_kernels_in_a_layer_alone(divergence):
    def loss(policy):
        keras.utils.set_random_seed(0)
        layer = bbh.layers.Bayesian(
            keras.layers.Conv2D(2, 3, dtype=policy),
            bbh.posteriors.MeanField(),
            prior=bbh.priors.KernelNormal(3),
            kl_weight=1.0,
            divergence=getattr(bbh.divergences, divergence)(),
            seed=1,
        )
        layer(np.zeros((1, 5, 5, 3), "float32"), training=True)
        return layer.losses

    np.testing.assert_array_equal(loss("mixed_float16"), loss("float32"))
