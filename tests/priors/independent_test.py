"""Distributions of TensorFlow Probability as priors."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf import priors
from bbh_tf import randomness
from bbh_tf.weights import WeightSpec

tfd = tfp.distributions
SPECS = [WeightSpec("kernel", (50, 100)), WeightSpec("scale", ())]
SPECS_OF_TWO = [WeightSpec("bias", (3,)), WeightSpec("scale", ())]


def spike_and_slab(**kwargs):
    return tfd.MixtureSameFamily(
        tfd.Categorical(**kwargs), tfd.Normal([0.0, 1.0], [0.1, 5.0])
    )


DISTRIBUTIONS = {
    "normal": tfd.Normal(0.5, 2.0),
    "laplace": tfd.Laplace(0.0, 1.0),
    "student": tfd.StudentT(3.0, 0.0, 1.0),
    "same family": spike_and_slab(probs=[0.7, 0.3]),
    "logits": spike_and_slab(logits=[0.0, -1.0]),
    "mixture": tfd.Mixture(
        tfd.Categorical(probs=[0.2, 0.8]),
        [tfd.Normal(0.0, 1.0), tfd.Laplace(0.0, 2.0)],
    ),
    "array": tfd.Normal(np.float32(0.5), tf.constant(2.0)),
    "double": tfd.Normal(np.float64(0.1), np.float64(2.0)),
    "lognormal": tfd.LogNormal(0.0, 1.0),
}
distributions = pytest.mark.parametrize("name", list(DISTRIBUTIONS))


@distributions
def test_round_trip(name):
    distribution = DISTRIBUTIONS[name]
    prior = priors.get(distribution)
    assert type(prior) is priors.Independent
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(prior)))
    copy = priors.get(config)
    assert type(copy) is priors.Independent
    assert type(copy.distribution) is type(distribution)
    assert copy.distribution.dtype == distribution.dtype
    points = tf.constant([0.01, 0.5, 3.0], distribution.dtype)
    np.testing.assert_array_equal(
        copy.distribution.log_prob(points), distribution.log_prob(points)
    )
    key = randomness.key(3)
    for one, two in zip(
        copy.sample(2, SPECS_OF_TWO, key), prior.sample(2, SPECS_OF_TWO, key)
    ):
        np.testing.assert_array_equal(one, two)
    assert copy.get_config() == prior.get_config()


@distributions
def test_samples(name):
    prior = priors.get(DISTRIBUTIONS[name])
    big, scalar = prior.sample(4, SPECS, randomness.key(1))
    assert big.shape == (4, 50, 100)
    assert scalar.shape == (4,)
    assert big.dtype == scalar.dtype == tf.float32
    # The distribution function makes any law uniform, of variance 1 / 12.
    cdf = prior.distribution.cdf(tf.cast(big, prior.distribution.dtype))
    cdf = np.asarray(cdf, np.float64)
    error = 1 / np.sqrt(big.shape.num_elements())
    assert abs(cdf.mean() - 0.5) < 4 * np.sqrt(1 / 12) * error
    assert abs((cdf < 0.1).mean() - 0.1) < 4 * 0.3 * error
    assert abs((cdf > 0.9).mean() - 0.1) < 4 * 0.3 * error
    first = prior.sample(1, SPECS, randomness.key(1))[0]
    np.testing.assert_array_equal(first[0], big[0])


def test_densities_are_those_of_float32():
    points = [tf.constant([[0.5, -2.0, 0.1], [1.0, 0.0, 3.0]])]
    one, two = (
        priors.get(tfd.Laplace(kind(0.5), kind(2.0))).log_prob(
            points, SPECS_OF_TWO[:1], None
        )
        for kind in (np.float32, np.float64)
    )
    assert two.dtype == tf.float32
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_tensors_of_one_distribution_of_many_weights_add_up():
    class Shared(priors.Prior):
        def distributions(self, specs):
            return [tfd.Laplace([0.0, 1.0, -2.0], 0.5)] * len(specs)

    points = [tf.constant([[0.5, -2.0, 0.1]]), tf.constant([[1.0, 0.0, 3.0]])]
    specs = [WeightSpec("bias", (3,)), WeightSpec("other", (3,))]
    each = [Shared().log_prob([x], specs[:1], None) for x in points]
    found = Shared().log_prob(points, specs, None)
    np.testing.assert_allclose(found, sum(each), rtol=1e-6)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: tfd.Laplace(0.0, tf.Variable(1.0)), "parameters that are con"),
        (
            lambda: tfd.Mixture(
                tfd.Categorical(probs=[0.2, 0.8]),
                [tfd.Normal(0.0, keras.Variable(1.0, name="s"))] * 2,
            ),
            "train or save the variable 's'",
        ),
        (lambda: tfd.Bernoulli(0.5), "a float type, float32; got int32 from"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message) as error:
        priors.get(make())
    assert "\n" not in str(error.value)


def test_what_cannot_be_saved_can_be_sampled():
    squashed = tfd.TransformedDistribution(
        tfd.Normal(0.0, 1.0), tfp.bijectors.Tanh()
    )
    prior = priors.get(squashed)
    (sample,) = prior.sample(2, SPECS[1:], randomness.key(1))
    assert np.abs(sample).max() < 1

    class Mine(tfd.Normal):
        pass

    for unsaved in (prior, priors.get(Mine(0.0, 1.0))):
        with pytest.raises(ValueError, match="^A prior can be saved if"):
            unsaved.get_config()


IMPORTS = """
import sys
import keras
import tensorflow
# Keras itself looks whether scikit-learn and matplotlib are there.
before = set(sys.modules)
import bbh_tf
heavy = ("tensorflow_probability", "tf_keras", "sklearn", "matplotlib",
         "tensorflow_datasets")
new = {name.split(".")[0] for name in set(sys.modules) - before}
print("bbh_tf" in new, sorted(new & set(heavy)))
"""


def test_the_library_alone_imports_none_of_the_heavy():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True
    )
    assert done.stdout.strip() == "True []", done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize(
    "distribution",
    [
        tfd.Normal(0.0, -1.0),
        tfd.Laplace(0.0, np.float64(np.nan)),
        tfd.StudentT(-3.0, 0.0, 1.0),
    ],
)
def test_what_has_no_density_anywhere_is_refused(distribution):
    with pytest.raises(ValueError, match="is NaN wherever it is .* parameters"):
        priors.get(distribution)


def test_a_density_may_be_elsewhere_or_unknown():
    for distribution in (
        tfd.Uniform(5.0, 6.0),
        tfd.Pareto(2.0, 1000.0),
        tfd.HalfNormal(1.0),
        tfd.Beta(1.0, 1.0),
        tfd.PERT(0.1, 0.2, 0.3),
        tfd.TruncatedNormal(0.0, 1.0, -2.0, 2.0, validate_args=True),
    ):
        assert priors.get(distribution).distribution is distribution


def test_a_prior_may_be_made_within_a_program():
    @tf.function
    def log_prob():
        prior = priors.get(tfd.Normal(0.0, 1.0))
        return prior.log_prob(
            [tf.zeros((1, 3))], [WeightSpec("bias", (3,))], randomness.key(0)
        )

    expected = -1.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(log_prob(), [expected], rtol=1e-5)
