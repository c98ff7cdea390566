"""Trials that are done one by one, each kept in a file when it is.

A killed command goes on with the first trial that has no file. A folder holds
trials of one setting, whoever asked for them, and tables show all of them. Of
several workers all make a trial together, and the first writes.
"""

import dataclasses
import functools
import json
import time

import tensorflow as tf

from bbh_tf import workers
from experiments import files
from experiments import provenance
from experiments.bhn import methods
from experiments.errors import ExperimentError

_SETTINGS = "settings.json"
_FOLDER = "trials"


class Trials:
    """The trials of a folder.

    Args:
        folder: the output folder, a `pathlib.Path`.
        settings: dataclass of what determines the numbers of a trial, besides
            what names it.

    Raises:
        ExperimentError: if the folder holds trials of other settings.
    """

    def __init__(self, folder, settings):
        self._folder = folder
        told = _as_json(dataclasses.asdict(settings))
        path = folder / _SETTINGS
        found = files.settings_of(folder, _SETTINGS)
        if found is not None:
            # Folders of before a setting was there have what is its default.
            _check_same(path, {**_defaults(settings), **found}, told)
        elif workers.is_chief():
            files.write_json(path, told)

    def do(self, names, make):
        """Makes a trial, if it is not there.

        Args:
            names: dictionary of what tells it from others, numbers and texts.
            make: function without arguments that returns what was measured, a
                dictionary that JSON can hold.

        Raises:
            ExperimentError: if it does, naming the trial.
        """
        path = self._folder / _FOLDER / f"{'_'.join(map(str, names.values()))}"
        path = path.with_name(f"{path.name}.json")
        if workers.of_chief(path.exists()):
            return
        num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
        started = time.monotonic()
        try:
            found = make()
        except ExperimentError as error:
            raise ExperimentError(
                f"{', '.join(map(str, names.values()))}: {error}"
            ) from error
        if not workers.is_chief():
            return
        path.parent.mkdir(exist_ok=True)
        files.write_json(
            path,
            {
                "trial": names,
                "measures": found,
                "seconds": round(time.monotonic() - started, 1),
                "num_replicas": num_replicas,
                "provenance": provenance.describe(),
            },
        )
        print(", ".join(map(str, names.values())) + ": done.", flush=True)

    def do_all(self, methods, num_seeds, make, trial):
        """Makes the trials of some methods, seeds from 0 on.

        Args:
            methods: list of what has a `name`.
            num_seeds: trials of each.
            make: function of a method: what all its trials share.
            trial: function of that, the method and the seed, to what was
                measured.
        """
        for method in methods:
            made = make(method)
            for seed in range(num_seeds):
                self.do(
                    {"method": method.name, "seed": seed},
                    functools.partial(trial, made, method, seed),
                )

    def found(self):
        """Returns the trials that are done, a list of dictionaries.

        Each has `"trial"` (its names), `"measures"`, `"seconds"`,
        `"num_replicas"` (none in older ones, which had one) and
        `"provenance"`.
        """
        return [
            files.read_json(
                path, ("trial", "measures", "provenance"), "a trial"
            )
            for path in sorted((self._folder / _FOLDER).glob("[!.]*.json"))
        ]


def _defaults(settings):
    return _as_json(
        {
            field.name: field.default
            for field in dataclasses.fields(settings)
            if field.default is not dataclasses.MISSING
        }
    )


def _as_json(settings):
    # Tuples are lists there.
    return json.loads(json.dumps(settings))


def _check_same(path, found, told):
    for name in sorted({*found, *told}):
        if found.get(name) != told.get(name):
            raise ExperimentError(
                f"--output_dir: {path.parent} holds trials of {name} "
                f"{found.get(name)!r}; got {told.get(name)!r}. Choose another "
                "folder, or remove that one."
            )


def grouped(found, *keys):
    """Groups trials by some of their names.

    Args:
        found: list of what `Trials.found` returns.
        *keys: names of `"trial"`.

    Returns:
        Dictionary from tuples of names to lists of trials.
    """
    groups = {}
    for one in found:
        key = tuple(one["trial"][name] for name in keys)
        groups.setdefault(key, []).append(one)
    return groups


def by_method(found):
    """Returns pairs of a `methods.Method` and its trials, in a fixed order."""
    groups = grouped(found, "method").items()
    pairs = [(methods.parse(name), group) for (name,), group in groups]
    return sorted(pairs, key=lambda pair: methods.order(pair[0]))


def own_settings(found, falls=True):
    """Says which methods have settings of their own; see `methods`."""
    names = {one["trial"]["method"] for one in found}
    return methods.own_settings(names, falls)


def origins(found):
    """Says which commits and machines made trials, a list of sentences."""
    return provenance.counted([one["provenance"] for one in found], "trial")
