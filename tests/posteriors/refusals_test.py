"""What the mathematical rooms refuse, and in which words."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf import annealing
from bbh_tf import divergences
from bbh_tf import hypernetworks
from bbh_tf import posteriors
from bbh_tf import priors
from bbh_tf import randomness
from bbh_tf import weights

tfd = tfp.distributions
kernel_kl = divergences.KernelKL()
analytic_kl = divergences.AnalyticKL()
normal = tfd.Normal(0.0, 1.0)


def unknown_number_of_samples():
    @tf.function(
        autograph=False, input_signature=[tf.TensorSpec((None, 2), tf.float32)]
    )
    def estimate(q):
        return kernel_kl(q, q)

    estimate(np.zeros((3, 2)))


def unbuilt(posterior):
    return lambda: posterior.sample(2, randomness.key(0))


REFUSALS = {
    # Randomness.
    "no word": (randomness.key, "needs at least one integer; got none"),
    "float word": (lambda: randomness.key(1.5), "integers; got 1.5 of type fl"),
    "bool word": (lambda: randomness.key(True), "integers; got True of type b"),
    "numpy bool": (lambda: randomness.key(np.bool_(1)), "got np.True_ of type"),
    "text word": (lambda: randomness.key("7"), "integers; got '7' of type str"),
    "large word": (lambda: randomness.key(2**63), "64 bits; got 92233720368"),
    "small word": (lambda: randomness.key(-(2**63) - 1), "64 bits; got -9223"),
    "float tensor": (
        lambda: randomness.key(tf.constant(1.0)),
        r"integer scalars; got a tensor of dtype float32 and shape \(\)",
    ),
    "vector": (
        lambda: randomness.fold(randomness.key(1), tf.constant([1, 2])),
        r"got a tensor of dtype int32 and shape \(2,\)",
    ),
    "no samples": (
        lambda: randomness.normal(randomness.key(1), 0, (2,)),
        "number of samples must be a positive integer; got 0",
    ),
    "half a sample": (
        lambda: randomness.normal(randomness.key(1), 2.5, (2,)),
        "number of samples must be a positive integer; got 2.5",
    ),
    # Annealing.
    "early": (
        lambda: annealing.Linear(-1),
        "start_epoch to be .* >= 0; got -1",
    ),
    "endless": (
        lambda: annealing.Linear(1, float("inf")),
        "num_epochs to be a finite number >= 0; got inf",
    ),
    "no number": (
        lambda: annealing.Linear(float("nan")),
        "start_epoch to be a finite number >= 0; got nan",
    ),
    "text epoch": (lambda: annealing.Linear(1, "15"), "num_epochs .* got '15'"),
    "schedule": (lambda: annealing.get(0.5), "a callable from .*; got 0.5"),
    "schedule class": (
        lambda: annealing.get(annealing.Linear),
        "a callable from .*; got <class",
    ),
    "schedule config": (lambda: annealing.get({"a": 1}), r"got \{'a': 1\}"),
    # Hypernetworks.
    "units number": (lambda: hypernetworks.MLP(64), "MLP .*integers.*; got 64"),
    "units zero": (lambda: hypernetworks.MLP((64, 0)), r"got \(64, 0\)"),
    "units text": (lambda: hypernetworks.MLP("64"), r"got \('6', '4'\)"),
    "units bool": (lambda: hypernetworks.Sliced(units=[True]), r"got \(True,"),
    "activation": (
        lambda: hypernetworks.MLP(activation="steep"),
        "activation .*steep",
    ),
    "initializer": (
        lambda: hypernetworks.MLP(kernel_initializer="steep"),
        "initializer .*steep",
    ),
    "slices zero": (
        lambda: hypernetworks.Sliced(0),
        '"output", "chunks" or a positive integer; got 0',
    ),
    "slices bool": (lambda: hypernetworks.Sliced(True), "integer; got True"),
    "slices text": (lambda: hypernetworks.Sliced("input"), "; got 'input'"),
    "not built": (
        lambda: hypernetworks.MLP()(tf.zeros((2, 1))),
        r"MLP must be built before it is called: build\(noise_dim, shape\)",
    ),
    # Priors.
    "prior": (lambda: priors.get(1.0), "A prior is a tfp dist.*; got 1.0"),
    "prior class": (
        lambda: priors.get(tfd.Normal),
        "A prior is .*; got <class",
    ),
    "prior config": (lambda: priors.get({"a": 1}), r"got \{'a': 1\}"),
    "prior batch": (
        lambda: priors.get(tfd.Normal([0.0, 1.0], 1.0)),
        r"with batch_shape \(\); got batch_shape \(2,\)",
    ),
    "prior event": (
        lambda: priors.get(tfd.MultivariateNormalDiag([0.0, 1.0])),
        r"with event_shape \(\); got event_shape \(2,\)",
    ),
    "loc": (lambda: priors.Normal(float("nan")), "a finite loc; got nan"),
    "text loc": (lambda: priors.Normal("0"), "a finite loc; got '0'"),
    "scale": (lambda: priors.Normal(0, 0), "positive, finite scale; got 0"),
    "wide": (lambda: priors.Normal(0, float("inf")), "scale; got inf"),
    "no scale": (lambda: priors.Normal(0, None), "scale; got None"),
    # Divergences.
    "kl class": (
        lambda: divergences.get(divergences.KernelKL),
        "Expected a divergence, .*; got <class",
    ),
    "kl text": (
        lambda: divergences.get("kernel"),
        "divergence.*; got 'kernel'",
    ),
    "no tensors": (lambda: kernel_kl([], []), "at least one; got 0 and 0"),
    "fewer priors": (
        lambda: kernel_kl([tf.zeros((2, 1))] * 2, [tf.zeros((2, 1))]),
        "as many prior as posterior tensors, at least one; got 2 and 1",
    ),
    "shapes": (
        lambda: kernel_kl(tf.zeros((5, 2)), tf.zeros((5, 3))),
        r"\(m, \*shape\); got \(5, 2\) and \(5, 3\)",
    ),
    "ranks": (
        lambda: kernel_kl(tf.zeros((5, 1)), tf.zeros((5,))),
        r"got \(5, 1\) and \(5,\)",
    ),
    "scalars": (
        lambda: kernel_kl(tf.zeros(()), tf.zeros(())),
        r"got shape \(\)",
    ),
    "counts": (
        lambda: kernel_kl(
            [tf.zeros((5, 1)), tf.zeros((4, 1))], [tf.zeros((5, 1))] * 2
        ),
        r"same number of samples .*at least 2; got \[4, 5\] of the posterior",
    ),
    "one sample": (
        lambda: kernel_kl(tf.zeros((1, 2)), tf.zeros((5, 2))),
        r"at least 2; got \[1\] of the posterior",
    ),
    "no prior sample": (
        lambda: kernel_kl(tf.zeros((2, 2)), tf.zeros((0, 2))),
        r"at least 1; got \[0\] of the prior",
    ),
    "unknown count": (
        unknown_number_of_samples,
        r"samples of known shape .*; got shape \(None, 2\)",
    ),
    "analytic lengths": (
        lambda: analytic_kl([normal], [normal, normal]),
        "as many prior as posterior distributions.*; got 1 and 2",
    ),
    "analytic empty": (lambda: analytic_kl([], []), "got 0 and 0"),
    "analytic shape": (
        lambda: analytic_kl([normal], [tfd.Normal([0.0, 1.0], 1.0)]),
        r"posterior's shape \(\); got shape \(2,\)",
    ),
    # Posteriors.
    "posterior": (
        lambda: posteriors.get("implicit"),
        "Expected a posterior, .*; got 'implicit'",
    ),
    "posterior class": (
        lambda: posteriors.get(posteriors.Implicit),
        "Expected a posterior, .*; got <class",
    ),
    "hypernetwork": (
        lambda: posteriors.Implicit(keras.layers.Dense(3)),
        "Implicit expects a hypernetwork, .*; got <Dense",
    ),
    "hypernetwork class": (
        lambda: posteriors.Implicit(hypernetworks.MLP),
        "Implicit expects a hypernetwork, .*; got <class",
    ),
    "noise_dim": (
        lambda: posteriors.Implicit(noise_dim=0),
        "noise_dim to be a positive integer; got 0",
    ),
    "noise_dim float": (
        lambda: posteriors.Implicit(noise_dim=8.0),
        "noise_dim to be a positive integer; got 8.0",
    ),
    "noise_dim bool": (
        lambda: posteriors.Implicit(noise_dim=True),
        "noise_dim to be a positive integer; got True",
    ),
    "per": (
        lambda: posteriors.Implicit(per="network"),
        '"tensor" or "layer"; got \'network\'',
    ),
    "no output axis": (
        lambda: posteriors.Implicit(hypernetworks.Sliced(), per="layer"),
        "expected Sliced\\(slices=<number of slices>\\)",
    ),
    "log variance": (
        lambda: posteriors.MeanField(float("-inf")),
        "a finite initial_log_variance; got -inf",
    ),
    "text variance": (
        lambda: posteriors.MeanField("-9"),
        "a finite initial_log_variance; got '-9'",
    ),
    "implicit not built": (
        unbuilt(posteriors.Implicit()),
        r"Implicit has no parameters yet: call build\(specs\) first",
    ),
    "mean field not built": (
        unbuilt(posteriors.MeanField()),
        r"MeanField has no parameters yet: call build\(specs\) first",
    ),
    "no density yet": (
        posteriors.MeanField().distributions,
        r"MeanField has no parameters yet: call build\(specs\) first",
    ),
}


@pytest.mark.parametrize("case", list(REFUSALS))
def test_refusal(case):
    call, message = REFUSALS[case]
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_posterior_is_no_layer_of_a_network():
    inputs = keras.Input((3,))
    with pytest.raises(TypeError, match="MeanField is a posterior, not a lay"):
        posteriors.MeanField()(inputs)
    built = posteriors.MeanField()
    built.build([weights.WeightSpec("kernel", (3,))])
    with pytest.raises(TypeError, match="not a layer of a network"):
        built(tf.zeros((2, 3)))


def test_tfp_says_which_pair_has_no_closed_form():
    with pytest.raises(NotImplementedError, match="No KL.*StudentT") as caught:
        analytic_kl([normal], [tfd.StudentT(3.0, 0.0, 1.0)])
    assert "\n" not in str(caught.value)
