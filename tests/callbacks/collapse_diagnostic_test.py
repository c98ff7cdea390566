"""The collapse diagnostic: what it writes, and when it warns."""

import math
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.callbacks import spread
from tests.models import small_models

GENERATOR = np.random.default_rng(0)
Y = np.arange(60) % 3
X = (3 * np.eye(3, 4)[Y] + GENERATOR.normal(size=(60, 4))).astype("float32")


def _model(**kwargs):
    keras.utils.set_random_seed(0)
    settings = {
        "num_train_examples": 60,
        "divergence": bbh.divergences.AnalyticKL(),
        **kwargs,
    }
    network = small_models.network(posterior=bbh.posteriors.MeanField(-6.0))
    model = small_models.model(network, compiled=False, **settings)
    model.compile(keras.optimizers.Adam(0.05))
    return model


def _fit(model, diagnostic, epochs=4, y=Y):
    model.fit(
        X, y, batch_size=20, epochs=epochs, callbacks=[diagnostic], verbose=0
    )


def _scalars(folder):
    """Reads the event files back: {tag: [(step, value, plugin)]}."""
    found = {}
    for path in sorted(folder.iterdir()):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(
                    (
                        event.step,
                        float(tf.make_ndarray(value.tensor)),
                        value.metadata.plugin_data.plugin_name,
                    )
                )
    return found


def test_a_run_that_collapses_is_warned_of_once():
    model = _model(num_train_examples=2, kl_scale=100.0)
    diagnostic = bbh.callbacks.CollapseDiagnostic()
    with pytest.warns(UserWarning, match="The KL drowns the like") as found:
        _fit(model, diagnostic, epochs=5)
    assert len(found) == 1
    message = str(found[0].message)
    assert "\n" not in message
    assert "for 3 epochs" in message
    assert "a guess's 1.1;" in message
    assert "num_train_examples is 2" in message


def _as_wide_as_the_prior(**kwargs):
    model = _model(**kwargs)
    for layer in model.bayesian_layers:
        for variable in layer.posterior.variables:
            variable.assign(tf.zeros(variable.shape))
    return model


def _epochs(model, *logs, **kwargs):
    """Runs the callback on what training is said to have logged."""
    diagnostic = bbh.callbacks.CollapseDiagnostic(num_samples=40, **kwargs)
    diagnostic.set_model(model)
    diagnostic.on_train_begin()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for epoch, (nll, kl, kl_weight) in enumerate(logs):
            diagnostic.on_epoch_end(
                epoch, {"nll": nll, "kl": kl, "kl_weight": kl_weight}
            )
    diagnostic.on_train_end()
    return [str(w.message) for w in found if "KL drowns" in str(w.message)]


# (nll, kl, kl_weight); a guess among three classes has log(3) = 1.10 nats.
DROWNED = (1.2, 200.0, 0.01)
LEARNT = (0.5, 200.0, 0.01)
SMALL_KL = (1.2, 1.0, 0.01)
NO_KL = (1.2, 200.0, 0.0)


@pytest.mark.parametrize(
    ("logs", "is_warned"),
    [
        ([DROWNED] * 3, True),
        ([DROWNED] * 9, True),
        ([DROWNED] * 2, False),
        ([DROWNED, DROWNED, LEARNT] * 2, False),
        ([LEARNT] * 3, False),
        ([SMALL_KL] * 3, False),
        ([NO_KL] * 3, False),
        ([NO_KL] * 3 + [DROWNED] * 2, False),
        # Above three quarters of a guess's, and better in each epoch.
        ([(1.1 - 0.03 * k, 200.0, 0.01) for k in range(1, 9)], False),
        # Once learnt, and lost again.
        ([LEARNT] + [(0.9, 200.0, 0.01)] * 3, True),
        # Better each time, but not than the best.
        ([(x, 200.0, 0.01) for x in (0.85, 1.2, 1.1, 1.0)], True),
    ],
)
def test_the_criterion(logs, is_warned):
    assert len(_epochs(_model(), *logs)) == is_warned


def test_weights_that_are_the_priors():
    """The KL is small by then: the spread alone gives it away."""
    model = _as_wide_as_the_prior()
    (message,) = _epochs(model, SMALL_KL, patience=1)
    assert "weights spread at least 9" in message or "least 1" in message
    assert not _epochs(model, LEARNT, patience=1)
    # One layer that has learnt is enough.
    narrow = model.bayesian_layers[1].posterior
    narrow.start_at([np.ones((5, 3)), np.ones(3)], relative_std=0.1)
    assert not _epochs(model, SMALL_KL, patience=1)


def test_labels_that_are_numbers():
    """Without a guess to compare with, the spread alone decides."""
    model = _model(likelihood="normal")
    assert not _epochs(model, DROWNED, patience=1)
    assert len(_epochs(model, DROWNED, patience=1, guess_nll=1.1)) == 1
    assert not _epochs(model, DROWNED, patience=1, guess_nll=1.6)
    wide = _as_wide_as_the_prior(likelihood="normal")
    assert not _epochs(wide, LEARNT, patience=1)
    assert len(_epochs(wide, LEARNT, LEARNT, patience=1)) == 1


def test_labels_that_are_0_or_1():
    """A guess has log(2) nats for each, 2.08 for the three of an example."""
    model = _model(likelihood="bernoulli_logits")
    drowned = (2.2, 300.0, 0.01)
    assert len(_epochs(model, drowned, patience=1)) == 1
    assert not _epochs(model, (2.2, 200.0, 0.01), patience=1)
    wide = _as_wide_as_the_prior(likelihood="bernoulli_logits")
    assert not _epochs(wide, LEARNT, LEARNT, patience=1)


@pytest.mark.parametrize(
    ("nlls", "is_warned"),
    [
        ((-0.9, -0.9), True),
        ((-0.9, -1.005), True),
        # Better by more than a quarter.
        ((-1.6, -1.6), False),
        # Still learning, if less than that.
        ((-1.1, -1.2), False),
    ],
)
def test_negative_nlls_of_densities(nlls, is_warned):
    logs = [(nll, 1.0, 0.01) for nll in nlls]
    wide = _as_wide_as_the_prior(likelihood="normal")
    found = _epochs(wide, *logs, patience=2, guess_nll=-1.0)
    assert len(found) == is_warned
    # No KL is too large for densities: a larger one can be worth it.
    narrow = _model(likelihood="normal")
    drowned = [(nll, 200.0, 0.01) for nll in nlls]
    assert not _epochs(narrow, *drowned, patience=2, guess_nll=-1.0)
    if is_warned:
        # Without a guess the best so far is negative, too.
        assert len(_epochs(wide, *logs[:1] * 4)) == 1


def test_a_healthy_run_has_no_warning():
    model = _model()
    diagnostic = bbh.callbacks.CollapseDiagnostic()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _fit(model, diagnostic, 10)
    assert model.evaluate(X, Y, return_dict=True)["nll"] < 0.8
    assert 0 < diagnostic.values["spread_of_prior/logits"] < 0.9


def test_event_files_hold_the_scalars(tmp_path):
    model = _model()
    diagnostic = bbh.callbacks.CollapseDiagnostic(
        tmp_path / "logs", num_samples=400
    )
    _fit(model, diagnostic, epochs=2)
    found = _scalars(tmp_path / "logs")
    assert set(found) == {
        f"{what}/{layer}"
        for what in ("spread", "spread_of_prior", "kl", "least_kl")
        for layer in ("hidden", "logits")
    } | {"weighted_kl/all", "guess_nll/all"}
    for tag, entries in found.items():
        assert [step for step, _, _ in entries] == [0, 1]
        assert {plugin for _, _, plugin in entries} == {"scalars"}
        assert entries[-1][1] == pytest.approx(diagnostic.values[tag])
    assert found["guess_nll/all"][0][1] == pytest.approx(math.log(3))

    # Against what the posterior says of itself; the weights are 25 and 18.
    for layer in model.bayesian_layers:
        distributions = layer.posterior.distributions()
        stds = np.concatenate([np.ravel(q.stddev()) for q in distributions])
        error = stds.mean() / math.sqrt(2 * 400 * len(stds))
        measured = diagnostic.values[f"spread/{layer.name}"]
        assert abs(measured - stds.mean()) < 4 * error
        # N(0, 1) is the prior.
        ratio = diagnostic.values[f"spread_of_prior/{layer.name}"]
        assert ratio == pytest.approx(stds.mean(), rel=0.1)
        kl = bbh.divergences.AnalyticKL()(
            distributions, layer.prior.distributions(distributions)
        )
        assert diagnostic.values[f"kl/{layer.name}"] == pytest.approx(
            float(kl), rel=1e-5
        )


def _mixed():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            bbh.layers.MCDropout(0.1, seed=1),
            bbh.layers.MNFDense(
                4, flow_units=4, auxiliary_flow_units=4, seed=1, name="mnf"
            ),
            bbh.layers.Bayesian(
                keras.layers.Dense(3), small_models.implicit(), name="last"
            ),
        ]
    )
    return small_models.model(network)


def test_layers_of_other_kinds():
    spreads, kls, _ = spread.of_layers(_mixed(), 5, bbh.randomness.key(1))
    assert set(spreads) == {"last"}
    assert set(kls) == {"mnf", "last"}
    assert np.isfinite([*spreads.values(), *kls.values()]).all()


class _DensityAlone(bbh.priors.Prior):
    def log_prob(self, samples, specs, key):
        del specs, key
        return -sum(
            tf.reduce_sum(x**2, axis=range(1, len(x.shape))) / 2
            for x in samples
        )


def test_a_prior_that_cannot_be_sampled_has_no_spread():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            bbh.layers.Bayesian(
                keras.layers.Dense(3),
                bbh.posteriors.MeanField(-6.0),
                _DensityAlone(),
                name="dense",
            ),
        ]
    )
    model = small_models.model(
        network, divergence=bbh.divergences.MonteCarloKL()
    )
    diagnostic = bbh.callbacks.CollapseDiagnostic()
    _fit(model, diagnostic, epochs=1)
    assert diagnostic.values["spread/dense"] > 0
    assert np.isfinite(diagnostic.values["kl/dense"])
    assert "spread_of_prior/dense" not in diagnostic.values


def test_a_prior_that_learns_is_measured_as_it_is():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model = small_models.model(
        bbh.models.bayesify(
            network,
            bbh.posteriors.MeanField(-2.0),
            prior=bbh.priors.NormalLearnedScale(rate=100.0),
        ),
        num_train_examples=60,
        divergence=bbh.divergences.AnalyticKL(),
    )
    diagnostic = bbh.callbacks.CollapseDiagnostic(num_samples=300)
    _fit(model, diagnostic, epochs=1)
    (layer,) = model.bayesian_layers
    scales = [float(p.scale) for p in layer.prior.distributions([None] * 2)]
    # At first they were 10.
    assert max(scales) < 9
    values = diagnostic.values
    found = (
        values[f"spread/{layer.name}"] / values[f"spread_of_prior/{layer.name}"]
    )
    sizes = np.array([12, 3])
    expected = np.sqrt(np.sum(sizes * np.square(scales)) / 15)
    assert found == pytest.approx(expected, rel=0.1)


def test_a_divergence_that_learns_knows_no_layers():
    model = small_models.model(divergence=bbh.divergences.AdversarialKL())
    spreads, kls, _ = spread.of_layers(model, 5, bbh.randomness.key(1))
    assert set(spreads) == {"hidden", "logits"}
    assert not kls


def test_the_kls_of_layers_add_up():
    model = small_models.model()
    key = bbh.randomness.key(1)
    _, kls, _ = spread.of_layers(model, 5, key)
    samples = [
        layer.posterior.sample(2, key, position)[0]
        for position, layer in enumerate(model.bayesian_layers)
    ]
    estimates = [
        float(
            bbh.divergences.KernelKL()(
                [x for tensors in samples for x in tensors],
                bbh.priors.Normal().sample(
                    2,
                    [small_models.spec_of(x) for y in samples for x in y],
                    bbh.randomness.key(seed),
                ),
            )
        )
        for seed in range(50)
    ]
    # One estimate of each, on draws of the prior of their own.
    assert abs(sum(kls.values()) - np.mean(estimates)) < 5 * np.std(estimates)


def test_the_least_kl_is_that_of_independent_normals():
    model = _model()
    for layer in model.bayesian_layers:
        std = 0.5 if layer.name == "hidden" else 0.2
        layer.posterior.start_at(
            [np.full(x.shape, 2.0) for x in layer.pair().specs],
            relative_std=std / 2,
        )
    _, kls, least = spread.of_layers(model, 300, bbh.randomness.key(1))
    assert set(least) == set(kls)
    for name, value in least.items():
        # Of each weight the mean has a standard error of 0.03 at most, and
        # the KL a slope of 2 there.
        assert value == pytest.approx(kls[name], rel=0.05)
    # With few draws too it is right on average.
    few = [
        spread.of_layers(model, 5, bbh.randomness.key(seed))[2]["hidden"]
        for seed in range(30)
    ]
    error = np.std(few, ddof=1) / np.sqrt(len(few))
    assert abs(np.mean(few) - kls["hidden"]) < 4 * error


class _Blind(bbh.divergences.AnalyticKL):
    """Charges a part of the KL."""

    share = 1.0

    def estimate(self, pairs, num_prior_samples, key):
        return self.share * super().estimate(pairs, num_prior_samples, key)


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_an_estimate_below_the_least_is_told(share):
    model = _model(divergence=_Blind())
    model.divergence.share = share
    diagnostic = bbh.callbacks.CollapseDiagnostic()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        _fit(model, diagnostic, epochs=1)
    (*told,) = [w for w in found if "estimate of the KL" in str(w.message)]
    assert len(told) == (share < 0.5)
    assert all("has less than" in str(w.message) for w in told)


def test_two_layers_of_one_name():
    inner = [
        keras.Sequential(
            [
                keras.Input((4,)),
                bbh.layers.Bayesian(
                    keras.layers.Dense(4), small_models.implicit(), name="same"
                ),
            ]
        )
        for _ in range(2)
    ]
    model = small_models.model(keras.Sequential([keras.Input((4,)), *inner]))
    key = bbh.randomness.key(1)
    spreads, kls, _ = spread.of_layers(model, 5, key)
    of_priors = spread.of_priors(model, 5, key)
    assert set(spreads) == set(kls) == set(of_priors) == {"same_0", "same_1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_samples": 1}, "num_samples to be at least 2; got 1"),
        ({"num_samples": 2.5}, "num_samples to be a positive int.*got 2.5"),
        ({"patience": 0}, "patience to be a positive integer; got 0"),
        ({"guess_nll": "2.3"}, "a finite guess_nll; got '2.3'"),
        ({"guess_nll": float("nan")}, "a finite guess_nll; got nan"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        bbh.callbacks.CollapseDiagnostic(**arguments)


def test_other_models_are_refused():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model = bbh.models.DeepEnsemble(network, 2)
    model.compile("sgd")
    with pytest.raises(ValueError, match="BayesianModel; got DeepEnsemble"):
        _fit(model, bbh.callbacks.CollapseDiagnostic(), 1)
