"""Shows the posterior of trained runs: shapes and dependence (Figures 5 to 9).

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
from experiments import files
from experiments import flag_checks
from experiments.errors import ExperimentError

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
    "num_draws", 1000, "Draws of the weights; the paper's figures have 1,000."
)
_NUM_CHOSEN = flags.DEFINE_integer(
    "num_chosen",
    2000,
    "How many weights of all layers are tested for normality.",
)


def run():
    """Draws weights of all runs; writes figures, numbers and a finding."""
    folders = [x for text in _RUN.value for x in text.split(",") if x]
    if not folders:
        raise ExperimentError(
            "--run: expected at least one folder of a run; got none."
        )
    for flag, fewest in ((_NUM_DRAWS, 3), (_NUM_CHOSEN, 1)):
        if flag.value < fewest:
            raise ExperimentError(
                f"--{flag.name}: expected at least {fewest}; got {flag.value}."
            )
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    from experiments import run_names
    from experiments.posterior import findings

    configs = [findings.read_config(folder) for folder in folders]
    keys = [run_names.file_name(config) for config in configs]
    for folder, key in zip(folders, keys):
        if keys.count(key) > 1:
            raise ExperimentError(
                f"--run: expected each run once; got {folder} and another of "
                "its table, row and seed."
            )
    settings = {
        "num_draws": _NUM_DRAWS.value,
        "num_chosen": _NUM_CHOSEN.value,
    }
    with files.only_user(_OUTPUT_DIR.value) as output:
        every = {
            name: findings.draws(folder, config, output, settings)
            for name, folder, config in zip(
                run_names.names(configs), folders, configs
            )
        }
        _write(every, configs, settings, output)


def _write(every, configs, settings, output):
    from experiments import provenance
    from experiments import run_names
    from experiments.posterior import findings
    from experiments.posterior import panels
    from experiments.posterior import tables as posterior_tables
    from experiments.reporting import exhibit
    from experiments.reporting import tables

    found = {name: findings.measure(drawn) for name, drawn in every.items()}
    shapes = posterior_tables.shapes(found)
    dependence = posterior_tables.dependence(found)
    notes = posterior_tables.notes(found, configs, settings)
    for table in (shapes, dependence):
        print(f"{tables.aligned(table)}\n")
    print("\n".join(notes))
    pictures = []
    for (name, drawn), config in zip(every.items(), configs):
        pictures.append(
            exhibit.Figure(
                _save(
                    panels.marginals(drawn, name),
                    output / f"marginals_{run_names.file_name(config)}.png",
                ),
                f"{name}: the marginals of 25 weights, with the normal of "
                "their mean and standard deviation. Where bars and line "
                "part, the posterior is not normal. A title says more than the "
                "weight's number where a test at the 1 % level rejects "
                "normality, or one mode.",
            )
        )
    pictures.append(
        exhibit.Figure(
            _save(panels.correlations(every), output / "correlations.png"),
            "Correlations in the first kernel. Above, in the paper's order, "
            "the filter's number fastest: a factor for each filter makes thin "
            "stripes. Below, filter by filter: it makes blocks on the "
            "diagonal. White: below 0.05, most of it the draws' own scatter; "
            "colour everywhere: all weights move together. Grey: each weight "
            "with itself, and weights that do not vary.",
        )
    )
    pictures.append(
        exhibit.Figure(
            _save(panels.spreads(every, configs), output / "spreads.png"),
            "How much each weight of the network varies over draws, beside "
            "the prior's standard deviation of 1. Far to the left, a weight "
            "is almost certain; at the prior, the data said nothing of it.",
        )
    )
    files.write_json(
        output / "results.json",
        {
            "settings": settings,
            "runs": [
                {"name": name, "config": config, "measures": found[name]}
                for name, config in zip(found, configs)
            ],
            "provenance": provenance.describe(),
        },
    )
    exhibit.write(
        output,
        "Posteriors of the weights (Figures 5 to 9)",
        pictures,
        [
            exhibit.Table("Shape of the marginals.", shapes[0], shapes[1:]),
            exhibit.Table(
                "Dependence within the first kernel.",
                dependence[0],
                dependence[1:],
            ),
        ],
        notes,
        command_line.command(),
    )
    print(f"\nFigures: {', '.join(str(output / x.file) for x in pictures)}")


def _save(figure, path):
    """Writes a figure; returns its file's name."""
    from experiments.reporting import figures

    data = figures.as_png(figure)
    with files.replacing(path) as temporary:
        temporary.write_bytes(data)
    return path.name


if __name__ == "__main__":
    command_line.start(run)
