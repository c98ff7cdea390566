"""Tables of results beside the paper's, as text."""

import numpy as np

from experiments import paper
from experiments import provenance

# Key in the results, heading, digits after the point.
COLUMNS = (
    ("error_percent", "error %", 2),
    ("in_auc", "in AUC", 3),
    ("outlier_auc", "outlier AUC", 3),
    ("nll", "NLL", 3),
    ("ece", "ECE", 3),
    ("auroc", "AUROC", 3),
    ("seconds", "seconds", 0),
)


def rows(results):
    """Gathers results by method.

    Args:
        results: list of result dictionaries.

    Returns:
        List of `(method, cells)`, where cells maps a column's key to
        `(mean, standard deviation or None)` over the seeds.
    """
    methods = list(dict.fromkeys(r["config"]["method"] for r in results))
    table = []
    for method in methods:
        chosen = [r for r in results if r["config"]["method"] == method]
        cells = {}
        for key, _, _ in COLUMNS:
            values = [
                {**r["measures"], "seconds": r["seconds"]}[key] for r in chosen
            ]
            spread = np.std(values, ddof=1) if len(values) > 1 else None
            cells[key] = (float(np.mean(values)), spread)
        table.append((method, cells))
    return table


def format_cell(cell, digits):
    """Writes a mean, and its standard deviation where there is one."""
    mean, spread = cell
    text = f"{mean:.{digits}f}"
    return text if spread is None else f"{text} ± {spread:.{digits}f}"


def paper_cells(method):
    """Returns the paper's row on MNIST as texts, by column key."""
    row = paper.MNIST_METHODS[method]
    return {
        "error_percent": f"{row.error_percent:.2f}",
        "in_auc": f"{row.in_auc:.2f}",
        "outlier_auc": f"{row.outlier_auc:.2f}",
        "seconds": f"{row.seconds:.0f}",
    }


def order(result):
    """Sorts results by method, as the paper lists them, then by seed."""
    config = result["config"]
    methods = list(paper.MNIST_METHODS)
    return methods.index(config["method"]), config["seed"]


def text_table(results):
    """Formats results, with the paper's MNIST figures under each row."""
    lines = _lines(results, "  paper, MNIST", "–")
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def markdown_table(results):
    """Formats results as `text_table` does, in Markdown."""
    heading, *lines = _lines(results, "paper, MNIST", "")
    rows = [heading, ["---"] * len(heading)]
    for line in lines:
        if line[0].startswith("paper"):
            line = [f"*{cell}*" if cell else "" for cell in line]
        rows.append(line)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _lines(results, name_of_paper, blank):
    lines = [["", *(heading for _, heading, _ in COLUMNS)]]
    lengths = {r["config"]["method"]: _length(r["config"]) for r in results}
    for method, cells in rows(results):
        name = paper.METHOD_NAMES[method]
        if len(set(lengths.values())) > 1:
            name += f", {lengths[method]}"
        lines.append(
            [name, *(format_cell(cells[key], d) for key, _, d in COLUMNS)]
        )
        printed = paper_cells(method)
        lines.append(
            [
                name_of_paper,
                *(printed.get(key, blank) for key, _, _ in COLUMNS),
            ]
        )
    return lines


def _length(config):
    if config["num_steps"] is not None:
        return f"{config['num_steps']:,} steps"
    return f"{config['epochs']} epochs"


def origins(results):
    """Says which commits on which machines made the results."""
    lines = {}
    for result in results:
        made = result["provenance"]
        origin = (
            f"commit {made['commit'][:7]}{made['commit'][40:]}, "
            f"{provenance.hardware(made)}, "
            f"TensorFlow {made['tensorflow']}, Keras {made['keras']}"
        )
        method = paper.METHOD_NAMES[result["config"]["method"]]
        lines.setdefault(origin, []).append(method)
    return [
        f"{', '.join(dict.fromkeys(methods))}: {origin}."
        for origin, methods in lines.items()
    ]


def notes(results):
    """Says what the rows are and are not, a sentence a line."""
    first = results[0]
    config = first["config"]
    seeds = sorted({r["config"]["seed"] for r in results})
    lengths = ", ".join(
        dict.fromkeys(_length(result["config"]) for result in results)
    )
    lines = [
        f"{config['dataset']}: {first['num_train']:,} training and "
        f"{first['num_test']:,} test images, {first['num_outliers']:,} "
        f"{first['outliers']} as outliers; mean ± standard deviation over "
        f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}; preset "
        f"{config['preset']}, {lengths}.",
        "AUC: area under the CDF of the predictive entropy, over the maximum "
        "entropy (high: confident). AUROC: outliers told from test images by "
        "entropy. NLL in nats per example.",
    ]
    if config["dataset"] != "mnist":
        lines.append(
            "The paper's figures are for MNIST and notMNIST with 431,080 "
            "weights and a KL weight of 1 / 55,000: another data set, network "
            "and KL weight, to be looked at, not compared with."
        )
    elif first["outliers"] != "notmnist":
        lines.append(
            "The paper's outliers are notMNIST; here they are "
            f"{first['outliers']} rendered from fonts."
        )
    for method in dict.fromkeys(r["config"]["method"] for r in results):
        chosen = [r for r in results if r["config"]["method"] == method]
        final = [r["final"] for r in chosen]
        line = (
            f"{paper.METHOD_NAMES[method]}: {chosen[0]['settings']}; "
            f"{chosen[0]['num_parameters']:,} trained parameters"
        )
        if "kl" in final[0]:
            kl = np.mean([f["kl"] for f in final])
            weighted = np.mean([f["kl"] * f["kl_weight"] for f in final])
            line += (
                f"; at the end KL {kl:,.0f} nats, {weighted:.3f} nats per "
                "example in the loss"
            )
        lines.append(line + ".")
    return lines
