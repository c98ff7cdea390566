r"""Figures 4 and 7 of the deep weight prior: what a start is worth in steps.

python -m experiments.dwp_convergence --output_dir=runs/convergence
python -m experiments.dwp_convergence --dataset=mnist \
    --kernels=conv7x7-train.npy,conv5x5-test.npy \
    --autoencoders=vae7x7.npz,vae5x5.npz --data_dir=<folder> \
    --output_dir=runs/convergence_mnist

Trains a classifier, and on the digits and MNIST a convolutional autoencoder of
images, from learned kernels, draws of the prior or Xavier's initialisation
(Atanov et al., arXiv:1810.06943, Sec. 4.3 and App. E), and looks at them now
and then. The parameter count that the paper states for the autoencoder fits no
size of z; 78 is taken, which comes nearest. A run that is stopped goes on with
the first training that is not there; others add to the same folder.
"""

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments.dwp import settings
from experiments.dwp import source_flags
from experiments.dwp import start_flags

convergence_run = lazy.import_module("experiments.dwp.convergence_run")

_STEPS = {
    "digits": {"classifier": 200, "autoencoder": 500},
    "mnist": {"classifier": 300, "autoencoder": 500},
    "cifar10": {"classifier": 400},
}

_DATASET = flags.DEFINE_enum("dataset", "digits", list(_STEPS), "Which data.")
_DATA_DIR, _KERNELS, _AUTOENCODERS = source_flags.define()
_PRESET, _INITIALISATIONS = start_flags.define()
_NETWORKS = flags.DEFINE_list(
    "networks",
    None,
    f"Some of {', '.join(settings.CONVERGING)}; none: all that there are.",
)
_NUM_RUNS = flags.DEFINE_integer("num_runs", 3, "Runs of each.")
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps",
    None,
    "Steps of each; none: 200 and 500, 300 and 500 (MNIST) or 400 (CIFAR-10).",
)
_NUM_TEST = flags.DEFINE_integer("num_test", None, "Test images; none: all.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for runs, results.json and the figures."
)


def _main():
    dataset = _DATASET.value
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    flag_checks.check_fewest(((_NUM_RUNS, 1), (_NUM_STEPS, 1), (_NUM_TEST, 1)))
    flag_checks.check_data_dir(_DATA_DIR.value, [dataset])
    flag_lists.check_kernels(_KERNELS, dataset)
    steps = _STEPS[dataset]
    networks = tuple(steps)
    starts = start_flags.starts(_PRESET, _INITIALISATIONS)
    if _NETWORKS.value is not None:
        networks = flag_lists.names(_NETWORKS, list(steps))
    if _NUM_STEPS.value is not None:
        steps = dict.fromkeys(steps, _NUM_STEPS.value)
    config = settings.ConvergenceConfig(
        dataset,
        tuple(_KERNELS.value),
        tuple(_AUTOENCODERS.value),
        num_test=_NUM_TEST.value,
    )
    runs = settings.ConvergenceRuns(networks, starts, _NUM_RUNS.value, steps)
    with files.only_user(_OUTPUT_DIR.value) as folder:
        convergence_run.run(
            config, runs, _DATA_DIR.value, folder, command_line.command()
        )


if __name__ == "__main__":
    command_line.start(_main)
