"""One self-contained HTML page for an experiment."""

import pathlib

from experiments import changes
from experiments import paper_tables
from experiments import provenance
from experiments import runner
from experiments.reporting import exhibit_sections
from experiments.reporting import figures
from experiments.reporting import found
from experiments.reporting import html_page
from experiments.reporting import table_sections
from experiments.reporting import tables


def write(config, results):
    """Writes `report.html` into the experiment's folder.

    Args:
        config: a `Config`.
        results: list of result dictionaries.

    Returns:
        The page's path.
    """
    folder = pathlib.Path(config.output_dir)
    table = paper_tables.TABLES[config.table]
    page = html_page.HtmlPage(f"{table.title}, on {config.dataset}")
    page.heading("Error and uncertainty")
    table_sections.add(page, results, folder)
    for place, finding in found.exhibits(folder):
        exhibit_sections.add(page, finding, place)
    page.heading("Images")
    data = runner.load_data(config)
    for result, *_ in tables.by_row(results):
        name = paper_tables.row_of(result["config"]).name
        page.figure(
            figures.as_png(figures.examples(result, data, folder, name)),
            f"{name}, seed {result['config']['seed']}: predicted class with "
            "its probability, and the entropy of the prediction. Mistakes in "
            "red.",
        )
    page.heading("How it was made")
    description = results[0]["provenance"]
    page.facts({"command": command(config), **provenance.facts(description)})
    path = folder / "report.html"
    page.write(path)
    return path


def command(config):
    """Returns the command that makes an experiment again."""
    flags = {
        "dataset": config.dataset,
        paper_tables.TABLES[config.table].flag: ",".join(config.rows),
        "seeds": ",".join(map(str, config.seeds)),
        "scale": config.scale,
        "preset": config.preset,
        "kl_scale": f"{config.kl_scale:g}",
        "epochs": config.epochs,
        "num_steps": config.num_steps,
        "num_members": config.num_members,
        "divergence_weights": config.divergence_weights,
        "global_clipnorm": config.global_clipnorm,
        "num_validation": config.num_validation or None,
        "num_prediction_samples": config.num_prediction_samples,
        "mixed_precision": config.mixed_precision or None,
        "data_dir": config.data_dir,
        "outlier_dir": config.outlier_dir,
        "output_dir": config.output_dir,
    }
    words = [f"--{k}={v}" for k, v in flags.items() if v is not None]
    words += [f"--set={text}" for text in changes.as_texts(config.changes)]
    return " ".join([f"python -m experiments.{config.table}", *words])
