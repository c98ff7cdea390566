"""One self-contained HTML page for an experiment."""

import html
import pathlib

from experiments import figures
from experiments import files
from experiments import paper
from experiments import provenance
from experiments import runner
from experiments import tables

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem;
  margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .55rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #222; }
tr.paper td { color: #666; border-bottom: 1px solid #ddd; font-size: .9em; }
img { max-width: 100%; height: auto; }
figure { margin: 0; } figcaption, .notes { color: #444; font-size: .92em; }
"""


def write(config, results):
    """Writes `report.html` into the experiment's folder.

    Args:
        config: a `Config`.
        results: list of result dictionaries.

    Returns:
        The page's path.
    """
    folder = pathlib.Path(config.output_dir)
    data = runner.load_data(config)
    parts = [
        _section("Error and uncertainty", _table(results) + _notes(results)),
        _section(
            "Learning curves",
            _figure(
                figures.learning_curves(results, folder),
                "Training negative log-likelihood and accuracy of single "
                "draws of the weights, one line a seed. Where the KL counts, "
                "the likelihood is worse than MAP's: that is the price of "
                "the uncertainty.",
            ),
        ),
        _section(
            "How sure",
            _figure(
                figures.entropy_histograms(results, folder),
                "Entropy of the mean prediction, all seeds together. Test "
                "images should lie to the left, outliers to the right; the "
                "right end is a uniform guess.",
            ),
        ),
        _section("Images", _examples(results, data, folder)),
        _section("How it was made", _provenance(config, results)),
    ]
    title = f"{paper.TABLES[config.table].title}, on {config.dataset}"
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{title}</h1>{''.join(parts)}</body></html>\n"
    )
    path = folder / "report.html"
    files.write_text(path, page)
    return path


def _section(title, body):
    return f"<h2>{title}</h2>{body}"


def _table(results):
    headings = "".join(f"<th>{name}</th>" for _, name, _ in tables.COLUMNS)
    rows = []
    for config, cells in tables.rows(results):
        ours = "".join(
            f"<td>{tables.format_cell(cells[key], digits)}</td>"
            for key, _, digits in tables.COLUMNS
        )
        rows.append(f"<tr><td>{paper.row_of(config).name}</td>{ours}</tr>")
        printed = tables.paper_cells(config)
        if printed:
            theirs = "".join(
                f"<td>{printed.get(key, '–')}</td>"
                for key, _, _ in tables.COLUMNS
            )
            rows.append(
                f'<tr class="paper"><td>paper, {paper.data_of(config)}</td>'
                f"{theirs}</tr>"
            )
    return (
        '<div class="wide"><table><thead><tr><th></th>'
        f"{headings}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _notes(results):
    lines = "".join(
        f"<p>{html.escape(line)}</p>" for line in tables.notes(results)
    )
    return f'<div class="notes">{lines}</div>'


def _figure(figure, caption):
    return (
        f'<figure><img alt="{html.escape(caption)}" '
        f'src="{figures.as_png(figure)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _examples(results, data, folder):
    parts = []
    for result, *_ in tables.by_row(results):
        name = paper.row_of(result["config"]).name
        parts.append(
            _figure(
                figures.examples(result, data, folder, name),
                f"{name}, seed {result['config']['seed']}: predicted class "
                "with its probability, and the entropy of the prediction. "
                "Mistakes in red.",
            )
        )
    return "".join(parts)


def _provenance(config, results):
    description = results[0]["provenance"]
    lines = {
        "command": command(config),
        "commit": description["commit"],
        "machine": provenance.hardware(description),
        "software": f"Python {description['python']}, TensorFlow "
        f"{description['tensorflow']}, Keras {description['keras']}",
    }
    return "".join(
        f"<p>{name}: <code>{html.escape(value)}</code></p>"
        for name, value in lines.items()
    )


def command(config):
    """Returns the command that makes an experiment again."""
    flags = {
        "dataset": config.dataset,
        paper.TABLES[config.table].flag: ",".join(config.rows),
        "seeds": ",".join(map(str, config.seeds)),
        "scale": config.scale,
        "preset": config.preset,
        "kl_scale": f"{config.kl_scale:g}",
        "epochs": config.epochs,
        "num_steps": config.num_steps,
        "num_members": config.num_members,
        "divergence_weights": config.divergence_weights,
        "num_validation": config.num_validation or None,
        "num_prediction_samples": config.num_prediction_samples,
        "mixed_precision": config.mixed_precision or None,
        "data_dir": config.data_dir,
        "outlier_dir": config.outlier_dir,
        "output_dir": config.output_dir,
    }
    words = [f"--{k}={v}" for k, v in flags.items() if v is not None]
    return " ".join([f"python -m experiments.{config.table}", *words])
