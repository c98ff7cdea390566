"""LoRA in the layers that other layers hold.

Keras writes down that a `Dense` has LoRA, and not that the projections of a
`MultiHeadAttention` have: a copy, or one that is loaded, would be without. And
it adds LoRA's product to the kernel when it saves.
"""

import functools

from bbh_tf.layers import selection

# The second of LoRA's two matrices; where it is 0, so is their product.
_SECOND = ("lora_kernel_b", "lora_embeddings_b")


def ranks(layer):
    """Lists where a layer has LoRA.

    Args:
        layer: a Keras layer.

    Returns:
        List of `[place, rank, alpha]`, with the place among those layers in
        it that can have LoRA.
    """
    return [
        [place, inner.lora_rank, inner.lora_alpha]
        for place, inner in enumerate(_able(layer))
        if inner.lora_enabled
    ]


def enable(layer, wanted):
    """Gives a layer LoRA where another has it, once it is built.

    Args:
        layer: a Keras layer, built or not.
        wanted: what `ranks` returned for the other, of its configuration.
    """
    if not wanted:
        return
    if layer.built:
        _enable(layer, wanted)
        return
    build = layer.build

    @functools.wraps(build)
    def build_with_lora(*args, **kwargs):
        build(*args, **kwargs)
        _enable(layer, wanted)

    layer.build = build_with_lora


def _able(layer):
    sublayers = selection.sublayers_of(layer)
    return [inner for inner in sublayers if hasattr(inner, "lora_enabled")]


def _enable(layer, wanted):
    able = _able(layer)
    for place, rank, alpha in wanted:
        inner = able[place]
        # It has it already where its own configuration says so.
        if not inner.lora_enabled:
            inner.enable_lora(rank)
        # Keras 3.15 forgets that of a `Dense` as it builds it.
        inner.lora_alpha = alpha


def rest(variables):
    """Makes nothing of LoRA's products, for Keras to add when it saves.

    Args:
        variables: those that draws stand in for, whose values do not count.
    """
    for variable in variables:
        if variable.name in _SECOND:
            variable.assign(variable * 0)
