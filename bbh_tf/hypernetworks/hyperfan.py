"""Beginnings that give generated weights the variance their layer wants."""

import keras

NAME = "hyperfan"


def of_hidden(slope):
    """Returns the initialiser of a hidden layer's kernel.

    Its outputs, leaky ReLUs, have the mean square of its inputs.

    Args:
        slope: of the leaky ReLU, below 0.
    """
    return keras.initializers.VarianceScaling(
        2.0 / (1.0 + slope**2), "fan_in", "truncated_normal"
    )


def of_output(fan_in, noise_dim, num_inputs):
    """Returns the initialiser of the output's kernel.

    Over beginnings and noise, weights of a kernel have mean 0 and variance
    2 / fan-in (He et al.'s, for layers with ReLU), by the hyperfan-in rule.
    Biases have no fan-in: theirs is Glorot's.

    Args:
        fan_in: `WeightSpec.fan_in` of the generated weights; None for biases.
        noise_dim: dimension of the noise.
        num_inputs: inputs of the stack, noise and code.

    References:
        Chang, Flokas and Lipson, Principled Weight Initialization for
        Hypernetworks, ICLR 2020.
    """
    if fan_in is None:
        return keras.initializers.GlorotUniform()
    # Of an input of the stack, noise or one-hot code; hidden layers keep it.
    mean_square = (noise_dim + 1) / num_inputs
    return keras.initializers.VarianceScaling(
        2.0 / (fan_in * mean_square), "fan_in", "truncated_normal"
    )
