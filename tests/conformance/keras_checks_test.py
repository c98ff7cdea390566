"""Keras's own checks of a layer, on every public layer."""

import keras
import pytest
from keras.src import testing

import bbh_tf as bbh
from tests.conformance import cases

layers = keras.layers
POSTERIORS = {"implicit": cases.implicit, "mean field": cases.mean_field}
# What is wrapped, the input's shape, and the output's.
WRAPPED = {
    "Dense": (lambda: layers.Dense(3), (2, 4), (2, 3)),
    "Conv2D": (lambda: layers.Conv2D(3, 2), (2, 4, 4, 2), (2, 3, 3, 3)),
    "LSTM": (lambda: layers.LSTM(3), (2, 4, 2), (2, 3)),
    "Sequential": (
        lambda: keras.Sequential(
            [layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.5)]
        ),
        (2, 4),
        (2, 4),
    ),
}
# Constructor arguments and shapes for each public layer.
CASES = {
    f"Bayesian {posterior} {name}": (
        bbh.layers.Bayesian,
        lambda make=make, posterior=posterior: {
            "layer": make(),
            "posterior": POSTERIORS[posterior](),
            "kl_weight": 0.1,
            "num_samples": 2,
            "seed": 1,
        },
        input_shape,
        output_shape,
    )
    for posterior in POSTERIORS
    for name, (make, input_shape, output_shape) in WRAPPED.items()
}
CASES["MCDropout"] = (
    bbh.layers.MCDropout,
    lambda: {"rate": 0.5, "noise_shape": (None, 1, 3), "seed": 1},
    (2, 4, 3),
    (2, 4, 3),
)
CASES["LocalReparameterization"] = (
    bbh.layers.LocalReparameterization,
    lambda: {
        "layer": keras.layers.Dense(3),
        "posterior": bbh.posteriors.MeanField(),
        "kl_weight": 0.1,
        "divergence": bbh.divergences.AnalyticKL(),
        "seed": 1,
    },
    (2, 4),
    (2, 3),
)
CASES["MNFDense"] = (
    bbh.layers.MNFDense,
    lambda: {"units": 3, "flow_units": 4, "kl_weight": 0.1, "seed": 1},
    (2, 4),
    (2, 3),
)
CASES["MNFConv2D"] = (
    bbh.layers.MNFConv2D,
    lambda: {
        "filters": 3,
        "kernel_size": 2,
        "strides": 2,
        "padding": "same",
        "flow_units": 4,
        "kl_weight": 0.1,
        "seed": 1,
    },
    (2, 5, 4, 2),
    (2, 3, 2, 3),
)


def test_every_public_layer_is_checked():
    checked = {layer.__name__ for layer, *_ in CASES.values()}
    assert checked == set(bbh.layers.__all__) - {"MNF", "RandomLayer"}


# The checks train on a generator with `fit` as it comes.
@pytest.mark.filterwarnings("ignore:.shuffle=True. was passed:UserWarning")
# Dropout has nothing to train.
@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
@pytest.mark.parametrize("name", CASES)
def test_layer(name):
    layer, arguments, input_shape, output_shape = CASES[name]
    checks = testing.TestCase()
    checks.setUp()
    checks.run_layer_test(
        layer,
        arguments(),
        input_shape=input_shape,
        expected_output_shape=output_shape,
        # The KL joins the losses in training only.
        expected_num_losses=0,
        # The checks change the policy of a built layer; a built Sequential
        # keeps the dtypes it recorded.
        run_mixed_precision_check="Sequential" not in name,
    )
    checks.doCleanups()
