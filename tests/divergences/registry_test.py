"""What serves as a divergence."""

import keras

from bbh_tf import divergences


def test_none_is_the_papers():
    estimate = divergences.get(None)
    assert type(estimate) is divergences.KernelKL
    assert estimate.get_config() == {
        "per_weight": True,
        "released_code": False,
        "num_neighbours": 1,
        "min_distance": 0.0,
    }


def test_an_object_is_itself():
    estimate = divergences.AnalyticKL()
    assert divergences.get(estimate) is estimate


def test_a_config_is_made_into_one():
    config = keras.saving.serialize_keras_object(
        divergences.KernelKL(per_weight=False)
    )
    estimate = divergences.get(config)
    assert type(estimate) is divergences.KernelKL
    assert not estimate.per_weight


def test_a_users_own_is_let_through():
    class Mine(divergences.Divergence):
        def estimate(self, pairs, num_prior_samples, key):
            return 0.0

    mine = Mine()
    assert divergences.get(mine) is mine
