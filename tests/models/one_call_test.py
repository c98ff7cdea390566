"""One call makes what the same choices, spelled out, make."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow_probability as tfp

import bbh_tf as bbh

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(64, 3)).astype("float32")
LABELS = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0)
CALLS = {
    "hypernet": bbh.models.bayes_by_hypernet,
    "backprop": bbh.models.bayes_by_backprop,
}
SLICED = bbh.hypernetworks.Sliced(units=(8,))
IMPLICIT = bbh.posteriors.Implicit(bbh.hypernetworks.MLP((8,)))
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def network(num_outputs=3):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(4, "relu", name="hidden"),
        keras.layers.Dense(num_outputs, name="output"),
    ]
    return keras.Sequential([keras.Input((3,)), *layers])


def made(call, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call(*args, print_fn=None, **kwargs)


def test_is_what_its_choices_make():
    found = made(
        bbh.models.bayes_by_hypernet, network(), 64, num_epochs=20, seed=1
    )
    posterior = bbh.posteriors.Implicit(
        bbh.hypernetworks.MLP((64, 256, 16), kernel_initializer="hyperfan"),
        noise_dim=8,
    )
    expected = bbh.models.BayesianModel(
        bbh.models.bayesify(
            network(),
            posterior,
            prior=bbh.priors.NormalLearnedScale(),
            start="pretrained",
        ),
        64,
        divergence=bbh.divergences.NearestNeighbourEntropy(3),
        annealing=bbh.annealing.Linear(1.0, 9.0),
        num_likelihood_samples=5,
        seed=1,
    )
    rate = bbh.optimizers.EpochCosineDecay(1e-3, 20)
    expected.compile(bbh.optimizers.FusedAdam(rate), metrics=["accuracy"])
    expected.set_weights(found.get_weights())
    for model in (found, expected):
        model.fit(X, LABELS, batch_size=32, epochs=2, shuffle=False, verbose=0)
    for one, two in zip(found.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(one, two)


# A weight is the sum of many parameters in one, a parameter in the other.
@pytest.mark.parametrize(
    ("call", "rate"), [*zip(CALLS.values(), (1e-3, 1e-2))], ids=CALLS
)
def test_learns_classes_and_numbers(call, rate):
    model = made(call, network(), 6400, num_epochs=1, learning_rate=rate)
    history = model.fit(X, LABELS, 8, epochs=40, verbose=0).history
    assert history["accuracy"][-1] > 0.8
    likelihood = "normal_learned_scale"
    model = made(call, network(2), 6400, likelihood, learning_rate=rate)
    history = model.fit(X, X[:, 0], 8, epochs=20, verbose=0).history
    assert history["nll"][-1] < 1.4
    assert "accuracy" not in history


def test_the_paper_is_one_argument_away():
    model = made(
        bbh.models.bayes_by_hypernet, network(), 64, form="paper", num_epochs=40
    )
    assert type(model.divergence) is bbh.divergences.KernelKL
    assert model.divergence.num_neighbours == 1
    posterior = model.bayesian_layers[0].posterior
    assert posterior.noise_dim == 1
    # A constant 1 and the noise; 64, 256 and 512 wide; 12 weights.
    expected = 3 * 64 + 65 * 256 + 257 * 512 + 513 * 12
    assert posterior.parameter_report()[0][2] == expected
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("settings", "is_around"),
    [
        ({}, True),
        ({"start": "random"}, False),
        ({"form": "paper"}, False),
        # Slices without a center cannot, and are not asked to.
        ({"posterior": bbh.posteriors.Implicit(SLICED)}, False),
        ({"posterior": IMPLICIT, "start": "pretrained"}, True),
    ],
)
def test_weights_begin_around_those_of_the_network(settings, is_around):
    given = network()
    model = made(bbh.models.bayes_by_hypernet, given, 64, **settings)
    kernels = [model.draw(index=k).get_layer("hidden").kernel for k in range(9)]
    kernel = given.get_layer("hidden").kernel.numpy()
    deviation = np.mean(np.square(np.mean(kernels, axis=0) - kernel))
    assert (deviation < 0.01 * np.mean(np.square(kernel))) == is_around


def test_the_learning_rate_falls_in_the_advised_form():
    def rates(**settings):
        call = bbh.models.bayes_by_hypernet
        model = made(call, network(), 64, num_epochs=2, **settings)
        rate = model.optimizer.learning_rate
        before = float(rate)
        model.fit(X, LABELS, epochs=2, verbose=0)
        return before, float(model.optimizer.learning_rate)

    assert rates() == pytest.approx((1e-3, 1e-5))
    assert rates(learning_rate=0.01) == pytest.approx((1e-2, 1e-4))
    assert rates(form="paper") == pytest.approx((1e-4, 1e-4))


@pytest.mark.parametrize(
    ("call", "settings"),
    [
        (bbh.models.bayes_by_backprop, {}),
        (bbh.models.bayes_by_hypernet, {}),
        (bbh.models.bayes_by_hypernet, {"form": "paper"}),
    ],
)
def test_a_schedule_is_taken_as_it_is(call, settings):
    rate = keras.optimizers.schedules.ExponentialDecay(0.25, 1, 0.5)
    lines = []
    model = call(
        network(),
        64,
        learning_rate=rate,
        print_fn=lines.append,
        **settings,
    )
    assert "FusedAdam, at the rates of your ExponentialDecay" in lines[0]
    assert float(model.optimizer.learning_rate) == 0.25
    model.fit(X, LABELS, len(X), verbose=0)
    assert float(model.optimizer.learning_rate) == 0.125


def test_few_examples_have_settings_of_their_own():
    def chosen(count, **settings):
        call = bbh.models.bayes_by_hypernet
        model = made(call, network(), count, **settings)
        rate = float(model.optimizer.learning_rate)
        made_of = model.bayesian_layers[0].posterior.get_config()
        width = made_of["hypernetwork"]["config"]["units"][-1]
        clipnorm = model.optimizer.global_clipnorm
        draws = model.num_likelihood_samples
        return draws, width, pytest.approx(rate), clipnorm

    assert chosen(10_000) == (5, 16, 1e-3, 100.0)
    assert chosen(10_001) == (1, 4, 3e-4, 100.0)
    assert chosen(100, num_likelihood_samples=2) == (2, 16, 1e-3, 100.0)
    assert chosen(10_001, learning_rate=1e-3) == (1, 4, 1e-3, 100.0)
    assert chosen(10_001, form="paper") == (1, 512, 1e-4, None)


@every_call
def test_an_argument_takes_the_place_of_a_choice(call):
    model = made(
        call,
        network(),
        64,
        posterior=bbh.posteriors.MeanField(-3.0),
        divergence=bbh.divergences.MonteCarloKL(),
        annealing=None,
        kl_scale=0.5,
        layers="output",
    )
    (layer,) = model.bayesian_layers
    assert layer.name == "output"
    assert layer.posterior.get_config()["initial_log_variance"] == -3.0
    assert type(model.divergence) is bbh.divergences.MonteCarloKL
    assert model.annealing(0.0) == 1.0
    assert model.kl_scale == 0.5


@every_call
@pytest.mark.parametrize("rate", [1, np.float32(0.5)])
def test_a_learning_rate_may_be_any_number(call, rate):
    model = made(call, network(), 64, learning_rate=rate)
    assert float(model.optimizer.learning_rate) == float(rate)


@every_call
@pytest.mark.parametrize("rate", [0, -1e-3, np.inf, "fast"])
def test_what_is_no_learning_rate_is_refused(call, rate):
    with pytest.raises(ValueError, match="learning_rate to be a finite number"):
        made(call, network(), 64, learning_rate=rate)


@pytest.mark.parametrize(
    ("settings", "is_learned"),
    [
        ({}, True),
        ({"posterior": bbh.posteriors.Implicit(bbh.hypernetworks.MLP())}, True),
        ({"divergence": bbh.divergences.NearestNeighbourEntropy(2)}, True),
        ({"form": "paper"}, False),
        ({"prior": None}, False),
        # It would widen with the posterior.
        ({"divergence": bbh.divergences.KernelKL(num_neighbours=3)}, False),
        (
            {
                "posterior": bbh.posteriors.MeanField(),
                "divergence": bbh.divergences.AnalyticKL(),
            },
            False,
        ),
    ],
)
def test_the_prior_learns_its_scale_where_it_can(settings, is_learned):
    texts = []
    model = bbh.models.bayes_by_hypernet(
        network(), 64, print_fn=texts.append, **settings
    )
    kind = "NormalLearnedScale" if is_learned else "Normal"
    for layer in model.bayesian_layers:
        assert type(layer.prior).__name__ == kind
    assert ("NormalLearnedScale as prior" in texts[0]) == is_learned


def test_priors_of_ones_own_are_told():
    texts = []
    priors = {"hidden": bbh.priors.Normal(0.0, 2.0)}
    bbh.models.bayes_by_hypernet(
        network(), 64, print_fn=texts.append, prior=priors
    )
    assert "; N(0, 1), N(0, 4) as prior; " in texts[0]


def test_one_hypernetwork_for_all_weights():
    model = made(bbh.models.bayes_by_hypernet, network(), 64, scope="network")
    (layer,) = model.bayesian_layers
    assert layer.draw_size() == 31


def test_the_divergence_is_one_that_the_prior_allows():
    laplace = tfp.distributions.Laplace(0.0, 1.0)
    model = made(bbh.models.bayes_by_backprop, network(), 64, prior=laplace)
    assert type(model.divergence) is bbh.divergences.MonteCarloKL

    class Sampler(bbh.priors.Prior):
        def sample(self, num_samples, specs, key):
            normal = bbh.priors.Normal()
            return normal.sample(num_samples, specs, key)

    model = made(bbh.models.bayes_by_hypernet, network(), 64, prior=Sampler())
    assert type(model.divergence) is bbh.divergences.KernelKL
    assert model.divergence.num_neighbours == 3
    assert model.num_prior_samples == 20


@pytest.mark.parametrize(
    "make", [bbh.priors.KernelNormal, bbh.priors.KernelFlow]
)
def test_priors_of_kernels_are_compared_by_samples(make):
    image = keras.Input((4, 4, 1))
    hidden = keras.layers.Flatten()(
        keras.layers.Conv2D(2, 2, name="conv")(image)
    )
    plain = keras.Model(image, keras.layers.Dense(3)(hidden))
    model = made(
        bbh.models.bayes_by_hypernet, plain, 64, prior={"conv": make(2)}
    )
    assert type(model.divergence) is bbh.divergences.KernelKL
    assert model.divergence.num_neighbours == 3


def test_says_what_it_chose():
    lines = []
    bbh.models.bayes_by_hypernet(
        network(), 64, num_epochs=100, print_fn=lines.append
    )
    (line,) = lines
    for part in (
        "MLP([64, 256, 16], hyperfan)",
        "noise_dim=8",
        "31 weights, initialised around those of the network",
        "NearestNeighbourEntropy(num_neighbours=3)",
        "1 / 64",
        "epochs 5 to 50",
        "likelihood under 5 draws",
        "FusedAdam(0.001), falling over 100 epochs, gradients clipped at 100",
    ):
        assert part in line
    bbh.models.bayes_by_hypernet(network(), 10_001, print_fn=lines.append)
    assert "FusedAdam(0.0003), falling over 100 epochs, gradi" in lines[-1]
    bbh.models.bayes_by_hypernet(
        network(), 64, form="paper", print_fn=lines.append
    )
    assert "clipped" not in lines[-1]


def test_warns_of_many_weights():
    with pytest.warns(UserWarning, match="31 random weights for 1 examples"):
        bbh.models.bayes_by_hypernet(network(), 1, print_fn=None)
    with pytest.warns(UserWarning, match="31 random weights for 3 examples"):
        bbh.models.bayes_by_hypernet(network(), 3, print_fn=None)
    made(bbh.models.bayes_by_hypernet, network(), 4)
    made(bbh.models.bayes_by_hypernet, network(), 1, kl_scale=0.1)


def test_masks_of_dropout_are_no_weights_to_warn_of():
    plain = keras.Sequential(
        [
            keras.Input((40,)),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1, name="output"),
        ]
    )
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bbh.models.bayes_by_hypernet(
            plain, 5, "normal", dropout="keras", print_fn=lines.append
        )
    assert "over 41 weights" in lines[0]


@pytest.mark.parametrize("start", ["random", "pretrained"])
def test_advises_another_start_where_there_is_one(start):
    with pytest.warns(UserWarning, match="random weights for") as found:
        bbh.models.bayes_by_hypernet(network(), 1, start=start, print_fn=None)
    advised = "start='pretrained'" in str(found[0].message)
    assert advised == (start == "random")


@pytest.mark.parametrize(
    ("divergence", "told"),
    [
        (bbh.divergences.AnalyticKL(), "AnalyticKL(), times 1 / 64"),
        (bbh.divergences.MonteCarloKL(), "MonteCarloKL(), 1 sample a step, "),
    ],
)
def test_says_how_many_samples_are_used(divergence, told):
    lines = []
    bbh.models.bayes_by_backprop(
        network(),
        64,
        divergence=divergence,
        num_samples=1,
        print_fn=lines.append,
    )
    assert told in lines[0]


@every_call
def test_refuses_in_one_line(call):
    with pytest.raises(TypeError, match="'learning' is no argument"):
        call(network(), 64, learning=1)
    with pytest.raises(ValueError, match="num_epochs"):
        call(network(), 64, num_epochs=0)
    with pytest.raises(ValueError, match="num_train_examples"):
        call(network(), "many")
    with pytest.raises(ValueError, match='"advised" or "paper"; got'):
        bbh.models.bayes_by_hypernet(network(), 64, form="old")
