"""What models have in common that are trained on a likelihood."""

import keras

from bbh_tf.models import predictive_model


class LikelihoodModel(predictive_model.PredictiveModel):
    """Compiles without a loss, and saves all that training goes on from.

    A subclass says what a training step is, in `train_step`, and takes a
    `network`, a Keras model, as an argument.

    Args: see `PredictiveModel`.
    """

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: a Keras optimiser.
            loss: must be None: the loss is the negative log-likelihood.
            **kwargs: other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if a loss is given.
        """
        for name, value in (
            ("loss", loss),
            ("loss_weights", kwargs.get("loss_weights")),
        ):
            if value is not None:
                raise ValueError(
                    f"{type(self).__name__} takes its loss from the likelihood "
                    f"it was made with; got {name}={value!r}."
                )
        super().compile(optimizer=optimizer, **kwargs)

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

    def make_train_function(self, force=False):
        """Makes the moments, then what `fit` runs; see `keras.Model`."""
        # Made within the first step they would take more memory for good.
        with self.distribute_strategy.scope():
            self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def save_own_variables(self, store):
        """Saves the counters, and the states of the networks' random seeds."""
        super().save_own_variables(store)
        for index, state in enumerate(self._seed_states()):
            store[f"seed_{index}"] = state

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        own = {k: store[k] for k in store.keys() if not k.startswith("seed_")}
        super().load_own_variables(own)
        for index, state in enumerate(self._seed_states()):
            state.assign(store[f"seed_{index}"])

    def _seed_states(self):
        # Keras saves weights, but not the seeds of Dropout and its like.
        saved = {id(variable) for variable in self.weights}
        return [
            variable
            for variable in self.variables
            if id(variable) not in saved and "seed" in variable.name
        ]

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
