"""A model whose network has random layers: draws, and their keys."""

import numbers
import random

import numpy as np
import tensorflow as tf

from bbh_tf import layers
from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.models import calibration
from bbh_tf.models import likelihood_model
from bbh_tf.models import outputs
from bbh_tf.models import plain
from bbh_tf.models import prediction


class DrawnModel(likelihood_model.LikelihoodModel):
    """Draws the weights of a network, for prediction and for training.

    Args:
        network: a built functional or sequential `keras.Model` with one
            output and at least one random layer: `bbh_tf.layers.Bayesian`, or
            a layer that is random by itself, such as `MCDropout`.
        likelihood: see `bbh_tf.models.likelihoods.get`.
        num_prediction_samples: draws that `predict` and `evaluate` average.
        seed: seed of all draws; None for a random one.
        name: name of the model.

    Raises:
        ValueError: if an argument is not as said.
    """

    def __init__(self, network, likelihood, num_prediction_samples, seed, name):
        super().__init__(likelihood, num_prediction_samples, name)
        self._layers_drawn = tuple(plain.random_layers_of(network))
        outputs.check(self.likelihood, network)
        self.network = network
        self.seed = random.getrandbits(31) if seed is None else seed
        randomness.key(self.seed)
        self._predictors = {}
        self._calibration_data = None

    @property
    def calibration_data(self):
        """Inputs on which each draw finds its batch-normalisation statistics.

        An array `(examples, ...)`, a fixed part of the training set; None, as
        at first, for the moving averages of training. With it, `predict`,
        `evaluate` and `draw` run the network on these inputs once for each
        draw, and take the means and variances of all
        `keras.layers.BatchNormalization` from there. It is saved with the
        model.
        """
        return self._calibration_data

    @calibration_data.setter
    def calibration_data(self, inputs):
        if inputs is not None:
            found = calibration.Calibration(self.network, ())
            inputs = found.checked("calibration_data", inputs)
        self._calibration_data = inputs
        self._predictors.clear()

    @property
    def random_layers(self):
        """The random layers of the network, in the order of their keys."""
        return self._layers_drawn

    @property
    def bayesian_layers(self):
        """Those of them that are `Bayesian`."""
        return tuple(
            layer
            for layer in self._layers_drawn
            if isinstance(layer, layers.Bayesian)
        )

    def compile(self, *args, **kwargs):
        """Configures training; see `LikelihoodModel.compile`."""
        super().compile(*args, **kwargs)
        # Made for the layers that were trained so far.
        self._predictors.clear()

    def build(self, input_shape=None):
        """Makes the draw counter; the network is built already."""
        self.draw_number = drawing.add_counter(self, "draw_number")

    def step_key(self, purpose=drawing.TRAINING):
        """Returns the random key of the next training step."""
        return randomness.key(self.seed, purpose, self.draw_number.value)

    def call(self, inputs, training=None):
        """Runs the network on the draw that the next training step makes.

        Args:
            inputs: the network's inputs.
            training: whether layers such as Dropout run in training mode.

        Returns:
            The network's outputs under one draw of the weights. For the
            posterior predictive see `predict`.
        """
        _, weights = drawing.sample(self._layers_drawn, 1, self.step_key())
        outputs, _ = drawing.call(
            self.network,
            self._layers_drawn,
            weights,
            0,
            (inputs,),
            {"training": training},
        )
        return outputs

    def compute_output_spec(self, inputs, training=None):
        """Returns the network's output, without drawing weights."""
        return self.network.compute_output_spec(inputs, training=training)

    def draws(self, inputs, num_samples, seed):
        """Yields outputs draw by draw; see `PredictiveModel.draws`."""
        return self._predictor().outputs(
            inputs, num_samples, seed, self._calibration_tensor()
        )

    def _calibration_tensor(self):
        if self._calibration_data is None:
            return None
        return tf.constant(self._calibration_data)

    def _predictor(self):
        key = (bool(self.jit_compile), bool(self.run_eagerly))
        if key not in self._predictors:
            self._predictors[key] = prediction.Predictor(
                self.network, self._layers_drawn, self.seed, *key
            )
        return self._predictors[key]

    def draw(self, seed=0, index=0):
        """Makes an ordinary Keras model of one draw of the weights.

        Args:
            seed: seed of the draws, an integer.
            index: number of the draw.

        Returns:
            A functional or sequential `keras.Model` without any layer of
            this library, whose outputs are `predict_samples(x, seed=seed)`
            at `index`.

        Raises:
            ValueError: if `index` is no number of a draw, or a layer that is
                not of this library makes Bayesian layers of its own.
        """
        if not isinstance(index, numbers.Integral) or index < 0:
            raise ValueError(
                f"Expected index to be an integer >= 0; got {index!r}."
            )
        predictor = self._predictor()
        weights = predictor.weights(seed, index)
        statistics = predictor.statistics(weights, self._calibration_tensor())
        return plain.unwrap(
            self.network, self._layers_drawn, weights, statistics
        )

    def networks(self, num_samples=None, seed=0):
        """Yields the network under each of fixed draws, as a function.

        Args:
            num_samples: number of draws; None for `num_prediction_samples`.
            seed: seed of the draws, an integer.

        Yields:
            For draw `k`, a function from a batch of inputs to outputs, those
            of `predict_samples` at `k`. It can be differentiated.
        """
        yield from self._predictor().networks(
            self._draw_count(num_samples), seed, self._calibration_tensor()
        )

    def save_own_variables(self, store):
        """Saves counters, states of random seeds, and `calibration_data`."""
        super().save_own_variables(store)
        if self._calibration_data is not None:
            store["calibration_data"] = self._calibration_data

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        own = {k: store[k] for k in store.keys() if k != "calibration_data"}
        super().load_own_variables(own)
        data = None
        if "calibration_data" in store.keys():
            data = np.array(store["calibration_data"])
        self._calibration_data = data
