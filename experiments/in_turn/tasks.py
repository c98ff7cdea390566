"""Trains on digits 0 to 4, then on 5 to 9, and asks what is left of the first.

By Bayes' rule the posterior after the first task is the prior of the second.
Fine-tuning starts from the same posterior with the old prior, so that what
differs is the prior alone; joint training sees both tasks at once.
"""

import dataclasses

import numpy as np

from experiments import lazy
from experiments.errors import diverged

bbh = lazy.import_module("bbh_tf")
keras = lazy.import_module("keras")
shuffled = lazy.import_module("experiments.shuffled")

# Key -> how the two tasks were learnt.
WAYS = {
    "first": "0 to 4 only",
    "handed_on": "then 5 to 9, posterior handed on",
    "fine_tuned": "then 5 to 9, fine-tuned",
    "joint": "both at once",
}
METHODS = {"bbb": "Bayes by Backprop", "bbh": "Bayes by Hypernet"}
_NUM_FIRST = 5
_BATCH_SIZE = 100
_LEARNING_RATE = 1e-3
# Share of the epochs after which the KL sets in, and over which it grows.
_ANNEALING = (0.05, 0.15)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What determines the numbers, besides method and seed.

    Attributes:
        dataset: name of the data set.
        units, kernel_size: of the LeNet.
        epochs: for each training.
        kl_scale: of all of them. Below 1 the posterior is that of data that
            count 1 / kl_scale times, in both tasks alike, so that one may
            still be handed on.
        num_prediction_samples: draws that a prediction averages.
    """

    dataset: str
    units: tuple
    kernel_size: int
    epochs: int
    kl_scale: float
    num_prediction_samples: int = 100


def errors(method, seed, data, settings):
    """Trains in all of `WAYS`.

    Args:
        method: key of `METHODS`.
        seed: seed of weights, draws and batches.
        data: a `bbh_tf.datasets.ImageData` of ten classes.
        settings: a `Settings`.

    Returns:
        Dictionary from `WAYS` to a dictionary of errors in per cent:
        `"first"` and `"second"` of the test images of a task, among all ten
        classes, `"first_told"` and `"second_told"` among the five of the
        task, and `"all"`.
    """
    first, second = (
        _part(data.train_images, data.train_labels, is_first)
        for is_first in (True, False)
    )
    network = _network(data, settings, seed)
    anneals = True
    start = _model(method, network, len(first[0]), settings, seed, anneals)
    _fit(start, first, settings, seed)
    found = {"first": _errors(start, data)}
    for way, prior in (
        ("handed_on", bbh.models.priors_of(start)),
        ("fine_tuned", None),
    ):
        model = _model(
            method, network, len(second[0]), settings, seed + 1, False, prior
        )
        for old, new in zip(
            start.network.trainable_variables,
            model.network.trainable_variables,
            strict=True,
        ):
            new.assign(old)
        _fit(model, second, settings, seed)
        found[way] = _errors(model, data)
    joint = _model(
        method, network, len(data.train_images), settings, seed, anneals
    )
    _fit(joint, (data.train_images, data.train_labels), settings, seed)
    found["joint"] = _errors(joint, data)
    return found


def _part(images, labels, is_first):
    chosen = (labels < _NUM_FIRST) == is_first
    return images[chosen], labels[chosen]


def _network(data, settings, seed):
    keras.utils.set_random_seed(seed)
    return bbh.models.lenet(
        input_shape=data.image_shape,
        num_classes=data.num_classes,
        units=settings.units,
        kernel_size=settings.kernel_size,
    )


def _model(method, network, num_train, settings, seed, anneals, prior=None):
    is_implicit = method == "bbh"
    # A handed-on implicit posterior can be sampled and has no density.
    posterior, divergence = (
        (
            bbh.posteriors.Implicit(
                bbh.hypernetworks.MLP((64, 256, 16)), noise_dim=8
            ),
            bbh.divergences.KernelKL(num_neighbours=3),
        )
        if is_implicit
        else (bbh.posteriors.MeanField(), bbh.divergences.AnalyticKL())
    )
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(network, posterior, prior=prior),
        num_train_examples=num_train,
        divergence=divergence,
        annealing=(
            bbh.annealing.Linear(
                *(share * settings.epochs for share in _ANNEALING)
            )
            if anneals
            else None
        ),
        kl_scale=settings.kl_scale,
        num_prediction_samples=settings.num_prediction_samples,
        seed=seed,
    )
    model.compile(bbh.optimizers.FusedAdam(_LEARNING_RATE))
    return model


def _fit(model, part, settings, seed):
    keras.utils.set_random_seed(seed)
    model.fit(
        shuffled.batches(part, _BATCH_SIZE, seed),
        shuffle=False,
        epochs=settings.epochs,
        verbose=0,
    )


def _errors(model, data):
    labels = data.test_labels
    probabilities = model.predict(data.test_images, verbose=0)
    if not np.isfinite(probabilities).all():
        raise diverged("finite predictions")
    is_first = labels < _NUM_FIRST
    of_first = np.arange(probabilities.shape[1]) < _NUM_FIRST
    told = np.where(is_first[:, None] == of_first, probabilities, -1.0)
    wrong = probabilities.argmax(1) != labels
    told_wrong = told.argmax(1) != labels
    return {
        key: 100 * float(np.mean(chosen))
        for key, chosen in (
            ("first", wrong[is_first]),
            ("second", wrong[~is_first]),
            ("all", wrong),
            ("first_told", told_wrong[is_first]),
            ("second_told", told_wrong[~is_first]),
        )
    }
