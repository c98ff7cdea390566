r"""Shows the posterior of trained runs: shapes and dependence (Figures 5 to 9).

python -m experiments.posterior_figures --run=runs/mnist_methods/bbh/seed_0 \
    --run=runs/mnist_methods/mnf/seed_0 --output_dir=runs/posterior

Draws all weights many times and shows the marginals of the first 25, the
correlations in the first kernel and the standard deviations of all. The paper
has pictures only, from which it reads that Bayes by Hypernet is multimodal
and correlated, MNF near normal; tests of normality and of one mode, and ranks
of the covariance, say so in numbers. An ensemble's members are its draws. A
run drawn once is not drawn again.
"""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import lazy
from experiments.posterior import settings

shown = lazy.import_module("experiments.posterior.shown")

_RUN = flags.DEFINE_multi_string(
    "run",
    [],
    "Folder of a run, <table>/<row>/seed_<n>; several times, or several "
    "folders with commas between.",
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for figures, numbers and draws."
)
_NUM_DRAWS = flags.DEFINE_integer(
    "num_draws",
    settings.NUM_DRAWS,
    "Draws of the weights; the authors' code makes 1,000.",
)
_NUM_CHOSEN = flags.DEFINE_integer(
    "num_chosen",
    settings.NUM_CHOSEN,
    "How many weights of all layers are tested for normality.",
)


def run():
    """Draws weights of all runs; writes figures, numbers and a finding."""
    folders = [x for text in _RUN.value for x in text.split(",") if x]
    flag_checks.check(_RUN, folders, "at least one folder of a run")
    flag_checks.check_fewest(((_NUM_DRAWS, 3), (_NUM_CHOSEN, 1)))
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    shown.make(folders, _OUTPUT_DIR.value, _NUM_DRAWS.value, _NUM_CHOSEN.value)


if __name__ == "__main__":
    command_line.start(run)
