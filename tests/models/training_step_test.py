"""The training step against hand-made sums, and as a function of state."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models

X, Y = small_models.data(8)


def _draws(model, number=0):
    """The weights that training step `number` draws: layer, sample, tensor."""
    key = bbh.randomness.key(model.seed, bbh.randomness.TRAINING, number)
    count = max(model.num_samples, model.num_likelihood_samples)
    return [
        [
            np.asarray(tensor)
            for tensor in layer.posterior.sample(count, key, position)[0]
        ]
        for position, layer in enumerate(model.bayesian_layers)
    ]


def _log_probs(draws, index, x=X, y=Y):
    (kernel_1, bias_1), (kernel_2, bias_2) = [
        [tensor[index] for tensor in tensors] for tensors in draws
    ]
    hidden = np.tanh(x @ kernel_1 + bias_1)
    logits = hidden @ kernel_2 + bias_2
    logits -= logits.max(1, keepdims=True)
    every = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return every[np.arange(len(y)), y]


def _kl(model, draws):
    key = bbh.randomness.key(model.seed, bbh.randomness.PRIOR, 0)
    samples = [x[: model.num_samples] for layer in draws for x in layer]
    prior = bbh.priors.Normal().sample(
        model.num_prior_samples,
        [small_models.spec_of(x) for x in samples],
        bbh.randomness.fold(key, 0),
    )
    return float(bbh.divergences.KernelKL()(samples, prior))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_samples": 3, "num_prior_samples": 4, "kl_scale": 0.5},
        {"num_likelihood_samples": 7, "num_train_examples": 100},
    ],
    ids=["defaults", "prior samples and scale", "several likelihoods"],
)
def test_the_loss_by_hand(settings):
    model = small_models.model(**settings)
    for name, value in settings.items():
        assert getattr(model, name) == value
    draws = _draws(model)
    logs = model.train_on_batch(X, Y, return_dict=True)
    nll = -np.mean(
        [
            _log_probs(draws, index)
            for index in range(model.num_likelihood_samples)
        ]
    )
    kl = _kl(model, draws)
    weight = model.kl_scale / model.num_train_examples
    assert logs["nll"] == pytest.approx(nll, rel=1e-5)
    assert logs["kl"] == pytest.approx(kl, rel=1e-5)
    assert logs["kl_weight"] == pytest.approx(weight)
    assert logs["loss"] == pytest.approx(nll + weight * kl, rel=1e-5)


def _parts(num_examples, num_draws):
    """The draw that each example is seen under, by hand."""
    bounds = [num_examples * k // num_draws for k in range(num_draws + 1)]
    return np.repeat(np.arange(num_draws), np.diff(bounds))


# Eight examples have parts of two and three, and parts of one and of none.
@pytest.mark.parametrize("num_draws", [3, 11])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_each_draw_sees_its_part_of_the_batch(num_draws, jit_compile):
    model = small_models.model(
        num_likelihood_samples=num_draws, split_batches=True, kl_scale=0.0
    )
    model.compile(
        keras.optimizers.SGD(0.1),
        metrics=["sparse_categorical_crossentropy"],
        jit_compile=jit_compile,
    )
    draws = _draws(model)
    weights = np.linspace(0, 2, 8, dtype="float32")
    every = np.stack([_log_probs(draws, k) for k in range(num_draws)])
    expected = -every[_parts(8, num_draws), np.arange(8)]
    # Sizes are not known before the program runs.
    data = tf.data.Dataset.from_tensor_slices((X, Y, weights)).batch(8)
    assert data.element_spec[0].shape[0] is None
    logs = model.fit(data, shuffle=False, verbose=0).history
    assert logs["nll"][0] == pytest.approx((expected * weights).mean(), 1e-5)
    metric = logs["sparse_categorical_crossentropy"][0]
    assert metric == pytest.approx(expected.mean(), rel=1e-5)


def test_parts_of_a_batch_have_the_gradient_of_their_examples():
    """One draw of a posterior without a spread: that of the whole batch."""

    def trained(**settings):
        posterior = bbh.posteriors.MeanField(-60.0)
        model = small_models.model(
            small_models.network(posterior=posterior),
            divergence=bbh.divergences.AnalyticKL(),
            kl_scale=0.0,
            **settings,
        )
        model.compile(keras.optimizers.SGD(0.5))
        model.train_on_batch(X, Y)
        return model.get_weights()

    keras.utils.set_random_seed(0)
    whole = trained()
    keras.utils.set_random_seed(0)
    parts = trained(num_likelihood_samples=3, split_batches=True)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_each_step_draws_anew():
    model = small_models.model(num_train_examples=10**6)
    model.compile(keras.optimizers.SGD(0.0))
    for number in range(3):
        expected = -_log_probs(_draws(model, number), 0).mean()
        model.reset_metrics()
        logs = model.train_on_batch(X, Y, return_dict=True)
        assert logs["nll"] == pytest.approx(expected, rel=1e-5)


def test_weights_of_examples_and_classes():
    sample_weight = np.linspace(0, 2, 8)
    class_weight = {0: 1.0, 1: 3.0, 2: 0.5}
    # Keras divides by the number of examples, not by the weights' sum.
    model = small_models.model()
    log_probs = _log_probs(_draws(model), 0)
    logs = model.train_on_batch(X, Y, sample_weight, return_dict=True)
    expected = -(log_probs * sample_weight).mean()
    assert logs["nll"] == pytest.approx(expected, rel=1e-5)

    model = small_models.model()
    factors = np.vectorize(class_weight.get)(Y)
    expected = -(_log_probs(_draws(model), 0) * factors).mean()
    logs = model.train_on_batch(
        X, Y, class_weight=class_weight, return_dict=True
    )
    assert logs["nll"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("likelihood", "shape"),
    [
        # Keras takes the place of the largest label for a class.
        ("categorical_logits", (6, 3)),
        ("bernoulli_logits", (3,)),
        ("bernoulli_logits", (1,)),
    ],
)
def test_weights_of_classes_need_one_label_an_example(likelihood, shape):
    network = keras.Sequential(
        [keras.Input((*shape[:-1], 4)), keras.layers.Dense(shape[-1])]
    )
    model = small_models.model(
        bbh.models.bayesify(network, small_models.implicit()),
        likelihood=likelihood,
    )
    x = np.zeros((4, *shape[:-1], 4))
    y = np.ones((4, *shape[:-1]) if shape == (6, 3) else (4, *shape), int)
    given = {"y": y, "class_weight": {0: 1.0, 1: 3.0}}
    if shape == (1,):
        model.fit(x, verbose=0, **given)
        return
    for train in (model.fit, model.train_on_batch):
        with pytest.raises(
            ValueError, match=r"one label; got labels \('batch'"
        ):
            train(x, **given)
    with pytest.raises(ValueError, match="one label"):
        # By position, after weights of examples.
        model.train_on_batch(x, y, None, given["class_weight"])


def test_regularizers_and_losses_count_once():
    """Four penalties: on drawn and on plain weights, activity, add_loss."""

    class AddsLoss(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(tf.constant(0.25))
            return inputs

    plain = keras.layers.Dense(
        5, kernel_regularizer=keras.regularizers.L2(0.1), use_bias=False
    )
    drawn = bbh.layers.Bayesian(
        keras.layers.Dense(
            3,
            kernel_regularizer=keras.regularizers.L1(0.2),
            activity_regularizer=keras.regularizers.L1(0.3),
        ),
        small_models.implicit(),
    )
    network = keras.Sequential([keras.Input((4,)), plain, AddsLoss(), drawn])
    model = small_models.model(network, num_likelihood_samples=2)
    kernel_1 = np.array(plain.kernel)
    ((kernel, bias),) = _draws(model)
    outputs = [X @ kernel_1 @ kernel[i] + bias[i] for i in range(2)]
    expected = (
        0.1 * (kernel_1**2).sum()
        + 0.25
        + 0.2 * np.mean([np.abs(kernel[i]).sum() for i in range(2)])
        + np.mean([small_models.activity_penalty(x) for x in outputs])
    )
    logs = model.train_on_batch(X, Y, return_dict=True)
    penalty = logs["loss"] - logs["nll"] - logs["kl_weight"] * logs["kl"]
    assert penalty == pytest.approx(expected, rel=1e-4)


def _train(model, **kwargs):
    losses = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: losses.append(logs["loss"])
    )
    model.compile(keras.optimizers.Adam(0.01), **kwargs)
    model.fit(
        X,
        Y,
        batch_size=4,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=[callback],
    )
    return losses


@pytest.fixture(scope="module")
def reference():
    model = small_models.model(small_network(), compiled=False)
    return _train(model), model


def small_network():
    keras.utils.set_random_seed(1)
    return small_models.network(keras.layers.BatchNormalization())


@pytest.mark.parametrize("how", ["run_eagerly", "jit_compile"])
def test_the_step_does_not_depend_on_how_it_is_compiled(reference, how):
    losses, model = reference
    other = small_models.model(small_network(), compiled=False)
    # Three epochs of float32 sums in another order, through Adam.
    np.testing.assert_allclose(_train(other, **{how: True}), losses, rtol=1e-3)
    assert int(other.draw_number.value) == int(model.draw_number.value) == 6


def test_draws_are_equal_to_the_bit_however_compiled():
    model = small_models.model(
        small_models.network(posterior=bbh.posteriors.MeanField())
    )

    def noise(number):
        key = bbh.randomness.key(model.seed, bbh.randomness.TRAINING, number)
        return bbh.randomness.normal(key, 3, (7,))

    number = tf.constant(5, tf.int64)
    eager = noise(number)
    for jit_compile in (False, True):
        graph = tf.function(noise, jit_compile=jit_compile)
        np.testing.assert_array_equal(graph(number), eager)


def test_steps_per_execution(reference):
    other = small_models.model(small_network(), compiled=False)
    _train(other, steps_per_execution=2)
    for ours, theirs in zip(reference[1].variables, other.variables):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_loop_by_hand_equals_fit(reference):
    model = small_models.model(small_network())
    step = tf.function(model.train_step)
    for _ in range(3):
        for start in (0, 4):
            step((X[start : start + 4], Y[start : start + 4]))
    for ours, theirs in zip(reference[1].variables, model.variables):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_annealing_counts_examples():
    seen = []

    @keras.saving.register_keras_serializable("tests")
    def schedule(epoch):
        return epoch

    model = small_models.model(annealing=schedule, kl_scale=0.5)
    for batch in (8, 3, 8):
        model.reset_metrics()
        logs = model.train_on_batch(X[:batch], Y[:batch], return_dict=True)
        seen.append(logs["kl_weight"])
    # N is 8: epochs 0, 1 and 11/8, each times 0.5 / 8.
    np.testing.assert_allclose(seen, np.array([0, 1, 11 / 8]) * 0.5 / 8)
    assert int(model.examples_seen.value) == 19
    # Over an epoch, means are of examples, not of batches.
    model.reset_metrics()
    for batch in (8, 3):
        model.train_function(iter([(X[:batch], Y[:batch], None)]))
    found = model.get_metrics_result()["kl_weight"]
    expected = (8 * 19 / 8 + 3 * 27 / 8) / 11 * 0.5 / 8
    assert float(found) == pytest.approx(expected)


def test_calling_the_model_is_the_next_step_s_draw():
    model = small_models.model()
    draws = _draws(model)
    right = np.log(np.asarray(tf.nn.softmax(model(X))))[np.arange(8), Y]
    np.testing.assert_allclose(right, _log_probs(draws, 0), rtol=1e-4)


@pytest.mark.parametrize("kind", ["bayesian", "ensemble"])
def test_a_frozen_model_trains_nothing_and_says_so(kind):
    if kind == "bayesian":
        model = small_models.model()
    else:
        network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        model = bbh.models.DeepEnsemble(network, 2)
    model.trainable = False
    model.compile("adam")
    before = small_models.state(model)
    with pytest.warns(UserWarning, match="no trainable weights: nothing is"):
        history = model.fit(X, Y, verbose=0).history
    assert np.isfinite(history["nll"]).all()
    counters = {"draw_number", "examples_seen"}
    for variable, value in zip(model.variables, before):
        if variable.name not in counters:
            np.testing.assert_array_equal(variable, value)
