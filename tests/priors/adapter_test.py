"""What serves as a prior."""

import keras
import pytest
import tensorflow_probability as tfp

import bbh_tf
from bbh_tf import priors


class Mine(priors.Prior):
    pass


class Samples:
    def sample(self, num_samples, shapes, seed):
        raise NotImplementedError


def test_none_is_the_papers():
    prior = priors.get(None)
    assert type(prior) is priors.Normal
    assert prior.get_config() == {"loc": 0.0, "scale": 1.0}


def test_a_distribution_is_wrapped():
    distribution = tfp.distributions.Laplace(0.0, 1.0)
    prior = priors.get(distribution)
    assert type(prior) is priors.Independent
    assert prior.distribution is distribution


def test_objects_are_themselves():
    for prior in (
        Mine(),
        priors.Normal(),
        priors.Independent(tfp.distributions.Normal(0.0, 1.0)),
    ):
        assert priors.get(prior) is prior


def test_a_config_is_made_into_one():
    prior = priors.get(
        keras.saving.serialize_keras_object(priors.Normal(1.0, 2.0))
    )
    assert type(prior) is priors.Normal
    assert prior.get_config() == {"loc": 1.0, "scale": 2.0}


@pytest.mark.parametrize(
    "other", [bbh_tf.posteriors.MeanField(), Samples(), priors.Normal, "normal"]
)
def test_what_is_no_prior_is_refused(other):
    with pytest.raises(ValueError, match="or a bbh_tf.priors.Prior, such as"):
        priors.get(other)
