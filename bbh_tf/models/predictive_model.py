"""A Keras model that predicts with many draws of its weights."""

import sys

import keras
import numpy as np
import tensorflow as tf

from bbh_tf.models import exporting
from bbh_tf.models import likelihoods
from bbh_tf.models import prediction
from bbh_tf.models import sampling_model
from bbh_tf.models import scoring
from bbh_tf.models import uncertainty_of_draws


class PredictiveModel(sampling_model.SamplingModel):
    """Averages predictions over draws; the base of all methods here.

    A subclass says what a draw is, in `draws` and `networks`.

    Args:
        likelihood: see `bbh_tf.models.likelihoods.get`.
        num_prediction_samples: draws that `predict` and `evaluate` average.
        name: name of the model.

    Raises:
        ValueError: if an argument is not as said.
    """

    def __init__(self, likelihood, num_prediction_samples, name=None):
        super().__init__(num_prediction_samples, name)
        self.likelihood = likelihoods.get(likelihood)
        self._nll_tracker = keras.metrics.Mean(name="nll")
        self._compiled_mean_label = tf.function(
            self._mean_label, autograph=False, reduce_retracing=True
        )

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
        self,
        x,
        num_samples=None,
        seed=0,
        batch_size=None,
        steps=None,
        level=None,
    ):
        """Says how uncertain the labels are, and why.

        Args:
            x: inputs: arrays, a data set or batches.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.
            batch_size: examples in a batch, where `x` holds arrays.
            steps: batches to take; None for all.
            level: where labels are numbers, the probability that the
                predictive interval is to hold, 0.95 say; None for none.

        Returns:
            Dictionary of arrays. For a likelihood over classes:
            `"probabilities"` `(examples, classes)`, the mean; `"entropy"`
            `(examples,)`, of that mean, nats; `"mutual_information"`
            `(examples,)`, of label and weights, nats: the part of the entropy
            that draws disagree about. For others, each of the shape of the
            labels and in their units: `"mean"` and `"std"` of the mixture of
            all draws, `"aleatoric_std"`, the root of the draws' mean
            variance, and `"epistemic_std"`, the standard deviation of the
            draws' means; the squares of these two add up to that of `"std"`.
            With `level`, `"lower"` and `"upper"`, the quantiles
            `(1 - level) / 2` and `(1 + level) / 2` of the mixture; for them
            alone the outputs of all draws are held, for up to 256 MB of
            inputs at a time.

        Raises:
            ValueError: if a level is given for classes, for a likelihood
                without quantiles, or is not between 0 and 1.
        """
        count = self._draw_count(num_samples)
        parts = []
        for block in prediction.blocks(x, None, None, batch_size, steps):
            inputs = [batch[0] for batch in block]
            totals, kept = None, []
            for index, outputs in enumerate(self.draws(inputs, count, seed)):
                outputs = tf.concat(outputs, axis=0)
                distribution = self._distribution(outputs)
                new = uncertainty_of_draws.terms(distribution)
                totals = uncertainty_of_draws.update(totals, index, new)
                if level is not None:
                    uncertainty_of_draws.check_level(level, distribution)
                    kept.append(outputs)
            part = uncertainty_of_draws.summary(totals)
            if kept:
                mixture = self._distribution(tf.concat(kept, axis=0))
                part.update(
                    uncertainty_of_draws.interval(mixture, count, level)
                )
            parts.append(part)
        return {
            name: np.concatenate([part[name] for part in parts])
            for name in parts[0]
        }

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
        and holds `num_samples` draws of the weights as they are: 4 bytes
        times weights times draws. The posterior is not in it. So serving
        generates nothing, says the same each time, and 100 draws of LeNet
        take 0.17 GB where the paper's hypernetworks take 0.89.

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
        model.export("served", num_samples=30)
        served = tf.saved_model.load("served")
        served.serve(images)["mutual_information"]
        served.signatures["serving_default"](**{name_of_input: images})
        ```
        """
        if format != "tf_saved_model":
            raise ValueError(
                f'Expected format to be "tf_saved_model"; got {format!r}.'
            )
        del verbose
        count = self._draw_count(num_samples)
        if input_signature is None:
            # The network, or the first of several that take the same.
            input_signature = exporting.input_specs(
                next(x for x in self.layers if isinstance(x, keras.Model))
            )
        exporting.export(
            filepath,
            self.networks(count, seed),
            count,
            self._distribution,
            input_signature,
        )

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
            sample_weight: weights of the examples, `(examples,)`, or of
                single labels, in their shape.
            steps: batches to take; None for all.
            callbacks: accepted for Keras' sake; none is called.
            return_dict: whether to return a dictionary, or a list of its
                values.
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
        draws = self.draws([batch[0] for batch in block], count, seed)
        labels = [batch[1] for batch in block]
        # Those of single labels count within a draw, those of examples for
        # the mean over draws.
        of_labels = [
            batch[2] if likelihoods.are_of_labels(batch[2]) else None
            for batch in block
        ]
        scores = scoring.score(
            draws, count, labels, of_labels, self._distribution
        )
        for (x, y, weight), inner, log_prob, mean in zip(
            block, of_labels, *scores
        ):
            # Keras divides by the number of examples, not the weights' sum.
            nll = -log_prob
            if weight is not None and inner is None:
                nll *= tf.cast(tf.reshape(weight, [-1]), tf.float32)
            self._nll_tracker.update_state(nll)
            if self._loss_tracker is not None:
                self._loss_tracker.update_state(nll)
            self.compute_metrics(x, y, mean, weight)

    def _distribution(self, outputs):
        return likelihoods.distribution(self.likelihood, outputs)

    def _mean_label(self, outputs):
        return likelihoods.mean(self._distribution(outputs))
