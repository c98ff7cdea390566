"""Adam in one pass over the memory."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="bbh_tf.optimizers")
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam with TensorFlow's fused update.

    The update is that of `keras.optimizers.Adam`, argument for argument. Keras
    writes it as a chain of operations, each of which reads and writes whole
    tensors; the fused kernel reads gradient, moments and variable once and
    writes them once. For hypernetworks, whose cost is memory traffic, this
    saves most of the time of the update. With sparse gradients, `amsgrad` or
    variables of half precision Keras' chain is used. With several replicas
    Keras clips the gradients of each; here their sum is clipped, the gradient
    of the whole batch.

    Args: those of `keras.optimizers.Adam`.

    Example:

    ```python
    model.compile(bbh_tf.optimizers.FusedAdam(1e-4))
    ```
    """

    _step_constants = None

    def apply(self, grads, trainable_variables=None):
        """Makes one step for all variables."""
        if tf.distribute.has_strategy():
            # Each replica would overwrite the others'.
            super().apply(grads, trainable_variables)
            return
        # Once a step: a hypernetwork has hundreds of variables.
        self._step_constants = self._constants()
        try:
            super().apply(grads, trainable_variables)
        finally:
            self._step_constants = None

    # Keras has no public names for the two that follow.

    def _clip_gradients(self, grads):
        return grads if _is_replica() else super()._clip_gradients(grads)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        summed = super()._all_reduce_sum_gradients(grads_and_vars)
        if not _is_replica():
            return summed
        grads, variables = zip(*summed)
        return list(zip(super()._clip_gradients(list(grads)), variables))

    def _constants(self):
        number = tf.convert_to_tensor(self.iterations)
        number = tf.cast(number + 1, tf.float32)
        return (
            tf.pow(tf.constant(self.beta_1, tf.float32), number),
            tf.pow(tf.constant(self.beta_2, tf.float32), number),
            tf.constant(self.beta_1, tf.float32),
            tf.constant(self.beta_2, tf.float32),
            tf.constant(self.epsilon, tf.float32),
        )

    def update_step(self, gradient, variable, learning_rate):
        """Makes one step for one variable."""
        # In bfloat16 `beta_2` is 1, and the fused update divides by epsilon.
        is_half = variable.dtype not in ("float32", "float64")
        if is_half or self.amsgrad or not isinstance(gradient, tf.Tensor):
            super().update_step(gradient, variable, learning_rate)
            return
        constants = self._step_constants or self._constants()
        # Under Keras' `floatx` "float64" the rate alone is of that type.
        constants = [
            tf.cast(x, variable.dtype)
            for x in (*constants, learning_rate, gradient)
        ]
        power_1, power_2, beta_1, beta_2, epsilon, rate, gradient = constants
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=power_1,
            beta2_power=power_2,
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=epsilon,
            grad=gradient,
        )


def _is_replica():
    """Returns whether this is one of several replicas, within a step."""
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1


def _handle(variable):
    # Keras gives its optimisers TensorFlow's variables, or its own.
    if isinstance(variable, keras.Variable):
        variable = variable.value
    return variable.handle
