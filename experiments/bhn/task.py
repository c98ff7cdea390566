"""What the commands of the tasks share: flags, and trials in a row."""

import contextlib

from absl import flags

from experiments import flag_checks
from experiments import strategies

# They are in the --help of the command that has them.
flags.disclaim_key_flags()

_FLAGS = flags.FLAGS
_PRESETS = ("paper", "released_code")


def define_flags(datasets, methods):
    """Defines the flags that all tasks have.

    Args:
        datasets: names of the data sets, the default first.
        methods: names of the default methods.
    """
    flags.DEFINE_string("output_dir", None, "Folder for trials and tables.")
    flags.DEFINE_enum("dataset", datasets[0], datasets, "Which images.")
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
    )
    flags.DEFINE_list(
        "methods",
        methods,
        "Which methods: mle, dropout, no_coupling, real_nvp_<couplings>, "
        "iaf_<layers>, bbh.",
    )
    flags.DEFINE_integer(
        "num_trials",
        None,
        "Trials of each, with seeds from 0 on; none: the data set's.",
    )
    flags.DEFINE_integer("epochs", None, "Epochs; none: the data set's.")
    flags.DEFINE_integer(
        "num_train", None, "Training images; none: the data set's."
    )
    flags.DEFINE_integer(
        "num_test", None, "Test images, the first; none: the data set's."
    )
    flags.DEFINE_enum(
        "preset",
        _PRESETS[0],
        _PRESETS,
        "paper; or released_code, with the faults of the authors' code.",
    )
    strategies.define_flag()


def define_kl_scale(examples):
    """Defines `--kl_scale`.

    Args:
        examples: over the number of what the KL is.

    Returns:
        The flag's holder.
    """
    return flags.DEFINE_float(
        "kl_scale",
        1.0,
        f"Factor of the KL, which is over the number of {examples}.",
        lower_bound=0.0,
        upper_bound=1.0,
    )


@contextlib.contextmanager
def job():
    """Keeps others out of `--output_dir`; models are made under `--strategy`.

    Yields:
        The folder; see `strategies.job`.
    """
    strategy = _FLAGS.strategy
    with strategies.job(strategy, _FLAGS.output_dir) as folder:
        with strategies.make(strategy).scope():
            yield folder


def check_flags():
    """Refuses numbers that are too small, and folders that do not fit.

    Raises:
        ExperimentError: naming the flag.
    """
    flag_checks.check_fewest(
        [
            (_FLAGS[name], 1)
            for name in ("num_trials", "epochs", "num_train", "num_test")
        ]
    )
    if "kl_scale" in _FLAGS:
        # NaN is no less than any bound.
        flag_checks.check_fewest([(_FLAGS["kl_scale"], 0)])
    flag_checks.check_output_dir(_FLAGS.output_dir)
    flag_checks.check_data_dir(_FLAGS.data_dir, [_FLAGS.dataset])


def given(*names):
    """Returns the flags of these names that are set, a dictionary."""
    return {
        name: _FLAGS[name].value
        for name in names
        if _FLAGS[name].value is not None
    }


def whole_numbers(flag):
    """Returns the numbers of a list flag, a tuple; None where it is not set.

    Args:
        flag: the flag's holder.

    Raises:
        ExperimentError: if one is no whole number above 0.
    """
    texts = flag.value
    if texts is None:
        return None
    flag_checks.check(
        flag,
        texts and all(x.isdecimal() and int(x) for x in texts),
        "whole numbers above 0",
    )
    return tuple(map(int, texts))
