"""Copies of layers, as yet without variables."""


def copy_of(layer):
    """Returns an unbuilt layer of the same configuration, and name."""
    copy = type(layer).from_config(layer.get_config())
    # A layer that leaves its configuration to Keras may not have it there.
    copy.name = layer.name
    return copy
