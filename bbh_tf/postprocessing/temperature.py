"""Logits divided by one number."""

import keras

from bbh_tf import checks


@keras.saving.register_keras_serializable(package="bbh_tf.postprocessing")
class Temperature(keras.layers.Layer):
    """Divides logits by a temperature, which is kept with the weights.

    Above 1 it makes class probabilities less sure, below 1 surer; which class
    is the most probable stays as it was. `fit_temperature` finds it; training
    leaves it as it is.

    Args:
        temperature: a number above 0.
        name: name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Input shape: `(batch, ...)`.

    Output shape: the same, in `float32` under any precision policy.

    Raises:
        ValueError: if the temperature is not a finite number above 0.

    References:
        Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural
        Networks", ICML 2017, arXiv:1706.04599, Sec. 4.2.
    """

    def __init__(self, temperature=1.0, name=None, **kwargs):
        super().__init__(name=name, **{"dtype": "float32", **kwargs})
        self.supports_masking = True
        _check(temperature)
        self._divisor = self.add_weight(
            name="temperature",
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(float(temperature)),
            trainable=False,
            autocast=False,
        )
        self.built = True

    @property
    def temperature(self):
        """The temperature, a Python number; it can be set at any time."""
        return float(keras.ops.convert_to_numpy(self._divisor))

    @temperature.setter
    def temperature(self, value):
        _check(value)
        self._divisor.assign(float(value))

    def call(self, inputs):
        return keras.ops.cast(inputs, "float32") / self._divisor

    def multiply(self, scales):
        """Multiplies instead, what makes a normal distribution less sure.

        Args:
            scales: tensor of standard deviations, of any shape.

        Returns:
            `float32` tensor of that shape.
        """
        return keras.ops.cast(scales, "float32") * self._divisor

    def compute_output_shape(self, input_shape):
        """Returns the shape of the inputs."""
        return input_shape

    def load_own_variables(self, store):
        """Loads the temperature; files older than it have none, which is 1."""
        if store.keys():
            super().load_own_variables(store)
        else:
            self.temperature = 1.0

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "temperature": self.temperature}


def _check(value):
    if not checks.is_positive(value):
        raise ValueError(
            f"Expected temperature to be a finite number above 0; got "
            f"{value!r}."
        )
