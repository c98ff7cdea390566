"""Layers as users write and set them: state, frozen parts, no `build`."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import small_models

layers = keras.layers
X, Y = small_models.data(40)


@keras.saving.register_keras_serializable("tests")
class Block(layers.Layer):
    """A residual block; its layers are built when it is called."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(8, activation="relu")
        self.second = layers.Dense(4)

    def call(self, inputs):
        return inputs + self.second(self.first(inputs))


class Watch(layers.Layer):
    """Keeps the mean of what goes through it, in a metric."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.mean = keras.metrics.Mean(name="watched")

    def call(self, inputs):
        self.mean.update_state(inputs)
        return inputs


def _mean_field():
    return bbh.posteriors.MeanField()


def _logits():
    return bbh.layers.Bayesian(layers.Dense(3), _mean_field())


def _sequential(*inner):
    return keras.Sequential([keras.Input((4,)), *inner])


# What Keras says of any such layer when it loads one.
@pytest.mark.filterwarnings(r"ignore:`build\(\)` was called:UserWarning")
@pytest.mark.parametrize("scope", ["wrapped", "layer", "network"])
def test_a_layer_without_build_is_saved_and_loaded(scope, tmp_path):
    if scope == "wrapped":
        network = _sequential(
            bbh.layers.Bayesian(Block(), _mean_field()), layers.Dense(3)
        )
    else:
        network = bbh.models.bayesify(
            _sequential(Block(), layers.Dense(3)), _mean_field(), scope=scope
        )
    model = small_models.model(network)
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    for one in (model, loaded):
        one.fit(X, Y, epochs=1, verbose=0, shuffle=False)
    for ours, theirs in zip(
        small_models.state(model), small_models.state(loaded), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    drawn = model.draw(index=1).predict(X, verbose=0)
    samples = model.predict_samples(X, num_samples=2)
    np.testing.assert_allclose(drawn, samples[1], atol=1e-5)


def test_a_metric_in_a_layer_sees_what_passes():
    watch = Watch()
    model = small_models.model(_sequential(watch, _logits()))
    history = model.fit(X + 1, Y, batch_size=8, verbose=0).history
    assert history["watched"] == [pytest.approx((X + 1).mean(), rel=1e-5)]


def test_a_kernel_that_its_layer_normalises_stays_so():
    wide = keras.initializers.RandomNormal(stddev=5.0, seed=1)
    dense = layers.Dense(5, kernel_initializer=wide)
    normalised = layers.SpectralNormalization(dense, power_iterations=5)
    model = small_models.model(_sequential(normalised, _logits()))
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(X, Y, verbose=0)
    largest = np.linalg.svd(np.asarray(dense.kernel), compute_uv=False)[0]
    assert largest == pytest.approx(1.0, rel=1e-2)


def test_a_layer_that_sets_what_is_drawn_is_refused():
    normalised = layers.SpectralNormalization(layers.Dense(3))
    model = small_models.model(
        _sequential(bbh.layers.Bayesian(normalised, _mean_field()))
    )
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="Normalization does; .*kernel"):
        model.fit(X, Y, verbose=0)


def test_a_frozen_variable_stays_a_point():
    dense = layers.Dense(5)
    dense.build((None, 4))
    dense.bias.trainable = False
    wrapped = bbh.layers.Bayesian(dense, _mean_field())
    wrapped.build()
    assert [v.name for v in wrapped.replaced_variables] == ["kernel"]


def test_the_base_of_lora_stays_a_point():
    network = _sequential(layers.Dense(5, name="dense"), layers.Dense(3))
    network.layers[0].enable_lora(2)
    before = np.array(network.layers[0].kernel)
    bayesian = bbh.models.bayesify(network, _mean_field(), layers="dense")
    wrapped = bayesian.layers[0]
    names = [variable.name for variable in wrapped.replaced_variables]
    assert names == ["bias", "lora_kernel_a", "lora_kernel_b"]
    np.testing.assert_allclose(wrapped.layer.kernel, before, rtol=1e-6)


def test_bayesify_refuses_a_variable_that_is_frozen_by_itself():
    network = _sequential(layers.Dense(3))
    network.layers[0].bias.trainable = False
    with pytest.raises(ValueError, match="bias' is frozen by itself"):
        bbh.models.bayesify(network, _mean_field())


def test_a_layer_is_wrapped_once_in_a_model():
    dense = layers.Dense(4)
    first, second = (
        bbh.layers.Bayesian(dense, _mean_field(), name=name)
        for name in ("first", "second")
    )
    # Another wrapper may take the place of one that is thrown away.
    small_models.model(_sequential(first))
    small_models.model(_sequential(second))
    with pytest.raises(ValueError, match="'first' and 'second' wrap the same"):
        small_models.model(_sequential(first, second))


def test_a_wrapper_that_is_thrown_away_freezes_nothing():
    network = _sequential(layers.Dense(3))
    bbh.layers.Bayesian(network.layers[0], _mean_field()).build()
    (wrapped,) = bbh.models.bayesify(network, _mean_field()).layers
    assert len(wrapped.replaced_variables) == 2


def test_constrained_weights_are_refused():
    dense = layers.Dense(3, kernel_constraint="non_neg")
    with pytest.raises(ValueError, match="kernel' has NonNeg"):
        _sequential(bbh.layers.Bayesian(dense, _mean_field()))


def test_a_state_that_stays_is_refused():
    network = keras.Sequential(
        [
            keras.Input(batch_shape=(8, 6, 4)),
            layers.LSTM(5, stateful=True, name="memory"),
            _logits(),
        ]
    )
    with pytest.raises(ValueError, match="'memory' has stateful=True"):
        small_models.model(network)


def test_frozen_parts_of_a_layer_are_the_same_in_all_members():
    inner = _sequential(
        layers.Dense(5, trainable=False, kernel_initializer="ones"),
        layers.Dense(2),
    )
    outer = layers.TimeDistributed(inner)
    network = keras.Sequential([keras.Input((6, 4)), outer])
    inner.layers[0].kernel.assign(np.full((4, 5), 7.0))
    for member in bbh.models.DeepEnsemble(network, 2).members:
        kernel = member.layers[0].layer.layers[0].kernel
        np.testing.assert_array_equal(kernel, np.full((4, 5), 7.0))
        assert not kernel.trainable
