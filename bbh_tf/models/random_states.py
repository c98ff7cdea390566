"""Saving the states of random seeds, which Keras does not."""


def save(model, store):
    """Adds the states of all random seeds in a model to a store.

    Args:
        model: a Keras model.
        store: what `save_own_variables` is given.
    """
    for index, state in enumerate(_states(model)):
        store[f"seed_{index}"] = state


def load(model, store):
    """Loads the states of random seeds.

    Args:
        model: a Keras model.
        store: what `load_own_variables` is given.

    Returns:
        Dictionary of what else is in the store.
    """
    for index, state in enumerate(_states(model)):
        state.assign(store[f"seed_{index}"])
    return {k: store[k] for k in store.keys() if not k.startswith("seed_")}


def _states(model):
    # Keras saves weights, but not the seeds of Dropout and its like.
    saved = {id(variable) for variable in model.weights}
    return [
        variable
        for variable in model.variables
        if id(variable) not in saved and "seed" in variable.name
    ]
