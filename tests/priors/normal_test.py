"""The normal prior."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow_probability as tfp

from bbh_tf import randomness
from bbh_tf.priors import Normal
from bbh_tf.weights import WeightSpec

SHAPES = [(200, 100), (), (7,)]
SPECS = [WeightSpec("weights", shape) for shape in SHAPES]


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (-3, 0.01), (0.5, 2.0)])
def test_moments(loc, scale):
    prior = Normal(loc, scale)
    tensors = prior.sample(6, SPECS, randomness.key(1))
    assert [x.shape for x in tensors] == [(6, *shape) for shape in SHAPES]
    assert {x.dtype.name for x in tensors} == {"float32"}
    values = tensors[0].numpy().astype(np.float64)
    error = 1 / math.sqrt(values.size)
    assert abs(values.mean() - loc) < 4 * scale * error
    assert abs(values.std() / scale - 1) < 4 * error / math.sqrt(2)


def test_a_key_gives_one_sample():
    prior = Normal(1.0, 2.0)
    one = prior.sample(3, SPECS, randomness.key(1, 2))
    two = prior.sample(5, SPECS, randomness.key(1, 2))
    other = prior.sample(3, SPECS, randomness.key(1, 3))
    for a, b, c in zip(one, two, other):
        np.testing.assert_array_equal(a, b[:3])
        assert (a.numpy() != c.numpy()).all()
    # No tensor repeats another.
    assert not np.isin(one[2], one[0]).any()


def test_distribution():
    found = Normal(1.0, 2.0).distributions(SPECS)
    assert len(found) == 3 and len(set(map(id, found))) == 1
    distribution = found[0]
    assert isinstance(distribution, tfp.distributions.Normal)
    assert float(distribution.log_prob(2.0)) == pytest.approx(
        -0.125 - math.log(2) - 0.5 * math.log(2 * math.pi)
    )


def test_round_trip():
    prior = Normal(np.float32(0.5), 3)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(prior)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is Normal
    assert (copy.loc, copy.scale) == (0.5, 3.0)
