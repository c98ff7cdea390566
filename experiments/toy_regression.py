"""Six methods on the cubic of Figure 1, beside the posterior itself.

python -m experiments.toy_regression --output_dir=runs/toy

Twenty points of y = x^3 + noise of standard deviation 9; a network of 100 ReLU
units; N(0, 1) on each weight; a normal likelihood of the true noise. The paper
gives no settings. `--preset=paper` trains each method on its full objective,
with steps, draws and clipping that differ between methods;
`--preset=released_code` is what the authors' code did, whose KLs are off after
four of 40 steps. The No-U-Turn Sampler draws from the posterior that all
methods approximate, so that "wide enough" is a number: see
docs/toy_regression.md for what they reach.
"""

import dataclasses

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments.errors import ExperimentError
from experiments.toy import settings as toy_settings

tables = lazy.import_module("experiments.reporting.tables")
toy_comparison = lazy.import_module("experiments.toy.comparison")
toy_table = lazy.import_module("experiments.toy.table")

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for results.json and the figure."
)
_PRESET = flags.DEFINE_string(
    "preset",
    "paper",
    "paper: the full objective of each method. The paper gives no settings; "
    "steps, rates and, for BbH, samples and noise were chosen by us for "
    "closeness to the posterior, and are not the same for all: 2,000 steps "
    "(4,000 of BbB, 5,000 of BbH), 1 draw in the likelihood (5 of BbB and "
    "BbH), clipping of BbH alone. released_code: the authors' code, in which "
    "the KL is off after four of 40 steps.",
)
_METHODS = flags.DEFINE_list(
    "methods",
    list(toy_settings.METHODS),
    "Which methods: "
    + "; ".join(f"{k}: {v}" for k, v in toy_settings.METHODS.items())
    + ".",
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all but the data.")
_NUM_PREDICTION_SAMPLES = flags.DEFINE_integer(
    "num_prediction_samples",
    None,
    "Draws of the weights at prediction; none: 500, or the code's 100.",
)
_SCALE = flags.DEFINE_string(
    "scale", "full", "full; or smoke: a few steps and draws, to try it out."
)
_DIVERGENCE = flags.DEFINE_string(
    "divergence",
    None,
    "Estimate of BbH's KL, in place of the preset's: "
    f"{', '.join(toy_settings.DIVERGENCES)}.",
)
_NOISE_DIM = flags.DEFINE_integer(
    "noise_dim", None, "Dimension of BbH's noise, in place of the preset's."
)
_SHARED_NOISE = flags.DEFINE_boolean(
    "shared_noise",
    None,
    "Whether BbH's hypernetworks share the noise, in place of the preset's.",
)
_NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples",
    None,
    "Samples of posterior and prior in BbH's KL, in place of the preset's.",
)
_NUM_PRIOR_SAMPLES = flags.DEFINE_integer(
    "num_prior_samples",
    None,
    "Samples of the prior in BbH's KL; none: --num_samples.",
)
_CLIPNORM = flags.DEFINE_float(
    "clipnorm",
    None,
    "Largest norm of BbH's gradient, in place of the preset's; 0: no limit.",
)


def run():
    """Samples the posterior, trains the methods, writes numbers and figure."""
    settings, num_draws = _check_flags()
    told = {
        "preset": _PRESET.value,
        "scale": _SCALE.value,
        "seed": _SEED.value,
        "num_prediction_samples": num_draws,
        "settings": {k: dataclasses.asdict(v) for k, v in settings.items()},
    }
    with files.only_user(_OUTPUT_DIR.value) as output:
        files.check_results(output, told)
        results, draws = toy_comparison.compare(
            settings, _SEED.value, num_draws, _SCALE.value
        )
        print(tables.aligned(toy_table.table(results, toy_comparison.NAMES)))
        print()
        for line in toy_table.notes(results):
            print(line)
        path = toy_comparison.write(
            {**results, **told},
            draws,
            output,
            command_line.command(),
        )
    print(f"Figure: {path}")


def _check_flags():
    """Returns the settings of each method, and how many draws it predicts."""
    for flag, choices in (
        (_PRESET, toy_settings.PRESETS),
        (_SCALE, toy_settings.SCALES),
        (_DIVERGENCE, (None, *toy_settings.DIVERGENCES)),
    ):
        flag_checks.check(
            flag,
            flag.value in choices,
            f"one of {', '.join(filter(None, choices))}",
        )
    methods = flag_lists.names(_METHODS, toy_settings.METHODS)
    flag_checks.check_fewest(
        (
            (_SEED, 0),
            (_NUM_PREDICTION_SAMPLES, 2),
            (_NOISE_DIM, 1),
            (_NUM_SAMPLES, 2),
            (_NUM_PRIOR_SAMPLES, 1),
            (_CLIPNORM, 0),
        )
    )
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    changes = {
        flag.name: flag.value
        for flag in (
            _DIVERGENCE,
            _NOISE_DIM,
            _SHARED_NOISE,
            _NUM_SAMPLES,
            _NUM_PRIOR_SAMPLES,
            _CLIPNORM,
        )
    }
    if "bbh" not in methods:
        for name, value in changes.items():
            if value is not None:
                raise ExperimentError(
                    f"--{name}: is of bbh; got --methods={','.join(methods)}."
                )
    settings = {
        method: toy_settings.of(
            _PRESET.value,
            method,
            _SCALE.value,
            **(changes if method == "bbh" else {}),
        )
        for method in toy_settings.METHODS
        if method in methods
    }
    bbh = settings.get("bbh")
    flag_checks.check(
        _NUM_PRIOR_SAMPLES,
        not (_NUM_PRIOR_SAMPLES.value and bbh and bbh.divergence == "entropy"),
        "none with --divergence=entropy, which knows the prior's density",
    )
    num_draws = toy_settings.num_prediction_samples(
        _PRESET.value, _NUM_PREDICTION_SAMPLES.value
    )
    return settings, num_draws


if __name__ == "__main__":
    command_line.start(run)
