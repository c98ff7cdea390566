"""A Keras model that runs many draws of its weights."""

import keras
import numpy as np

from bbh_tf import checks
from bbh_tf.models import prediction


class SamplingModel(keras.Model):
    """Runs fixed draws of a network over data.

    A subclass says what a draw is, in `draws` and `networks`.

    Args:
        num_prediction_samples: draws where no other number is asked for.
        name: name of the model.

    Raises:
        ValueError: if an argument is not as said.
    """

    def __init__(self, num_prediction_samples, name=None):
        super().__init__(name=name)
        checks.check_count("num_prediction_samples", num_prediction_samples)
        self.num_prediction_samples = int(num_prediction_samples)

    def draws(self, inputs, num_samples, seed):
        """Runs fixed draws of the network.

        Args:
            inputs: list of batches of inputs.
            num_samples: number of draws.
            seed: seed of the draws, an integer.

        Yields:
            For each draw, a list of `float32` outputs, one for each batch.
        """
        raise NotImplementedError

    def networks(self, num_samples=None, seed=0):
        """Yields the network under each of fixed draws, as a function.

        Args:
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.

        Yields:
            For each draw, a function from a batch of inputs to outputs: a
            `functools.partial` of one function for all draws, whose keywords
            are the draw, structures of tensors.
        """
        raise NotImplementedError

    def predict_samples(
        self,
        x,
        num_samples=None,
        seed=0,
        batch_size=None,
        steps=None,
        out=None,
    ):
        """Runs fixed draws of the network over the data.

        Draw `k` is one set of weights for all examples and depends on the
        model's seed, `seed` and `k` only.

        Args:
            x: inputs: arrays, a data set or batches.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.
            batch_size: examples in a batch, where `x` holds arrays.
            steps: batches to take; None for all.
            out: array of the returned shape to write to, say one on disk from
                `numpy.lib.format.open_memmap`; None for a new one.

        Returns:
            `float32` array `(num_samples, examples, ...)`: the network's
            outputs (logits, for the categorical likelihood); or `out`.

        Raises:
            ValueError: if `out` has another shape.
        """
        parts, filled = [], 0
        count = self._draw_count(num_samples)
        for block in prediction.blocks(x, None, None, batch_size, steps):
            inputs = [batch[0] for batch in block]
            part = None
            for index, outputs in enumerate(self.draws(inputs, count, seed)):
                draw = np.concatenate(outputs)
                if part is None:
                    part = prediction.room(out, filled, (count, *draw.shape))
                part[index] = draw
            filled += part.shape[1]
            parts.append(part)
        if out is None:
            return parts[0] if len(parts) == 1 else np.concatenate(parts, 1)
        if filled != out.shape[1]:
            raise ValueError(
                f"Expected out to have room for {filled} examples; got shape "
                f"{out.shape}."
            )
        return out

    def _draw_count(self, num_samples):
        if num_samples is None:
            return self.num_prediction_samples
        checks.check_count("num_samples", num_samples)
        return int(num_samples)
