"""The loss of a member, adversarial examples included, by hand."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import ensembles
from tests.models.ensembles import X
from tests.models.ensembles import Y

layers = keras.layers
_L2 = 0.1
# The first example counts for nothing, and is moved all the same.
_WEIGHTS = np.linspace(0, 2, len(X))


def _linear(l2=None, **kwargs):
    network = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(
                3,
                kernel_regularizer=l2 and keras.regularizers.L2(l2),
                activity_regularizer=l2 and keras.regularizers.L2(l2),
            ),
        ]
    )
    optimizer = keras.optimizers.SGD(0.5)
    return ensembles.ensemble(network, optimizer=optimizer, **kwargs)


def _activity_scale():
    # Keras 3.12 sums over the batch, later ones take the mean.
    layer = layers.Activation("linear", activity_regularizer="l2")
    layer(np.ones((2, 1), "float32"))
    return float(layer.losses[0]) / 0.01 / 2


def _terms(x, kernel, bias):
    """Losses of a softmax regression, and their gradients."""
    logits = x @ kernel + bias
    probabilities = ensembles.softmax(logits)
    error = probabilities - np.eye(3)[Y]
    log_probs = np.log(probabilities[np.arange(len(x)), Y])
    nll = -(log_probs * _WEIGHTS).mean()
    scale = _L2 * (1 if _activity_scale() == 1 else 1 / len(x))
    loss = nll + scale * (logits**2).sum()
    slope = error * _WEIGHTS[:, None] / len(x) + 2 * scale * logits
    return nll, loss, (x.T @ slope, slope.sum(0)), error @ kernel.T


@pytest.mark.parametrize("clip", [None, (-0.5, 0.75)])
@pytest.mark.parametrize("how", ["run_eagerly", "jit_compile"])
def test_an_adversarial_step_by_hand(clip, how):
    weight, epsilon = 0.3, 0.2
    model = _linear(
        _L2,
        adversarial_epsilon=epsilon,
        adversarial_weight=weight,
        adversarial_clip_range=clip,
        **{how: True},
    )
    expected, losses, nlls = [], [], []
    for member in model.members:
        kernel, bias = (np.array(v, np.float64) for v in member.weights)
        nll, clean_loss, clean, direction = _terms(X, kernel, bias)
        moved = X + epsilon * np.sign(direction)
        if clip is not None:
            # What is outside is not moved further than epsilon.
            low, high = np.minimum(X, clip[0]), np.maximum(X, clip[1])
            moved = np.clip(moved, low, high)
        _, moved_loss, hard, _ = _terms(moved, kernel, bias)
        assert np.abs(hard[0] - clean[0]).max() > 1e-2
        regularizer = _L2 * (kernel**2).sum()
        nlls.append(nll)
        losses.append(
            (1 - weight) * clean_loss + weight * moved_loss + regularizer
        )
        gradients = [(1 - weight) * a + weight * b for a, b in zip(clean, hard)]
        gradients[0] += 2 * _L2 * kernel
        expected += [kernel - 0.5 * gradients[0], bias - 0.5 * gradients[1]]
    logs = model.train_on_batch(X, Y, _WEIGHTS, return_dict=True)
    assert logs["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert logs["nll"] == pytest.approx(np.mean(nlls), rel=1e-5)
    for variable, value in zip(model.trainable_variables, expected):
        np.testing.assert_allclose(variable, value, rtol=1e-4, atol=1e-5)


def test_examples_are_moved_as_the_attack_moves_them():
    model = _linear(adversarial_epsilon=0.1, adversarial_weight=1.0)
    nlls = []
    for network in model.networks():
        moved = bbh.attacks.fgsm([network], X, Y, 0.1, clip_range=None)
        probabilities = ensembles.softmax(np.asarray(network(moved)))
        nlls.append(-np.log(probabilities[np.arange(len(X)), Y]).mean())
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert logs["loss"] == pytest.approx(np.mean(nlls), rel=1e-5)
    assert logs["loss"] > logs["nll"] + 0.01


@pytest.mark.parametrize("how", ["run_eagerly", "jit_compile"])
@pytest.mark.parametrize(
    ("likelihood", "none", "other"),
    [
        ("categorical_logits", -1, 0),
        ("categorical_logits", 3, 2),
        ("categorical_logits", np.nan, 0.0),
        ("normal", np.nan, 0.0),
        ("bernoulli_logits", np.nan, 0.0),
        ("one-hot", np.nan, 0.0),
    ],
)
def test_examples_of_no_weight_need_no_labels(likelihood, none, other, how):
    # The moved examples, and with them all weights, became NaN.
    found = []
    for label in (none, other):
        labels = np.where(Y < 2, Y, label)
        if likelihood != "categorical_logits":
            labels = np.repeat(labels[:, None], 3, axis=1)
        if likelihood == "one-hot":
            labels = np.where(Y[:, None] < 2, np.eye(3)[Y], label)
        model = _linear(
            likelihood=likelihood.replace("one-hot", "categorical_logits"),
            adversarial_epsilon=0.1,
            **{how: True},
        )
        logs = model.train_on_batch(X, labels, Y < 2, return_dict=True)
        found.append(logs["loss"])
        assert all(np.isfinite(w).all() for w in model.get_weights())
    assert found[0] == found[1]


def test_large_slopes_do_not_overflow_in_half_precision():
    # Of labels far off: they made the loss NaN, and all steps were skipped.
    dense = layers.Dense(2, dtype="mixed_float16")
    model = bbh.models.DeepEnsemble(
        keras.Sequential([keras.Input((4,)), dense]),
        2,
        likelihood="normal",
        adversarial_epsilon=0.5,
        adversarial_weight=1.0,
        seed=0,
    )
    model.compile(keras.optimizers.SGD(0.0))
    labels = np.array([[300.0, 200.0]]) * np.where(Y, 1, -1)[:, None]
    nlls = []
    for member in model.members:
        kernel, bias = (np.array(variable) for variable in member.weights)
        slope = X @ kernel + bias - labels
        moved = X + 0.5 * np.sign(slope @ kernel.T)
        squares = np.square(moved @ kernel + bias - labels).sum(1)
        nlls.append((0.5 * squares + np.log(2 * np.pi)).mean())
    logs = model.train_on_batch(X, labels, return_dict=True)
    assert logs["loss"] == pytest.approx(np.mean(nlls), rel=1e-3)
    assert logs["loss"] > logs["nll"] * (1 + 1e-3)


def _batch_norm(**how):
    network = ensembles.network(layers.BatchNormalization())
    model = bbh.models.DeepEnsemble(network, 2, adversarial_epsilon=0.1, seed=3)
    model.compile(keras.optimizers.Adam(0.01), **how)
    return model


@pytest.mark.parametrize(
    "how",
    [{"run_eagerly": True}, {"jit_compile": True, "steps_per_execution": 2}],
    ids=["eager", "several compiled steps"],
)
def test_the_step_does_not_depend_on_how_it_is_compiled(how):
    reference, other = _batch_norm(jit_compile=False), _batch_norm(**how)
    losses = [
        ensembles.fit(model, X[:16], Y[:16])["loss"]
        for model in (reference, other)
    ]
    # Two epochs of float32 sums in another order, through Adam.
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)
    ensembles.assert_same_weights(other, reference, rtol=1e-3, atol=1e-3)


def test_several_inputs_are_all_moved():
    inputs = {name: keras.Input((4,), name=name) for name in "ab"}
    joined = layers.Concatenate()(list(inputs.values()))
    network = keras.Model(inputs, layers.Dense(3)(joined))
    x = {"a": X, "b": -X}
    model = ensembles.ensemble(
        network,
        optimizer=keras.optimizers.SGD(0.0),
        adversarial_epsilon=0.1,
        adversarial_weight=1.0,
        split_batches=True,
    )
    nlls = []
    for rows, member in zip(np.split(np.arange(len(X)), 2), model.members):
        kernel, bias = (np.array(variable) for variable in member.weights)
        joined = np.concatenate([X, -X], 1)[rows]
        labels = np.eye(3)[Y[rows]]
        error = ensembles.softmax(joined @ kernel + bias) - labels
        moved = joined + 0.1 * np.sign(error @ kernel.T)
        probabilities = ensembles.softmax(moved @ kernel + bias)
        nlls.append(-np.log((probabilities * labels).sum(1)).mean())
    logs = model.train_on_batch(x, Y, return_dict=True)
    assert logs["loss"] == pytest.approx(np.mean(nlls), rel=1e-5)
    np.testing.assert_allclose(
        model.draw(index=1)(x), model.predict_samples(x)[1], **ensembles.CLOSE
    )


def _new(**kwargs):
    return bbh.models.DeepEnsemble(ensembles.network(), **kwargs)


def _train_on_integers():
    network = keras.Sequential(
        [keras.Input((4,), dtype="int32"), layers.Dense(3)]
    )
    model = ensembles.ensemble(network, adversarial_epsilon=0.1)
    model.train_on_batch(X.astype("int32"), Y)


CASES = {
    "epsilon -1": (
        lambda: _new(adversarial_epsilon=-1),
        "adversarial_epsilon .*finite.* got -1",
    ),
    "weight 2": (
        lambda: _new(adversarial_weight=2),
        "adversarial_weight to be from 0 to 1; got 2",
    ),
    "clip range in the other order": (
        lambda: _new(adversarial_clip_range=(1, 0)),
        r"\(lowest, highest\); got \(1, 0\)",
    ),
    "clip range a number": (
        lambda: _new(adversarial_clip_range=1.0),
        r"\(lowest, highest\); got 1.0",
    ),
    "integers to move": (
        _train_on_integers,
        "expected a float type; got int32",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line(name):
    call, message = CASES[name]
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
