"""What a trained model knows, as priors for the next."""

from bbh_tf.models import refusals


def priors_of(model):
    """Returns the posteriors of a model's layers as priors.

    Use them for a second task, or for data that come later: the second
    training then starts from what the first has learnt, and how surely.

    Args:
        model: a trained `bbh_tf.models.BayesianModel`, or a Keras model with
            `bbh_tf.layers.Bayesian` layers.

    Returns:
        Dictionary from the layers' names to `bbh_tf.posteriors.AsPrior`, as
        `bayesify` takes it.

    Raises:
        ValueError: if the model has no `Bayesian` layer, or two of one name.

    Example:

    ```python
    second = bbh_tf.models.bayesify(
        network,
        bbh_tf.posteriors.MeanField(),
        prior=bbh_tf.models.priors_of(model),
    )
    ```
    """
    found = {}
    for layer in refusals.random_in(model):
        prior = layer.as_prior()
        if prior is None:
            continue
        if layer.name in found:
            raise ValueError(
                "priors_of expects layers of different names; got two named "
                f"{layer.name!r}."
            )
        found[layer.name] = prior
    if not found:
        raise ValueError(
            "priors_of expects a model with bbh_tf.layers.Bayesian layers; "
            f"{model.name!r} has none."
        )
    return found
