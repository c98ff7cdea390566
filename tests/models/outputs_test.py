"""Outputs that a likelihood would take for what they are not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models


def _network(*layers):
    return keras.Sequential([keras.Input((4,)), *layers])


def _bayesian(layer):
    return bbh.layers.Bayesian(layer, bbh.posteriors.MeanField())


def _ops():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.ops.softmax(keras.layers.Dense(3)(inputs)))


def _averaged():
    inputs = keras.Input((4,))
    heads = [
        keras.layers.Dense(3, activation="softmax")(inputs) for _ in range(2)
    ]
    return keras.Model(inputs, keras.layers.Average()(heads))


def _cast_and_squeezed():
    inputs = keras.Input((4,))
    shares = keras.layers.Dense(3, activation="softmax")(inputs)
    shares = keras.ops.expand_dims(keras.ops.cast(shares, "float32"), 1)
    return keras.Model(inputs, keras.ops.squeeze(shares, 1))


SOFTMAX = {
    "Dense": lambda: _network(keras.layers.Dense(3, activation="softmax")),
    "Activation": lambda: _network(
        keras.layers.Dense(3), keras.layers.Activation("softmax")
    ),
    "Softmax": lambda: _network(keras.layers.Dense(3), keras.layers.Softmax()),
    "ops": _ops,
    "TensorFlow's": lambda: _network(
        keras.layers.Dense(3, activation=tf.nn.softmax)
    ),
    "reshaped": lambda: _network(
        keras.layers.Dense(6),
        keras.layers.Reshape((2, 3)),
        keras.layers.Softmax(),
        keras.layers.Reshape((1, 2, 3)),
        keras.layers.Activation("linear", dtype="float32"),
    ),
    "averaged": _averaged,
    "cast and squeezed": _cast_and_squeezed,
    "pooled": lambda: _network(
        keras.layers.Reshape((2, 2, 1)),
        keras.layers.Conv2D(3, 1, activation="softmax"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Identity(),
    ),
    "nested": lambda: _network(
        _network(keras.layers.Dense(3, activation="softmax"))
    ),
}


@pytest.mark.parametrize("name", SOFTMAX)
def test_a_softmax_is_refused_where_logits_are_expected(name):
    with pytest.raises(ValueError, match="ends in a softmax"):
        bbh.models.DeepEnsemble(SOFTMAX[name](), 2)


def test_a_softmax_within_a_bayesian_layer_is_refused():
    network = _network(
        _bayesian(keras.layers.Dense(3, activation="softmax", name="last"))
    )
    with pytest.raises(ValueError, match="layer 'last' ends in a softmax"):
        bbh.models.BayesianModel(network, 8)


def test_it_passes_where_it_is_meant_or_taken_away():
    # Say, of the share of each of three.
    network = SOFTMAX["Dense"]()
    bbh.models.DeepEnsemble(network, 2, "normal")
    network.layers[-1].activation = keras.activations.linear
    model = bbh.models.DeepEnsemble(network, 2)
    assert model.members[0].layers[-1].activation is keras.activations.linear
    attention = keras.layers.Dense(3, activation="softmax")
    bbh.models.DeepEnsemble(_network(attention, keras.layers.Dense(3)), 2)


@pytest.mark.parametrize(
    "layers",
    [
        [keras.layers.Dense(1, activation="sigmoid", name="last")],
        [
            keras.layers.Dense(1),
            keras.layers.Activation("sigmoid", name="last"),
        ],
    ],
    ids=["Dense", "Activation"],
)
def test_a_sigmoid_is_refused_where_logits_are_expected(layers):
    with pytest.raises(ValueError, match="layer 'last' ends in a sigmoid"):
        bbh.models.DeepEnsemble(_network(*layers), 2, "bernoulli_logits")
    bbh.models.DeepEnsemble(_network(*layers), 2, "normal")
    several = keras.layers.Dense(3, activation="sigmoid", name="several")
    with pytest.raises(ValueError, match="layer 'several' ends in a sigmoid"):
        bbh.models.DeepEnsemble(_network(several), 2)


@pytest.mark.parametrize(
    ("likelihood", "message"),
    [
        ("categorical_logits", "at least 2; .* has 1"),
        ("normal_learned_scale", "a mean and a raw scale; .* has 1 in all"),
    ],
)
def test_one_output_is_refused_where_two_are_needed(likelihood, message):
    network = _network(_bayesian(keras.layers.Dense(1)))
    with pytest.raises(ValueError, match=message):
        bbh.models.BayesianModel(network, 8, likelihood)
    bbh.models.BayesianModel(network, 8, "normal")


def _tagger():
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Embedding(6, 4, mask_zero=True),
            _bayesian(keras.layers.Dense(3)),
        ]
    )


def _sentences():
    generator = np.random.default_rng(0)
    ids = generator.integers(1, 6, (8, 6))
    ids[:, 2:] = 0
    return ids, generator.integers(3, size=(8, 6)), (ids > 0).astype("float32")


@pytest.mark.parametrize("weighs", ["mask", "sample_weight"])
def test_padding_is_left_out(weighs):
    ids, labels, there = _sentences()
    weight = None if weighs == "mask" else there
    model = small_models.model(
        _tagger(), divergence=bbh.divergences.AnalyticKL()
    )
    # Where the weight is 0 a label says nothing, and may be none.
    other = np.where(there > 0, labels, -1)
    scores = [
        model.evaluate(ids, y, sample_weight=weight, return_dict=True)["nll"]
        for y in (labels, other)
    ]
    assert scores[0] == scores[1]
    logits = model.predict_samples(ids)[:, :, :2].astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    chosen = np.take_along_axis(log_p, labels[None, :, :2, None], -1)
    each = np.log(np.exp(chosen[..., 0].sum(-1)).mean(0))
    np.testing.assert_allclose(scores[0], -each.mean(), rtol=1e-5)
    before = small_models.state(model)
    logs = [
        _step(before, ids, y, sample_weight=weight) for y in (labels, other)
    ]
    assert logs[0] == logs[1]
    ids[:, 2:] = 1
    assert logs[0] != _step(before, ids, labels)


def test_members_and_metrics_see_the_mask():
    ids, labels, there = _sentences()
    network = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Embedding(6, 4, mask_zero=True),
            keras.layers.Dense(3),
        ]
    )
    other = np.where(there > 0, labels, 2 - labels)
    for split in (False, True):
        logs = []
        for y in (labels, other):
            model = bbh.models.DeepEnsemble(
                network, 2, seed=1, split_batches=split
            )
            model.compile(keras.optimizers.SGD(0.0), metrics=["accuracy"])
            history = model.fit(ids, y, shuffle=False, verbose=0).history
            scores = model.evaluate(ids, y, verbose=0, return_dict=True)
            logs.append([*history.values(), *scores.values()])
        assert logs[0] == logs[1]
    right = model.predict(ids, verbose=0)[:, :2].argmax(-1) == labels[:, :2]
    assert scores["accuracy"] == pytest.approx(right.mean())


def _step(state, ids, labels, **kwargs):
    model = small_models.model(
        _tagger(), divergence=bbh.divergences.AnalyticKL()
    )
    for variable, value in zip(
        [*model.variables, *model.optimizer.variables], state
    ):
        variable.assign(value)
    return model.train_on_batch(ids, labels, return_dict=True, **kwargs)["nll"]


@pytest.mark.filterwarnings("ignore:The outputs of")
def test_weights_of_another_shape_are_refused():
    ids, labels, there = _sentences()
    model = small_models.model(
        _tagger(), divergence=bbh.divergences.AnalyticKL()
    )
    for call in (model.evaluate, model.train_on_batch):
        with pytest.raises(ValueError, match=r"\(batch,\), or that of the lab"):
            call(ids, labels, sample_weight=there[:, 1:])


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_a_mask_of_a_model_within_counts(scope):
    inner = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Embedding(4, 2, mask_zero=True),
            keras.layers.Dense(3),
        ]
    )
    inputs = keras.Input((3,))
    nested = keras.Model(inputs, inner(inputs))
    x, y = np.array([[1, 2, 0], [3, 0, 0]]), np.ones((2, 3), int)
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(nested, bbh.posteriors.MeanField(), scope=scope),
        num_train_examples=2,
        num_prediction_samples=1,
        seed=0,
    )
    found = model.evaluate(x, y, verbose=0)
    log_prob = keras.ops.log_softmax(model.predict_samples(x)[0])[..., 1]
    by_hand = -np.sum(log_prob * (x > 0)) / 2
    np.testing.assert_allclose(found, by_hand, rtol=1e-5)
