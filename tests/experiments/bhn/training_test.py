"""What the tasks of Bayesian hypernetworks train by."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from experiments.bhn import active_learning
from experiments.bhn import adversarial
from experiments.bhn import anomaly
from experiments.bhn import image_sets
from experiments.bhn import methods
from experiments.bhn import networks
from experiments.bhn import regularisation
from experiments.bhn import released
from experiments.bhn import training
from experiments.errors import ExperimentError

_RANDOM = np.random.default_rng(0)
IMAGES = _RANDOM.random((40, 4, 4, 1), np.float32)
LABELS = _RANDOM.integers(0, 10, 40).astype(np.int32)


def maker(name, **settings):
    recipe = training.Recipe(2, batch_size=8, coupling_units=5, **settings)

    def network_of(rate, decay):
        return networks.multilayer((4, 4, 1), (6,), rate, decay)

    return training.Maker(methods.parse(name), recipe, network_of, 40), recipe


@pytest.mark.parametrize("name", ["dropout", "real_nvp_1"])
def test_a_model_is_fresh_whatever_was_trained_before(name):
    outcomes = []
    for seeds in ((1,), (0, 1)):
        made, recipe = maker(name, anneals=True)
        for seed in seeds:
            model = made.fresh(IMAGES, seed)
            training.fit(model, recipe, IMAGES, LABELS, seed)
        outcomes.append(training.draws(model, IMAGES, 3))
        assert int(model.examples_seen.value) == 80
    np.testing.assert_allclose(*outcomes, atol=2e-6)
    other = training.fit(made.fresh(IMAGES, 0), recipe, IMAGES, LABELS, 0)
    assert np.isfinite(other["nll"])
    assert np.abs(training.draws(model, IMAGES, 3) - outcomes[0]).max() > 1e-3


def test_maximum_likelihood_has_one_draw_for_all():
    made, _ = maker("mle")
    model = made.fresh(IMAGES, 0)
    several = training.draws(model, IMAGES, 2)
    np.testing.assert_array_equal(several[0], several[1])
    once = training.draws(model, IMAGES, 2, is_fixed=True)
    np.testing.assert_array_equal(once, several)


def test_the_factor_of_weight_decay_counts_when_it_is_changed():
    decay = networks.WeightDecay(0.5)
    assert float(decay(np.array([1.0, 2.0]))) == 2.5
    decay.factor.assign(2.0)
    assert float(decay(np.array([1.0, 2.0]))) == 10.0


def test_quiet_noise_is_a_hundredth_and_says_nothing():
    stds = []
    for quiet in (False, True):
        made, _ = maker("no_coupling", quiet_noise=quiet)
        layer = made.fresh(IMAGES, 0).bayesian_layers[0]
        (scales, *_), log_prob = layer.posterior.sample(500, np.array([0, 1]))
        stds.append(
            (scales.numpy().std(axis=0).mean(), log_prob.numpy().mean())
        )
    assert stds[1][0] == pytest.approx(0.01 * stds[0][0], rel=0.1)
    assert stds[1][1] == pytest.approx(stds[0][1], abs=0.5)


@pytest.mark.parametrize(
    ("preset", "floor"), [("paper", 0.0), ("released_code", 0.001)]
)
def test_every_task_has_the_preset_s_floor_under_the_scales(preset, floor):
    # Large enough for two convolutions.
    larger = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)))
    images = image_sets.Parts(larger, LABELS, *[None] * 4)
    method = methods.parse("no_coupling")
    classifier = {
        "dataset": "digits",
        "preset": preset,
        "units": (6,),
        "epochs": 1,
        "num_draws": 2,
    }
    buying = active_learning.Settings(
        "digits", preset, 2, 4, 20, 1, 10, 1, 10, coupling_units=5
    )
    makers = [
        regularisation.maker(
            method,
            regularisation.Settings("digits", preset, 40, (6,), 1, 8, 1e-3),
            images,
        ),
        active_learning.maker(method, "warm", buying, images)[0],
        anomaly.maker(method, anomaly.Settings(**classifier), images),
        adversarial.maker(method, adversarial.Settings(**classifier), images),
    ]
    for made in makers:
        layer = made.fresh(larger, 0).bayesian_layers[0]
        floors = [
            flow.min_scale
            for flow in layer.posterior.flow.flows
            if isinstance(flow, bbh.flows.ElementwiseAffine)
        ]
        assert floors == [floor]


@pytest.mark.parametrize("name", ["no_coupling", "iaf_2"])
def test_scales_start_as_wide_as_asked_for(name):
    stds = []
    for initial_std in (0.01, 0.3):
        made, _ = maker(name, initial_std=initial_std, kl_scale=0.5)
        model = made.fresh(IMAGES, 0)
        assert model.kl_scale == 0.5 and model.num_train_examples == 40
        layer = model.bayesian_layers[0]
        (scales, *_), _ = layer.posterior.sample(500, np.array([0, 1]))
        stds.append(scales.numpy().std(axis=0).mean())
    assert stds[1] == pytest.approx(30 * stds[0], rel=0.03)


@pytest.mark.parametrize("name", ["no_coupling", "real_nvp_2"])
def test_scales_start_near_zero_where_nothing_is_standardised(name):
    made, _ = maker(name, standardizes=False)
    model = made.fresh(IMAGES, 0)
    layer = model.bayesian_layers[0]
    (scales, *_), _ = layer.posterior.sample(500, np.array([0, 1]))
    scales = scales.numpy()
    # Shifts of standard deviation 0.01 and, in each draw, noise of 0.002.
    means = scales.mean(axis=0)
    np.testing.assert_allclose(
        np.sqrt(np.mean(means**2)), 0.01, atol=0.03 / np.sqrt(2 * means.size)
    )
    np.testing.assert_allclose(scales.std(axis=0), 0.00193, rtol=0.15)


@pytest.mark.parametrize("decays", [True, False])
def test_bayes_by_hypernet_is_what_the_library_advises(decays):
    made, recipe = maker("bbh", kl_scale=0.5, decays=decays, learning_rate=0.1)
    model = made.fresh(IMAGES, 0)
    keras.utils.set_random_seed(0)
    advised = bbh.models.bayes_by_hypernet(
        networks.multilayer((4, 4, 1), (6,), None, None),
        len(IMAGES),
        num_epochs=recipe.epochs,
        kl_scale=0.5,
        print_fn=None,
    )
    assert model.num_likelihood_samples == advised.num_likelihood_samples > 1
    assert model.kl_scale == 0.5
    for name in ("divergence", "annealing"):
        found, expected = (getattr(x, name) for x in (model, advised))
        assert type(found) is type(expected), name
        assert found.get_config() == expected.get_config(), name
    # The same weights: posteriors and where they start.
    for found, expected in zip(
        model.get_weights(), advised.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert model.optimizer.global_clipnorm == advised.optimizer.global_clipnorm
    rates = []
    for _ in range(2):
        rates.append(float(model.optimizer.learning_rate))
        training.fit(model, recipe, IMAGES, LABELS, 0)
    assert rates == pytest.approx([1e-3, 1e-5 if decays else 1e-3])


def test_bayes_by_hypernet_trains_and_draws_differ():
    made, recipe = maker("bbh")
    model = made.fresh(IMAGES, 0)
    history = training.fit(model, recipe, IMAGES, LABELS, 0)
    assert np.isfinite(history["nll"]) and np.isfinite(history["kl"])
    assert training.draws(model, IMAGES, 5).std(axis=0).mean() > 1e-3


def test_networks_have_the_authors_outputs():
    network = networks.active_learning((28, 28, 1), 32, 256, (0.25, 0.5))
    widths = [x.kernel.shape[-1] for x in network.layers if x.weights]
    assert widths == [32, 32, 256, 10]
    network = networks.cifar10((32, 32, 3), 4, 5, 0.5)
    kernels = [tuple(x.kernel.shape) for x in network.layers if x.weights]
    assert kernels == [
        (5, 5, 3, 4),
        (5, 5, 4, 4),
        (5, 5, 4, 4),
        (5, 5, 4, 4),
        (256, 5),
        (5, 10),
    ]


def test_the_clipped_softmax_has_no_gradient_where_it_clips():
    logits = np.array([[20.0, 0.0, 0.0]], np.float32)
    log_prob = released.clipped_softmax(logits).log_prob([1])
    assert float(log_prob[0]) == pytest.approx(np.log(0.001 / 1.001), abs=1e-4)


def test_what_has_settings_of_its_own_is_told():
    assert not methods.own_settings({"mle", "iaf_4"})
    (falling,) = methods.own_settings({"mle", "bbh"})
    (constant,) = methods.own_settings({"bbh"}, falls=False)
    assert falling.startswith("Bayes by Hypernet")
    assert "constant" not in falling and "constant" in constant


def test_names_of_methods():
    names = ["mle", "no_coupling", "real_nvp_2", "real_nvp_12", "iaf_8", "bbh"]
    found = methods.check(names)
    assert [x.num_layers for x in found] == [0, 0, 2, 12, 8, 0]
    mixed = [*found[3:], *found[:3]]
    assert sorted(mixed, key=methods.order) == found
    for wrong in (["mle", "mle"], ["iaf"], ["real_nvp_0"], []):
        with pytest.raises(ExperimentError, match="--methods: expected some"):
            methods.check(wrong)
