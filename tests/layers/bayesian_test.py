"""The wrapper: calls, masks, what is random and what is trained."""

import copy
import pickle

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.layers import copying

CLOSE = {"rtol": 1e-4, "atol": 1e-6}
X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")


def _wrap(layer, **kwargs):
    return bbh.layers.Bayesian(
        layer, bbh.posteriors.MeanField(), seed=1, **kwargs
    )


def _drawn(layer):
    """A plain copy of the wrapped layer, with the weights of the draw."""
    plain = copying.copy_of(layer.layer)
    plain.build_from_config(layer.layer.get_build_config())
    key = bbh.randomness.key(1, 0, 0)
    plain.set_weights([x[0] for x in layer.posterior.sample(1, key)[0]])
    return plain


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"use_causal_mask": True},
        {"attention_mask": np.tril(np.ones((2, 5, 5), bool))},
        {"return_attention_scores": True},
    ],
    ids=lambda kwargs: next(iter(kwargs), "plain"),
)
def test_attention_takes_its_arguments(kwargs):
    layer = _wrap(keras.layers.MultiHeadAttention(2, 3))
    got = layer(X, X, **kwargs)
    expected = _drawn(layer)(X, X, **kwargs)
    for left, right in zip(
        keras.tree.flatten(got), keras.tree.flatten(expected), strict=True
    ):
        np.testing.assert_allclose(left, right, **CLOSE)


def test_masks_reach_the_lstm():
    tokens = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 0, 0]])
    embedding = _wrap(keras.layers.Embedding(7, 4, mask_zero=True))
    lstm = _wrap(keras.layers.LSTM(3))
    got = lstm(embedding(tokens))
    vectors = _drawn(embedding)(tokens)
    expected = _drawn(lstm)(vectors)
    np.testing.assert_allclose(got, expected, **CLOSE)
    unmasked = _drawn(lstm)(np.asarray(vectors))
    assert np.abs(np.asarray(unmasked) - got).max() > 1e-3


def test_states_and_sequences_pass():
    layer = _wrap(
        keras.layers.LSTM(3, return_sequences=True, return_state=True)
    )
    state = [np.ones((2, 3), "float32")] * 2
    got = layer(X, initial_state=state)
    expected = _drawn(layer)(X, initial_state=state)
    for left, right in zip(got, expected, strict=True):
        np.testing.assert_allclose(left, right, **CLOSE)


def test_output_shapes():
    layer = _wrap(keras.layers.Dense(3))
    assert layer.compute_output_shape((None, 4)) == (None, 3)
    assert layer(keras.KerasTensor((None, 4))).shape == (None, 3)


def test_normalisation_is_never_random():
    wrapped = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="kept"),
            keras.layers.BatchNormalization(),
            keras.layers.LayerNormalization(),
        ]
    )
    layer = _wrap(wrapped)
    layer.build()
    assert {v.path.split("/")[-2] for v in layer.replaced_variables} == {"kept"}
    names = {v.name for v in wrapped.trainable_variables}
    assert names == {"gamma", "beta"}


def test_frozen_layers_are_not_random():
    wrapped = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)]
    )
    wrapped.layers[0].trainable = False
    layer = _wrap(wrapped)
    layer.build()
    assert [v.shape for v in layer.replaced_variables] == [(3, 2), (2,)]


def test_sublayers_choose():
    wrapped = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="first"),
            keras.layers.Dense(2, name="last"),
        ]
    )
    layer = _wrap(wrapped, sublayers=["last"])
    layer.build()
    assert [v.shape for v in layer.replaced_variables] == [(3, 2), (2,)]
    # The other layer is a point estimate, and trained.
    assert len(wrapped.trainable_variables) == 2


def test_toggling_trainable_leaves_replaced_variables_alone():
    layer = _wrap(keras.layers.Dense(3))
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(2)])
    count = len(model.trainable_variables)
    for switched in (model, layer):
        switched.trainable = False
        assert not layer.trainable_variables
        assert not any(v.trainable for v in layer.posterior.variables)
        switched.trainable = True
        assert len(model.trainable_variables) == count == 6
        assert not any(v.trainable for v in layer.replaced_variables)


@pytest.mark.parametrize("how", ["constructor", "clone", "configuration"])
def test_a_frozen_layer_is_random_still(how):
    if how == "constructor":
        layer = _wrap(keras.layers.Dense(3), trainable=False)
        layer.build((None, 4))
    else:
        network = keras.Sequential([keras.Input((4,)), _wrap(_sequential())])
        network.layers[0].trainable = False
        if how == "clone":
            network = keras.models.clone_model(network)
        else:
            network = keras.Sequential.from_config(network.get_config())
        layer = network.layers[0]
    assert len(layer.replaced_variables) == 2
    assert not any(v.trainable for v in layer.variables)
    assert not layer.trainable


def _sequential():
    return keras.Sequential(
        [keras.layers.Dense(3), keras.layers.BatchNormalization()]
    )


def test_a_layer_that_makes_its_own_cannot_be_drawn():
    @keras.saving.register_keras_serializable("tests")
    class Holder(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = _wrap(keras.layers.Dense(3))

        def call(self, inputs):
            return self.inner(inputs)

    network = keras.Sequential([keras.Input((4,)), Holder()])
    model = bbh.models.BayesianModel(network, 4, num_prediction_samples=2)
    assert model.predict_samples(X[:, 0]).shape == (2, 2, 3)
    with pytest.raises(ValueError, match="held by another layer"):
        model.draw()


def test_seed_states_advance():
    keras.utils.set_random_seed(0)
    dropout = keras.layers.Dropout(0.5)
    layer = _wrap(
        keras.Sequential([keras.layers.Dense(20), dropout]), kl_weight=0
    )
    first, second = (np.array(layer(X, training=True)) for _ in range(2))
    assert ((first == 0) != (second == 0)).any()
    calm = [np.array(layer(X, training=False)) for _ in range(2)]
    np.testing.assert_array_equal(*calm)


def test_no_draw_is_written_to_a_variable():
    layer = _wrap(keras.layers.Dense(3), kl_weight=0)
    layer.build((None, 4))
    before = [np.array(v) for v in layer.replaced_variables]
    layer(X[:, 0], training=True)
    for old, new in zip(before, layer.replaced_variables):
        np.testing.assert_array_equal(old, np.array(new))


def test_variables_are_counted_once():
    layer = _wrap(keras.layers.Dense(3))
    layer.build((None, 4))
    # Means and log-variances, the Dense layer's own, the draw number.
    assert layer.count_params() == 2 * 15 + 15 + 1
    assert len(layer._non_trainable_variables) == 1
    assert not layer._trainable_variables


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))],
    ids=["deepcopy", "pickle"],
)
def test_a_copy_before_it_is_built(copied):
    layer = _wrap(keras.layers.Dense(3))
    assert layer.replaced_variables == []
    again = copied(layer)
    assert (again.seed, again.built) == (layer.seed, False)
    assert again(X).shape == (2, 5, 3)
    prior = bbh.priors.KernelNormal(3)
    layer = _wrap(keras.layers.Conv2D(2, 3), prior=prior, name="first")
    with pytest.raises(ValueError, match="a layer that is built.*'first'"):
        copied(layer)
