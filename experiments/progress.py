"""One progress bar for all runs of an experiment."""

import tqdm

from experiments import run_config


class Bar:
    """Shows the share of all epochs done, and what goes on now.

    Args:
        runs: list of `RunConfig`.
    """

    def __init__(self, runs):
        self._total = sum(
            run_config.num_epochs(run) + _prediction_epochs(run) for run in runs
        )
        self._done = {}
        self._bar = tqdm.tqdm(
            total=self._total,
            bar_format="{desc:<24} {percentage:3.0f}% |{bar}| "
            "{elapsed} gone, {remaining} to go",
            mininterval=0.2,
        )

    def __call__(self, config, stage, epochs):
        """Shows how far a run is."""
        done = epochs
        if stage != "training":
            done = run_config.num_epochs(config)
        if stage == "done":
            done += _prediction_epochs(config)
        self._done[config.row, config.seed] = done
        self._bar.set_description(
            f"{config.row} seed {config.seed}: {stage}", refresh=False
        )
        # Sums of fractions may exceed the total by a rounding error.
        done = min(sum(self._done.values()), self._total)
        self._bar.update(done - self._bar.n)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()


def _prediction_epochs(config):
    """What predicting costs, in epochs: about a twentieth of the training."""
    return 0.05 * run_config.num_epochs(config)
