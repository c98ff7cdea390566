"""Priors of kernels under each kind of posterior: trained, saved, reloaded."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import small_models

_X = np.random.default_rng(0).normal(size=(6, 4, 4, 1)).astype("float32")
_Y = np.arange(6) % 3
_POSTERIORS = {
    "mean_field": bbh.posteriors.MeanField,
    "flow": lambda: bbh.posteriors.Flow(bbh.flows.real_nvp(1, (4,))),
    "implicit": lambda: bbh.posteriors.Implicit(
        bbh.hypernetworks.MLP((4,)), noise_dim=2
    ),
}


def _deep_weight_prior(train_reverse=False):
    autoencoder = bbh.models.KernelAutoencoder(3, latent_dim=2, seed=1)
    return autoencoder.as_prior(train_reverse, num_slices=1)


def _kernel_normal():
    prior = bbh.priors.KernelNormal(3)
    prior.fit(np.random.default_rng(1).normal(size=(50, 3, 3)))
    return prior


_PRIORS = {
    "deep_weight_prior": _deep_weight_prior,
    "kernel_normal": _kernel_normal,
    "kernel_flow": lambda: bbh.priors.KernelFlow(
        3, bbh.flows.real_nvp(1, (4,))
    ),
}


def _model(prior, posterior):
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(2, 3, name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    # A posterior without a density is compared by samples.
    divergence = (
        bbh.divergences.KernelKL()
        if posterior == "implicit"
        else bbh.divergences.MonteCarloKL()
    )
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(
            network, _POSTERIORS[posterior](), {"conv": _PRIORS[prior]()}
        ),
        num_train_examples=6,
        divergence=divergence,
        num_samples=2,
        num_prediction_samples=2,
        seed=1,
    )
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    return model


@pytest.mark.parametrize("posterior", _POSTERIORS)
@pytest.mark.parametrize("prior", _PRIORS)
def test_each_prior_trains_each_posterior(prior, posterior, tmp_path):
    model = _model(prior, posterior)
    before = small_models.state(model)
    history = model.fit(_X, _Y, batch_size=6, epochs=2, verbose=0).history
    assert np.isfinite(history["kl"]).all()
    after = small_models.state(model)
    # What the posterior of the kernel is made of has moved.
    assert sum(not np.array_equal(x, y) for x, y in zip(before, after)) > 2
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = True
    for one in (model, loaded):
        one.fit(_X, _Y, batch_size=6, verbose=0)
    for old, new in zip(
        small_models.state(model), small_models.state(loaded), strict=True
    ):
        np.testing.assert_array_equal(old, new)


def test_what_samples_do_not_train_is_refused(monkeypatch):
    monkeypatch.setitem(
        _PRIORS, "deep_weight_prior", lambda: _deep_weight_prior(True)
    )
    with pytest.raises(ValueError, match="'conv' does not train; expected"):
        _model("deep_weight_prior", "implicit")
    _model("deep_weight_prior", "mean_field")
