"""A network that tells samples of two distributions of a scalar apart."""

import keras
import tensorflow as tf

from bbh_tf import checkpointing

# Scalars that pass at once: the hidden layers of all weights of a network
# would take hundreds of times the memory of the samples.
_BLOCK = 1 << 14
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


class Discriminator(checkpointing.Checkpointed, keras.layers.Layer):
    """Maps a scalar to a logit, and has an Adam of its own.

    ReLU layers, then a linear one. Trained until it tells samples of q (high)
    from samples of p (low) as well as can be told, its logit is
    log(q(w) / p(w)).

    Its variables are no trainable variables of the model that owns it, whose
    optimiser is to leave them alone; they are saved with it, the moments of
    Adam among them.

    Args:
        units: widths of the hidden layers.
        learning_rate: that of Adam.
    """

    def __init__(self, units, learning_rate):
        super().__init__(name="discriminator", dtype="float32")
        self.learning_rate = learning_rate
        sizes = (1, *units, 1)
        shapes = []
        for fan_in, fan_out in zip(sizes, sizes[1:]):
            shapes += [(fan_in, fan_out), (fan_out,)]
        self.parameters = [
            self._add(f"parameter_{index}", shape)
            for index, shape in enumerate(shapes)
        ]
        self.means, self.squares = (
            [
                self._add(f"{name}_{index}", shape, initializer="zeros")
                for index, shape in enumerate(shapes)
            ]
            for name in ("mean", "square")
        )
        self.num_steps_taken = self._add(
            "num_steps_taken", (), "zeros", "int64"
        )
        self.built = True

    def _add(self, name, shape, initializer=None, dtype="float32"):
        if initializer is None:
            initializer = "glorot_uniform" if len(shape) == 2 else "zeros"
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            trainable=False,
            # Replicas make the same steps, each for itself.
            aggregation="none",
            autocast=False,
        )

    def call(self, inputs):
        """Computes the logit of each scalar in a tensor of any shape."""
        flat = tf.reshape(inputs, (-1,))
        return tf.reshape(
            _logits(values_of(self.parameters), flat), tf.shape(inputs)
        )

    def minimize(self, loss_of, num_steps):
        """Makes steps of Adam.

        Args:
            loss_of: function from the parameters, a list of tensors, and the
                number of the step, counted from 0, to a scalar.
            num_steps: how many, a scalar integer tensor.

        Returns:
            The parameters after the last step, a list of tensors.
        """
        before = self.num_steps_taken.value

        def step(number, parameters, means, squares):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(parameters)
                loss = loss_of(parameters, number)
            gradients = tape.gradient(loss, parameters)
            t = tf.cast(before + tf.cast(number, tf.int64) + 1, tf.float32)
            rate = self.learning_rate * tf.sqrt(1.0 - tf.pow(_BETA_2, t))
            rate /= 1.0 - tf.pow(_BETA_1, t)
            new = [
                _adam(*values, rate)
                for values in zip(parameters, means, squares, gradients)
            ]
            return (number + 1, *map(list, zip(*new)))

        state = self.parameters, self.means, self.squares
        _, *after = tf.while_loop(
            lambda number, *_: number < num_steps,
            step,
            (0, *map(values_of, state)),
        )
        for variables, values in zip(state, after):
            for variable, value in zip(variables, values):
                variable.assign(value)
        self.num_steps_taken.assign(before + tf.cast(num_steps, tf.int64))
        return after[0]


def values_of(variables):
    """Returns the values of Keras variables, as tensors."""
    return [tf.convert_to_tensor(variable.value) for variable in variables]


def loss(parameters, high, low):
    """Computes the mean log loss of telling two kinds of scalars apart.

    Args:
        parameters: those of a `Discriminator`, a list of tensors.
        high: scalars whose logits are to be high, `(k,)`.
        low: scalars whose logits are to be low, `(l,)`.

    Returns:
        Scalar, nats: the mean over `high` of -log sigmoid(logit) plus the
        mean over `low` of -log(1 - sigmoid(logit)), with a gradient with
        respect to the parameters alone.
    """

    @tf.custom_gradient
    def function(*parameters):
        # Or TensorFlow would prepare to differentiate the gradient.
        parameters = [tf.stop_gradient(x) for x in parameters]
        value, gradients = _loss_with_gradients(parameters, high, low)
        return value, lambda upstream: [upstream * x for x in gradients]

    high, low = tf.stop_gradient(high), tf.stop_gradient(low)
    return function(*parameters)


def sum_of_logits(parameters, scalars):
    """Adds up the logits of scalars.

    Args:
        parameters: those of a `Discriminator`, a list of tensors.
        scalars: a tensor of known shape.

    Returns:
        Scalar, nats, with a gradient with respect to the scalars alone.
    """

    @tf.custom_gradient
    def function(flat):
        value, gradient = _sum_with_gradient(parameters, tf.stop_gradient(flat))
        return value, lambda upstream: upstream * gradient

    return function(tf.reshape(scalars, (-1,)))


@tf.function(jit_compile=True, autograph=False)
def _loss_with_gradients(parameters, high, low):
    parameters = list(parameters)
    sizes = high.shape[0], low.shape[0]
    signs = _blocks(_two(sizes, 1.0, -1.0))
    shares = _blocks(_two(sizes, 1.0 / sizes[0], 1.0 / sizes[1]))
    scalars = _blocks(tf.concat([high, low], axis=0))

    def visit(index, value, gradients):
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            logits = _logits(parameters, scalars[index])
            # Padding has no share.
            losses = tf.nn.softplus(-signs[index] * logits)
            part = tf.reduce_sum(shares[index] * losses)
        new = tape.gradient(part, parameters)
        return index + 1, value + part, [a + b for a, b in zip(gradients, new)]

    zeros = [tf.zeros_like(x) for x in parameters]
    _, value, gradients = tf.while_loop(
        lambda index, *_: index < scalars.shape[0], visit, (0, 0.0, zeros)
    )
    return value, gradients


@tf.function(jit_compile=True, autograph=False)
def _sum_with_gradient(parameters, flat):
    def visit(block):
        with tf.GradientTape() as tape:
            tape.watch(block)
            logits = _logits(parameters, block)
        return logits, tape.gradient(logits, block)

    logits, gradient = tf.map_fn(
        visit, _blocks(flat), fn_output_signature=(tf.float32, tf.float32)
    )
    size = flat.shape[0]
    logits, gradient = (tf.reshape(x, (-1,))[:size] for x in (logits, gradient))
    return tf.reduce_sum(logits), gradient


def _logits(parameters, scalars):
    x = scalars[:, tf.newaxis]
    *hidden, last = zip(parameters[::2], parameters[1::2])
    for kernel, bias in hidden:
        x = tf.nn.relu(tf.matmul(x, kernel) + bias)
    kernel, bias = last
    return tf.squeeze(tf.matmul(x, kernel) + bias, axis=1)


def _two(sizes, first, second):
    return tf.concat(
        [tf.fill([sizes[0]], first), tf.fill([sizes[1]], second)], axis=0
    )


def _blocks(flat):
    size = flat.shape[0]
    width = min(size, _BLOCK)
    return tf.reshape(tf.pad(flat, [[0, -size % width]]), (-1, width))


def _adam(parameter, mean, square, gradient, rate):
    mean = _BETA_1 * mean + (1.0 - _BETA_1) * gradient
    square = _BETA_2 * square + (1.0 - _BETA_2) * tf.square(gradient)
    return parameter - rate * mean / (tf.sqrt(square) + _EPSILON), mean, square
