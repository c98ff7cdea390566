"""Small networks, posteriors and data that the tests of this folder share."""

import keras
import numpy as np

import bbh_tf as bbh
from bbh_tf import weights


def implicit(**kwargs):
    return bbh.posteriors.Implicit(bbh.hypernetworks.MLP(units=(4,)), **kwargs)


def data(count=8):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(count, 4)).astype("float32")
    return x, generator.integers(3, size=count)


def plain():
    """Makes the network of `network`, without posteriors."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="tanh", name="hidden"),
            keras.layers.Dense(3, name="logits"),
        ]
    )


def network(*between, posterior=None):
    posterior = posterior or implicit()
    return keras.Sequential(
        [
            keras.Input((4,)),
            bbh.layers.Bayesian(
                keras.layers.Dense(5, activation="tanh"),
                posterior,
                name="hidden",
            ),
            *between,
            bbh.layers.Bayesian(
                keras.layers.Dense(3), posterior, name="logits"
            ),
        ]
    )


def spec_of(samples):
    """Describes what samples `(num_samples, *shape)` are of."""
    return weights.WeightSpec("weights", tuple(samples.shape[1:]))


def model(inner=None, compiled=True, metrics=None, **kwargs):
    settings = {
        "num_train_examples": 8,
        "num_samples": 2,
        "num_prediction_samples": 4,
        "seed": 3,
    }
    settings.update(kwargs)
    made = bbh.models.BayesianModel(inner or network(), **settings)
    if compiled:
        made.compile(keras.optimizers.Adam(0.01), metrics=metrics)
    return made


def regression():
    layer = bbh.layers.Bayesian(keras.layers.Dense(4), implicit())
    network = keras.Sequential([keras.Input((4,)), layer])
    return model(network, likelihood="normal_learned_scale")


def activity_penalty(outputs):
    """Returns what `activity_regularizer=L1(0.3)` adds to a loss."""
    # Keras 3.12 sums over the batch, later ones take the mean.
    layer = keras.layers.Activation(
        "linear", activity_regularizer=keras.regularizers.L1(0.3)
    )
    layer(outputs)
    return float(layer.losses[0])


def state(trained):
    """Returns copies of all that training changes, the optimiser's too."""
    return [
        np.array(variable)
        for variable in [*trained.variables, *trained.optimizer.variables]
    ]
