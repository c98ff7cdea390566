"""The fast gradient sign method, also where the network is random."""

import functools

import numpy as np
import tensorflow as tf

from bbh_tf import checks

_GRADIENT_SCALE = 2.0**10
MODES = ("expected_gradient", "paper")


def fgsm(
    networks,
    images,
    labels,
    epsilon,
    mode="expected_gradient",
    clip_range=(0.0, 1.0),
    batch_size=100,
):
    """Moves images by `epsilon` towards a higher loss, in one step.

    Args:
        networks: iterable of callables from images to logits `(batch,
            classes)`, one for each draw of the weights: `[model]` for a plain
            Keras model, `model.networks(num_samples)` for a Bayesian one or
            an ensemble. It is gone through once.
        images: `float32` array `(examples, ...)`.
        labels: true classes, integers `(examples,)`, from 0.
        epsilon: how far each pixel moves at most, a number >= 0.
        mode: see `fgsm_direction`.
        clip_range: `(lowest, highest)` pixel that images and results may have;
            None for no limit (the authors set none).
        batch_size: images that go through a network at once.

    Returns:
        `float32` array of the images' shape.

    Raises:
        ValueError: if an argument is invalid, a network returns
            probabilities or a single logit, or images are outside
            `clip_range` (clipping would move them by more than `epsilon`).

    References:
        Goodfellow et al., Explaining and Harnessing Adversarial Examples,
        arXiv:1412.6572.
    """
    checks.check_factor("epsilon", epsilon)
    clip_range = checks.limits("clip_range", clip_range)
    images = np.asarray(images, np.float32)
    if clip_range is not None:
        _check_range(images, *clip_range)
    direction = fgsm_direction(networks, images, labels, mode, batch_size)
    moved = images + np.float32(epsilon) * direction
    return moved if clip_range is None else np.clip(moved, *clip_range)


def fgsm_direction(
    networks, images, labels, mode="expected_gradient", batch_size=100
):
    """Finds the direction of `fgsm`, which is the same for every epsilon.

    The modes differ where there are several networks with class probabilities
    `p_k`.

    `"expected_gradient"` is the attack on the predictive distribution: the
    sign of the gradient of `-log(mean over k of p_k(y | x))`.

    `"paper"` is what the authors do: the mean over k of the signs of the
    gradients of `-log p_k(y | x)`, which makes the step smaller wherever
    draws disagree, for random networks alone.

    Args:
        networks: see `fgsm`.
        images: see `fgsm`.
        labels: see `fgsm`.
        mode: `"expected_gradient"` or `"paper"`.
        batch_size: see `fgsm`.

    Returns:
        `float32` array of the images' shape, from -1 to 1; 0 where the
        gradient is 0.

    Raises:
        ValueError: if an argument is invalid, a network returns
            probabilities or a single logit, or a gradient is not finite.

    References:
        Athalye et al., Obfuscated Gradients Give a False Sense of Security,
        arXiv:1802.00420, Sec. 4 (expectation over randomness).
    """
    if mode not in MODES:
        raise ValueError(
            f"fgsm expects mode to be one of {', '.join(MODES)}; got {mode!r}."
        )
    checks.check_count("batch_size", batch_size)
    images = np.asarray(images, np.float32)
    labels = np.asarray(labels)
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            "fgsm expects one integer label for each image; got images of "
            f"shape {images.shape} and labels of shape {labels.shape}, "
            f"{labels.dtype}."
        )
    total = _Mixture() if mode == "expected_gradient" else _Signs()
    count = 0
    if callable(networks) or not hasattr(networks, "__iter__"):
        _refuse_networks(networks)
    for network in networks:
        if not callable(network):
            _refuse_networks(network)
        total.add(*_log_prob_and_gradient(network, images, labels, batch_size))
        count += 1
    if not count:
        raise ValueError("fgsm expects at least one network; got none.")
    return total.direction(count)


def _told(network):
    """Returns what a message calls a network: a draw would show weights."""
    is_draw = isinstance(network, functools.partial)
    return "a draw of the weights" if is_draw else repr(network)


def _refuse_networks(found):
    raise ValueError(
        "fgsm expects networks to be callables, such as [model] or "
        f"model.networks(num_samples); got {found!r}."
    )


def _check_classes(outputs, labels):
    # Of one logit the probability is 1, and no image would move.
    if outputs.shape.rank != 2 or outputs.shape[1] < 2:
        raise ValueError(
            "fgsm expects networks that return logits (batch, classes) of two "
            "classes or more; got outputs of shape "
            f"{tuple(outputs.shape)}. A single logit z of labels that are 0 "
            "or 1 is the logits (0, z)."
        )
    last = outputs.shape[1] - 1
    unknown = labels[(labels < 0) | (labels > last)]
    if unknown.size:
        raise ValueError(
            f"fgsm expects labels from 0 to {last}, the classes of the "
            f"network; got {unknown[0]}."
        )


def _check_range(images, lowest, highest):
    if not images.size:
        return
    found = float(images.min()), float(images.max())
    if found[0] < lowest or found[1] > highest:
        raise ValueError(
            f"fgsm expects images within clip_range, ({lowest}, {highest}), or "
            "they would be moved by more than epsilon; got some from "
            f"{found[0]:.6g} to {found[1]:.6g}: give clip_range their own "
            "range, or None for no limit."
        )


class _Mixture:
    """Sums `p_k * gradient of log p_k`, and scales it as it goes."""

    def __init__(self):
        self._largest = -np.inf
        self._sum = 0.0

    def add(self, log_prob, gradient):
        largest = np.maximum(self._largest, log_prob)
        axes = (...,) + (None,) * (gradient.ndim - 1)
        old = np.exp(self._largest - largest)[axes]
        new = np.exp(log_prob - largest)[axes]
        self._sum = old * self._sum + new * gradient
        self._largest = largest

    def direction(self, count):
        return -np.sign(self._sum).astype(np.float32)


class _Signs:
    """Sums signs."""

    def __init__(self):
        self._sum = 0.0

    def add(self, log_prob, gradient):
        self._sum = self._sum + np.sign(gradient)

    def direction(self, count):
        return -(self._sum / count).astype(np.float32)


def _log_prob_and_gradient(network, images, labels, batch_size):
    every_output, log_probs, gradients = [], [], []
    # Of no images there is one batch, for the shape.
    for start in range(0, max(len(images), 1), batch_size):
        x = tf.constant(images[start : start + batch_size])
        classes = labels[start : start + batch_size]
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = tf.cast(network(x), tf.float32)
            _check_classes(outputs, classes)
            log_prob = -tf.nn.sparse_softmax_cross_entropy_with_logits(
                tf.constant(classes, tf.int32), outputs
            )
        every_output.append(outputs)
        log_probs.append(log_prob)
        # In networks of float16 small gradients would be lost.
        scale = tf.fill(tf.shape(log_prob), _GRADIENT_SCALE)
        gradient = tape.gradient(log_prob, x, output_gradients=scale)
        if gradient is None:
            raise ValueError(
                "fgsm expects networks whose outputs have a gradient with "
                "respect to their inputs; those of numbers of words or of "
                f"classes have none: got {_told(network)}."
            )
        gradients.append(gradient)
    if checks.are_probabilities(np.concatenate(every_output)):
        raise ValueError(
            "fgsm expects networks that return logits; got probabilities, rows "
            f"that sum to 1, of {_told(network)}: take off the softmax, and of "
            "a DeepEnsemble give ensemble.networks()."
        )
    gradients = np.concatenate(gradients).astype(np.float64) / _GRADIENT_SCALE
    if not np.isfinite(gradients).all():
        raise ValueError(
            "fgsm expects finite gradients; got some that are not, of "
            f"{_told(network)}."
        )
    return np.concatenate(log_probs).astype(np.float64), gradients
