"""Making an existing Keras model Bayesian."""

import keras

from bbh_tf import checks
from bbh_tf import memory
from bbh_tf import posteriors
from bbh_tf.hypernetworks import sliced
from bbh_tf.layers import copying
from bbh_tf.layers import selection
from bbh_tf.layers.bayesian import Bayesian
from bbh_tf.layers.local_reparameterization import LocalReparameterization
from bbh_tf.models import choosing
from bbh_tf.models import cloning
from bbh_tf.models import inputs_of
from bbh_tf.models import layer_values
from bbh_tf.models import monte_carlo
from bbh_tf.models import of_posteriors


def bayesify(
    network,
    posterior=None,
    prior=None,
    scope="layer",
    layers=None,
    start="random",
    relative_std=0.01,
    dropout=None,
    local_reparameterization=False,
):
    """Returns a copy of a model with random weights in the chosen layers.

    Point estimates (normalisation, frozen layers, layers not chosen) keep
    their values; the model given is left as it was.

    With `start="pretrained"` the posteriors start as narrow distributions
    around the weights that the model has, so that what it has learnt is kept:
    draws differ from the model in proportion to `relative_std`, and their mean
    far less. (The centre of a hypernetwork's draws is found from 128 of them,
    to some hundredths of their standard deviation.)

    Args:
        network: a built functional or Sequential `keras.Model`; models inside
            it are gone through too.
        posterior: recipe of the posteriors, such as
            `bbh_tf.posteriors.Implicit()`; None for none, with `dropout`
            alone. Where its initialisers have seeds, each layer gets one made
            from them.
        prior: prior of each weight; None for N(0, 1). Or a dictionary from
            names of layers to priors, as `priors_of` makes it of a trained
            model; layers that are not in it have N(0, 1). With
            `scope="network"` the name is the network's.
        scope: `"layer"`, a posterior for each chosen layer (the paper's
            layer-wise form), or `"network"`, one posterior for the weights of
            all of them as one vector (the paper's single G).
        layers: which layers: None for all that have weights to replace; a
            name, a class, a callable from layer to bool, or a list of names
            and classes.
        start: `"random"`, as the recipe initialises its parameters; or
            `"pretrained"`, around the weights of `network`. For that,
            `Sliced` hypernetworks need `center=True`.
        relative_std: for `start="pretrained"`, the standard deviation of each
            weight, as a part of the root mean square of its tensor; it takes
            the place of the recipe's own.
        dropout: `"keras"` makes `bbh_tf.layers.MCDropout` of Keras' `Dropout`
            and `SpatialDropout1D` to `3D`, of the same rate: dropout that is
            on at prediction too. None leaves them as they are. Other dropout
            (of recurrent layers, of attention) stays off; it warns.
        local_reparameterization: whether training draws outputs in the place
            of weights; see `bbh_tf.layers.LocalReparameterization`, which says
            of which layers. It needs `scope="layer"`.

    Returns:
        A `keras.Model` for `bbh_tf.models.BayesianModel`.

    Raises:
        ValueError: if an argument is invalid, nothing is chosen, or weights to
            start around are not finite.
        MemoryError: before anything is allocated, if hypernetworks do not
            fit in memory.

    Example:

    ```python
    bbh_tf.models.bayesify(network, bbh_tf.posteriors.Implicit())
    bbh_tf.models.bayesify(
        keras.applications.ResNet50(classifier_activation=None),
        bbh_tf.posteriors.MeanField(),
        layers="predictions",
        start="pretrained",
    )
    bbh_tf.models.bayesify(network_with_dropout, dropout="keras")
    ```

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Table 1.
    """
    cloning.check_cloneable(network)
    if scope not in ("layer", "network"):
        raise ValueError(
            f'bayesify expects scope to be "layer" or "network"; got {scope!r}.'
        )
    if start not in ("random", "pretrained"):
        raise ValueError(
            'bayesify expects start to be "random" or "pretrained"; got '
            f"{start!r}."
        )
    checks.flag("local_reparameterization", local_reparameterization)
    checks.check_factor("relative_std", relative_std)
    if not relative_std:
        raise ValueError(
            "bayesify expects relative_std > 0: weights without spread have "
            f"an infinite KL; got {relative_std!r}."
        )
    if dropout is not None:
        if posterior is None:
            of_posteriors.check_unused(
                bayesify,
                prior=prior,
                scope=scope,
                layers=layers,
                start=start,
                relative_std=relative_std,
                local_reparameterization=local_reparameterization,
            )
        network = monte_carlo.with_dropout(network, dropout)
        if posterior is None:
            return network
    leaves = choosing.leaves_of(network)
    recipe = posteriors.get(posterior)
    chosen = choosing.choose(leaves, layers, recipe)
    _check_prior(prior, [network] if scope == "network" else chosen)
    wrapper = LocalReparameterization if local_reparameterization else Bayesian
    make = _whole_network if scope == "network" else _layer_by_layer
    bayesian, made = make(network, recipe, prior, chosen, wrapper)
    if start == "pretrained":
        for layer in made:
            _check_finite(layer)
            # The variables that a draw replaces hold the model's weights.
            layer.posterior.start_at(layer.replaced_variables, relative_std)
    return bayesian


def _layer_by_layer(network, recipe, prior, chosen, wrapper):
    numbers = {id(layer): number for number, layer in enumerate(chosen)}
    _check_memory(recipe, {layer.name: [layer] for layer in chosen})

    def replace(layer):
        copy = copying.copy_of(layer)
        if id(layer) not in numbers:
            return copy
        own = posteriors.of_layer(recipe, numbers[id(layer)])
        return wrapper(copy, own, _prior_of(prior, layer), name=layer.name)

    bayesian, pairs = cloning.clone(network, replace)
    made = []
    for old, new in pairs:
        if id(old) in numbers:
            made.append(new)
            layer_values.assign(old, new.layer)
            _check_frozen(old, new)
        else:
            layer_values.assign(old, new)
    return bayesian, made


def _check_finite(layer):
    for variable in layer.replaced_variables:
        if not keras.ops.all(keras.ops.isfinite(variable)):
            raise ValueError(
                'bayesify(start="pretrained") expects finite weights; got '
                f"some in {variable.path!r} that are not."
            )


def _check_frozen(old, new):
    """Refuses to make random what is frozen, one variable of a layer."""
    replaced = {id(variable) for variable in new.replaced_variables}
    for variable, copy in zip(old.weights, new.layer.weights):
        if selection.is_frozen(variable) and id(copy) in replaced:
            raise ValueError(
                "bayesify makes all weights of a layer random; "
                f"{copy.path!r} is frozen by itself: wrap the layer in "
                "bbh_tf.layers.Bayesian, or freeze all of it."
            )


def _whole_network(network, recipe, prior, chosen, wrapper):
    if wrapper is not Bayesian:
        raise ValueError(
            'bayesify expects scope="layer" with local_reparameterization: '
            'outputs are drawn layer by layer; got scope="network".'
        )
    config = recipe.get_config()
    if "per" in config:
        # Not by `from_config`, which hides in a TypeError what is refused.
        recipe = type(recipe)(**{**config, "per": "layer"})
    _check_memory(recipe, {network.name: chosen})
    copy, pairs = cloning.clone(network, copying.copy_of)
    for old, new in pairs:
        layer_values.assign(old, new)
    inputs = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name),
        inputs_of.structure(network),
    )
    wrapped = Bayesian(
        copy,
        recipe,
        _prior_of(prior, network),
        sublayers=[
            new for old, new in pairs if any(old is layer for layer in chosen)
        ],
        name=network.name,
    )
    outputs = wrapped(inputs)
    single = keras.Model(inputs, outputs, name=f"{network.name}_single")
    return single, [wrapped]


def _check_prior(prior, layers):
    if not _is_by_layer(prior):
        return
    names = [layer.name for layer in layers]
    for name in prior:
        if name not in names:
            raise ValueError(
                "bayesify expects prior to have names of random layers, "
                f"{', '.join(names)}; got {name!r}."
            )


def _prior_of(prior, layer):
    return prior.get(layer.name) if _is_by_layer(prior) else prior


def _is_by_layer(prior):
    # Keras' serialised objects are dictionaries too.
    return isinstance(prior, dict) and "class_name" not in prior


def _check_memory(recipe, groups):
    sizes = {
        name: recipe.count_parameters(
            [
                spec
                for layer in group
                for spec in choosing.specs_of(layer, recipe)
            ]
        )
        for name, group in groups.items()
    }
    largest = max(sizes, key=sizes.get)
    total = sum(sizes.values())
    memory.require(
        4 * total,
        f"posteriors with {total:,} parameters, {sizes[largest]:,} of them "
        f"for {largest!r} (training with Adam takes four times as much). "
        f"{sliced.ADVICE}",
    )
