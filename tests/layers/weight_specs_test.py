"""What variables are: kernels or biases, of which units."""

import keras
import pytest

from bbh_tf.layers import selection
from bbh_tf.layers import weight_specs

layers = keras.layers
CASES = {
    "Dense": (lambda: layers.Dense(3), (2, 4), [(1,), (0,)]),
    "Conv2D": (lambda: layers.Conv2D(3, 2), (2, 4, 4, 2), [(3,), (0,)]),
    "Conv2DTranspose": (
        lambda: layers.Conv2DTranspose(3, 2),
        (2, 4, 4, 2),
        [(2,), (0,)],
    ),
    "DepthwiseConv2D": (
        lambda: layers.DepthwiseConv2D(2, depth_multiplier=3),
        (2, 4, 4, 2),
        [(2, 3), (0,)],
    ),
    "SeparableConv1D": (
        lambda: layers.SeparableConv1D(3, 2),
        (2, 4, 2),
        [(1, 2), (2,), (0,)],
    ),
    "EinsumDense": (
        lambda: layers.EinsumDense("abc,cde->abde", (4, 3, 2), bias_axes="de"),
        (2, 4, 5),
        [(1, 2), (0, 1)],
    ),
    "EinsumDense of groups": (
        lambda: layers.EinsumDense("bgi,gij->bgj", (4, 3)),
        (2, 4, 5),
        [(0, 2)],
    ),
    "Embedding": (lambda: layers.Embedding(7, 3), (2, 4), [(1,)]),
}


@pytest.mark.parametrize("name", CASES)
def test_output_axes(name):
    make, input_shape, expected = CASES[name]
    layer = make()
    layer.build(input_shape)
    found = selection.random_variables(layer)
    specs = weight_specs.specs_of(layer, found)
    assert [spec.output_axes for spec in specs] == expected
    roles = ["bias" if "bias" in v.name else "kernel" for v in found]
    assert [spec.role for spec in specs] == roles
    assert [spec.shape for spec in specs] == [tuple(v.shape) for v in found]


def test_layers_in_a_layer_are_seen():
    layer = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Conv2DTranspose(3, 2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    found = selection.random_variables(layer)
    specs = weight_specs.specs_of(layer, found)
    assert [spec.output_axes for spec in specs] == [(2,), (0,), (1,), (0,)]
