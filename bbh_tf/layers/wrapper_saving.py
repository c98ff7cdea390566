"""How a `Bayesian` layer is written down, and made again."""

import random

import keras

from bbh_tf import checks
from bbh_tf.layers import lora
from bbh_tf.layers import selection

# What Keras' `Bidirectional` asks of the layers that it is made of.
_OF_RECURRENT = ("go_backwards", "return_sequences", "return_state", "stateful")


class WrapperSaving:
    """The part of `Bayesian` that saves and loads, first among its bases."""

    def __getattr__(self, name):
        """Says of the wrapped layer what `keras.layers.Bidirectional` asks."""
        if name in _OF_RECURRENT and "layer" in vars(self):
            return getattr(self.layer, name)
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        for part in (self.prior, self.divergence):
            checks.check_config(part)
        serialize = keras.saving.serialize_keras_object
        kept = ("layer", "posterior", "prior", "divergence")
        plain = ("kl_weight", "num_samples", "seed", "sublayers")
        return {
            **super().get_config(),
            **{name: serialize(getattr(self, name)) for name in kept},
            **{name: getattr(self, name) for name in plain},
            "random_indices": self._random_indices,
            "lora": lora.ranks(self.layer),
        }

    def save_own_variables(self, store):
        """Saves the layer's own; what is in it is saved after it.

        Raises:
            ValueError: if the layer is not built, and so has no copy yet of a
                prior with variables.
        """
        has_variables = isinstance(self.prior, keras.layers.Layer)
        if has_variables and not self.posterior.built:
            raise ValueError(
                "Expected a layer that is built, with which its prior's "
                f"variables are saved; {self.name!r} is not: call it once, or "
                "give the model a keras.Input."
            )
        lora.rest(self.replaced_variables)
        super().save_own_variables(store)

    @classmethod
    def from_config(cls, config):
        """Makes a layer from `get_config`'s dictionary."""
        config = dict(config)
        # The wrapped layer brings the dtype policies of all layers in it.
        config.pop("dtype", None)
        _turn_around(config)
        if isinstance(config["layer"], dict):
            config["layer"] = keras.saving.deserialize_keras_object(
                config["layer"]
            )
        # Files of earlier versions have none.
        lora.enable(config["layer"], config.pop("lora", ()))
        random_indices = config.pop("random_indices", None)
        if random_indices is None:
            return cls(**config)
        # They were chosen by names that inner layers may have no longer.
        sublayers = config.pop("sublayers", None)
        layer = cls(**config)
        layer.sublayers = selection.names_of(sublayers)
        layer._random_indices = tuple(random_indices)
        return layer

    def get_build_config(self):
        """Returns that there is a posterior, and what is frozen in it.

        The layer has the shapes. None where there is none yet: Keras says of a
        layer that it has such a configuration for that it is built.
        """
        if not self.built:
            return None
        frozen = [not variable.trainable for variable in self._parts()]
        return {"built": True, "frozen": frozen}

    def build_from_config(self, config):
        """Builds the posterior; the wrapped layer was loaded, built."""
        # Else it is built when it is called, once the weights are there.
        if config["built"] and not self.built and self._wraps_built():
            self.build()
            # Files of earlier versions do not say.
            for variable, frozen in zip(
                self._parts(), config.get("frozen", ())
            ):
                if frozen:
                    variable.trainable = False

    def _parts(self):
        """Returns the variables of posterior and prior."""
        return [
            *self.posterior.variables,
            *getattr(self.prior, "variables", ()),
        ]


def _turn_around(config):
    """Hands on what `Bidirectional` sets, for the wrapped layer to have."""
    if "go_backwards" not in config:
        return
    go_backwards = config.pop("go_backwards")
    layer = config["layer"]
    layer["config"] = {**layer["config"], "go_backwards": go_backwards}
    # Both directions of a seed would draw the same noise.
    config["seed"] = random.Random(f"{config['seed']} backward").getrandbits(31)
