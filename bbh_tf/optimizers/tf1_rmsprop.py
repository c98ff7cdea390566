"""RMSProp as TensorFlow 1 had it, for runs that follow the authors' code."""

import keras
import tensorflow as tf

from bbh_tf import checks


@keras.saving.register_keras_serializable(package="bbh_tf.optimizers")
class TF1RMSprop(keras.optimizers.Optimizer):
    """RMSProp whose second moments start at one.

    Computes, for gradient g:

        v <- rho * v + (1 - rho) * g^2
        w <- w - learning_rate * g / sqrt(v + epsilon)

    Keras 3 starts v at zero, so that its first steps are larger.

    Args:
        learning_rate: step size, or a schedule.
        rho: decay of the second moments.
        epsilon: constant under the root.
        name: name of the optimiser.
        **kwargs: other arguments of `keras.optimizers.Optimizer`.

    Raises:
        ValueError: if `rho` is not in [0, 1) or `epsilon` is negative.
    """

    def __init__(
        self,
        learning_rate=1e-4,
        rho=0.9,
        epsilon=1e-5,
        name="tf1_rmsprop",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if not checks.is_number(rho) or not 0 <= rho < 1:
            raise ValueError(f"Expected rho in [0, 1); got {rho!r}.")
        checks.check_factor("epsilon", epsilon)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables):
        """Makes the second moments.

        Args:
            variables: list of `keras.Variable` to be trained.
        """
        if self.built:
            return
        super().build(variables)
        self._second_moments = [
            self.add_variable_from_reference(
                variable, name="second_moment", initializer="ones"
            )
            for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        """Makes one step for one variable."""
        moment = self._second_moments[self._get_variable_index(variable)]
        gradient = tf.cast(gradient, variable.dtype)
        self.assign(
            moment, self.rho * moment + (1 - self.rho) * tf.square(gradient)
        )
        self.assign_sub(
            variable,
            tf.cast(learning_rate, variable.dtype)
            * gradient
            / tf.sqrt(moment + self.epsilon),
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
