"""A network for each kind of layer that the library must serve.

Whoever adds a public layer to `bbh_tf.layers` adds a case with it here.
"""

import dataclasses
import typing

import keras
import numpy as np

import bbh_tf as bbh

layers = keras.layers


@dataclasses.dataclass(frozen=True)
class Case:
    """A network with layers of the library, and what to feed it.

    Attributes:
        network: callable that builds the network, with three logits.
        x: a few inputs.
        public: names in `bbh_tf.layers` that the network holds.
        drawable: whether a draw is an ordinary Keras model.
    """

    network: typing.Callable
    x: typing.Any
    public: tuple = ("Bayesian",)
    drawable: bool = True


def implicit(**kwargs):
    return bbh.posteriors.Implicit(bbh.hypernetworks.MLP(units=(4,)), **kwargs)


def sliced():
    return bbh.posteriors.Implicit(bbh.hypernetworks.Sliced(units=(4,)))


def mean_field():
    return bbh.posteriors.MeanField()


def inputs(*shape):
    generator = np.random.default_rng(0)
    return generator.normal(size=(4, *shape)).astype("float32")


def wrapped(shape, layer, posterior, *after, dtype=None):
    """A network of one Bayesian layer, made by hand."""
    return lambda: keras.Sequential(
        [
            keras.Input(shape, dtype=dtype),
            bbh.layers.Bayesian(layer(), posterior()),
            *[make() for make in after],
            layers.Dense(3),
        ]
    )


def _shared():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, activation="tanh")
    network = keras.Model(inputs, layers.Dense(3)(dense(dense(inputs))))
    return bbh.models.bayesify(network, implicit())


def _attention():
    inputs = keras.Input((5, 4))
    attention = bbh.layers.Bayesian(
        layers.MultiHeadAttention(2, 3), mean_field()
    )
    outputs = attention(inputs, inputs, use_causal_mask=True)
    outputs = layers.GlobalAveragePooling1D()(outputs)
    return keras.Model(inputs, layers.Dense(3)(outputs))


def _masked_lstm():
    inputs = keras.Input((5,), dtype="int32")
    embedding = bbh.layers.Bayesian(
        layers.Embedding(7, 4, mask_zero=True), sliced()
    )
    lstm = bbh.layers.Bayesian(layers.LSTM(3), sliced())
    return keras.Model(inputs, lstm(embedding(inputs)))


def _time_distributed():
    inputs = keras.Input((5, 4))
    dense = bbh.layers.Bayesian(layers.Dense(3), implicit())
    outputs = layers.TimeDistributed(dense)(inputs)
    return keras.Model(inputs, layers.GlobalAveragePooling1D()(outputs))


def _whole_sequential():
    return keras.Sequential(
        [
            layers.Dense(5),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(4),
        ]
    )


def _nested():
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4), layers.BatchNormalization()]
    )
    inputs = keras.Input((4,))
    network = keras.Model(inputs, layers.Dense(3)(inner(inputs)))
    chunks = bbh.hypernetworks.Sliced(slices=5, units=(4,))
    return bbh.models.bayesify(
        network, bbh.posteriors.Implicit(chunks), scope="network"
    )


def _application():
    network = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3),
        alpha=0.35,
        weights=None,
        classes=3,
        classifier_activation=None,
    )
    # All 54 kernels compile for a minute; the last block has each kind.
    return bbh.models.bayesify(
        network,
        sliced(),
        layers=lambda layer: (
            layer.name.startswith("block_16") or layer.name == "predictions"
        ),
    )


def _dropout():
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(20, activation="relu"),
            bbh.layers.MCDropout(0.5, seed=1),
            layers.Dense(3),
        ]
    )


def _mnf():
    small = {"flow_units": 4, "auxiliary_flow_units": 4}
    return keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            bbh.layers.MNFConv2D(3, 2, activation="relu", seed=1, **small),
            layers.Flatten(),
            bbh.layers.MNFDense(3, seed=2, **small),
        ]
    )


def _local_reparameterization():
    network = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Conv2D(3, 2, activation="relu"),
            layers.DepthwiseConv2D(2),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    return bbh.models.bayesify(
        network, mean_field(), local_reparameterization=True
    )


_flatten, _pool = layers.Flatten, layers.GlobalAveragePooling1D
_tokens = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 0, 0], [6] * 5, [1, 0, 0, 0, 0]])

CASES = {
    "Dense": Case(wrapped((4,), lambda: layers.Dense(5), implicit), inputs(4)),
    "Conv1D": Case(
        wrapped((6, 2), lambda: layers.Conv1D(3, 2), implicit, _flatten),
        inputs(6, 2),
    ),
    "Conv2D": Case(
        wrapped((5, 5, 2), lambda: layers.Conv2D(3, 2), sliced, _flatten),
        inputs(5, 5, 2),
    ),
    "Conv3D": Case(
        wrapped((3, 3, 3, 2), lambda: layers.Conv3D(3, 2), sliced, _flatten),
        inputs(3, 3, 3, 2),
    ),
    "DepthwiseConv2D": Case(
        wrapped((5, 5, 2), lambda: layers.DepthwiseConv2D(2), sliced, _flatten),
        inputs(5, 5, 2),
    ),
    "EinsumDense": Case(
        wrapped(
            (5, 4),
            lambda: layers.EinsumDense("abc,cd->abd", (5, 3), bias_axes="d"),
            mean_field,
            _flatten,
        ),
        inputs(5, 4),
    ),
    "Embedding": Case(
        wrapped(
            (5,), lambda: layers.Embedding(7, 3), implicit, _pool, dtype="int32"
        ),
        _tokens,
    ),
    "LSTM": Case(
        wrapped((5, 2), lambda: layers.LSTM(3), mean_field), inputs(5, 2)
    ),
    "Bidirectional": Case(
        wrapped(
            (5, 2), lambda: layers.Bidirectional(layers.GRU(2)), mean_field
        ),
        inputs(5, 2),
    ),
    "masked LSTM": Case(_masked_lstm, _tokens),
    "MultiHeadAttention": Case(_attention, inputs(5, 4)),
    "shared layer": Case(_shared, inputs(4)),
    "whole Sequential": Case(
        wrapped((4,), _whole_sequential, implicit), inputs(4)
    ),
    "TimeDistributed": Case(_time_distributed, inputs(5, 4)),
    "nested, one posterior": Case(_nested, inputs(4)),
    "MCDropout": Case(_dropout, inputs(4), ("MCDropout",), drawable=False),
    "MNF": Case(_mnf, inputs(4, 4, 2), ("MNFConv2D", "MNFDense")),
    "LocalReparameterization": Case(
        _local_reparameterization,
        inputs(4, 4, 2),
        ("LocalReparameterization",),
    ),
    "keras.applications": Case(_application, inputs(32, 32, 3)),
}
