"""A use of each public class that is no layer: what its room promises, tested.

Whoever adds a posterior, prior, divergence, flow, hypernetwork or optimiser
adds a line here. Divergences, priors and the like are tried in a small model,
as each is used; a flow by itself.
"""

import keras
import numpy as np
import tensorflow_probability as tfp

import bbh_tf as bbh

# Bases, and what is passed around: nothing that is used by itself.
BASES = {
    "posteriors": {"Posterior"},
    "priors": {"KernelPrior", "Prior"},
    "divergences": {"Divergence", "SampleDivergence", "Pair"},
    "flows": {"Flow"},
    "hypernetworks": {"Hypernetwork"},
    "optimizers": set(),
}
X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = np.arange(8) % 3


def _network(posterior=None, prior=None):
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    return bbh.models.bayesify(
        network, posterior or bbh.posteriors.MeanField(), prior
    )


def _implicit(hypernetwork):
    return bbh.posteriors.Implicit(hypernetwork, noise_dim=2)


def _of_posterior(posterior):
    return {"network": _network(posterior)}


def _of_density(posterior):
    return {
        "network": _network(posterior),
        "divergence": bbh.divergences.MonteCarloKL(),
    }


def _of_prior(prior):
    return {"network": _network(prior=prior)}


def _of_kernel_prior(prior):
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Reshape((2, 2, 1)),
            keras.layers.Conv2D(2, 3, padding="same", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    made = bbh.models.bayesify(
        network, bbh.posteriors.MeanField(), {"conv": prior}
    )
    return {"network": made, "divergence": bbh.divergences.MonteCarloKL()}


def _of_log_uniform_prior(prior):
    return {
        "network": _network(prior=prior),
        "divergence": bbh.divergences.AnalyticKL(),
    }


def _deep_weight_prior():
    autoencoder = bbh.models.KernelAutoencoder(3, latent_dim=2, num_steps=1)
    return autoencoder.as_prior(num_importance_samples=2, num_slices=1)


def _of_learnt_prior(_):
    first = _network()
    return {"network": _network(prior=bbh.models.priors_of(first))}


def _of_divergence(divergence):
    return {"network": _network(), "divergence": divergence}


def _of_hypernetwork(hypernetwork):
    return {"network": _network(_implicit(hypernetwork))}


def _of_optimizer(optimizer):
    return {"network": _network(), "optimizer": optimizer}


def _learnt():
    posterior = bbh.posteriors.MeanField()
    posterior.build([])
    return bbh.posteriors.AsPrior(posterior)


def _small_adversary():
    return bbh.divergences.AdversarialKL((4,), 2, 1, 10)


# Room -> class -> how one is made, and what a model is made of with it.
PARTS = {
    "posteriors": {
        "AsPrior": (_learnt, _of_learnt_prior),
        "Flow": (
            lambda: bbh.posteriors.Flow(
                bbh.flows.inverse_autoregressive(2, (4,), -2.0, seed=1234)
            ),
            _of_density,
        ),
        "Implicit": (
            lambda: _implicit(bbh.hypernetworks.MLP((4,))),
            _of_posterior,
        ),
        "MeanField": (
            lambda: bbh.posteriors.MeanField(-4.0, "he_normal"),
            _of_posterior,
        ),
        "MultivariateNormal": (
            lambda: bbh.posteriors.MultivariateNormal(-4.0, "he_normal"),
            _of_density,
        ),
        "WeightNormFlow": (
            lambda: bbh.posteriors.WeightNormFlow(
                bbh.flows.real_nvp(2, (4,), "reversed", -2.0, True, seed=1),
                0.5,
                "he_normal",
            ),
            _of_density,
        ),
    },
    "priors": {
        "DeepWeightPrior": (_deep_weight_prior, _of_kernel_prior),
        "Independent": (
            lambda: bbh.priors.get(tfp.distributions.Laplace(0.0, 2.0)),
            _of_prior,
        ),
        "KernelFlow": (
            lambda: bbh.priors.KernelFlow(3, bbh.flows.real_nvp(1, (4,))),
            _of_kernel_prior,
        ),
        "KernelNormal": (lambda: bbh.priors.KernelNormal(3), _of_kernel_prior),
        "LogUniform": (
            lambda: bbh.priors.LogUniform("kingma"),
            _of_log_uniform_prior,
        ),
        "Normal": (lambda: bbh.priors.Normal(0.5, 2.0), _of_prior),
        "NormalLearnedScale": (
            lambda: bbh.priors.NormalLearnedScale(2.0, 0.5),
            _of_prior,
        ),
    },
    "divergences": {
        "AdversarialKL": (_small_adversary, _of_divergence),
        "AnalyticKL": (bbh.divergences.AnalyticKL, _of_divergence),
        "KernelKL": (
            lambda: bbh.divergences.KernelKL(num_neighbours=2),
            _of_divergence,
        ),
        "MonteCarloKL": (bbh.divergences.MonteCarloKL, _of_divergence),
        "NearestNeighbourEntropy": (
            lambda: bbh.divergences.NearestNeighbourEntropy(2),
            _of_divergence,
        ),
    },
    "hypernetworks": {
        "MLP": (lambda: bbh.hypernetworks.MLP((4, 3)), _of_hypernetwork),
        "MatrixProduct": (
            lambda: bbh.hypernetworks.MatrixProduct((2, 3)),
            _of_hypernetwork,
        ),
        "Sliced": (
            lambda: bbh.hypernetworks.Sliced(units=(4,), center=True),
            _of_hypernetwork,
        ),
    },
    "optimizers": {
        "EpochCosineDecay": (
            lambda: bbh.optimizers.EpochCosineDecay(0.01, 2.0, 0.1),
            lambda rate: _of_optimizer(keras.optimizers.Adam(rate)),
        ),
        "FusedAdam": (lambda: bbh.optimizers.FusedAdam(0.01), _of_optimizer),
        "TF1RMSprop": (lambda: bbh.optimizers.TF1RMSprop(0.01), _of_optimizer),
    },
}
FLOWS = {
    "Chain": lambda: bbh.flows.real_nvp(2, (4,), seed=1),
    "Coupling": lambda: bbh.flows.Coupling(
        keras.Sequential([keras.layers.Dense(6, activation="tanh")]),
        weight_norm=True,
        initial_std=0.1,
    ),
    "ElementwiseAffine": lambda: bbh.flows.ElementwiseAffine(0.5, 1.0, 0.001),
    "InverseAutoregressive": lambda: bbh.flows.InverseAutoregressive(
        (6, 4), [1, 0, 4, 2, 3], initial_std=0.1
    ),
    "MaskedRealNVP": lambda: bbh.flows.MaskedRealNVP(2, 4),
    "Permutation": lambda: bbh.flows.Permutation(),
}


def model(room, name, jit_compile=False, seed=1):
    """Makes a compiled model with a part in it, always the same."""
    keras.utils.set_random_seed(1)
    make, of = PARTS[room][name]
    settings = of(make())
    optimizer = settings.pop("optimizer", None) or keras.optimizers.Adam(0.01)
    made = bbh.models.BayesianModel(
        **settings,
        num_train_examples=8,
        num_samples=3,
        num_prediction_samples=2,
        seed=seed,
    )
    made.compile(optimizer, jit_compile=jit_compile)
    return made
