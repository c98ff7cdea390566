"""A Keras model that predicts with many draws."""

import sys

import keras
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import checks
from bbh_tf import fixed
from bbh_tf import settings
from bbh_tf.models import data_blocks
from bbh_tf.models import exported
from bbh_tf.models import likelihoods
from bbh_tf.models import over_data
from bbh_tf.models import tempered


class PredictiveModel(
    fixed.Fixed,
    exported.Exported,
    tempered.Tempered,
    checkpointing.Checkpointed,
    keras.Model,
):
    """The base of all methods here: predictions are averages over draws.

    A subclass says what a draw is, in `draws` and `networks`.

    Args:
        likelihood: see `bbh_tf.models.likelihoods.get`.
        num_prediction_samples: draws that `predict` and `evaluate` average.
        name: name of the model.
    """

    num_prediction_samples = settings.Setting("int64", checks.check_count)

    def __init__(self, likelihood, num_prediction_samples, name=None):
        super().__init__(name=name)
        self.num_prediction_samples = num_prediction_samples
        self.likelihood = likelihoods.get(likelihood)
        self.make_temperature()
        self._nll_tracker = keras.metrics.Mean(name="nll")
        self._compiled_mean_label = tf.function(
            self._mean_label, autograph=False, reduce_retracing=True
        )

    def draws(self, inputs, num_samples, seed):
        """Runs fixed draws of the network; see `networks`.

        Args:
            inputs: list of batches of inputs.
            num_samples: number of draws.
            seed: seed of the draws.

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
            For each draw, a function from a batch of inputs to outputs, those
            of `predict_samples`; it can be differentiated. It is a
            `functools.partial` of one function for all draws, whose keywords
            are the draw, structures of tensors.
        """
        raise NotImplementedError

    def masks(self, inputs):
        """Finds Keras' masks of the outputs.

        Args:
            inputs: list of batches of inputs.

        Returns:
            List of a mask for each batch, bools `(batch, ...)`, or None where
            the outputs have none.
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
            out: array of the returned shape, of a float type, to write to, say
                one on disk from `numpy.lib.format.open_memmap`; None for a new
                one.

        Returns:
            `float32` array `(num_samples, examples, ...)`: the network's
            outputs (logits, for the categorical likelihood); or `out`.

        Raises:
            ValueError: if `out` has another shape, or is of no float type.
        """
        batches = data_blocks.batches(x, batch_size=batch_size, steps=steps)
        return over_data.samples(
            self, batches, self._count(num_samples), seed, out
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
            verbose: as in `keras.Model.predict`: 0 for no progress bar.
            steps: batches to take; None for all.
            callbacks: list of `keras.callbacks.Callback`. Those for a batch
                are called when all draws have passed over its block of data.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.

        Returns:
            `float32` array: mean class probabilities `(examples, classes)`,
            or the mean over draws of the likelihood's mean.
        """
        mean_label = self._compiled_mean_label
        if self.run_eagerly:
            mean_label = self._mean_label
        count = self._count(num_samples)
        batches = data_blocks.batches(x, batch_size=batch_size, steps=steps)
        callbacks = over_data.callback_list(self, callbacks, verbose, batches)
        self.stop_predicting = False
        return over_data.mean(self, batches, count, seed, mean_label, callbacks)

    def predict_uncertainty(
        self,
        x,
        num_samples=None,
        seed=0,
        batch_size=None,
        steps=None,
        level=None,
    ):
        """Measures how uncertain the labels are, and why.

        Args:
            x: inputs: arrays, a data set or batches.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.
            batch_size: examples in a batch, where `x` holds arrays.
            steps: batches to take; None for all.
            level: for regression, the probability of the predictive
                interval, for example 0.95; None for no interval.

        Returns:
            Dictionary of arrays. For a likelihood over classes:
            `"probabilities"` `(examples, classes)`, the mean; `"entropy"`
            `(examples,)`, of that mean, nats; `"mutual_information"`
            `(examples,)`, of label and weights, nats: what draws disagree
            about. For others, each of the shape of the labels and in their
            units: `"mean"` and `"std"` of the mixture of all draws,
            `"aleatoric_std"`, the root of the draws' mean variance, and
            `"epistemic_std"`, the standard deviation of the draws' means; the
            squares of these two add up to that of `"std"`. With `level`,
            `"lower"` and `"upper"`, the quantiles `(1 - level) / 2` and
            `(1 + level) / 2` of the mixture; for them alone the outputs of all
            draws are held, for up to 256 MB of inputs at a time.

        Raises:
            ValueError: if a level is given for classes, for a likelihood
                without quantiles, or is not between 0 and 1.
        """
        batches = data_blocks.batches(x, batch_size=batch_size, steps=steps)
        return over_data.uncertainty(
            self,
            batches,
            self._count(num_samples),
            seed,
            level,
            self.distribution,
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
            verbose: as in `keras.Model.evaluate`: 0 for no progress bar.
            sample_weight: weights of the examples, `(examples,)`, or of
                single labels, in their shape.
            steps: batches to take; None for all.
            callbacks: list of `keras.callbacks.Callback`. Those for a batch
                are called when all draws have passed over its block of data.
            return_dict: whether to return a dictionary, or a list of its
                values.
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.
            **kwargs: what `fit` passes for its own use; nothing else.

        Returns:
            `loss` and `nll`, both the mean of -log (mean over draws of
            p(y | x, w)) in nats per example, and the compiled metrics; `nll`
            alone of a model that is not compiled.
        """
        in_fit = kwargs.pop("_use_cached_eval_dataset", False)
        for name in kwargs:
            raise TypeError(f"evaluate has no argument {name!r}.")
        if in_fit:
            batches = data_blocks.of_validation(self._eval_epoch_iterator)
        else:
            batches = data_blocks.batches(
                x, y, sample_weight, batch_size, steps
            )
        callbacks = over_data.callback_list(self, callbacks, verbose, batches)
        self.stop_evaluating = False
        self.reset_metrics()
        logs = over_data.evaluate(
            self,
            batches,
            self._count(num_samples),
            seed,
            [x for x in (self._nll_tracker, self._loss_tracker) if x],
            callbacks,
        )
        return logs if return_dict else list(logs.values())

    def predict_on_batch(self, x):
        """Averages the prediction for one batch; see `predict`."""
        return self.predict(x, batch_size=sys.maxsize, verbose=0)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluates one batch, and nothing before it; see `evaluate`."""
        return self.evaluate(
            x,
            y,
            batch_size=sys.maxsize,
            verbose=0,
            sample_weight=sample_weight,
            return_dict=return_dict,
        )

    def _count(self, num_samples):
        if num_samples is None:
            return self.num_prediction_samples
        checks.check_count("num_samples", num_samples)
        return int(num_samples)

    def _mean_label(self, outputs):
        return likelihoods.mean(self.distribution(outputs))
