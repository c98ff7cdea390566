"""The flags that say which initial kernels are compared with each other."""

from absl import flags

from experiments import flag_checks
from experiments import flag_lists
from experiments.dwp import settings

# They are in the --help of the command that has them.
flags.disclaim_key_flags()

_STARTS = {
    "paper": ("filters", "samples", "xavier"),
    "released_code": ("filters", "means", "xavier"),
}


def define():
    """Defines `--preset` and `--initialisations`.

    Returns:
        Their holders, in this order.
    """
    return (
        flags.DEFINE_enum(
            "preset",
            "paper",
            list(_STARTS),
            "released_code: the decoder's means in the place of draws of the "
            "prior.",
        ),
        flags.DEFINE_list(
            "initialisations",
            None,
            f"Some of {', '.join(settings.INITIALISATIONS)}; none: the "
            "preset's.",
        ),
    )


def starts(preset, initialisations):
    """Returns what the two say, names of `settings.INITIALISATIONS`.

    Args:
        preset, initialisations: the flags' holders.

    Raises:
        ExperimentError: if a name is none, or both are given.
    """
    if initialisations.value is None:
        return _STARTS[preset.value]
    # A preset says nothing else.
    flag_checks.check(
        preset, not preset.present, "none beside --initialisations"
    )
    return flag_lists.names(initialisations, list(settings.INITIALISATIONS))
