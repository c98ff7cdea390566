"""What models do with all draws over all data, block by block."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf.models import likelihoods
from bbh_tf.models import scoring
from bbh_tf.models import uncertainty_of_draws
from bbh_tf.models.data_blocks import room


def callback_list(model, callbacks, verbose, batches):
    """Returns callbacks as Keras calls them, with its progress bar.

    Args:
        model: a Keras model.
        callbacks: a list, a `keras.callbacks.CallbackList`, or None.
        verbose: as in `keras.Model.predict`; 0 for no bar.
        batches: `data_blocks.Batches`.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    return keras.callbacks.CallbackList(
        callbacks,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=1,
        steps=batches.num_batches,
        model=model,
    )


def samples(model, batches, count, seed, out):
    """Keeps the outputs of all draws; see `PredictiveModel.predict_samples`."""
    if out is not None and out.dtype.kind != "f":
        raise ValueError(
            f"Expected out to be an array of a float type; got {out.dtype}, "
            "which would round outputs."
        )
    parts, filled = [], 0
    for block in batches.blocks():
        inputs = [batch[0] for batch in block]
        part = None
        for index, outputs in enumerate(model.draws(inputs, count, seed)):
            draw = np.concatenate(_alike(outputs))
            if part is None:
                part = room(out, filled, (count, *draw.shape))
            part[index] = draw
        filled += part.shape[1]
        parts.append(part)
    if out is None:
        parts = _alike(parts, 2)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, 1)
    if filled != out.shape[1]:
        raise ValueError(
            f"Expected out to have room for {filled} examples; got shape "
            f"{out.shape}."
        )
    return out


def mean(model, batches, count, seed, label_of, callbacks):
    """Averages what a function makes of the outputs of all draws.

    Args:
        model: a `PredictiveModel`.
        batches: `data_blocks.Batches`.
        count: number of draws.
        seed: seed of the draws.
        label_of: function from outputs to what is averaged.
        callbacks: a `keras.callbacks.CallbackList`, called for each batch when
            all draws have passed over it.

    Returns:
        Array `(examples, ...)`.
    """
    parts, step = [], 0
    callbacks.on_predict_begin()
    for block in batches.blocks():
        inputs = [batch[0] for batch in block]
        total = [0.0] * len(block)
        for outputs in model.draws(inputs, count, seed):
            for index, output in enumerate(outputs):
                total[index] += label_of(output)
        for part in total:
            callbacks.on_predict_batch_begin(step)
            parts.append(np.asarray(part / count))
            callbacks.on_predict_batch_end(step, {"outputs": parts[-1]})
            step += 1
            if model.stop_predicting:
                break
        if model.stop_predicting:
            break
    callbacks.on_predict_end()
    return np.concatenate(_alike(parts))


def uncertainty(model, batches, count, seed, level, distribution):
    """Summarises draws; see `PredictiveModel.predict_uncertainty`."""
    parts = []
    for block in batches.blocks():
        inputs = [batch[0] for batch in block]
        totals, kept = None, []
        for index, outputs in enumerate(model.draws(inputs, count, seed)):
            outputs = tf.concat(_alike(outputs), axis=0)
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
        name: np.concatenate(_alike([part[name] for part in parts]))
        for name in parts[0]
    }


def _alike(parts, num_axes=1):
    """Returns arrays, or refuses them: they differ past the first axes."""
    shapes = {tuple(part.shape)[num_axes:] for part in parts}
    if len(shapes) > 1:
        raise ValueError(
            "Expected outputs of one shape, but for the number of examples, "
            f"in all batches; got {', '.join(map(str, sorted(shapes)))}: pad "
            "the inputs to one length, or ask for each length by itself."
        )
    return parts


def evaluate(model, batches, count, seed, trackers, callbacks):
    """Updates a model's metrics with the averaged prediction.

    Args:
        model: a `PredictiveModel`.
        batches: `data_blocks.Batches`.
        count: number of draws.
        seed: seed of the draws.
        trackers: metrics of -log p(y | x), the mean over draws.
        callbacks: a `keras.callbacks.CallbackList`; see `mean`.

    Returns:
        The metrics after the last batch, a dictionary of numbers; of arrays,
        where a metric is one.
    """
    step, logs = 0, {}
    callbacks.on_test_begin()
    for block in batches.blocks():
        for x, y, weight, nll, prediction in _scored(model, block, count, seed):
            callbacks.on_test_batch_begin(step)
            for tracker in trackers:
                tracker.update_state(nll)
            model.compute_metrics(x, y, prediction, weight)
            logs = _logs(model)
            callbacks.on_test_batch_end(step, logs)
            step += 1
            if model.stop_evaluating:
                break
        if model.stop_evaluating:
            break
    callbacks.on_test_end(logs)
    return logs


def _scored(model, block, count, seed):
    inputs = [batch[0] for batch in block]
    labels = [batch[1] for batch in block]
    masks = model.masks(inputs)
    for (_, y, weight), mask in zip(block, masks):
        if y is not None:
            likelihoods.check_labels(model.likelihood, y, weight, mask)
    # Weights of single labels count within a draw, those of examples for the
    # mean over draws, but for those of 0, whose labels may be none.
    within = [
        batch[2] if likelihoods.are_of_labels(batch[2]) else _count(batch[2])
        for batch in block
    ]
    scores = scoring.score(
        model.draws(inputs, count, seed),
        count,
        labels,
        within,
        masks,
        model.distribution,
    )
    for (x, y, weight), mask, log_prob, prediction in zip(
        block, masks, *scores
    ):
        # Keras divides by the number of examples, not the weights' sum.
        nll = -log_prob
        if weight is not None and not likelihoods.are_of_labels(weight):
            nll *= tf.cast(tf.reshape(weight, [-1]), tf.float32)
        yield x, y, weight, nll, likelihoods.with_mask(prediction, mask)


def _count(weight):
    """Returns 1 for examples that count, and 0 for others; None for None."""
    if weight is None:
        return None
    return tf.cast(tf.cast(weight, tf.float32) != 0.0, tf.float32)


def _logs(model):
    logs = {}
    for name, value in model.get_metrics_result().items():
        # A metric of several values has names for them, as in Keras.
        parts = value if isinstance(value, dict) else {name: value}
        logs.update({key: _number(part) for key, part in parts.items()})
    return {
        name: value
        for name, value in logs.items()
        if name not in ("kl", "kl_weight")
    }


def _number(value):
    value = keras.ops.convert_to_numpy(value)
    return value if value.ndim else float(value)
