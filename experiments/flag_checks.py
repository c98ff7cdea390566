"""What commands refuse alike."""

import contextlib

from experiments.errors import ExperimentError


@contextlib.contextmanager
def naming(name):
    """Names the flag that a file is of, where a refusal names the file.

    Args:
        name: the flag's, without dashes.

    Raises:
        ExperimentError: with that name before what was said.
    """
    try:
        yield
    except ExperimentError as error:
        raise ExperimentError(f"--{name}: {error}") from error


def check_output_dir(value):
    """Refuses a missing folder.

    Args:
        value: what `--output_dir` says.

    Raises:
        ExperimentError: if that is nothing.
    """
    if not value:
        raise ExperimentError("--output_dir: expected a folder; got none.")


def check(flag, is_fit, expected):
    """Refuses what a flag says unless it fits.

    Args:
        flag: an `absl` flag's holder.
        is_fit: whether its value fits.
        expected: what would, for the message.

    Raises:
        ExperimentError: naming the flag.
    """
    if is_fit:
        return
    given = flag.value
    if isinstance(given, list):
        given = ",".join(given)
    raise ExperimentError(
        f"--{flag.name}: expected {expected}; got "
        f"{'none' if given in (None, '') else given}."
    )


def check_fewest(pairs):
    """Refuses numbers that are too small, or too large to be meant.

    Args:
        pairs: pairs of an `absl` flag's holder and the least value that it may
            have; None is let through.

    Raises:
        ExperimentError: naming the flag.
    """
    for flag, fewest in pairs:
        check(
            flag,
            flag.value is None or fewest <= flag.value < 2**31 - 1,
            f"at least {fewest}, below 2^31 - 1",
        )


def check_data_dir(data_dir, datasets, without=("digits", "letters")):
    """Refuses a folder of data where nothing would be read from it.

    Args:
        data_dir: what `--data_dir` says.
        datasets: names of all data sets that are asked for.
        without: names of those that read no folder.

    Raises:
        ExperimentError: if there is a folder, and all are such.
    """
    if data_dir and {*datasets} <= {*without}:
        raise ExperimentError(
            f"--data_dir: expected none with {', '.join(sorted(set(datasets)))}"
            f", which read no folder; got {data_dir}."
        )


def check_had(config):
    """Refuses flags of what no row of a table has.

    Args:
        config: a `Config`.

    Raises:
        ExperimentError: naming the flag.
    """
    runs = config.runs()
    had = {
        "num_members": any(x.method == "ensemble" for x in runs),
        "divergence_weights": any(x.divergence == "adversarial" for x in runs),
    }
    for name, is_had in had.items():
        if getattr(config, name) is not None and not is_had:
            raise ExperimentError(
                f"--{name}: expected a row that has it; none of "
                f"{', '.join(config.rows)} does."
            )
