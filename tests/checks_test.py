"""Numbers that are none, and Keras on another backend, are told at once."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf import checks


def test_another_backend_is_refused(monkeypatch):
    checks.check_backend()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ImportError, match="got 'jax'. Set KERAS_BACKEND="):
        checks.check_backend()


@pytest.mark.parametrize(
    "limits, right, wrong, expected",
    [
        ({}, 1, (0, 1.0, True, "1"), "a positive integer"),
        ({"fewest": 0}, np.int64(0), (-1, False), "an integer >= 0"),
        ({"fewest": 0, "most": 2}, 2, (3, -1), "an integer from 0 to 2"),
    ],
)
def test_counts(limits, right, wrong, expected):
    checks.check_count("it", right, **limits)
    for value in wrong:
        with pytest.raises(ValueError, match=f"it to be {expected}; got"):
            checks.check_count("it", value, **limits)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (bbh.posteriors.Implicit, "shared_noise"),
        (bbh.posteriors.MeanField, "kernels_only"),
        (bbh.divergences.KernelKL, "released_code"),
        (bbh.hypernetworks.Sliced, "center"),
        (
            lambda **kw: bbh.models.KernelAutoencoder(3).as_prior(**kw),
            "train_reverse",
        ),
    ],
)
def test_a_text_is_no_flag(make, name):
    make(**{name: np.bool_(False)})
    with pytest.raises(ValueError, match=f"{name} to be True or False; got"):
        make(**{name: "no"})


@pytest.mark.parametrize(
    "make",
    [
        lambda: bbh.annealing.Linear(True, True),
        lambda: bbh.priors.Normal(loc=True),
        lambda: bbh.priors.Normal(scale=True),
        lambda: bbh.models.likelihoods.Normal(True),
        lambda: bbh.layers.MNFDense(3, prior_variance=True),
        lambda: bbh.flows.ElementwiseAffine(initial_shift=True),
        lambda: bbh.posteriors.MeanField(initial_log_variance=True),
        lambda: bbh.divergences.AdversarialKL(num_pretraining_steps=0.0),
        lambda: bbh.optimizers.TF1RMSprop(epsilon=True),
    ],
)
def test_bools_are_no_numbers(make):
    with pytest.raises(ValueError, match="; got (True|0.0)"):
        make()
