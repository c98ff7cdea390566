"""Which layers of a model become random."""

import keras

from bbh_tf.layers import selection
from bbh_tf.layers import weight_specs
from bbh_tf.layers.random_layer import RandomLayer
from bbh_tf.models import cloning


def leaves_of(model):
    """Returns the layers of a model and of those inside it, a list."""
    leaves = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            cloning.check_cloneable(layer)
            leaves.extend(leaves_of(layer))
        else:
            leaves.append(layer)
    return leaves


def choose(leaves, layers, recipe):
    """Chooses the layers that become random.

    Args:
        leaves: list of layers, of `leaves_of`.
        layers: which of them; see `bayesify`.
        recipe: a `bbh_tf.posteriors.Posterior`.

    Returns:
        List of layers.

    Raises:
        ValueError: if nothing is chosen, or one is Bayesian already.
    """
    for layer in leaves:
        if isinstance(layer, RandomLayer) and layer.is_wrapper:
            raise ValueError(
                "bayesify expects a network without Bayesian layers; layer "
                f"{layer.name!r} is Bayesian already. For several posteriors, "
                "wrap each layer in bbh_tf.layers.Bayesian."
            )
    candidates = [leaf for leaf in leaves if specs_of(leaf, recipe)]
    if layers is None:
        chosen = candidates
    elif isinstance(layers, (list, tuple)):
        chosen = [
            leaf
            for leaf in candidates
            if any(_matches(leaf, item) for item in layers)
        ]
        for item in layers:
            _check_found(item, candidates)
    else:
        chosen = [leaf for leaf in candidates if _matches(leaf, layers)]
        _check_found(layers, candidates)
    if not chosen:
        raise ValueError(
            "bayesify found no layer to make Bayesian among "
            f"{', '.join(leaf.name for leaf in leaves) or 'no layers'}: what "
            "has no weights, or is frozen, stays as it is."
        )
    return chosen


def _matches(leaf, selector):
    if isinstance(selector, str):
        return leaf.name == selector
    if isinstance(selector, type):
        return isinstance(leaf, selector)
    if callable(selector) and not isinstance(selector, keras.layers.Layer):
        return bool(selector(leaf))
    raise ValueError(
        "bayesify expects layers to be a name, a class, a callable, or a list "
        f"of names and classes; got {selector!r}."
    )


def _check_found(selector, candidates):
    if not any(_matches(leaf, selector) for leaf in candidates):
        raise ValueError(
            f"bayesify found no layer for {selector!r}; layers with weights "
            "that can be random: "
            f"{', '.join(leaf.name for leaf in candidates) or 'none'}."
        )


def specs_of(layer, recipe):
    """Describes the variables of a layer that a posterior takes."""
    found = selection.random_variables(layer)
    specs = weight_specs.specs_of(layer, found)
    return [spec for spec in specs if recipe.replaces(spec)]
