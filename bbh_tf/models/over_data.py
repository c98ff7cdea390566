"""What models do with all draws over all data, block by block."""

import numpy as np
import tensorflow as tf

from bbh_tf.models import data_blocks
from bbh_tf.models import likelihoods
from bbh_tf.models import scoring
from bbh_tf.models import uncertainty_of_draws


def samples(model, x, count, seed, batch_size, steps, out):
    """Keeps the outputs of all draws; see `PredictiveModel.predict_samples`."""
    parts, filled = [], 0
    for block in data_blocks.blocks(x, None, None, batch_size, steps):
        inputs = [batch[0] for batch in block]
        part = None
        for index, outputs in enumerate(model.draws(inputs, count, seed)):
            draw = np.concatenate(outputs)
            if part is None:
                part = data_blocks.room(out, filled, (count, *draw.shape))
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


def mean(model, x, count, seed, batch_size, steps, label_of):
    """Averages what a function makes of the outputs of all draws."""
    parts = []
    for block in data_blocks.blocks(x, None, None, batch_size, steps):
        inputs = [batch[0] for batch in block]
        total = [0.0] * len(block)
        for outputs in model.draws(inputs, count, seed):
            for index, output in enumerate(outputs):
                total[index] += label_of(output)
        parts.extend(np.asarray(part / count) for part in total)
    return np.concatenate(parts)


def uncertainty(model, x, count, seed, batch_size, steps, level, distribution):
    """Summarises draws; see `PredictiveModel.predict_uncertainty`."""
    parts = []
    for block in data_blocks.blocks(x, None, None, batch_size, steps):
        inputs = [batch[0] for batch in block]
        totals, kept = None, []
        for index, outputs in enumerate(model.draws(inputs, count, seed)):
            outputs = tf.concat(outputs, axis=0)
            found = distribution(outputs)
            new = uncertainty_of_draws.terms(found)
            totals = uncertainty_of_draws.update(totals, index, new)
            if level is not None:
                uncertainty_of_draws.check_level(level, found)
                kept.append(outputs)
        part = uncertainty_of_draws.summary(totals)
        if kept:
            mixture = distribution(tf.concat(kept, axis=0))
            part.update(uncertainty_of_draws.interval(mixture, count, level))
        parts.append(part)
    return {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }


def evaluate(model, blocks, count, seed, distribution, trackers):
    """Updates a model's metrics with the averaged prediction.

    Args:
        model: a `PredictiveModel`.
        blocks: what `data_blocks.blocks` yields.
        count: number of draws.
        seed: seed of the draws.
        distribution: function from outputs to a distribution of labels.
        trackers: metrics of -log p(y | x), the mean over draws.
    """
    for block in blocks:
        draws = model.draws([batch[0] for batch in block], count, seed)
        labels = [batch[1] for batch in block]
        # Those of single labels count within a draw, those of examples for
        # the mean over draws.
        of_labels = [
            batch[2] if likelihoods.are_of_labels(batch[2]) else None
            for batch in block
        ]
        scores = scoring.score(draws, count, labels, of_labels, distribution)
        for (x, y, weight), inner, log_prob, prediction in zip(
            block, of_labels, *scores
        ):
            # Keras divides by the number of examples, not the weights' sum.
            nll = -log_prob
            if weight is not None and inner is None:
                nll *= tf.cast(tf.reshape(weight, [-1]), tf.float32)
            for tracker in trackers:
                tracker.update_state(nll)
            model.compute_metrics(x, y, prediction, weight)
