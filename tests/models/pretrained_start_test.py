"""Posteriors that start around trained weights keep what was learnt."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf import hypernetworks
from bbh_tf import posteriors
from bbh_tf import weights
from tests.models import small_models

RELATIVE_STD = 0.01
SPECS = [
    weights.WeightSpec("kernel", (40, 30)),
    weights.WeightSpec("bias", (30,)),
]


def _implicit(hypernetwork, **kwargs):
    return posteriors.Implicit(hypernetwork, **kwargs)


MLP = hypernetworks.MLP(units=(16, 32))
POSTERIORS = {
    "mean field": posteriors.MeanField(),
    "MLP": _implicit(MLP),
    "MLP, noise of four": _implicit(MLP, noise_dim=4, shared_noise=True),
    "MLP of a layer": _implicit(MLP, per="layer"),
    "no hidden layer": _implicit(hypernetworks.MLP(units=()), noise_dim=2),
    "sliced": _implicit(hypernetworks.Sliced(units=(16, 32), center=True)),
    "chunks": _implicit(
        hypernetworks.Sliced("chunks", units=(16,), center=True)
    ),
    "chunks of a layer": _implicit(
        hypernetworks.Sliced(7, units=(16, 32), center=True), per="layer"
    ),
}
WHOLE = ["mean field", "MLP of a layer", "chunks of a layer"]


@pytest.fixture(name="trained", scope="module")
def fixture_trained():
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    labels = np.arange(300) % 3
    x = generator.normal(size=(300, 6)) + 2.2 * np.eye(3, 6)[labels]
    x = x.astype("float32")
    network = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(24, activation="relu", name="first"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(24, activation="tanh", name="second"),
            keras.layers.Dense(3, name="last"),
        ]
    )
    network.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    network.fit(x, labels, batch_size=50, epochs=20, verbose=0)
    probabilities = keras.ops.softmax(network(x)).numpy()
    assert (probabilities.argmax(1) == labels).mean() > 0.9
    return network, x, labels, probabilities


def _model(network, posterior, likelihood="categorical_logits", **kwargs):
    settings = {"start": "pretrained", **kwargs}
    return bbh.models.BayesianModel(
        bbh.models.bayesify(network, posterior, **settings),
        num_train_examples=300,
        likelihood=likelihood,
        num_prediction_samples=30,
        seed=2,
    )


def _check_kept(model, trained):
    _, x, labels, expected = trained
    found = model.predict(x)
    assert np.abs(found - expected).max() < 0.01
    change = np.abs(found - expected).sum() / expected.sum()
    assert 1e-6 < change < 0.01
    accuracy = (expected.argmax(1) == labels).mean()
    assert abs((found.argmax(1) == labels).mean() - accuracy) < 0.01


@pytest.mark.parametrize(
    ("name", "scope", "how"),
    [
        *((name, "layer", None) for name in POSTERIORS),
        *((name, "network", None) for name in WHOLE),
        ("MLP", "layer", "jit_compile"),
        ("MLP", "layer", "run_eagerly"),
    ],
)
def test_the_function_is_kept(trained, name, scope, how):
    model = _model(trained[0], POSTERIORS[name], scope=scope)
    model.compile("sgd", **({how: True} if how else {}))
    _check_kept(model, trained)
    # Draws differ all the same, all over.
    samples = model.predict_samples(trained[1], 8)
    assert samples.std(axis=0).min() > 1e-4


def test_a_random_start_does_not_keep_it(trained):
    network, x, _, expected = trained
    model = _model(network, POSTERIORS["MLP"], start="random")
    assert np.abs(model.predict(x) - expected).max() > 0.1


@pytest.mark.parametrize(
    ("layers", "scope"), [("last", "layer"), (["first", "last"], "network")]
)
def test_chosen_layers(trained, layers, scope):
    model = _model(
        trained[0], POSTERIORS["MLP of a layer"], layers=layers, scope=scope
    )
    _check_kept(model, trained)


@pytest.mark.parametrize("name", POSTERIORS)
def test_weights_spread_as_asked(name):
    """By the definition; tolerances are for 400 draws, 30 to 1,230 weights."""
    keras.utils.set_random_seed(1)
    generator = np.random.default_rng(1)
    values = [
        generator.normal(size=spec.shape).astype("float32") for spec in SPECS
    ]
    values[1] *= 10
    posterior = posteriors.get(POSTERIORS[name])
    posterior.build(SPECS)
    posterior.start_at(values, RELATIVE_STD)
    samples, _ = posterior.sample(400, bbh.randomness.key(7))
    relative = []
    for value, sample in zip(values, samples):
        std = RELATIVE_STD * np.sqrt(np.square(value).mean())
        sample = np.asarray(sample)
        # The starting mean is found from 128 draws of the noise.
        error = std * np.sqrt(1 / 128 + 1 / 400)
        deviations = (sample.mean(0) - value) / error
        assert np.sqrt(np.square(deviations).mean()) < 4
        relative.append((sample.std(0) / std).ravel())
    if "slices" not in name and "chunks" not in name and name != "sliced":
        # Each weight's on its own: std of 400 draws, and of 128 draws.
        for ratios in relative:
            assert np.quantile(np.abs(ratios - 1), 0.99) < 0.4
    if name != "chunks of a layer":
        relative = [np.sqrt(np.square(x).mean()) for x in relative]
    else:
        relative = [np.sqrt(np.square(np.concatenate(relative)).mean())]
    np.testing.assert_allclose(relative, 1, atol=0.25)


def test_mean_field_is_what_the_definition_says():
    posterior = posteriors.MeanField(initial_log_variance=3.0)
    specs = [*SPECS, weights.WeightSpec("other", (2,))]
    posterior.build(specs)
    kernel = np.full((40, 30), -2.0, "float32")
    posterior.start_at([kernel, np.zeros(30), np.array([3.0, 4.0])], 0.1)
    first, zeros, other = posterior.distributions()
    np.testing.assert_array_equal(first.mean(), kernel)
    np.testing.assert_allclose(first.stddev(), 0.2, rtol=1e-5)
    np.testing.assert_allclose(other.stddev(), 0.1 * 12.5**0.5, rtol=1e-5)
    # A tensor of zeros has no size of its own: that of all weights is taken.
    whole = (4 * 1200 + 25) / 1232
    np.testing.assert_array_equal(zeros.mean(), np.zeros(30))
    np.testing.assert_allclose(zeros.stddev(), 0.1 * whole**0.5, rtol=1e-5)


@pytest.mark.parametrize("name", POSTERIORS)
def test_weights_that_are_all_zero(name):
    posterior = posteriors.get(POSTERIORS[name])
    posterior.build(SPECS)
    posterior.start_at([np.zeros(spec.shape) for spec in SPECS], 0.01)
    samples, _ = posterior.sample(50, bbh.randomness.key(7))
    for sample in samples:
        assert 0.002 < np.std(sample) < 0.02


@pytest.mark.parametrize("name", ["mean field", "MLP", "sliced"])
def test_training_goes_on(trained, name, tmp_path):
    network, x, labels, _ = trained
    before = [np.array(v) for v in network.variables]
    model = _model(network, POSTERIORS[name], layers=["second", "last"])
    model.compile(
        keras.optimizers.Adam(1e-5), metrics=["accuracy"], run_eagerly=True
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict_samples(x, 2), model.predict_samples(x, 2)
    )
    for each in (model, loaded):
        logs = each.fit(
            x, labels, batch_size=100, shuffle=False, verbose=0
        ).history
        assert np.isfinite(logs["kl"]).all() and min(logs["kl"]) > 0
        assert logs["accuracy"][-1] > 0.9
    for old, new in zip(
        small_models.state(model), small_models.state(loaded), strict=True
    ):
        np.testing.assert_array_equal(old, new)
    for value, variable in zip(before, network.variables, strict=True):
        np.testing.assert_array_equal(value, variable)


@pytest.mark.parametrize("name", ["sliced", "chunks of a layer"])
def test_a_center_is_a_parameter_for_each_weight(name):
    posterior = posteriors.get(POSTERIORS[name])
    counted = posterior.count_parameters(SPECS)
    posterior.build(SPECS)
    assert posterior.count_params() == counted
    config = posterior.get_config()
    config["hypernetwork"]["config"]["center"] = False
    without = posteriors.Implicit.from_config(config)
    assert counted - without.count_parameters(SPECS) == 40 * 30 + 30
    centers = [v for v in posterior.trainable_variables if "center" in v.path]
    assert sum(np.size(center) for center in centers) == 40 * 30 + 30
    assert not any(np.any(center) for center in centers)


class _Fixed(posteriors.MeanField):
    def start_at(self, values, relative_std):
        return posteriors.Posterior.start_at(self, values, relative_std)


@pytest.mark.parametrize(
    ("posterior", "arguments", "message"),
    [
        (
            _implicit(hypernetworks.Sliced(units=(4,))),
            {},
            r"expected Sliced\(center=True\).*or MLP\(\); got Sliced\(center=F",
        ),
        (_Fixed(), {}, "_Fixed cannot start at given weights; MeanField and"),
        (POSTERIORS["MLP"], {"start": "warm"}, "start .*; got 'warm'"),
        (POSTERIORS["MLP"], {"relative_std": 0}, "relative_std > 0.*got 0"),
        (POSTERIORS["MLP"], {"relative_std": -1}, "relative_std .*got -1"),
    ],
)
def test_refusals(trained, posterior, arguments, message):
    arguments = {"start": "pretrained", **arguments}
    with pytest.raises(ValueError, match=message) as error:
        bbh.models.bayesify(trained[0], posterior, **arguments)
    assert "\n" not in str(error.value)


def test_a_posterior_without_parameters_is_refused():
    for name in ("mean field", "MLP"):
        with pytest.raises(ValueError, match="has no parameters yet"):
            posteriors.get(POSTERIORS[name]).start_at([np.zeros(2)], 0.01)
