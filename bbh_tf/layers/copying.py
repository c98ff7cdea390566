"""Copies of layers, as yet without variables."""

import inspect
import warnings

import keras

from bbh_tf.layers import keras_globals
from bbh_tf.layers import lora


def copy_of(layer):
    """Returns an unbuilt layer of the same configuration, and name."""
    return like(layer, live_config(layer))


def like(layer, config):
    """Makes a layer of a configuration, with what that does not say.

    Args:
        layer: the Keras layer, or operation, that the configuration is of.
        config: `live_config(layer)`, or what was made of it.

    Returns:
        An unbuilt layer of the same name, with LoRA where `layer` has it.
    """
    copy = from_config(type(layer), config)
    if isinstance(layer, keras.layers.Layer):
        lora.enable(copy, lora.ranks(layer))
        if not layer.trainable:
            copy.trainable = False
    # A layer that leaves its configuration to Keras may not have these there.
    copy.name = layer.name
    return copy


def live_config(layer):
    """Returns a layer's configuration, with its functions as they are.

    Keras writes a function that has no name down as code, which it refuses to
    read again, lest it come from a stranger's file. Here it need not be
    written: the copy has the function itself, and all that it refers to.

    Args:
        layer: a Keras layer, or an operation of `keras.ops`.

    Returns:
        A dictionary for `from_config`.
    """
    flatten = getattr(layer, "_flatten_layers", lambda: ())
    # Inner layers, which a configuration knows by name.
    inner = {sublayer.name: sublayer for sublayer in flatten()}
    with warnings.catch_warnings(), _nothing_shared():
        warnings.filterwarnings("ignore", "The object being serialized")
        config = layer.get_config()
    return _live(config, layer, inner)


def _nothing_shared():
    """Keeps Keras from taking copies of one layer for that layer.

    While it reads or writes a file, an object that is described twice is one
    that is shared: all copies of a layer would then hold one inner layer.

    Returns:
        A context manager.
    """
    return keras_globals.without(
        *(f"shared_objects/id_to_{of}_map" for of in ("obj", "config"))
    )


def from_config(kind, config):
    """Makes a layer of a configuration that may hold functions."""
    if issubclass(kind, keras.layers.Lambda) and callable(config["function"]):
        return kind(**config)
    return kind.from_config(config)


@keras.saving.register_keras_serializable(package="bbh_tf.layers")
class _Made:
    """What stands in a configuration for a layer that is made already."""

    @classmethod
    def from_config(cls, config):
        return config["layer"]

    def get_config(self):
        return {}


def _live(config, owner, inner):
    if isinstance(config, (list, tuple)):
        return type(config)(_live(item, owner, inner) for item in config)
    if not isinstance(config, dict):
        return config
    live = {}
    for key, value in config.items():
        found = getattr(owner, key, getattr(owner, f"_{key}", None))
        if value is not None and _is_function(found):
            live[key] = found
        elif isinstance(value, dict) and isinstance(value.get("config"), dict):
            part = inner.get(value["config"].get("name"))
            live[key] = _live_layer(value, part, inner) if part else value
        else:
            live[key] = _live(value, owner, inner)
    return live


def _is_function(found):
    """Whether it is a function, or what serves as one and has no config."""
    return (
        callable(found)
        and not isinstance(found, type)
        and not inspect.ismethod(found)
        and not hasattr(found, "get_config")
    )


def _live_layer(value, layer, inner):
    """Returns what stands for a layer in the configuration of another."""
    config = _live(value["config"], layer, inner)
    if isinstance(layer, keras.layers.Lambda):
        # As it is: Keras reads no other function than one with a name.
        made = from_config(type(layer), config)
        name = keras.saving.get_registered_name(_Made)
        return {
            "module": None,
            "class_name": name,
            "registered_name": name,
            "config": {"name": made.name, "layer": made},
        }
    return {**value, "config": config}
