"""Figures 5 to 9: the posteriors of runs, drawn now or before."""

from experiments import command_line
from experiments import files
from experiments import provenance
from experiments import run_names
from experiments.errors import ExperimentError
from experiments.posterior import findings
from experiments.posterior import panels
from experiments.posterior import settings
from experiments.posterior import tables as posterior_tables
from experiments.reporting import exhibit
from experiments.reporting import figures
from experiments.reporting import tables


def make(
    folders,
    output_dir,
    num_draws=settings.NUM_DRAWS,
    num_chosen=settings.NUM_CHOSEN,
):
    """Draws weights of all runs; writes figures, numbers and a finding.

    Args:
        folders: list of folders of runs whose weights are random.
        output_dir: folder for figures, numbers and draws. A run whose draws
            are there is not drawn again.
        num_draws: draws of the weights.
        num_chosen: how many weights of all layers are tested for normality.

    Raises:
        ExperimentError: with one line that says what is wrong.
    """
    configs = [findings.read_config(folder) for folder in folders]
    keys = [run_names.file_name(config) for config in configs]
    for folder, key in zip(folders, keys):
        if keys.count(key) > 1:
            raise ExperimentError(
                f"--run: expected each run once; got {folder} and another of "
                "its table, row and seed."
            )
    chosen = {"num_draws": num_draws, "num_chosen": num_chosen}
    with files.only_user(output_dir) as output:
        files.check_results(output, {"settings": chosen})
        every = {
            name: findings.draws(folder, config, output, chosen)
            for name, folder, config in zip(
                run_names.names(configs), folders, configs
            )
        }
        found = {
            name: {
                **findings.measure(drawn, config),
                "trained_kl": findings.trained_kl(folder, config),
            }
            for (name, drawn), folder, config in zip(
                every.items(), folders, configs
            )
        }
        _write(every, found, configs, chosen, output)


def _write(every, found, configs, chosen, output):
    shown = {
        "Shape of the marginals.": posterior_tables.shapes(found),
        "Dependence within the first kernel.": posterior_tables.dependence(
            found
        ),
        "KL of all weights.": posterior_tables.kl(found),
    }
    shown = {title: rows for title, rows in shown.items() if rows[1:]}
    notes = posterior_tables.notes(found, configs, chosen)
    for table in shown.values():
        print(f"{tables.aligned(table)}\n")
    print("\n".join(notes))
    pictures = []
    for (name, drawn), config in zip(every.items(), configs):
        pictures.append(
            exhibit.Figure(
                figures.save(
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
            figures.save(
                panels.correlations(every), output / "correlations.png"
            ),
            "Correlations in the first kernel. Above, in the paper's order, "
            "the filter's number fastest: a factor for each filter makes thin "
            "stripes. Below, filter by filter: it makes blocks on the "
            "diagonal. White: below 0.05, most of it the draws' own scatter; "
            "colour everywhere: all weights move together. Grey: each weight "
            "with itself, and weights that do not vary.",
        )
    )
    priors = sorted({findings.prior_std(x) for x in configs} - {None})
    if not any(map(findings.learns_prior_scale, configs)):
        # An ensemble's weights, which have none, stand beside N(0, 1).
        priors = priors or [1.0]
    pictures.append(
        exhibit.Figure(
            figures.save(
                panels.spreads(every, configs, priors), output / "spreads.png"
            ),
            _caption_of_spreads(priors),
        )
    )
    files.write_json(
        output / "results.json",
        {
            "settings": chosen,
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
            exhibit.Table(title, rows[0], rows[1:])
            for title, rows in shown.items()
        ],
        notes,
        command_line.command(),
    )
    print(f"\nFigures: {', '.join(str(output / x.file) for x in pictures)}")


def _caption_of_spreads(priors):
    said = "How much each weight of the network varies over draws"
    if not priors:
        return f"{said}. Far to the left, a weight is almost certain."
    several = "" if len(priors) == 1 else "s"
    stds = " and ".join(f"{std:.3g}" for std in priors)
    return (
        f"{said}, beside the prior's standard deviation{several} of {stds}. "
        "Far to the left, a weight is almost certain; at the prior, the data "
        "said nothing of it."
    )
