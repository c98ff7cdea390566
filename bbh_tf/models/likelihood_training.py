"""What models have in common that are trained on a likelihood."""

import functools
import inspect

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state

from bbh_tf.models import likelihoods
from bbh_tf.models import outputs as outputs_of
from bbh_tf.models import random_states
from bbh_tf.models import refusals
from bbh_tf.models import replicated_training


class LikelihoodTraining(replicated_training.ReplicatedTraining):
    """Compiles without a loss, and saves all that training goes on from.

    A part of a `PredictiveModel`, beside it among its bases: a subclass of
    both says what a training step is, in `train_step`, and takes a `network`,
    a Keras model, as an argument.

    Attributes:
        returns_means: whether the model, when it is called, returns the mean
            prediction, and no outputs of a network.
    """

    returns_means = False

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: a Keras optimiser.
            loss: None, or the name of the model's likelihood: the loss is the
                negative log-likelihood.
            **kwargs: other arguments of `keras.Model.compile`. Metrics see
                what `predict` returns.

        Raises:
            ValueError: if another loss is given, or a metric that expects
                logits, where probabilities are shown.
        """
        is_name = isinstance(loss, str) and loss == self._loss_name()
        for name, value in (
            ("loss", None if is_name else loss),
            ("loss_weights", kwargs.get("loss_weights")),
        ):
            if value is not None:
                raise ValueError(
                    f"{type(self).__name__} takes its loss from the likelihood "
                    f"it was made with; got {name}={value!r}."
                )
        for name in ("metrics", "weighted_metrics"):
            _check_metrics(kwargs.get(name), type(self).__name__)
        super().compile(optimizer=optimizer, **kwargs)
        # What asks for a loss finds the name of what stands for it.
        self.loss = self._loss_name()

    @functools.wraps(keras.Model.fit)
    def fit(self, *args, **kwargs):
        _check_class_weight(self, keras.Model.fit, args, kwargs)
        return super().fit(*args, **kwargs)

    @functools.wraps(keras.Model.train_on_batch)
    def train_on_batch(self, *args, **kwargs):
        _check_class_weight(self, keras.Model.train_on_batch, args, kwargs)
        return super().train_on_batch(*args, **kwargs)

    def _loss_name(self):
        return likelihoods.name_of(self.likelihood)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Computes the loss of outputs, for training loops of one's own.

        Args:
            x: not used.
            y: labels.
            y_pred: outputs of the network, what the model returns when it is
                called.
            sample_weight: weights of examples or labels, or None.
            training: not used.

        Returns:
            A scalar: the mean of -log p(y | x, w) over the batch, nats, and
            the model's `losses`: those of the call, its KL among them if it
            was one in training.

        Raises:
            ValueError: for a `DeepEnsemble`, whose members train on losses of
                their own.
        """
        del x, training
        if self.returns_means:
            raise ValueError(
                f"A {type(self).__name__} returns mean predictions, on whose "
                "loss no member trains: expected fit, or a loop over each of "
                "its members; the loss of the mean prediction is evaluate's."
            )
        # Training knows no temperature.
        mask = outputs_of.mask(y_pred)
        likelihoods.check_labels(self.likelihood, y, sample_weight, mask)
        distribution = likelihoods.distribution(self.likelihood, y_pred)
        log_prob = likelihoods.log_prob(distribution, y, sample_weight, mask)
        losses = [tf.cast(loss, tf.float32) for loss in self.losses]
        return tf.add_n([-tf.reduce_mean(log_prob), *losses])

    def get_compile_config(self):
        """Returns the arguments of `compile`, and what the optimiser has."""
        config = super().get_compile_config()
        if config:
            config["optimizer_built"] = self.optimizer.built
        return config

    def compile_from_config(self, config):
        """Compiles a loaded model, with room for its optimiser's state."""
        config = keras.saving.deserialize_keras_object(config)
        config.pop("loss", None)
        config.pop("loss_weights", None)
        # A model saved before training has no such state.
        optimizer_built = config.pop("optimizer_built", True)
        self.compile(**config)
        if optimizer_built:
            self.optimizer.build(self.trainable_variables)

    @property
    def seed(self):
        """The seed that the model was made with, or chose.

        It comes with weights that are loaded, so that draws stay what they
        were.
        """
        return self.kept_seed.value

    def save_own_variables(self, store):
        """Saves the counters, the seed, and the states of random seeds."""
        super().save_own_variables(store)
        random_states.save(self, store)
        store["seed"] = np.array(self.seed, np.int64)

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        own = {key: store[key] for key in store.keys()}
        # Files of earlier versions have none.
        seed = own.pop("seed", self.seed)
        super().load_own_variables(random_states.load(self, own))
        self.kept_seed.set(np.array(seed))

    def save(self, filepath, *args, **kwargs):
        """Saves the model as a `.keras` file; see `keras.Model.save`.

        Raises:
            ValueError: if another format is asked for by the file's name.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            self._refuse_hdf5()
        super().save(filepath, *args, **kwargs)

    def check_format(self):
        """Refuses to be described where a part of it would be lost.

        Raises:
            ValueError: if Keras is writing a whole model in HDF5, or a layer
                is held by several models in the network.
        """
        # Keras has no public name for it.
        if global_state.get_global_attribute("use_legacy_config", False):
            self._refuse_hdf5()
        refusals.check_held_once(outputs_of.network_of(self))

    def _refuse_hdf5(self):
        raise ValueError(
            f"{type(self).__name__} has seeds and counters for which a whole "
            "model in HDF5 has no room: expected the name of a file that ends "
            "in .keras, or save_weights with .weights.h5."
        )

    def get_build_config(self):
        """Returns None: the model is built when it is made."""
        return None

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Makes a model from `get_config`'s dictionary."""
        config = dict(config)
        config["network"] = keras.saving.deserialize_keras_object(
            config["network"], custom_objects=custom_objects
        )
        return cls(**config)


def _check_class_weight(model, method, args, kwargs):
    """Refuses weights of classes, also where they are given by position."""
    given = inspect.signature(method).bind(model, *args, **kwargs).arguments
    outputs_of.check_class_weight(model, given.get("class_weight"))


def _check_metrics(metrics, model):
    """Refuses metrics that expect logits: they are shown predictions."""
    for metric in keras.tree.flatten(metrics):
        settings = getattr(metric, "_fn_kwargs", None) or {}
        if getattr(metric, "from_logits", settings.get("from_logits", False)):
            raise ValueError(
                f"Metrics of a {model} see what it predicts, the mean over "
                "draws of probabilities, which has no logits; got "
                f"{type(metric).__name__}(from_logits=True): expected one with "
                "from_logits=False."
            )
