"""A model that predicts under a temperature fitted on held-out data."""

import keras
import numpy as np

from bbh_tf.postprocessing import search
from bbh_tf.postprocessing.gathering import gathered
from bbh_tf.postprocessing.gathering import is_of_batches
from bbh_tf.postprocessing.temperature import Temperature
from bbh_tf.postprocessing.temperature_fit import fit_binary_temperature
from bbh_tf.postprocessing.temperature_fit import fit_temperature
from bbh_tf.uncertainty.checks import check_unmasked

_FITS = {
    "categorical_logits": fit_temperature,
    "bernoulli_logits": fit_binary_temperature,
}


def with_temperature(
    model,
    x,
    y=None,
    num_samples=None,
    seed=0,
    batch_size=None,
    sample_weight=None,
    likelihood=None,
):
    """Fits a model's temperature; what it predicts is tempered from then on.

    A model of this library keeps it as `model.temperature`: `predict`,
    `evaluate`, `predict_uncertainty` and exported programs divide logits by
    it or, in regression, multiply the standard deviation of the noise by it
    (`fit_std_factor`). It is saved with the weights. The network's outputs do
    not change: `predict_samples`, `draw` and training ignore the temperature.
    After more training, fit it again. Where an example has several labels, it
    is fitted label by label; `evaluate` takes those of an example together, as
    a draw predicts them, and its NLL may be least at another temperature.

    For an ordinary Keras model, it makes a new model on the same layers that
    ends with a `Temperature` layer.

    Args:
        model: a model with `predict_samples` and a `temperature`
            (`BayesianModel`, `DeepEnsemble`), under one of the likelihoods
            with a name; or a functional or sequential `keras.Model` with one
            output, logits.
        x: inputs, as the model's `predict` takes them; or a data set of `(x,
            y)` or `(x, y, sample_weight)`, which is gathered in memory.
        y: array-like, their labels, `(examples, ...)` or `(examples, ..., 1)`:
            integers for classes, or one-hot rows of them; 0 and 1; or numbers.
            None where `x` has them.
        num_samples: number of draws; None for the model's own number, and
            for an ordinary Keras model, which has none.
        seed: seed of the draws; `predict` takes those of 0.
        batch_size: examples in a batch, where `x` holds arrays.
        sample_weight: array-like, `(examples,)` or one for each label, what
            labels count, 0 for padding say, where they need be no labels; None
            for 1.
        likelihood: of an ordinary Keras model, `"categorical_logits"` (or
            None) or `"bernoulli_logits"`; None for others, which have theirs.

    Returns:
        The model itself, or, of an ordinary Keras model, a new one on the same
        layers, which is not compiled.

    Raises:
        ValueError: if the model's likelihood has no temperature, it has more
            than one output, its outputs are no logits, labels do not fit,
            outputs have Keras' mask and labels no weights, or an argument is
            given that the model has no use for.

    Example:
    ```python
    model = bbh_tf.postprocessing.with_temperature(model, images, labels)
    probabilities = model.predict(test_images)
    model.save("tempered.keras")
    ```
    """
    if is_of_batches(x):
        if y is not None or sample_weight is not None:
            raise ValueError(
                "Expected a data set of (x, y), and no other labels or "
                "weights, since their order may not be the same; got both."
            )
        x, y, sample_weight = gathered(x)
    elif y is None:
        raise ValueError("with_temperature expects labels, y; got None.")
    if hasattr(model, "predict_samples"):
        if likelihood is not None:
            raise ValueError(
                "Expected likelihood=None: a model of this library has its "
                f"own; got {likelihood!r}."
            )
        if model.temperature is None:
            # The model says why it has none.
            model.temperature = 1.0
        outputs = model.predict_samples(
            x, num_samples, seed=seed, batch_size=batch_size
        )
        model.temperature = model.best_temperature(outputs, y, sample_weight)
        return model
    fit = _FITS.get(likelihood or "categorical_logits")
    if fit is None:
        raise ValueError(
            "An ordinary Keras model is tempered under the likelihood "
            '"categorical_logits" or "bernoulli_logits"; got '
            f"{likelihood!r}."
        )
    if num_samples is not None:
        raise ValueError(
            "Expected num_samples=None: an ordinary Keras model predicts once; "
            f"got {num_samples!r}."
        )
    num_outputs = len(getattr(model, "outputs", None) or ())
    if num_outputs != 1:
        raise ValueError(
            "Expected a model of this library, or a built functional or "
            "sequential Keras model with one output; got a "
            f"{type(model).__name__} with {num_outputs}."
        )
    if sample_weight is None and _is_masked(model, x):
        raise ValueError(
            "The outputs come with Keras' mask, which a temperature does not "
            "see: expected sample_weight, 0 for labels that do not count and "
            "1 for others."
        )
    # A model may have its one output in a list or a dictionary.
    (logits,) = keras.tree.flatten(
        model.predict(x, batch_size=batch_size, verbose=0)
    )
    if fit is fit_temperature:
        labels = class_numbers(
            y, logits.shape[:-1], logits.shape[-1], sample_weight
        )
    else:
        labels = of_rank(y, np.ndim(logits))
    temperature = fit(logits, labels, sample_weight)
    is_sequential = isinstance(model, keras.Sequential)
    return keras.Model(
        model.inputs[0] if is_sequential else model.input,
        Temperature(temperature)(model.outputs[0]),
        name=model.name,
    )


def _is_masked(model, x):
    """Whether the output of an ordinary model comes with Keras' mask."""
    output = model.outputs[0]
    inner = model._flatten_layers(include_self=False)
    if any(isinstance(layer, keras.Model) for layer in inner):
        # The symbolic outputs of models within models have lost theirs.
        first = keras.tree.map_structure(lambda leaf: leaf[:1], x)
        (output,) = keras.tree.flatten(model(first, training=False))
    return getattr(output, "_keras_mask", None) is not None


def of_rank(labels, rank):
    """Returns labels of a rank, where only a last axis of length 1 is off.

    Keras lets labels have one more axis than they need, or one less.
    """
    labels = check_unmasked(labels, "labels")
    if labels.ndim == rank + 1 and labels.shape[-1] == 1:
        return labels[..., 0]
    return labels[..., None] if labels.ndim == rank - 1 else labels


def class_numbers(labels, shape, num_classes, sample_weight=None):
    """Returns the numbers of classes, as Keras' users may have labels of them.

    Args:
        labels: array-like, integers or whole numbers, of the shape or with one
            more axis of length 1; or one-hot rows, `(*shape, num_classes)`.
        shape: that of the numbers, a tuple.
        num_classes: number of classes.
        sample_weight: what labels count; see `with_temperature`.

    Returns:
        Array, of integers if that is what they were.

    Raises:
        ValueError: if rows of that length are not one-hot.
    """
    labels = of_rank(labels, len(shape))
    is_of_rows = labels.shape == (*shape, num_classes)
    first = np.eye(num_classes)[0] if is_of_rows else 0
    labels = search.filled(labels, sample_weight, first)
    if is_of_rows:
        if not np.all(np.sort(labels, axis=-1) == np.eye(num_classes)[-1]):
            raise ValueError(
                "labels: expected class numbers or one-hot rows; got rows that "
                "are not one-hot."
            )
        return labels.argmax(axis=-1)
    if labels.dtype.kind == "f" and np.all(labels == np.floor(labels)):
        return labels.astype(np.int64)
    return labels
