"""A Keras model that predicts with many draws of its weights."""

import math
import sys

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import uncertainty
from bbh_tf.models import likelihoods
from bbh_tf.models import prediction


class PredictiveModel(keras.Model):
    """Averages predictions over draws; the base of all methods here.

    A subclass says what a draw is, in `draws`.

    Args:
        likelihood: see `bbh_tf.models.likelihoods.get`.
        num_prediction_samples: draws that `predict` and `evaluate` average.
        name: name of the model.

    Raises:
        ValueError: if an argument is not as said.
    """

    def __init__(self, likelihood, num_prediction_samples, name=None):
        super().__init__(name=name)
        self.likelihood = likelihoods.get(likelihood)
        checks.check_count("num_prediction_samples", num_prediction_samples)
        self.num_prediction_samples = int(num_prediction_samples)
        self._nll_tracker = keras.metrics.Mean(name="nll")
        self._compiled_mean_label = tf.function(
            self._mean_label, autograph=False, reduce_retracing=True
        )

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

    def predict(
        self,
        x,
        batch_size=None,
        verbose="auto",
        steps=None,
        callbacks=None,
        num_samples=None,
        seed=0,
    ):
        """Averages the prediction over fixed draws of the weights.

        Args:
            x: inputs: arrays, a data set or batches.
            batch_size: examples in a batch, where `x` holds arrays.
            verbose: accepted for Keras' sake; nothing is shown.
            steps: batches to take; None for all.
            callbacks: accepted for Keras' sake; none is called.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.

        Returns:
            `float32` array: mean class probabilities `(examples, classes)`,
            or the mean over draws of the likelihood's mean.
        """
        count = self._draw_count(num_samples)
        parts = []
        mean_label = self._compiled_mean_label
        if self.run_eagerly:
            mean_label = self._mean_label
        for block in prediction.blocks(x, None, None, batch_size, steps):
            inputs = [batch[0] for batch in block]
            total = [0.0] * len(block)
            for outputs in self.draws(inputs, count, seed):
                for index, output in enumerate(outputs):
                    total[index] += mean_label(output)
            parts.extend(np.asarray(part / count) for part in total)
        return np.concatenate(parts)

    def predict_uncertainty(
        self, x, num_samples=None, seed=0, batch_size=None, steps=None
    ):
        """Says how uncertain the classes are, and why.

        Args:
            x: inputs: arrays, a data set or batches.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.
            batch_size: examples in a batch, where `x` holds arrays.
            steps: batches to take; None for all.

        Returns:
            Dictionary of arrays: `"probabilities"` `(examples, classes)`, the
            mean; `"entropy"` `(examples,)`, of that mean, nats;
            `"mutual_information"` `(examples,)`, of label and weights, nats:
            the part of the entropy that draws disagree about.

        Raises:
            ValueError: if the likelihood has no classes.
        """
        probabilities, expected = [], []
        count = self._draw_count(num_samples)
        for block in prediction.blocks(x, None, None, batch_size, steps):
            inputs = [batch[0] for batch in block]
            total, total_entropy = 0.0, 0.0
            for outputs in self.draws(inputs, count, seed):
                distribution = self._distribution(tf.concat(outputs, axis=0))
                if not likelihoods.is_categorical(distribution):
                    raise ValueError(
                        "predict_uncertainty needs a likelihood over classes; "
                        f"got {type(distribution).__name__}."
                    )
                draw = np.asarray(likelihoods.mean(distribution), np.float64)
                total += draw
                total_entropy += uncertainty.predictive_entropy(draw)
            probabilities.append(total / count)
            expected.append(total_entropy / count)
        mean = np.concatenate(probabilities)
        entropy = uncertainty.predictive_entropy(mean)
        information = np.maximum(entropy - np.concatenate(expected), 0.0)
        return {
            "probabilities": mean,
            "entropy": entropy,
            "mutual_information": information,
        }

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        num_samples=None,
        seed=0,
        **kwargs,
    ):
        """Evaluates the averaged prediction of fixed draws.

        Args:
            x: inputs, or a data set of `(x, y)`.
            y: labels, where `x` holds arrays.
            batch_size: examples in a batch, where `x` holds arrays.
            verbose: accepted for Keras' sake; nothing is shown.
            sample_weight: weights of the examples.
            steps: batches to take; None for all.
            callbacks: accepted for Keras' sake; none is called.
            return_dict: whether to return a dictionary, or a list in the
                order of `metrics_names`.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.
            **kwargs: what `fit` passes for its own use; nothing else.

        Returns:
            `loss` and `nll`, both the mean of -log (mean over draws of
            p(y | x, w)) in nats per example, and the compiled metrics.
        """
        unknown = sorted(set(kwargs) - {"_use_cached_eval_dataset"})
        if unknown:
            raise TypeError(f"evaluate has no argument {unknown[0]!r}.")
        count = self._draw_count(num_samples)
        self.reset_metrics()
        for block in prediction.blocks(x, y, sample_weight, batch_size, steps):
            self._evaluate_block(block, count, seed)
        return self._evaluation_logs(return_dict)

    def predict_on_batch(self, x):
        """Averages the prediction for one batch; see `predict`."""
        return self.predict(x, batch_size=sys.maxsize)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluates one batch; metrics go on from where they stood.

        Args:
            x: inputs.
            y: labels.
            sample_weight: weights of the examples.
            return_dict: whether to return a dictionary.

        Returns:
            As `evaluate`.
        """
        for block in prediction.blocks(x, y, sample_weight, sys.maxsize):
            self._evaluate_block(block, self.num_prediction_samples, 0)
        return self._evaluation_logs(return_dict)

    def _evaluation_logs(self, return_dict):
        logs = {
            name: float(value)
            for name, value in self.get_metrics_result().items()
            if name not in ("kl", "kl_weight")
        }
        return logs if return_dict else list(logs.values())

    def _evaluate_block(self, block, count, seed):
        total = [0.0] * len(block)
        log_probs = [-math.inf] * len(block)
        inputs = [batch[0] for batch in block]
        for outputs in self.draws(inputs, count, seed):
            for index, output in enumerate(outputs):
                labels = block[index][1]
                if labels is None:
                    raise ValueError(
                        "evaluate needs labels: expected (x, y); got x."
                    )
                distribution = self._distribution(output)
                new = likelihoods.log_prob(distribution, labels)
                new = np.asarray(new, np.float64)
                log_probs[index] = np.logaddexp(log_probs[index], new)
                total[index] += likelihoods.mean(distribution) / count
        for (x, y, weight), mean, log_prob in zip(block, total, log_probs):
            log_prob = tf.cast(log_prob - math.log(count), tf.float32)
            weights = tf.ones_like(log_prob) if weight is None else weight
            weights = tf.cast(tf.reshape(weights, [-1]), tf.float32)
            # Keras divides by the number of examples, not the weights' sum.
            nll = -log_prob * weights
            self._nll_tracker.update_state(nll)
            if self._loss_tracker is not None:
                self._loss_tracker.update_state(nll)
            self.compute_metrics(x, y, mean, weight)

    def _distribution(self, outputs):
        return likelihoods.distribution(self.likelihood, outputs)

    def _mean_label(self, outputs):
        return likelihoods.mean(self._distribution(outputs))

    def _draw_count(self, num_samples):
        if num_samples is None:
            return self.num_prediction_samples
        checks.check_count("num_samples", num_samples)
        return num_samples
