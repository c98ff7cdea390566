"""What a method of the papers is, to the experiments."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Method:
    """All that is particular to a method: one file says it.

    Attributes:
        name: what flags and files call it.
        title: what tables call it.
        color: its colour in figures.
        build: function from a `RunConfig` and a `bbh_tf.datasets.ImageData`
            to a model, not yet compiled, with `predict_samples`.
        describe: function from a `RunConfig` to a list of texts, what the
            notes say of how it was trained.
        settings: attributes of `RunConfig` that it sets in place of what is
            there, and `"anneals"`, whether its KL is annealed: as the data
            set says, or `(start, length)` as parts of all epochs.
        datasets: data set -> what it sets there in place of `settings`.
        released: what the authors' code has in place of all that.
        released_datasets: data set -> what the authors' code has there.
        tables: the tables of methods that it is a row of, besides those whose
            paper has it.
        fixed_weights: why there is no posterior of its weights to look at;
            empty where there is one.
    """

    name: str
    title: str
    color: str
    build: typing.Callable
    describe: typing.Callable
    settings: dict = dataclasses.field(default_factory=dict)
    datasets: dict = dataclasses.field(default_factory=dict)
    released: dict = dataclasses.field(default_factory=dict)
    released_datasets: dict = dataclasses.field(default_factory=dict)
    tables: tuple = ()
    fixed_weights: str = ""

    def settings_on(self, dataset, preset):
        """Returns what it sets.

        Args:
            dataset: name of a data set.
            preset: `"paper"` or `"released_code"`.

        Returns:
            Dictionary of `RunConfig`'s attributes, and `"anneals"`.
        """
        found = {**self.settings, **self.datasets.get(dataset, {})}
        if preset == "released_code":
            found.update(self.released)
            found.update(self.released_datasets.get(dataset, {}))
        return found
