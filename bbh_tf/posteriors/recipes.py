"""What becomes of a recipe that many layers are given."""

from bbh_tf import weights


def of_layer(recipe, index):
    """Returns the recipe of one of many layers.

    A seeded initialiser would give layers of equal shapes equal beginnings:
    its seed is mixed with the layer's number, and so are those within
    hypernetworks.

    Args:
        recipe: a `Posterior`.
        index: number of the layer, an integer from 0.

    Returns:
        A `Posterior`: the recipe itself for the first layer, or without seeds.
    """
    given = recipe.get_config()
    config = weights.reseed_initializers(given, index) if index else given
    return recipe if config is given else type(recipe).from_config(config)
