"""A task of each family by one of several workers; run by worker_run_test.py.

`main` is what their commands do, without the pages: a Bayesian hypernetwork's
trial, and a classifier of the deep weight prior's experiments.
"""

import pathlib
import sys

from experiments import strategies
from experiments.bhn import image_sets
from experiments.bhn import methods
from experiments.bhn import regularisation
from experiments.bhn import trials
from experiments.dwp import classification_run
from experiments.dwp import settings

METHOD = methods.parse("no_coupling")
_REGULARISATION = regularisation.Settings(
    dataset="digits",
    preset="paper",
    num_train=21,
    units=(8,),
    epochs=3,
    # All of them, for workers shuffle otherwise than one process.
    batch_size=21,
    learning_rate=3e-3,
    num_test_draws=5,
    num_test=20,
)


def hypernetwork_trial(folder):
    """Does a trial of `bhn_regularisation`, in the scope of a strategy."""
    data = image_sets.load("digits", None, 21, 20)
    trials.Trials(folder, _REGULARISATION).do_all(
        [METHOD],
        1,
        lambda method: regularisation.maker(method, _REGULARISATION, data),
        lambda made, method, seed: regularisation.trial(
            made, method, _REGULARISATION, data, seed
        ),
    )


def classification(folder, inputs, strategy=None):
    """Does a run of `dwp_classification`."""
    config = settings.ClassificationConfig(
        "digits", "paper", *inputs, num_slices=8, num_test=30
    )
    runs = settings.ClassificationRuns(
        ("deterministic",), (10,), ("means",), (0,), 4
    )
    classification_run.run(config, runs, None, folder, "command", strategy)


def main(folder, *paths):
    strategy = strategies.make("multiworker")
    for _ in range(2):
        # Nothing is done the second time.
        with strategies.job("multiworker", folder / "bhn") as output:
            with strategy.scope():
                hypernetwork_trial(output)
    with strategies.job("multiworker", folder / "dwp") as output:
        classification(output, (paths[:2], paths[2:]), strategy)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), *sys.argv[2:])
