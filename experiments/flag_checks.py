"""What commands refuse alike."""

from experiments.errors import ExperimentError


def check_output_dir(value):
    """Refuses a missing folder.

    Args:
        value: what `--output_dir` says.

    Raises:
        ExperimentError: if that is nothing.
    """
    if not value:
        raise ExperimentError("--output_dir: expected a folder; got none.")


def check_fewest(pairs):
    """Refuses numbers that are too small, or too large to be meant.

    Args:
        pairs: pairs of an `absl` flag's holder and the least value that it may
            have; None is let through.

    Raises:
        ExperimentError: naming the flag.
    """
    for flag, fewest in pairs:
        value = flag.value
        if value is not None and not fewest <= value < 2**31 - 1:
            raise ExperimentError(
                f"--{flag.name}: expected at least {fewest}, below 2^31 - 1; "
                f"got {value}."
            )
