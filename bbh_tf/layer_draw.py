"""What a draw of one layer is, wherever it goes."""

import typing


class LayerDraw(typing.NamedTuple):
    """Draws of the random variables of one layer, and what they make.

    Attributes:
        samples: what q is over (weights, or scales of weights, say): list of
            `float32` tensors `(num_samples, *shape)`; empty where the layer
            computes its KL by itself.
        log_prob: log q(samples), nats, `(num_samples,)`; None where no density
            is known.
        weights: what the network runs on: list of `float32` tensors
            `(num_samples, *shape)`; None where each example has noise of its
            own.
    """

    samples: list
    log_prob: typing.Any
    weights: list | None

    def take(self, count):
        """Returns the first draws alone."""
        log_prob, weights = self.log_prob, self.weights
        return LayerDraw(
            [_first(x, count) for x in self.samples],
            None if log_prob is None else _first(log_prob, count),
            None if weights is None else [_first(x, count) for x in weights],
        )


def _first(tensor, count):
    # The gradient of a slice fills a tensor of the whole's size, even where
    # the slice is the whole.
    return tensor if tensor.shape[0] == count else tensor[:count]
