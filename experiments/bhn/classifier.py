"""The network that outliers and attacks are tried on."""

import dataclasses
import functools

from experiments.bhn import networks
from experiments.bhn import released
from experiments.bhn import training


@dataclasses.dataclass(frozen=True)
class Settings:
    """What determines a training, besides method and seed.

    Attributes:
        dataset: name of the data set.
        preset: `"paper"` or `"released_code"`.
        units: widths of the hidden layers, a tuple.
        epochs: of training.
        num_draws: draws of a prediction.
        batch_size, learning_rate: of training.
        coupling_units: width of the hidden layer of a coupling.
        decay: L2 factor of kernels without hypernetworks.
        num_train, num_test: images to take; None for all.
    """

    dataset: str
    preset: str
    units: tuple
    epochs: int
    num_draws: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    coupling_units: int = 256
    decay: float = 1e-5
    num_train: int | None = None
    num_test: int | None = None

    def recipe(self, **changes):
        """Returns the `training.Recipe`, with some attributes changed."""
        return training.Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            coupling_units=self.coupling_units,
            mixing="reversed",
            decay=self.decay,
            min_scale=released.smallest_scale(self.preset),
            **changes,
        )

    def described(self):
        """Says what the trials have in common, in one sentence."""
        return (
            f"{self.dataset}: hidden layers of "
            f"{', '.join(map(str, self.units))}, {self.epochs} epochs, batches "
            f"of {self.batch_size}, Adam {self.learning_rate:g} falling to a "
            f"tenth, {self.num_draws} draws, preset {self.preset}."
        )


def maker(method, recipe, settings, data):
    """Returns the `training.Maker` of a method's trials."""
    network_of = functools.partial(
        networks.multilayer, data.image_shape, settings.units
    )
    return training.Maker(method, recipe, network_of, len(data.train_images))
