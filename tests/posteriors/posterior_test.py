"""Recipes of posteriors."""

import keras
import numpy as np
import pytest

from bbh_tf import flows
from bbh_tf import hypernetworks
from bbh_tf import posteriors
from bbh_tf import weights


class Mine(posteriors.Posterior):
    """A user's own, which need not be registered to be copied."""

    def __init__(self, width=3, name=None):
        super().__init__(name=name)
        self.width = width

    def get_config(self):
        return {"width": self.width}


@pytest.mark.parametrize(
    "recipe",
    [
        posteriors.Implicit(noise_dim=3),
        posteriors.MeanField(-5),
        Mine(4),
    ],
    ids=["implicit", "mean field", "a user's"],
)
def test_get_copies(recipe):
    copy = posteriors.get(recipe)
    assert copy is not recipe
    assert type(copy) is type(recipe)
    assert copy.get_config() == recipe.get_config()
    assert not copy.built


def test_get_reads_a_config():
    recipe = posteriors.Implicit(noise_dim=3)
    copy = posteriors.get(keras.saving.serialize_keras_object(recipe))
    assert type(copy) is posteriors.Implicit
    assert copy.noise_dim == 3


def test_a_base_does_nothing():
    posterior = Mine()
    assert posterior.distributions() is None
    samples = [1, 2]
    assert posterior.weights_of(samples) is samples
    assert not posterior.has_density
    with pytest.raises(ValueError, match="Mine has no density of given values"):
        posterior.log_prob(samples)
    for call in (
        lambda: posterior.count_parameters([]),
        lambda: posterior.sample(1, None),
        lambda: posterior.parameter_report(),
    ):
        with pytest.raises(NotImplementedError):
            call()


@pytest.mark.parametrize(
    "recipe",
    [
        posteriors.MeanField(),
        posteriors.MultivariateNormal(),
        posteriors.Implicit(hypernetworks.MLP((4,)), noise_dim=2),
        posteriors.Implicit(hypernetworks.MLP((4,)), noise_dim=2, per="tensor"),
        posteriors.Flow(flows.real_nvp(1, (2,))),
        posteriors.WeightNormFlow(flows.real_nvp(1, (2,))),
    ],
    ids=lambda recipe: type(recipe).__name__,
)
def test_weights_to_start_at_are_checked(recipe):
    posterior = posteriors.get(recipe)
    specs = [weights.WeightSpec("kernel", (3, 2))]
    if not isinstance(recipe, posteriors.WeightNormFlow):
        specs.append(weights.WeightSpec("bias", (2,)))
    values = [np.ones(spec.shape) for spec in specs]
    with pytest.raises(ValueError, match="has no parameters yet"):
        posterior.start_at(values, 0.1)
    posterior.build(specs)
    posterior.start_at(values, 0.1)
    before = posterior.get_weights()
    for wrong, message in (
        ([np.ones((2, 3)), *values[1:]], r"shapes \[\(3, 2\).* got \[\(2, 3\)"),
        ([np.ones(6), *values[1:]], r"of kernel.*; got \[\(6,\)"),
        (values[:-1], r"shapes \[\(3, 2\).* got \["),
        ([np.full((3, 2), np.nan), *values[1:]], "got 6 in kernel that are n"),
    ):
        with pytest.raises(ValueError, match=message):
            posterior.start_at(wrong, 0.1)
    for std in (0, -1, np.nan):
        with pytest.raises(ValueError, match="relative_std to be a finite"):
            posterior.start_at(values, std)
    for old, new in zip(before, posterior.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_directions_without_parameters_are_told():
    with pytest.raises(ValueError, match="WeightNormFlow has no parameters"):
        posteriors.WeightNormFlow().weights_of([np.ones((1, 2), "float32")])
