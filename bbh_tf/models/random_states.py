"""Saving the states of random seeds, which Keras does not."""

from bbh_tf.layers import replica_noise


def save(model, store):
    """Adds the states of all random seeds in a model to a store.

    Args:
        model: a Keras model.
        store: what `save_own_variables` is given.
    """
    for index, state in enumerate(replica_noise.states(model)):
        store[f"seed_{index}"] = state


def load(model, store):
    """Loads the states of random seeds.

    Args:
        model: a Keras model.
        store: what `load_own_variables` is given.

    Returns:
        Dictionary of what else is in the store.
    """
    for index, state in enumerate(replica_noise.states(model)):
        state.assign(store[f"seed_{index}"])
    return {k: store[k] for k in store.keys() if not k.startswith("seed_")}
