"""From twenty labels to hundreds, chosen by a model (Figure 4)."""

import dataclasses
import functools
import math

import numpy as np

import bbh_tf as bbh
from bbh_tf import workers
from experiments.bhn import networks
from experiments.bhn import pool as pools
from experiments.bhn import released
from experiments.bhn import scores as scores_of
from experiments.bhn import starts
from experiments.bhn import training
from experiments.errors import ExperimentError

_DECAY = 3.5


@dataclasses.dataclass(frozen=True)
class Settings:
    """What determines a run, besides method, score, start and seed.

    Attributes:
        dataset: name of the data set.
        preset: `"paper"` or `"released_code"`, whose pool never shrinks and
            whose scales have a floor.
        filters, units: of the network.
        num_labels: labels at the end.
        epochs: of training after new labels.
        batch_size, learning_rate: of all trainings.
        coupling_units: width of the hidden layer of a flow's layer.
        per_class: labels of each class at first.
        num_acquired: labels that are bought at once; fewer the last time,
            where they do not divide what is to be bought.
        num_scored: images of the pool that are scored each time.
        num_draws: draws of the scores and of the test.
        test_every: purchases from one test to the next.
        num_test: test images to take.
        num_train: images to begin with; None for all.
        kl_scale: factor of the KL over the number of labels.
    """

    dataset: str
    preset: str
    filters: int
    units: int
    num_labels: int
    epochs: int
    num_scored: int
    test_every: int
    num_test: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    coupling_units: int = 200
    per_class: int = 2
    num_acquired: int = 10
    num_draws: int = 20
    num_train: int | None = None
    kl_scale: float = 1.0

    def described(self):
        """Says what the runs have in common, in one sentence."""
        return (
            f"{self.dataset}: {10 * self.per_class} labels to "
            f"{self.num_labels}, {self.num_acquired} at a time of "
            f"{self.num_scored:,} images scored with {self.num_draws} draws; "
            f"{self.epochs} epochs after each, batches of {self.batch_size}, "
            f"Adam {self.learning_rate:g}; convolutions of {self.filters}, "
            f"{self.units} units, KL times {self.kl_scale:g} over the number "
            f"of labels, preset {self.preset}."
        )


def maker(method, start, settings, data):
    """Returns the `training.Maker` of the runs of a method and a start."""
    recipe = training.Recipe(
        epochs=starts.GAL_EPOCHS if start == "gal" else settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        decays=False,
        dropout_rate=(0.25, 0.5),
        # Over 128 whatever the labels, in the authors' code.
        decay=_DECAY / 128,
        coupling_units=settings.coupling_units,
        min_scale=released.smallest_scale(settings.preset),
        kl_scale=settings.kl_scale,
    )
    network_of = functools.partial(
        networks.active_learning,
        data.image_shape,
        settings.filters,
        settings.units,
    )
    return training.Maker(
        method, recipe, network_of, 10 * settings.per_class
    ), recipe


def run(made, recipe, method, score, start, settings, data, seed):
    """Buys labels until there are enough.

    Args:
        made, recipe: what `maker` returned.
        method: a `methods.Method`.
        score: `"random"`, or a key of `scores.SCORES`.
        start: key of `starts.STARTS`.
        settings: a `Settings`.
        data: an `image_sets.Parts`.
        seed: an integer. Runs of one seed begin with the same labels.

    Returns:
        A dictionary: `"labels"`, their numbers at the tests, `"accuracy"`
        there, from 0 to 1, `"taken"`, the images in the order in which they
        were labelled, and `"repeats"`, how many of these were labelled before.
    """
    try:
        pool = pools.Pool(
            data.train_labels,
            settings.per_class,
            settings.num_scored,
            seed,
            settings.preset == "released_code",
        )
    except ValueError as error:
        raise ExperimentError(
            f"--num_train: more images than {len(data.train_labels)} are "
            f"needed to begin with. {error}"
        ) from error
    rest = settings.num_labels - len(pool.labelled)
    num_purchases = math.ceil(rest / settings.num_acquired)
    if len(pool) < rest:
        raise ExperimentError(
            f"--num_labels: expected at most {len(pool) + len(pool.labelled)}, "
            f"what there is; got {settings.num_labels}."
        )
    chance = np.random.default_rng([seed, 1])
    is_fixed = method.name == "mle"
    found = {"labels": [], "accuracy": []}
    for step in range(num_purchases + 1):
        images = data.train_images[pool.labelled]
        draw_seed = 1000 * seed + step
        if step == 0 or starts.STARTS[start].panel == "fresh":
            model = made.fresh(images, draw_seed)
        elif start == "annealed":
            model.restart_annealing()
        model.num_train_examples = len(images)
        if start == "gal":
            made.decay.factor.assign(_DECAY / len(images))
        training.fit(
            model,
            recipe,
            images,
            data.train_labels[pool.labelled],
            draw_seed,
        )
        if step % settings.test_every == 0 or step == num_purchases:
            draws = training.draws(
                model, data.test_images, settings.num_draws, is_fixed
            )
            error = bbh.uncertainty.error_rate(
                draws.mean(axis=0), data.test_labels
            )
            found["labels"].append(len(images))
            found["accuracy"].append(1 - error)
        if step < num_purchases:
            _buy(pool, model, score, is_fixed, settings, data, chance)
    found["taken"] = pool.labelled
    found["repeats"] = len(pool.labelled) - len(set(pool.labelled))
    return found


def _buy(pool, model, score, is_fixed, settings, data, chance):
    candidates = pool.candidates()
    if score == "random":
        scores = chance.random(len(candidates))
    else:
        draws = training.draws(
            model, data.train_images[candidates], settings.num_draws, is_fixed
        )
        scores = scores_of.one_of(score, draws)
    rest = settings.num_labels - len(pool.labelled)
    count = min(settings.num_acquired, rest)
    chosen = bbh.acquisition.select(scores, count)
    # Each worker predicts for itself, and rounding may tell them apart.
    pool.take([workers.of_chief(int(place)) for place in chosen])
