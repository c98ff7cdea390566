"""Likelihoods against the formulas, for each form of labels."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf.models import likelihoods
from tests.models import small_models

LOGITS = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, -1.0]], np.float32)


def _by_hand(labels):
    every = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
    return every[[0, 1], labels]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2, 1]),
        np.array([2, 1], np.uint8),
        np.array([2.0, 1.0]),
        np.array([[2], [1]]),
        np.array([[0, 0, 1], [0, 1, 0]]),
        np.array([[0, 0, 1], [0, 1, 0]], np.float32),
    ],
    ids=["int", "uint8", "float", "column", "one-hot", "float one-hot"],
)
def test_class_labels(labels):
    distribution = likelihoods.get("categorical_logits")(LOGITS)
    got = likelihoods.log_prob(distribution, labels)
    np.testing.assert_allclose(got, _by_hand([2, 1]), rtol=1e-5)
    assert got.dtype == tf.float32


def test_a_class_that_is_ruled_out_counts_for_nothing_in_any_form_of_labels():
    # One-hot labels had 0 times -inf there, NaN.
    logits = tf.constant([[1.0, 2.0, -math.inf]])
    found = []
    for labels in ([0], [[1, 0, 0]], [[1.0, 0.0, 0.0]]):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            distribution = likelihoods.distribution(
                likelihoods.categorical_logits, logits
            )
            log_prob = likelihoods.log_prob(distribution, np.array(labels))
        found.append([*log_prob, *tape.gradient(log_prob, logits)[0]])
    share = 1 / (1 + math.e)
    expected = [math.log(share), 1 - share, share - 1, 0.0]
    np.testing.assert_allclose(found, 3 * [expected], atol=1e-6)
    # A label that is ruled out is impossible.
    soft = likelihoods.log_prob(distribution, np.array([[0.5, 0.0, 0.5]]))
    np.testing.assert_array_equal(soft, [-math.inf])


@pytest.mark.parametrize(
    "labels", [[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 0]], [[2, -1, 0]] * 2]
)
def test_rows_that_are_no_probabilities_are_refused(labels):
    # Of several labels an example, say: it was no likelihood of anything.
    labels = np.array(labels)
    distribution = likelihoods.get("categorical_logits")(LOGITS)
    with pytest.raises(ValueError, match=r'one-hot, .* of "bernoulli_logits"'):
        likelihoods.log_prob(distribution, labels)
    with pytest.raises(tf.errors.InvalidArgumentError, match="one-hot, or"):
        tf.function(likelihoods.log_prob)(distribution, labels)
    # What does not count may be anything.
    likelihoods.log_prob(distribution, labels, np.ones(2))


def test_sequences_of_classes_add_up():
    distribution = likelihoods.categorical_logits(LOGITS[:, None])
    for labels in ([[2], [1]], [[[2]], [[1]]]):
        got = likelihoods.log_prob(distribution, np.array(labels))
        np.testing.assert_allclose(got, _by_hand([2, 1]), rtol=1e-5)


def test_bits():
    """Of three outputs, each the log-odds of a label of its own."""
    labels = np.array([[1, 0, 1], [0, 0, 1]])
    distribution = likelihoods.get("bernoulli_logits")(LOGITS)
    ones = 1 / (1 + np.exp(-LOGITS))
    expected = np.log(np.where(labels, ones, 1 - ones)).sum(1)
    for given in (labels, labels.astype("float32")):
        got = likelihoods.log_prob(distribution, given)
        np.testing.assert_allclose(got, expected, rtol=1e-5)
    np.testing.assert_allclose(likelihoods.mean(distribution), ones, rtol=1e-6)
    for wrong in (-1, 2):
        with pytest.raises(ValueError, match="labels that are 0, 1 or betw"):
            likelihoods.check_labels(
                likelihoods.bernoulli_logits, labels * wrong
            )
    assert likelihoods.name_of(likelihoods.bernoulli_logits) == (
        "bernoulli_logits"
    )


def _normal_log_prob(x, mean, scale):
    return (
        -((x - mean) ** 2) / (2 * scale**2)
        - np.log(scale)
        - 0.5 * math.log(2 * math.pi)
    )


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_normal(scale):
    labels = np.array([[0.5, 0.0, 1.0], [1.0, 1.0, 1.0]])
    distribution = likelihoods.Normal(scale)(LOGITS)
    np.testing.assert_allclose(
        likelihoods.log_prob(distribution, labels),
        _normal_log_prob(labels, LOGITS, scale).sum(1),
        rtol=1e-5,
    )
    np.testing.assert_array_equal(likelihoods.mean(distribution), LOGITS)


@pytest.mark.parametrize("scale", [0, -1.0, math.inf, True, "1"])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match="positive, finite scale; got"):
        likelihoods.Normal(scale)


def test_normal_of_single_labels_does_not_broadcast():
    outputs = LOGITS[:, :1]
    got = likelihoods.log_prob(likelihoods.get("normal")(outputs), [1.0, 2.0])
    expected = _normal_log_prob(np.array([1.0, 2.0]), outputs[:, 0], 1.0)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_normal_learned_scale():
    outputs = np.array([[1.0, 2.0, 0.0, 1.0]], np.float32)
    labels = np.array([[0.0, 3.0]], np.float32)
    distribution = likelihoods.get("normal_learned_scale")(outputs)
    scale = np.log1p(np.exp(np.array([0.0, 1.0])))
    expected = _normal_log_prob(labels, np.array([1.0, 2.0]), scale).sum(1)
    np.testing.assert_allclose(
        likelihoods.log_prob(distribution, labels), expected, rtol=1e-5
    )
    low = likelihoods.get("normal_learned_scale")(np.float32([[1.0, -200.0]]))
    np.testing.assert_allclose(low.stddev(), [[1e-6]])


@pytest.mark.parametrize(
    "name, labels",
    [
        ("categorical_logits", np.zeros((2, 4))),
        ("categorical_logits", np.zeros((3,), int)),
        ("categorical_logits", np.zeros((2, 3, 1), int)),
        ("normal", np.zeros((2, 1))),
        ("normal", np.zeros((2,))),
        ("normal", np.zeros((2, 3, 1))),
    ],
)
def test_labels_of_another_shape_are_refused(name, labels):
    distribution = likelihoods.get(name)(LOGITS)
    with pytest.raises(ValueError, match=r"^Expected .* of shape \(") as error:
        likelihoods.log_prob(distribution, labels)
    assert "\n" not in str(error.value)


@keras.saving.register_keras_serializable(package="tests")
def _poisson(outputs):
    import tensorflow_probability as tfp

    return tfp.distributions.Poisson(log_rate=outputs[:, 0])


def test_a_likelihood_of_one_s_own(tmp_path):
    # Of C, without a signature to look at.
    assert likelihoods.get(max) is max
    model = small_models.model(likelihood=_poisson)
    x, _ = small_models.data()
    counts = np.arange(8)
    logs = model.train_on_batch(x, counts, return_dict=True)
    assert np.isfinite(logs["loss"])
    samples = model.predict_samples(x, 5)[..., 0]
    log_probs = samples * counts - np.exp(samples)
    log_probs -= [math.lgamma(1 + count) for count in counts]
    expected = -np.log(np.exp(log_probs).mean(0)).mean()
    logs = model.evaluate(x, counts, return_dict=True, num_samples=5)
    assert logs["nll"] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(
        model.predict(x, num_samples=5), np.exp(samples).mean(0), rtol=1e-5
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(x, num_samples=2), model.predict(x, num_samples=2)
    )


@pytest.mark.parametrize(
    "what",
    [
        keras.losses.MeanSquaredError(),
        keras.losses.mean_squared_error,
        likelihoods.Normal,
    ],
)
def test_what_is_no_function_of_outputs_is_refused(what):
    with pytest.raises(ValueError, match="A likelihood is a callable from"):
        likelihoods.get(what)


@pytest.mark.parametrize("weights", [[0.0, 2.0], [[0.0], [2.0]]])
def test_a_label_that_does_not_count_may_be_missing(weights):
    outputs = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    labels = np.array([[1.0, np.nan], [3.0, 5.0]])
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        found = likelihoods.log_prob(
            likelihoods.Normal()(outputs), labels, np.array(weights)
        )
    constant = -math.log(2 * math.pi)
    np.testing.assert_allclose(found, [0.0, 2 * constant - 1.0], rtol=1e-6)
    np.testing.assert_allclose(
        tape.gradient(found, outputs), [[0.0, 0.0], [0.0, 2.0]]
    )


def test_a_missing_label_of_a_distribution_whose_mean_is_nan():
    outputs = tf.constant([1.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        found = likelihoods.log_prob(
            tfp.distributions.Cauchy(outputs, 1.0), [np.nan, 4.0], [0.0, 1.0]
        )
    np.testing.assert_allclose(found, [0.0, -math.log(2 * math.pi)], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, outputs), [0.0, 1.0])


@pytest.mark.parametrize(
    ("likelihood", "labels"),
    [
        ("categorical_logits", np.array([[0, 1, 0], [1, 255, 0]])),
        ("normal", np.array([[0.5, 1.0, 0.0], [2.0, np.nan, 0.0]], "float32")),
    ],
)
def test_weights_have_the_shape_that_labels_are_given_in(likelihood, labels):
    likelihood = likelihoods.get(likelihood)
    size = 1 if isinstance(likelihood, likelihoods.Normal) else 2
    outputs = np.random.default_rng(0).normal(size=(2, 3, size))
    weights = np.array([[2.0, 1.0, 0.5], [3.0, 0.0, 1.0]], "float32")
    distribution = likelihoods.distribution(likelihood, outputs)
    # Each label by itself: an example of one.
    alone = likelihoods.distribution(likelihood, outputs.reshape(6, 1, size))
    counted = np.where(weights > 0, labels, 0).reshape(6, 1)
    expected = np.reshape(likelihoods.log_prob(alone, counted), (2, 3))
    for own in ((2, 3), (2, 3, 1)):
        for of_labels in ((2, 3), (2, 3, 1)):
            found = likelihoods.log_prob(
                distribution, labels.reshape(of_labels), weights.reshape(own)
            )
            np.testing.assert_allclose(
                found, (weights * expected).sum(axis=1), rtol=1e-5
            )


def test_what_returns_no_distribution_is_refused():
    x, y = small_models.data()
    model = small_models.model(likelihood=lambda outputs: outputs)
    with pytest.raises(ValueError, match="distribution has a mean, .* none"):
        model.train_on_batch(x, y)


def test_a_regression_with_a_metric():
    """The metric sees means, though the network has scales besides."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((4,)),
            small_models.bbh.layers.Bayesian(
                keras.layers.Dense(4), small_models.implicit()
            ),
        ]
    )
    model = small_models.model(
        network, likelihood="normal_learned_scale", metrics=["mse"]
    )
    x, _ = small_models.data()
    y = x[:, :2]
    model.fit(x, y, verbose=0)
    logs = model.evaluate(x, y, return_dict=True)
    expected = ((model.predict(x) - y) ** 2).mean()
    assert logs["mse"] == pytest.approx(expected, rel=1e-5)
    weights = np.arange(len(x)) % 2.0
    with_nan = np.where(weights[:, None] == 0, np.nan, y)
    scores = [
        model.evaluate(x, labels, sample_weight=weights, return_dict=True)
        for labels in (y, with_nan)
    ]
    assert scores[0]["nll"] == scores[1]["nll"]


def test_classes_are_told_from_other_distributions_with_logits():
    tfd = tfp.distributions
    logits = tf.constant([[0.7, -0.2]])
    for distribution, is_categorical in (
        (tfd.Categorical(logits=logits), True),
        (tfd.OneHotCategorical(logits=logits), True),
        (tfd.Bernoulli(logits=logits), False),
        (tfd.Independent(tfd.Bernoulli(logits=logits), 1), False),
        (tfd.NegativeBinomial(3.0, logits=logits), False),
    ):
        assert likelihoods.is_categorical(distribution) is is_categorical


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2)])
def test_weights_of_examples_and_of_labels(shape):
    outputs = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    labels = np.array([[0.5, 1.0], [0.0, -1.0], [2.0, 0.0]], np.float32)
    weights = np.random.default_rng(1).uniform(size=shape)
    each = _normal_log_prob(labels, outputs, 1.0)
    factors = weights.reshape(3, -1)
    got = likelihoods.log_prob(
        likelihoods.get("normal")(outputs), labels, weights
    )
    np.testing.assert_allclose(got, (each * factors).sum(1), rtol=1e-5)


def test_labels_of_unknown_shape_are_refused():
    @tf.function(input_signature=[tf.TensorSpec(None)])
    def score(labels):
        return likelihoods.log_prob(
            likelihoods.get("normal")(tf.zeros((3, 2))), labels
        )

    with pytest.raises(ValueError, match="call set_shape"):
        score(tf.zeros((3, 2)))


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_classes_of_unknown_shape_are_refused(dtype):
    # Keras' `fit` has such after others with more axes, or with less.
    @tf.function(input_signature=[tf.TensorSpec(None, dtype)])
    def score(labels):
        distribution = likelihoods.get("categorical_logits")(tf.zeros((3, 2)))
        return likelihoods.log_prob(distribution, labels, tf.ones((3,)))

    with pytest.raises(ValueError, match="not known: .* each fit as many axes"):
        score(tf.zeros((3,), dtype))


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_weights_of_unknown_shape_are_of_examples(shape):
    @tf.function(input_signature=[tf.TensorSpec(None)])
    def score(weights):
        distribution = likelihoods.get("normal")(tf.zeros((2, 1)))
        labels = tf.constant([[math.nan], [0.0]])
        return likelihoods.log_prob(distribution, labels, weights)

    found = score(np.array([0.0, 2.0], np.float32).reshape(shape))
    np.testing.assert_allclose(found, [0.0, -math.log(2 * math.pi)], rtol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError):
        score(np.ones((2, 3), np.float32))


@pytest.mark.parametrize(
    ("likelihood", "labels"),
    [
        ("normal", [[[math.nan], [1.0]]]),
        ("categorical_logits", [[-1, 0]]),
        ("categorical_logits", [[math.nan, 0.0]]),
        ("categorical_logits", [[[math.nan, 0.0], [1.0, 0.0]]]),
    ],
)
def test_padding_need_hold_no_labels(likelihood, labels):
    likelihood = likelihoods.get(likelihood)
    width = 1 if likelihoods.is_normal(likelihood) else 2
    outputs = tf.Variable(tf.random.stateless_normal((1, 2, width), (0, 1)))
    with tf.GradientTape() as tape:
        found = likelihoods.log_prob(
            likelihood(outputs), labels, mask=tf.constant([[False, True]])
        )
    alone = likelihoods.log_prob(
        likelihood(outputs[:, 1:]), np.array(labels)[:, 1:]
    )
    np.testing.assert_allclose(found, alone, rtol=1e-6)
    gradient = tape.gradient(found, outputs).numpy()
    assert np.isfinite(gradient).all()
    assert not gradient[:, 0].any()
    assert gradient[:, 1].any()


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    ("likelihood", "units", "labels", "weights"),
    [
        ("normal", 1, np.zeros((2, 3)), None),
        ("normal", 3, np.zeros((2, 1)), None),
        # Taken for one-hot rows, a class number was a factor of all classes.
        ("categorical_logits", 3, np.ones((2, 1)), None),
        ("bernoulli_logits", 2, np.ones((2, 1)), None),
        ("normal", 1, np.zeros((2, 1)), np.ones((2, 3))),
    ],
)
def test_a_program_that_knows_no_sizes_broadcasts_no_labels(
    likelihood, units, labels, weights, jit_compile
):
    # Of data sets without sizes, and of a second `fit` with another shape.
    spec = tf.TensorSpec((None, None), tf.float32)
    likelihood = likelihoods.get(likelihood)

    @tf.function(
        input_signature=[spec] * (2 if weights is None else 3),
        jit_compile=jit_compile,
    )
    def log_prob(labels, other, weights=None):
        outputs = tf.reshape(other, (-1, units))
        distribution = likelihoods.distribution(likelihood, outputs)
        return likelihoods.log_prob(distribution, labels, weights)

    def run(*arrays):
        return log_prob(*(tf.constant(x, tf.float32) for x in arrays))

    outputs = np.eye(units)[[0, 0]]
    rest = [] if weights is None else [weights]
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(labels, outputs, *rest)
    rest = [] if weights is None else [np.ones((2, 1))]
    assert np.isfinite(run(outputs, outputs, *rest)).all()
