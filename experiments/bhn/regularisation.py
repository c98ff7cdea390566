"""Test errors of small training sets, method by method (Figure 3)."""

import dataclasses

import numpy as np

import bbh_tf as bbh
from experiments.bhn import networks
from experiments.bhn import released
from experiments.bhn import training
from experiments.errors import diverged


@dataclasses.dataclass(frozen=True)
class Settings:
    """What determines a trial, besides method and seed.

    Attributes:
        dataset: name of the data set.
        preset: `"paper"` or `"released_code"`.
        num_train: training images; None for all.
        units: widths of the hidden layers; of CIFAR-10, filters and width.
        epochs, batch_size, learning_rate, anneals, coupling_units,
            initial_std, standardizes, kl_scale: see `training.Recipe`.
        validate_every: epochs from one validation to the next.
        num_validation_draws, num_test_draws: draws of a prediction; 20 and 200
            in the authors' code.
        num_test: validation and test images to take; None for all.
    """

    dataset: str
    preset: str
    num_train: int | None
    units: tuple
    epochs: int
    batch_size: int
    learning_rate: float
    validate_every: int = 5
    anneals: bool = False
    coupling_units: int = 200
    num_validation_draws: int = 20
    num_test_draws: int = 200
    num_test: int | None = None
    initial_std: float = 0.01
    standardizes: bool = True
    kl_scale: float = 1.0

    def recipe(self):
        """Returns the `training.Recipe`."""
        return training.Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            anneals=self.anneals,
            initial_std=self.initial_std,
            standardizes=self.standardizes,
            kl_scale=self.kl_scale,
            coupling_units=self.coupling_units,
            clips_softmax=self.preset == "released_code",
            min_scale=released.smallest_scale(self.preset),
        )

    def described(self):
        """Says what the trials have in common, in one sentence."""
        count = "all" if self.num_train is None else f"{self.num_train:,}"
        tempered = ""
        if self.kl_scale != 1:
            tempered = f", the KL times {self.kl_scale:g}"
        start = (
            f"with standard deviations of {self.initial_std:g} of their size"
            if self.standardizes
            else "at normal values of standard deviation 0.01"
        )
        return (
            f"{self.dataset}: {count} training images, "
            f"{' and '.join(map(str, self.units))} "
            f"{'filters and units' if self.dataset == 'cifar10' else 'units'}, "
            f"{self.epochs} epochs, batches of {self.batch_size}, Adam "
            f"{self.learning_rate:g} falling to a tenth, preset {self.preset}; "
            f"{self.num_test_draws} draws on test images; scales start "
            f"{start}"
            f"{', the KL annealed' if self.anneals else ''}{tempered}."
        )


def maker(method, settings, data):
    """Returns the `training.Maker` of a method's trials."""

    def network_of(dropout_rate, decay):
        if settings.dataset == "cifar10":
            return networks.cifar10(
                data.image_shape, *settings.units, dropout_rate
            )
        return networks.multilayer(
            data.image_shape, settings.units, dropout_rate, decay
        )

    return training.Maker(
        method, settings.recipe(), network_of, len(data.train_images)
    )


def trial(made, method, settings, data, seed):
    """Trains once, and tests twice: at the end, and at the best validation.

    Args:
        made: a `training.Maker`.
        method: its `methods.Method`.
        settings: a `Settings`.
        data: an `image_sets.Parts`.
        seed: an integer.

    Returns:
        A dictionary: `"validation"`, pairs of an epoch and the error there;
        `"last"` and `"best"`, dictionaries of `"epoch"`, `"error"` and
        `"nll"` (nats per example) on the test images; `"nll"` of training and
        `"kl"`, nats, in the last epoch. Errors are in per cent.
    """
    recipe = settings.recipe()
    model = made.fresh(data.train_images, seed)
    is_fixed = method.name == "mle"

    def scored(images, labels, num_draws):
        found = training.draws(model, images, num_draws, is_fixed).mean(axis=0)
        return {
            "error": 100 * bbh.uncertainty.error_rate(found, labels),
            "nll": bbh.uncertainty.negative_log_likelihood(found, labels),
        }

    curve, best, weights = [], None, None

    def validate(epoch):
        nonlocal best, weights
        if epoch % settings.validate_every and epoch < settings.epochs:
            return
        error = scored(
            data.validation_images,
            data.validation_labels,
            settings.num_validation_draws,
        )["error"]
        curve.append((epoch, error))
        if best is None or error < best[1]:
            best, weights = (epoch, error), model.get_weights()

    history = training.fit(
        model,
        recipe,
        data.train_images,
        data.train_labels,
        seed,
        validate,
    )
    if not np.isfinite(history["nll"]):
        raise diverged("a finite loss")
    tested = data.test_images, data.test_labels, settings.num_test_draws
    found = {
        "validation": curve,
        "last": {"epoch": settings.epochs, **scored(*tested)},
        "nll": history["nll"],
        "kl": history.get("kl", 0.0),
    }
    model.set_weights(weights)
    found["best"] = {"epoch": best[0], **scored(*tested)}
    return found
