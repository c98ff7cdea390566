"""What leaves this library, and what cannot."""

from bbh_tf.models import exporting


class Exported:
    """Exports a model's draws, for serving; a part of a `PredictiveModel`."""

    def export(
        self,
        filepath,
        format="tf_saved_model",
        verbose=None,
        input_signature=None,
        num_samples=None,
        seed=0,
    ):
        """Writes a TensorFlow SavedModel of `predict_uncertainty`.

        It needs neither this library nor Keras, takes batches of any size
        and holds `num_samples` draws of the weights as they are, 4 bytes
        each, and not the posterior: serving generates nothing, and says the
        same each time.

        Args:
            filepath: folder to write to.
            format: `"tf_saved_model"`; no other.
            verbose: accepted for Keras' sake; nothing is shown.
            input_signature: structure of `tf.TensorSpec` that the inputs are
                to have; None for that of the network, batches of any size.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.

        Raises:
            ValueError: if another format is asked for.
            MemoryError: if the draws do not fit in memory.

        Example:

        ```python
        model.export("served")
        served = tf.saved_model.load("served")
        entropies = served.serve(images)["entropy"]

        # For a phone: operations that TFLite has by itself.
        lite = tf.lite.TFLiteConverter.from_saved_model("served").convert()
        ```
        """
        del verbose
        exporting.check_format(format)
        count = self._count(num_samples)
        exporting.export(
            filepath,
            self.networks(count, seed),
            count,
            self.distribution,
            input_signature or exporting.input_specs(self),
            exporting.resources_of(self),
        )

    def quantize(self, mode=None, **kwargs):
        """Refuses: a model's programs read the weights that it has.

        Raises:
            ValueError: always; one draw can be quantised.
        """
        del kwargs
        raise ValueError(
            f"A {type(self).__name__} cannot be quantised, its draws can: "
            f"model.draw().quantize({mode!r})."
        )
