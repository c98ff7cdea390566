"""A model whose predictions have a temperature."""

import tensorflow as tf

from bbh_tf import postprocessing
from bbh_tf.models import likelihoods
from bbh_tf.models import outputs as outputs_of
from bbh_tf.postprocessing.with_temperature import class_numbers
from bbh_tf.postprocessing.with_temperature import of_rank


class Tempered:
    """Keeps a temperature with a model, and predicts under it.

    A part of a model that has a `likelihood`, before `keras.Model` among its
    bases. It must call `make_temperature` when the likelihood is there.
    """

    def make_temperature(self):
        """Makes the temperature, 1 at first, where it is known what it does."""
        self._temperature = None
        if likelihoods.has_logits(self.likelihood) or likelihoods.is_normal(
            self.likelihood
        ):
            # A layer, so that all ways of keeping a model keep it.
            self._temperature = postprocessing.Temperature(name="temperature")

    @property
    def temperature(self):
        """How much less sure predictions are made; 1 at first.

        Logits, of classes and of labels that are 0 or 1, are divided by it.
        Under `"normal"` and `"normal_learned_scale"` it multiplies the standard
        deviation that each draw predicts for the labels; the disagreement
        between draws stays as it is.
        `bbh_tf.postprocessing.with_temperature` fits it. Training, the
        network's outputs (`predict_samples`) and `draw` ignore it. It is saved
        with the weights. None for likelihoods of your own.
        """
        if self._temperature is None:
            return None
        return self._temperature.temperature

    @temperature.setter
    def temperature(self, value):
        self._check_tempered()
        self._temperature.temperature = value

    def _check_tempered(self):
        if self._temperature is None:
            raise ValueError(
                "A temperature divides logits, or multiplies a normal's "
                "standard deviation: expected the likelihood "
                '"categorical_logits", "bernoulli_logits", "normal" or '
                '"normal_learned_scale"; got '
                f"{likelihoods.name_of(self.likelihood)!r}."
            )

    def best_temperature(self, outputs, labels, sample_weight=None):
        """Finds the temperature that fits labels best, without setting it.

        Args:
            outputs: array `(num_samples, examples, ...)`, those of
                `predict_samples`.
            labels: array-like, `(examples, ...)`.
            sample_weight: array-like, `(examples,)` or of the labels' shape;
                None for 1.

        Returns:
            float; see `postprocessing.fit_temperature` for classes,
            `fit_binary_temperature` for 0 and 1, `fit_std_factor` for numbers.

        Raises:
            ValueError: as they do; if the likelihood is another, or if outputs
                come with a mask, which is not seen here, and labels without
                weights.
        """
        self._check_tempered()
        network = outputs_of.network_of(self)
        if sample_weight is None and outputs_of.have_mask(network):
            raise ValueError(
                "The outputs come with Keras' mask, which a temperature does "
                "not see: expected sample_weight, 0 for labels that do not "
                "count and 1 for others."
            )
        if self.likelihood is likelihoods.categorical_logits:
            labels = class_numbers(
                labels, outputs.shape[1:-1], outputs.shape[-1], sample_weight
            )
            return postprocessing.fit_temperature(
                outputs, labels, sample_weight
            )
        labels = of_rank(labels, outputs.ndim - 1)
        if self.likelihood is likelihoods.bernoulli_logits:
            return postprocessing.fit_binary_temperature(
                outputs, labels, sample_weight
            )
        found = self.likelihood(tf.convert_to_tensor(outputs))
        return postprocessing.fit_std_factor(
            found.mean().numpy(), found.stddev().numpy(), labels, sample_weight
        )

    def distribution(self, outputs):
        """Returns what the likelihood says of a network's outputs.

        Args:
            outputs: tensor `(batch, ...)`.

        Returns:
            A distribution of labels, as `likelihoods.distribution` has it.
        """
        if likelihoods.has_logits(self.likelihood):
            outputs = self._temperature(outputs)
        found = likelihoods.distribution(self.likelihood, outputs)
        if likelihoods.is_normal(self.likelihood):
            scale = self._temperature.multiply(found.scale)
            found = type(found)(found.loc, scale)
        return found
