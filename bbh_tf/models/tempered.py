"""A model whose predictions have a temperature."""

from bbh_tf.models import likelihoods
from bbh_tf.postprocessing import Temperature


class Tempered:
    """Keeps a temperature with a model, and predicts under it.

    A part of a model that has a `likelihood`, before `keras.Model` among its
    bases. It must call `make_temperature` when the likelihood is there.
    """

    def make_temperature(self):
        """Makes the temperature, 1 at first, where labels are classes."""
        self._temperature = None
        if self.likelihood is likelihoods.categorical_logits:
            # A layer, so that all ways of keeping a model keep it.
            self._temperature = Temperature(name="temperature")

    @property
    def temperature(self):
        """What logits are divided by in predictions; 1 at first.

        `bbh_tf.postprocessing.with_temperature` fits it. Training, the
        network's outputs (`predict_samples`) and `draw` know nothing of it. It
        is saved with the weights. None for other likelihoods than
        `"categorical_logits"`.
        """
        if self._temperature is None:
            return None
        return self._temperature.temperature

    @temperature.setter
    def temperature(self, value):
        if self._temperature is None:
            raise ValueError(
                "A temperature divides logits of classes: expected the "
                'likelihood "categorical_logits"; got '
                f"{likelihoods.name_of(self.likelihood)!r}."
            )
        self._temperature.temperature = value

    def distribution(self, outputs):
        """Returns what the likelihood says of a network's outputs.

        Args:
            outputs: tensor `(batch, ...)`.

        Returns:
            A distribution of labels, as `likelihoods.distribution` has it.
        """
        if self._temperature is not None:
            outputs = self._temperature(outputs)
        return likelihoods.distribution(self.likelihood, outputs)
