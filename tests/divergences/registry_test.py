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


def test_what_they_ask_for():
    asked = {
        type(x): (x.posterior_form, x.prior_form, x.min_posterior_samples)
        for x in (divergences.KernelKL(), divergences.AnalyticKL())
    }
    assert asked == {
        divergences.KernelKL: ("samples", "samples", 2),
        divergences.AnalyticKL: ("distributions", "distributions", 1),
    }


def test_a_users_own_is_let_through():
    class Mine(divergences.Divergence):
        def __call__(self, posterior, prior):
            return 0.0

    mine = Mine()
    assert divergences.get(mine) is mine
