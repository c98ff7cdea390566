"""Laplace's approximation against closed forms, scikit-learn and autodiff."""

import keras
import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import sklearn.linear_model
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import memory
from bbh_tf.models import likelihoods
from bbh_tf.models.last_layer import curvature

_RANDOM = np.random.default_rng(0)
X = _RANDOM.normal(size=(40, 3)).astype("float32")
NUMBERS = (X @ _RANDOM.normal(size=(3, 2)) + 0.3).astype("float32")
NUMBERS += 0.5 * _RANDOM.normal(size=NUMBERS.shape).astype("float32")
CLASSES = np.argmax(
    X @ _RANDOM.normal(size=(3, 3)) + _RANDOM.gumbel(size=(40, 3)), axis=1
)
ONE_HOT = np.eye(3)[CLASSES]
BITS = (NUMBERS > 0.2).astype(int)
LABELS = {
    "categorical_logits": CLASSES,
    "bernoulli_logits": BITS,
    "normal": NUMBERS,
}


def network(units=2, use_bias=True, hidden=True, targets=None):
    """A random hidden layer, and a last one by least squares."""
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation="tanh", name="hidden")
            if hidden
            else keras.layers.Identity(),
            keras.layers.Dense(units, use_bias=use_bias, name="last"),
        ]
    )
    if targets is not None:
        phi = features(made, use_bias)
        weights, *_ = np.linalg.lstsq(phi, targets)
        last = made.get_layer("last")
        last.set_weights([weights[:-1], weights[-1]] if use_bias else [weights])
    return made


def features(made, use_bias=True, x=X):
    phi = np.asarray(made.layers[0](x), np.float64)
    return np.pad(phi, ((0, 0), (0, int(use_bias))), constant_values=1.0)


def trained(likelihood):
    """A network with a last layer that does better than a constant."""
    targets = LABELS[likelihood]
    if likelihood == "categorical_logits":
        targets = np.eye(3)[targets]
    # Logits that do better than the labels themselves as such.
    scale = 1.0 if likelihood == "normal" else 4.0
    return network(targets.shape[1], targets=scale * (targets - targets.mean()))


def posterior_of(model):
    (layer,) = model.random_layers
    return layer.posterior


def mean_and_covariance(model):
    posterior = posterior_of(model)
    mean = np.concatenate([np.ravel(x) for x in posterior.mean()])
    factor = np.asarray(posterior.scale_tril(), np.float64)
    return mean, factor @ factor.T


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_linear_gaussian_model_has_its_exact_posterior(use_bias):
    made = network(use_bias=use_bias, targets=0.7 * NUMBERS)
    model = bbh.models.laplace(
        made, (X, NUMBERS), likelihoods.Normal(0.4), "full", 2.0, "mode"
    )
    phi = features(made, use_bias)
    precision = phi.T @ phi / 0.4**2 + 2.0 * np.eye(phi.shape[1])
    covariance = np.kron(np.linalg.inv(precision), np.eye(2))
    exact = np.linalg.solve(precision, phi.T @ NUMBERS / 0.4**2)
    found, found_covariance = mean_and_covariance(model)
    np.testing.assert_allclose(found, exact.ravel(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found_covariance, covariance, atol=1e-5 * np.abs(covariance).max()
    )
    marginal = scipy.stats.multivariate_normal(
        np.zeros(40), phi @ phi.T / 2.0 + 0.4**2 * np.eye(40)
    )
    assert model.log_evidence == pytest.approx(
        marginal.logpdf(NUMBERS.T).sum(), abs=1e-4
    )
    assert model.prior_precision == 2.0
    assert model.num_train_examples == 40
    assert model.random_layers[0].prior.scale == pytest.approx(2.0**-0.5)


def test_prior_and_noise_are_those_of_bayesian_ridge():
    made = network(1, False, hidden=False, targets=NUMBERS[:, :1])
    model = bbh.models.laplace(made, (X, NUMBERS[:, 0]), "normal", mean="mode")
    oracle = sklearn.linear_model.BayesianRidge(
        fit_intercept=False,
        alpha_1=0,
        alpha_2=0,
        lambda_1=0,
        lambda_2=0,
        compute_score=True,
        tol=1e-12,
        max_iter=3000,
    ).fit(np.float64(X), np.float64(NUMBERS[:, 0]))
    assert model.prior_precision == pytest.approx(oracle.lambda_, rel=1e-5)
    noise = model.likelihood.scale**-2.0
    assert noise == pytest.approx(oracle.alpha_, rel=1e-5)
    assert model.log_evidence == pytest.approx(oracle.scores_[-1], abs=1e-5)
    found, covariance = mean_and_covariance(model)
    np.testing.assert_allclose(found, oracle.coef_, atol=1e-6)
    np.testing.assert_allclose(covariance, oracle.sigma_, rtol=1e-4, atol=1e-8)


def test_features_are_those_of_predictions():
    made = network(targets=0.7 * NUMBERS)
    hidden, last = made.layers
    dropping = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2),
        ]
    )
    dropping.set_weights(hidden.get_weights() + last.get_weights())
    one, other = (
        mean_and_covariance(
            bbh.models.laplace(
                each, (X, NUMBERS), likelihoods.Normal(0.4), mean="mode"
            )
        )
        for each in (made, dropping)
    )
    for found, expected in zip(other, one):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_given_precision_is_kept_and_the_noise_is_the_best_for_it():
    made = network(targets=0.7 * NUMBERS)

    def found(likelihood):
        return bbh.models.laplace(
            made, (X, NUMBERS), likelihood, prior_precision=2.0, mean="mode"
        )

    model = found("normal")
    assert model.prior_precision == 2.0
    noise = model.likelihood.scale
    lower, best, higher = (
        found(likelihoods.Normal(factor * noise)).log_evidence
        for factor in (0.99, 1.0, 1.01)
    )
    assert model.log_evidence == pytest.approx(best, abs=1e-6)
    assert max(lower, higher) < best - 1e-3


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_labels_of_any_unit(unit):
    found = []
    for factor in (1.0, unit):
        labels = NUMBERS[:, :1] * np.float64(factor)
        made = network(1, targets=0.7 * labels)
        found.append(bbh.models.laplace(made, (X, labels), "normal", seed=0))
    one, other = found
    noise, precision = other.likelihood.scale, other.prior_precision
    assert noise == pytest.approx(unit * one.likelihood.scale, rel=1e-4)
    assert precision * unit**2 == pytest.approx(one.prior_precision, rel=1e-4)
    # The density of labels in another unit.
    assert other.log_evidence + len(X) * np.log(unit) == pytest.approx(
        one.log_evidence, abs=1e-2
    )


def log_joint(likelihood, phi, labels, precision, factors):
    """Returns log p(y, w) as a function of the flat weights, by TFP."""

    def compute(weights):
        outputs = phi @ tf.reshape(weights, (phi.shape[1], -1))
        distribution = likelihoods.get(likelihood)(outputs)
        log_likelihood = distribution.log_prob(labels)
        log_likelihood = tf.reshape(log_likelihood, (len(phi), -1))
        return tf.reduce_sum(
            factors[:, None] * log_likelihood
        ) - 0.5 * precision * tf.reduce_sum(weights**2)

    return compute


def slope_and_hessian(compute, weights):
    weights = tf.Variable(weights, dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = compute(weights)
        slope = inner.gradient(value, weights)
    return value, slope, outer.jacobian(slope, weights)


@pytest.mark.parametrize(
    "likelihood", ["categorical_logits", "bernoulli_logits"]
)
def test_the_covariance_is_the_inverse_of_the_hessian(likelihood):
    made, labels = trained(likelihood), LABELS[likelihood]
    factors = np.arange(40) % 4 / 2.0
    model = bbh.models.laplace(
        made,
        (X, labels, factors),
        likelihood,
        prior_precision=0.5,
        mean="mode",
        batch_size=7,
    )
    found, covariance = mean_and_covariance(model)
    value, slope, hessian = slope_and_hessian(
        log_joint(likelihood, features(made), labels, 0.5, factors), found
    )
    stds = np.sqrt(np.diag(covariance))
    assert np.abs(slope * stds).max() < 1e-5
    np.testing.assert_allclose(
        covariance, np.linalg.inv(-hessian), rtol=1e-4, atol=1e-6
    )
    sign, log_det = np.linalg.slogdet(-hessian / 0.5)
    assert sign == 1
    assert model.log_evidence == pytest.approx(
        float(value) - 0.5 * log_det, abs=1e-4
    )


@pytest.mark.parametrize("likelihood", LABELS)
def test_around_trained_weights(likelihood):
    """The weights stay, full and diagonal share H, and the prior is best."""
    made, data = trained(likelihood), (X, LABELS[likelihood])
    mode = bbh.models.laplace(made, data, likelihood, mean="mode")
    made.get_layer("last").set_weights(posterior_of(mode).mean())
    before = made.get_weights()
    full, diagonal = (
        bbh.models.laplace(made, data, likelihood, covariance, seed=0)
        for covariance in ("full", "diagonal")
    )
    for old, new in zip(before, made.get_weights()):
        np.testing.assert_array_equal(old, new)
    found, covariance = mean_and_covariance(full)
    np.testing.assert_array_equal(
        found, np.concatenate([np.ravel(x) for x in before[2:]])
    )
    means, log_variances = (
        np.concatenate([np.ravel(x) for x in parameters])
        for parameters in (
            posterior_of(diagonal).get_weights()[::2],
            posterior_of(diagonal).get_weights()[1::2],
        )
    )
    np.testing.assert_array_equal(means, found)
    hessian = np.linalg.inv(covariance)
    hessian[np.diag_indices(len(found))] -= full.prior_precision
    if likelihood == "normal":
        # Each has a noise of its own that is best.
        hessian *= (full.likelihood.scale / diagonal.likelihood.scale) ** 2
    np.testing.assert_allclose(
        np.exp(-log_variances) - diagonal.prior_precision,
        np.diag(hessian),
        rtol=1e-3,
    )

    for model, shape in ((full, "full"), (diagonal, "diagonal")):
        scale = getattr(model.likelihood, "scale", None)
        kept = likelihoods.Normal(scale) if scale else likelihood
        for factor in (0.9, 1.1):
            other = bbh.models.laplace(
                made, data, kept, shape, factor * model.prior_precision
            )
            assert other.log_evidence < model.log_evidence
        if scale:
            for factor in (0.9, 1.1):
                other = bbh.models.laplace(
                    made,
                    data,
                    likelihoods.Normal(factor * scale),
                    shape,
                    model.prior_precision,
                )
                assert other.log_evidence < model.log_evidence


@pytest.mark.parametrize(
    ("likelihood", "instead"),
    [
        ("categorical_logits", 255),
        ("bernoulli_logits", np.nan),
        ("normal", np.nan),
    ],
)
def test_labels_of_no_weight_need_be_none(likelihood, instead):
    labels = LABELS[likelihood]
    weights = (np.arange(len(X)) % 3 > 0).astype("float32")
    counts = weights.reshape(-1, *(1,) * (labels.ndim - 1)) > 0
    shown = np.where(counts, labels, instead)
    found, expected = (
        bbh.models.laplace(trained(likelihood), (X, y, weights), likelihood)
        for y in (shown, labels)
    )
    assert found.log_evidence == expected.log_evidence
    assert np.isfinite(found.log_evidence)


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("kind", ["SOFTMAX", "SIGMOID", "GAUSSIAN"])
def test_a_weight_is_how_often_an_example_counts(kind, is_full):
    generator = np.random.default_rng(0)
    features, weights = generator.normal(size=(6, 3)), np.eye(3, 2)
    targets = np.eye(2)[[0, 1, 1, 0, 1, 0]]
    times = np.array([0, 1, 2, 3, 1, 2])
    each = np.repeat(np.arange(6), times)
    found, expected = (
        curvature.moments(
            [(features[rows], targets[rows], factors)],
            getattr(curvature, kind),
            weights,
            is_full,
        )
        for rows, factors in (
            (np.arange(6), times.astype(float)),
            (each, np.ones(len(each))),
        )
    )
    for name, value in vars(expected).items():
        if name != "num_examples":
            np.testing.assert_allclose(getattr(found, name), value, atol=1e-12)


def test_probabilities_and_data_sets_are_as_classes_in_arrays():
    made = trained("categorical_logits")
    one_hot = np.eye(3, dtype="float32")[CLASSES]
    expected = bbh.models.laplace(made, (X, CLASSES))
    for data in (
        (X, one_hot),
        (X, CLASSES[:, None].astype("float32")),
        tf.data.Dataset.from_tensor_slices((X, CLASSES)).batch(7),
        (np.tile(X, (2, 1)), np.tile(CLASSES, 2), np.full(80, 0.5)),
    ):
        found = bbh.models.laplace(made, data)
        assert found.log_evidence == pytest.approx(expected.log_evidence)
        assert found.prior_precision == pytest.approx(expected.prior_precision)


def test_a_summary_without_what_was_not_found():
    network = bbh.models.bayesify(
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
        bbh.posteriors.MeanField(),
    )
    last = []
    for found in (
        {},
        {"log_evidence": -3.0},
        {"prior_precision": 2.0},
        {"log_evidence": -3.0, "prior_precision": 2.0},
    ):
        lines = []
        bbh.models.LaplaceModel(network, 10, **found).summary(
            print_fn=lambda line, lines=lines, **_: lines.append(line)
        )
        last.append(lines[-1])
    assert "Laplace" not in last[0]
    evidence = "Laplace: log evidence -3 nats of 10 examples"
    assert last[1:] == [
        evidence,
        "Laplace: prior precision 2",
        f"{evidence}; prior precision 2",
    ]


def test_a_model_like_others(tmp_path):
    """Predicts, draws, is saved, reloaded, exported, and trained on."""
    inputs = {name: keras.Input((3,), name=name) for name in ("a", "b")}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    hidden = keras.layers.Dense(6, activation="tanh")(joined)
    hidden = keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Dropout(0.5)(hidden)
    keras.utils.set_random_seed(1)
    made = keras.Model(inputs, keras.layers.Dense(3, name="last")(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(keras.optimizers.Adam(0.05), loss)
    x = {"a": X, "b": X**2}
    made.fit(x, CLASSES, epochs=30, verbose=0)
    model = bbh.models.laplace(made, (x, CLASSES), mean="mode", seed=3)
    samples = model.predict_samples(x, num_samples=8, seed=1)
    assert samples.shape == (8, 40, 3)
    spread = samples.std(0).mean()
    assert spread > 0.01
    plain = model.draw(seed=1, index=5)
    assert type(plain.get_layer("last")) is keras.layers.Dense
    np.testing.assert_allclose(
        plain.predict(x, verbose=0), samples[5], atol=1e-4
    )
    information = model.predict_uncertainty(x)["mutual_information"]
    assert information.mean() > 1e-3

    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again.predict_samples(x, num_samples=8, seed=1), samples
    )
    assert type(again) is bbh.models.LaplaceModel
    assert again.log_evidence == model.log_evidence
    lines = []
    again.summary(print_fn=lambda line, **_: lines.append(line))
    assert "Laplace: log evidence -" in lines[-1]

    model.export(tmp_path / "served", num_samples=8, seed=1)
    served = tf.saved_model.load(tmp_path / "served")
    outputs = served.serve(x)
    expected = model.predict_uncertainty(x, num_samples=8, seed=1)
    for name, values in expected.items():
        np.testing.assert_allclose(outputs[name], values, atol=1e-5)

    again.compile(keras.optimizers.Adam(1e-4), run_eagerly=True)
    history = again.fit(x, CLASSES, epochs=1, batch_size=40, verbose=0).history
    assert np.isfinite(history["loss"][0])


def _two_calls():
    dense = keras.layers.Dense(3, name="twice")
    inputs = keras.Input((3,))
    return keras.Model(inputs, dense(dense(inputs)))


def _ends_in(*layers):
    return lambda: keras.Sequential([keras.Input((3,)), *layers])


def _changed(change):
    def make():
        made = trained("categorical_logits")
        change(made.get_layer("last"))
        return made

    return make


def _set(name, value):
    return _changed(lambda layer: setattr(layer, name, value))


def _with_nan():
    made = trained("categorical_logits")
    made.get_layer("hidden").bias.assign([np.nan] * 4)
    return made


class Doubled(keras.layers.Dense):
    """A dense layer that does more to its inputs."""

    def call(self, inputs):
        return 2 * super().call(inputs)


_dense = keras.layers.Dense
_SOFT = keras.activations.softmax
DATA = (X, CLASSES)
good = _changed(lambda layer: None)
NETWORKS = {
    "a subclass": (lambda: keras.layers.Dense(3), "keras.Model; got <Dense"),
    "no dense layer": (
        _ends_in(_dense(3), keras.layers.Softmax(name="end")),
        "ends in a keras.layers.Dense; .* ends in the Softmax 'end'",
    ),
    "a dense layer of one's own": (
        _ends_in(Doubled(3, name="end")),
        "ends in a keras.layers.Dense; .* ends in the Doubled 'end'",
    ),
    "softmax": (_set("activation", _SOFT), "'last' has softmax: set its"),
    "frozen": (_set("trainable", False), "'last' is frozen"),
    "called twice": (_two_calls, "called once: .* weights of 'twice'"),
    "sequences": (
        lambda: keras.Sequential([keras.Input((5, 3)), _dense(3)]),
        r"\(batch, units\); those of .* are \(None, 5, 3\)",
    ),
    "LoRA": (_changed(lambda layer: layer.enable_lora(2)), "'last' has LoRA"),
    "NaN": (
        _changed(lambda layer: layer.bias.assign([np.nan] * 3)),
        "weights that are not finite: .*bias",
    ),
    "NaN before": (_with_nan, "finite outputs"),
    "zeros": (
        _changed(
            lambda layer: layer.set_weights([np.zeros((4, 3)), np.zeros(3)])
        ),
        "all weights of its last layer, 'last', are 0",
    ),
    "untrained": (
        _changed(lambda layer: layer.bias.assign([5.0, -5.0, 0.0])),
        "better than the best constant does.* nats, is below",
    ),
    "random": (
        _ends_in(bbh.layers.MCDropout(0.5, name="drop"), _dense(3)),
        "layer 'drop' is a MCDropout",
    ),
    "one class": (_ends_in(_dense(1)), 'likelihood="bernoulli_logits"'),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_networks_that_are_refused(case):
    make, message = NETWORKS[case]
    made = make()
    with pytest.raises(ValueError, match=message) as caught:
        bbh.models.laplace(made, DATA)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"likelihood": "normal_learned_scale"}, "got normal_learned_scale"),
        ({"likelihood": lambda outputs: None}, "got <lambda>"),
        ({"covariance": "kron"}, '"full" or "diagonal"; got \'kron\''),
        ({"mean": "map"}, '"trained" or "mode"; got \'map\''),
        ({"mean": "mode", "covariance": "diagonal"}, "the whole matrix"),
        ({"prior_precision": 0.0}, "positive, finite number.*; got 0.0"),
        ({"prior_precision": "2"}, "got '2'"),
        ({"prior_precision": True}, "got True"),
        ({"train_data": X}, "with labels"),
        ({"train_data": (X, CLASSES[:30])}, "same number of examples"),
        ({"train_data": (X, CLASSES + 1)}, "classes from 0 to 2; got 3"),
        ({"train_data": (X, CLASSES + 0.5)}, "classes from 0 to 2; got"),
        ({"train_data": (X, NUMBERS[:, :2])}, "0 to 2; got|labels for outputs"),
        ({"train_data": (X, NUMBERS @ np.ones((2, 3)))}, "sum to 1; got"),
        # They sum to 1, and made a likelihood above 1 of a trained network.
        ({"train_data": (X, 3 * ONE_HOT - 2 / 3)}, "at least 0; got"),
        ({"train_data": (X, CLASSES, -np.ones(40))}, "weight >= 0 for each"),
        ({"train_data": (X, CLASSES, np.zeros(40))}, "none of which counts"),
        (
            {"train_data": (X, CLASSES, np.ones((40, 3)))},
            r"\(40,\); got shape \(40, 3\)",
        ),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        bbh.models.laplace(good(), **{"train_data": DATA, **arguments})
    assert "\n" not in str(caught.value)


def test_smoothed_labels_in_float16():
    # Their rows sum to 1 but for a few 1e-4.
    smoothed = 0.9 * ONE_HOT + 0.1 / 3
    found = [
        bbh.models.laplace(
            trained("categorical_logits"), (X, smoothed.astype(kind)), seed=0
        ).log_evidence
        for kind in (np.float16, np.float64)
    ]
    np.testing.assert_allclose(*found, rtol=1e-3)


def test_labels_of_other_likelihoods():
    for likelihood, labels, message in (
        ("normal", NUMBERS * np.nan, "finite; got"),
        ("bernoulli_logits", BITS + 1, "0, 1 or between; got 2"),
        ("normal", NUMBERS[:, :1], r"of shape \(40, 2\); got shape \(40, 1\)"),
    ):
        with pytest.raises(ValueError, match=message):
            bbh.models.laplace(trained(likelihood), (X, labels), likelihood)
    # Not so many that two of each example can be made of them.
    with pytest.raises(ValueError, match=r"of shape \(39, 2\); got"):
        bbh.models.laplace(trained("normal"), (X[:39], BITS[:39, 0]), "normal")
    perfect = network(2, targets=NUMBERS)
    labels = perfect(X)
    with pytest.raises(ValueError, match="no scale of the noise"):
        bbh.models.laplace(perfect, (X, labels), "normal")


def test_a_large_layer_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(MemoryError, match="9 kB .* 15 weights of .*'last'"):
        bbh.models.laplace(good(), DATA)
    monkeypatch.undo()
    bbh.models.laplace(good(), DATA, covariance="diagonal")


def test_weights_that_are_no_mode_are_told():
    made = good()
    last = made.get_layer("last")
    last.kernel.assign(2.0 * last.kernel)
    many = (np.tile(X, (20, 1)), np.tile(CLASSES, 20))
    with pytest.warns(UserWarning, match="no mode: .* nats higher elsewhere"):
        bbh.models.laplace(made, many)
    bbh.models.laplace(made, many, mean="mode")


def test_a_generator_is_no_data_for_the_mode():
    def generate():
        for first in range(0, 40, 10):
            yield X[first : first + 10], CLASSES[first : first + 10]

    with pytest.warns(UserWarning, match="A generator gives its data once"):
        with pytest.raises(ValueError, match="expected 40 examples each time"):
            bbh.models.laplace(good(), generate(), mean="mode")
