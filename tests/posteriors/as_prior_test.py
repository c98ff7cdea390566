"""The posterior of one task as the prior of the next."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from bbh_tf.layers import total_kl

tfd = tfp.distributions
_KEY = bbh.randomness.key(0)


def _layer(posterior, units=3, prior=None):
    layer = bbh.layers.Bayesian(
        keras.layers.Dense(units), posterior, prior=prior, seed=1
    )
    layer.build((None, 2))
    return layer


def _kl(layer, estimate, num_samples=5):
    draw = layer.draw(num_samples, _KEY)
    return float(
        total_kl.divergence([layer], [draw], estimate, num_samples, _KEY)
    )


def _shift(posterior, by):
    for variable in posterior.trainable_variables:
        variable.assign(variable + by)


def test_closed_form_against_tfp():
    first = _layer(bbh.posteriors.MeanField())
    _shift(first.posterior, 0.3)
    prior = bbh.posteriors.AsPrior(first.posterior)
    second = _layer(bbh.posteriors.MeanField(-4.0), prior=prior)
    expected = sum(
        tf.reduce_sum(q.kl_divergence(p))
        for q, p in zip(
            second.posterior.distributions(), first.posterior.distributions()
        )
    )
    estimate = bbh.divergences.AnalyticKL()
    np.testing.assert_allclose(_kl(second, estimate), expected, rtol=1e-5)
    for q, p in zip(second.posterior.variables, first.posterior.variables):
        q.assign(p)
    assert abs(_kl(second, estimate)) < 1e-4


@pytest.mark.parametrize(
    "posterior",
    [
        bbh.posteriors.MeanField(-2.0),
        bbh.posteriors.Implicit(bbh.hypernetworks.MLP((8,)), noise_dim=4),
        bbh.posteriors.Implicit(bbh.hypernetworks.MLP((8,)), per="layer"),
    ],
    ids=["mean_field", "implicit", "per_layer"],
)
def test_samples_are_those_of_the_first_posterior(posterior):
    first = _layer(posterior)
    second = _layer(
        bbh.posteriors.MeanField(),
        prior=bbh.posteriors.AsPrior(first.posterior),
    )
    specs = second.pair().specs
    got = second.prior.sample(4, specs, _KEY)
    for ours, theirs in zip(got, first.posterior.sample(4, _KEY)[0]):
        np.testing.assert_array_equal(ours, theirs)
    # A copy: what the first does later is its own affair.
    _shift(first.posterior, 1.0)
    for ours, before in zip(second.prior.sample(4, specs, _KEY), got):
        np.testing.assert_array_equal(ours, before)
    assert np.isfinite(_kl(second, bbh.divergences.KernelKL()))


def _regression(prior):
    inputs = keras.Input((2,))
    dense = keras.layers.Dense(1, use_bias=False)
    outputs = bbh.layers.Bayesian(
        dense, bbh.posteriors.MeanField(-4.0), prior=prior, name="weights"
    )(inputs)
    model = bbh.models.BayesianModel(
        keras.Model(inputs, outputs),
        num_train_examples=8,
        likelihood=bbh.models.likelihoods.Normal(scale=0.5),
        divergence=bbh.divergences.AnalyticKL(),
        num_likelihood_samples=8,
        seed=0,
    )
    model.compile(bbh.optimizers.FusedAdam(0.02))
    return model


def test_two_tasks_one_after_the_other_are_both_together():
    # Orthogonal inputs: the exact posterior factorises, so MeanField has it.
    x = np.tile(np.float32([[1, 0], [0, 1]]), (8, 1))
    y = (
        x @ np.float32([[0.7], [-0.4]])
        + np.random.default_rng(0).normal(0, 0.5, (16, 1))
    ).astype(np.float32)
    prior = None
    for task in (slice(0, 8), slice(8, 16)):
        model = _regression(prior)
        rate = keras.optimizers.schedules.CosineDecay(0.02, 1500)
        model.compile(bbh.optimizers.FusedAdam(rate))
        batches = tf.data.Dataset.from_tensors((x[task], y[task])).repeat()
        model.fit(batches, steps_per_epoch=1500, shuffle=False, verbose=0)
        (layer,) = model.bayesian_layers
        prior = bbh.posteriors.AsPrior(layer.posterior)
    (found,) = layer.posterior.distributions()
    # Precision 1 + n / 0.5^2 with n = 8 examples of each weight in all.
    precision = 1 + 8 / 0.25
    mean = (x.T @ y / 0.25) / precision
    np.testing.assert_allclose(found.mean(), mean, atol=0.03)
    np.testing.assert_allclose(found.stddev(), precision**-0.5, rtol=0.1)


def test_saved_with_the_model_and_never_trained(tmp_path):
    first = _regression(None)
    _shift(first.bayesian_layers[0].posterior, 0.25)
    second = _regression(
        bbh.posteriors.AsPrior(first.bayesian_layers[0].posterior)
    )
    prior = second.bayesian_layers[0].prior
    assert len(second.trainable_variables) == len(first.trainable_variables)
    second.trainable = False
    second.trainable = True
    assert len(second.trainable_variables) == len(first.trainable_variables)
    before = [np.array(v) for v in prior.variables]
    assert before
    x = np.float32([[1, 0], [0, 1]])
    second.fit(x, np.float32([[1], [2]]), epochs=3, verbose=0)
    for now, then in zip(prior.variables, before):
        np.testing.assert_array_equal(now, then)
    second.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    estimate = bbh.divergences.AnalyticKL()
    assert _kl(loaded.bayesian_layers[0], estimate) == pytest.approx(
        _kl(second.bayesian_layers[0], estimate)
    )
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), second.predict(x, verbose=0)
    )


@pytest.mark.parametrize(
    "posterior",
    [
        bbh.posteriors.MultivariateNormal(-2.0),
        bbh.posteriors.Flow(bbh.flows.real_nvp(2, (4,), seed=1)),
    ],
    ids=["multivariate_normal", "flow"],
)
def test_a_density_of_dependent_weights_is_that_of_the_draws(posterior):
    first = _layer(posterior)
    generator = np.random.default_rng(0)
    for variable in first.posterior.trainable_variables:
        variable.assign_add(0.3 * generator.normal(size=variable.shape))
    second = _layer(posterior, prior=bbh.posteriors.AsPrior(first.posterior))
    samples, log_prob = first.posterior.sample(4, _KEY)
    specs = second.pair().specs
    assert second.prior.has_log_prob(specs)
    np.testing.assert_allclose(
        second.prior.log_prob(samples, specs, _KEY), log_prob, rtol=1e-4
    )
    bbh.divergences.MonteCarloKL().check([second.pair()])
    third = _layer(bbh.posteriors.MeanField(), prior=second.prior)
    with pytest.raises(ValueError, match="a prior of independent weights"):
        bbh.divergences.AnalyticKL().check([third.pair()])


def test_the_density_of_a_multivariate_normal_is_tfp_s():
    q = _layer(bbh.posteriors.MultivariateNormal(-2.0)).posterior
    q.assign(
        [np.full((2, 3), 0.3), np.array([1.0, -1.0, 2.0])],
        np.tril(np.random.default_rng(0).uniform(0.2, 1.0, (9, 9))),
    )
    samples = [np.float32(np.ones((4, 2, 3))), np.zeros((4, 3), np.float32)]
    expected = tfd.MultivariateNormalTriL(
        tf.concat([tf.reshape(mean, (-1,)) for mean in q.mean()], 0),
        q.scale_tril(),
    ).log_prob(np.concatenate([np.ones((4, 6)), np.zeros((4, 3))], 1))
    np.testing.assert_allclose(q.log_prob(samples), expected, rtol=1e-5)


def test_two_layers_may_have_the_same_prior():
    first = _layer(bbh.posteriors.MeanField())
    prior = bbh.posteriors.AsPrior(first.posterior)
    layers = [_layer(bbh.posteriors.MeanField(), prior=prior) for _ in "ab"]
    assert layers[0].prior is not layers[1].prior
    for layer in layers:
        for p, q in zip(layer.prior.variables, first.posterior.variables):
            np.testing.assert_array_equal(p, q)


def test_it_is_what_the_posterior_was_when_it_was_made():
    first = _layer(bbh.posteriors.MeanField())
    before = [np.array(v) for v in first.posterior.variables]
    prior = bbh.posteriors.AsPrior(first.posterior)
    _shift(first.posterior, 1.0)
    second = _layer(bbh.posteriors.MeanField(), prior=prior)
    # A layer's own can be another's, too.
    third = _layer(bbh.posteriors.MeanField(), prior=second.prior)
    for layer in (second, third):
        for now, then in zip(layer.prior.variables, before, strict=True):
            np.testing.assert_array_equal(now, then)


def test_refusals():
    with pytest.raises(ValueError, match="has no parameters yet"):
        bbh.posteriors.AsPrior(bbh.posteriors.MeanField())
    with pytest.raises(ValueError, match="Expected a posterior"):
        bbh.posteriors.AsPrior("normal")
    for recipe in (
        bbh.posteriors.MeanField(),
        bbh.posteriors.Implicit(bbh.hypernetworks.MLP((4,))),
    ):
        first = _layer(recipe)
        with pytest.raises(ValueError, match="weights of the same shapes"):
            _layer(
                bbh.posteriors.MeanField(),
                units=4,
                prior=bbh.posteriors.AsPrior(first.posterior),
            )
    second = _layer(
        bbh.posteriors.MeanField(),
        prior=bbh.posteriors.AsPrior(first.posterior),
    )
    with pytest.raises(ValueError, match="needs a prior with a density"):
        bbh.divergences.AnalyticKL().check([second.pair()])
    # Its draws have a density, and other values need a way back.
    first = _layer(
        bbh.posteriors.Flow(bbh.flows.inverse_autoregressive(1, (4,)))
    )
    second = _layer(
        bbh.posteriors.MeanField(),
        prior=bbh.posteriors.AsPrior(first.posterior),
    )
    with pytest.raises(ValueError, match="needs a prior with a density"):
        bbh.divergences.MonteCarloKL().check([second.pair()])


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_a_whole_model_is_the_prior_of_the_next(tmp_path, scope):
    plain = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)],
        name="net",
    )
    recipe = bbh.posteriors.MeanField()
    first = bbh.models.bayesify(plain, recipe, scope=scope)
    priors = bbh.models.priors_of(first)
    names = ["net"] if scope == "network" else [x.name for x in plain.layers]
    assert list(priors) == names
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(plain, recipe, prior=priors, scope=scope),
        num_train_examples=4,
        likelihood="normal",
        divergence=bbh.divergences.AnalyticKL(),
    )
    for old, new in zip(
        bbh.models.BayesianModel(first, 4, likelihood="normal").random_layers,
        model.random_layers,
    ):
        for variable, other in zip(
            new.prior.variables, old.posterior.variables, strict=True
        ):
            np.testing.assert_array_equal(variable, other)
    model.compile("adam")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    x = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "model.keras").predict(x),
        model.predict(x),
    )


def test_a_prior_for_a_layer_that_is_not_there_is_refused():
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="prior to have names of random"):
        bbh.models.bayesify(
            plain, bbh.posteriors.MeanField(), prior={"fc9": None}
        )
    with pytest.raises(ValueError, match="has none"):
        bbh.models.priors_of(plain)


@keras.saving.register_keras_serializable(package="tests")
class _Two(keras.layers.Layer):
    """A layer of two Bayesian layers, each with a learnt prior."""

    def __init__(self, first, second, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = (
            keras.saving.deserialize_keras_object(x)
            if isinstance(x, dict)
            else x
            for x in (first, second)
        )

    def build(self, input_shape):
        for layer in (self.first, self.second):
            if not layer.built:
                layer.build(input_shape)

    def call(self, inputs):
        return self.first(inputs) + self.second(inputs)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "first": serialize(self.first),
            "second": serialize(self.second),
        }


def test_a_draw_of_layers_inside_a_layer_is_a_plain_model():
    prior = bbh.posteriors.AsPrior(_layer(bbh.posteriors.MeanField()).posterior)
    inner = [
        bbh.layers.Bayesian(
            keras.layers.Dense(3),
            bbh.posteriors.MeanField(-2.0),
            prior=prior,
            name=name,
        )
        for name in ("one", "two")
    ]
    inputs = keras.Input((2,))
    model = bbh.models.BayesianModel(
        keras.Model(inputs, _Two(*inner)(inputs)), 4, likelihood="normal"
    )
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    np.testing.assert_allclose(
        model.draw(index=1)(x),
        model.predict_samples(x, num_samples=2)[1],
        atol=1e-5,
    )


class _Scales(bbh.posteriors.MeanField):
    def weights_of(self, samples):
        return [2 * x for x in samples]


def test_a_posterior_that_is_not_over_weights_is_refused():
    layer = _layer(_Scales())
    with pytest.raises(ValueError, match="over weights; got _Scales"):
        bbh.posteriors.AsPrior(layer.posterior)
