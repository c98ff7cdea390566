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
        opset_version=None,
    ):
        """Writes a program of `predict_uncertainty`: a SavedModel, or ONNX.

        The program needs neither this library nor Keras and takes batches of
        any size. It holds `num_samples` draws of the weights, 4 bytes for each
        number, not the posterior: serving generates nothing, and always gives
        the same answer. It applies a temperature, as `predict` does.

        Args:
            filepath: folder to write to, or file, for ONNX.
            format: `"tf_saved_model"`; or `"onnx"`, which needs `tf2onnx` and
                `onnx`, for networks without vocabularies. (A single draw is
                an ordinary Keras model: `draw().export`.)
            verbose: accepted for Keras' sake; nothing is shown.
            input_signature: structure of `tf.TensorSpec`, or
                `keras.InputSpec`, that the inputs are to have; None for that
                of the network, batches of any size.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.
            opset_version: number of ONNX's set of operations; None for that
                of `tf2onnx`.

        Raises:
            ValueError: if another format is asked for, or the format has no
                room for the network or its draws.
            ImportError: if what writes ONNX is not installed.
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
        resources = exporting.resources_of(self)
        exporting.check_format(format, resources)
        count = self._count(num_samples)
        exporting.export(
            filepath,
            self.networks(count, seed),
            count,
            self.distribution,
            exporting.input_specs(self, input_signature),
            resources,
            format,
            opset_version,
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
