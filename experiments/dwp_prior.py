"""A density of kernels for the deep weight prior, and what it is worth.

python -m experiments.dwp_prior --kernels=kernels.npy --output_dir=runs/prior

Trains a variational autoencoder of kernels as Atanov et al. do (The Deep Weight
Prior, arXiv:1810.06943, App. H.1: 300 epochs, Adam, a rate that falls from 1e-3
to 0) for each dimension of z that is asked for, and says how dense it is on
kernels held out, beside normals fitted to the same kernels: the bound, which
the prior uses, and the importance-weighted one, which is closer to the density
itself. Figures 1 and 6. Each autoencoder is left as `z<dimension>.keras`;
`.as_prior()` of what `keras.models.load_model` makes of it is the prior. A run
that is stopped goes on with the first that is not there.
"""

import math
import pathlib

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments import strategies
from experiments.dwp import settings

prior_run = lazy.import_module("experiments.dwp.prior_run")

_KERNELS = flags.DEFINE_list(
    "kernels",
    None,
    "Files of kernels to train on: .npy of (count, k, k), or .npz of "
    "dwp_sources.",
)
_HELD_OUT = flags.DEFINE_string(
    "held_out", None, "Kernels to measure on; none: a part of --kernels."
)
_HELD_OUT_FRACTION = flags.DEFINE_float(
    "held_out_fraction", 0.2, "That part, where there is no --held_out."
)
_LATENT_DIMS = flags.DEFINE_list(
    "latent_dims", None, "Dimensions of z; none: the paper's, 2 or 4."
)
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", 0, "T of the Markov chain that is the prior of z (Eq. 9)."
)
_EPOCHS = flags.DEFINE_integer("epochs", 300, "Epochs.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "Kernels in a batch.")
_LEARNING_RATE = flags.DEFINE_float("learning_rate", 1e-3, "Rate at first.")
_RELEASED = flags.DEFINE_string(
    "released", None, "A released autoencoder, .npz, to measure beside them."
)
_RMS = flags.DEFINE_float(
    "rms",
    None,
    "Root mean square of the pixels that the autoencoder sees: kernels are "
    "scaled to it, results are of the kernels themselves. None: their own, as "
    "in the paper; 0.2 where that is much smaller.",
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all, the split too.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for autoencoders, results.json and figures."
)
_STRATEGY = strategies.define_flag()


def _config():
    flag_checks.check(_KERNELS, _KERNELS.value, "a file")
    # One that comes twice would be trained on and held out.
    paths = [pathlib.Path(x).resolve() for x in _KERNELS.value]
    flag_checks.check(_KERNELS, len(set(paths)) == len(paths), "each file once")
    if _HELD_OUT.value:
        flag_checks.check(
            _HELD_OUT,
            pathlib.Path(_HELD_OUT.value).resolve() not in paths,
            "a file that is not of --kernels, which are trained on",
        )
        flag_checks.check(
            _HELD_OUT_FRACTION,
            not _HELD_OUT_FRACTION.present,
            "none beside --held_out, which says what is held out",
        )
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    for flag in (_HELD_OUT_FRACTION, _LEARNING_RATE):
        flag_checks.check(flag, 0 < flag.value < 1, "0 < x < 1")
    flag_checks.check(
        _RMS,
        _RMS.value is None or 0 < _RMS.value < math.inf,
        "a finite number above 0",
    )
    flag_checks.check_fewest(
        ((_NUM_STEPS, 0), (_EPOCHS, 1), (_BATCH_SIZE, 1), (_SEED, 0))
    )
    dims = ()
    if _LATENT_DIMS.value is not None:
        dims = flag_lists.integers(_LATENT_DIMS, 1)
    return settings.PriorConfig(
        tuple(_KERNELS.value),
        _HELD_OUT.value,
        _HELD_OUT_FRACTION.value,
        dims,
        _NUM_STEPS.value,
        _EPOCHS.value,
        _BATCH_SIZE.value,
        _LEARNING_RATE.value,
        _RELEASED.value,
        _SEED.value,
        _RMS.value,
    )


def _main():
    config = _config()
    with strategies.job(_STRATEGY.value, _OUTPUT_DIR.value) as folder:
        prior_run.run(
            config,
            folder,
            command_line.command(),
            strategies.make(_STRATEGY.value),
        )


if __name__ == "__main__":
    command_line.start(_main, takes_strategy=True)
