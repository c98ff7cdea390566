"""Recipes of posteriors."""

import keras
import pytest

from bbh_tf import posteriors


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
