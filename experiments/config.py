"""What an experiment is asked to do."""

import dataclasses
import math

from experiments import changes
from experiments import data_sets
from experiments import flag_checks
from experiments import paper_tables
from experiments import run_config
from experiments import strategies
from experiments.errors import ExperimentError
from experiments.execution import Execution

PRESETS = ("paper", "released_code")
SCALES = ("full", "short", "smoke")


@dataclasses.dataclass(frozen=True)
class Config:
    """An experiment over the rows of a table and seeds.

    Attributes:
        table: one of `paper_tables.TABLES`.
        dataset: one of the table's.
        rows: some of the table's.
        seeds: non-negative integers.
        scale: one of `SCALES`.
        preset: one of `PRESETS`.
        output_dir: folder for everything that is written.
        data_dir: folder of prepared TFDS data, or None.
        outlier_dir: folder with notMNIST, or None for rendered letters.
        kl_scale: factor on the KL.
        epochs: epochs in place of the scale's, or None.
        num_steps: training steps in place of epochs, or None.
        num_prediction_samples: draws at prediction.
        num_validation: training examples to test on in place of the test
            set, for choosing settings (digits only).
        checkpoint_seconds: see `Execution`.
        steps_per_execution: see `Execution`.
        jit: see `Execution`.
        strategy: see `Execution`.
        mixed_precision: see `run_config.RunConfig`.
        num_members: members of an ensemble, or None for the authors'.
        divergence_weights: see `run_config.RunConfig`.
        global_clipnorm: see `run_config.RunConfig`; 0 for no clipping, None
            for each row's own.
        keep_model: whether a run's model stays when all is made of it.
        figures: whether figures are made of the models; None: of runs at full
            length.
        changes: pairs of a setting and its value, as `changes.from_texts`
            returns them, in place of what the rows say.
    """

    table: str
    dataset: str
    rows: tuple
    seeds: tuple
    scale: str
    preset: str
    output_dir: str
    data_dir: str | None = None
    outlier_dir: str | None = None
    kl_scale: float = 1.0
    epochs: int | None = None
    num_steps: int | None = None
    num_prediction_samples: int = 100
    num_validation: int = 0
    checkpoint_seconds: float = 60.0
    steps_per_execution: int = 1
    jit: bool = False
    strategy: str = "auto"
    mixed_precision: bool = False
    num_members: int | None = None
    divergence_weights: int | None = None
    global_clipnorm: float | None = None
    keep_model: bool = True
    figures: bool | None = None
    changes: tuple = ()

    def __post_init__(self):
        flag = paper_tables.TABLES[self.table].flag
        _check_choice(
            "dataset", self.dataset, paper_tables.TABLES[self.table].datasets
        )
        _check_choice("scale", self.scale, SCALES)
        _check_choice("preset", self.preset, PRESETS)
        _check_list(flag, self.rows)
        for row in self.rows:
            _check_choice(flag, row, paper_tables.TABLES[self.table].rows)
        _check_list("seeds", self.seeds)
        for seed in self.seeds:
            if seed < 0 or seed >= 2**31:
                raise ExperimentError(
                    "--seeds: expected integers from 0 to 2^31 - 1; got "
                    f"{seed}."
                )
        for name in ("kl_scale", "checkpoint_seconds"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ExperimentError(
                    f"--{name}: expected a finite number >= 0; got {value}."
                )
        for name in (
            "epochs",
            "num_steps",
            "num_prediction_samples",
            "steps_per_execution",
            "num_members",
            "divergence_weights",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ExperimentError(
                    f"--{name}: expected at least 1; got {value}."
                )
        norm = self.global_clipnorm
        if norm is not None and not 0 <= norm < math.inf:
            raise ExperimentError(
                f"--global_clipnorm: expected a finite number >= 0; got {norm}."
            )
        if norm and "ensemble" in self.rows:
            raise ExperimentError(
                "--global_clipnorm: expected no ensemble beside it, whose "
                "members would depend on each other."
            )
        if self.epochs is not None and self.num_steps is not None:
            raise ExperimentError(
                "--num_steps: expected no --epochs beside it; got "
                f"--epochs={self.epochs}."
            )
        flag_checks.check_data_dir(self.data_dir, [self.dataset])
        if self.outlier_dir and self.dataset != "mnist":
            raise ExperimentError(
                "--outlier_dir: only mnist takes notMNIST; got "
                f"--dataset={self.dataset}."
            )
        num_digits = data_sets.DATASETS["digits"].num_train
        if not 0 <= self.num_validation < num_digits:
            raise ExperimentError(
                "--num_validation: expected an integer from 0 to "
                f"{num_digits - 1}; got {self.num_validation}."
            )
        if self.num_validation and self.dataset != "digits":
            raise ExperimentError(
                "--num_validation: only digits can be split; got "
                f"--dataset={self.dataset}."
            )
        changes.check(
            self.changes,
            {
                row: (
                    run_config.settings_of(self, row),
                    paper_tables.TABLES[self.table].rows[row].settings,
                )
                for row in self.rows
            },
        )
        for run in self.runs():
            _check_neighbours(run)
        if self.figures and self.num_validation:
            raise ExperimentError(
                "--figures: expected --num_validation=0, since figures are of "
                f"the test set; got {self.num_validation}."
            )
        flag_checks.check_output_dir(self.output_dir)
        strategies.check(self.strategy)
        for run in self.runs():
            _check_steps(run, self.steps_per_execution)

    @property
    def makes_figures(self):
        """Whether figures are made of the models."""
        if self.figures is None:
            at_length = self.scale == "full" and not self.num_validation
            return at_length and self.epochs is None and self.num_steps is None
        return self.figures

    @property
    def execution(self):
        """How runs are executed, an `Execution`."""
        return Execution(
            self.checkpoint_seconds,
            self.steps_per_execution,
            self.jit,
            self.strategy,
        )

    def runs(self):
        """Returns the settings of all runs, row by row."""
        return [
            run_config.make(self, row, seed)
            for row in self.rows
            for seed in self.seeds
        ]


def _check_steps(run, steps_per_execution):
    steps = run_config.steps_per_epoch(run)
    if run.num_steps is not None:
        steps = math.gcd(steps, run.num_steps)
    if steps % steps_per_execution:
        raise ExperimentError(
            "--steps_per_execution: expected a divisor of the steps of an "
            f"epoch, and of --num_steps: of {steps}; got "
            f"{steps_per_execution}."
        )


def _check_neighbours(run):
    k = run.num_neighbours
    if k > 1 and run.released_kernel and run.divergence != "entropy":
        raise ExperimentError(
            "--set num_neighbours: expected 1 with the kernel estimate of "
            "--preset=released_code or --set released_kernel=true, which "
            f"knows no other; got {k}."
        )
    if run.divergence in changes.BY_NEIGHBOURS and k >= run.num_samples:
        raise ExperimentError(
            "--set num_neighbours: expected fewer than the posterior's "
            f"{run.num_samples} samples; got {k}."
        )
    m = run.num_prior_samples
    if m is not None and m < k:
        raise ExperimentError(
            f"--set num_prior_samples: expected at least num_neighbours, {k}; "
            f"got {m}."
        )


def _check_choice(flag, value, choices):
    if value not in choices:
        raise ExperimentError(
            f"--{flag}: expected one of {', '.join(choices)}; got {value!r}."
        )


def _check_list(flag, values):
    if not values:
        raise ExperimentError(f"--{flag}: expected at least one; got none.")
    if len(set(values)) != len(values):
        raise ExperimentError(
            f"--{flag}: expected each once; got {','.join(map(str, values))}."
        )
