"""What is said of a table's rows below it."""

import numpy as np

from experiments import paper_tables
from experiments.reporting import tables


def notes(results):
    """Says what the rows are and are not, a sentence a line."""
    config = results[0]["config"]
    lines = [
        *_measured_on(results),
        "AUC: area under the CDF of the predictive entropy, over the maximum "
        "entropy (high: confident). AUROC: outliers detected among test images "
        "by entropy, or by mutual information (MI; 0.5 for a single network, "
        "which has none). NLL in nats per example.",
    ]
    if "aurc_per_mille" in [key for key, _, _ in tables.columns(results)]:
        lines.append(
            "AURC: area under the risk-coverage curve, the error rate among "
            "the surest test images, by the highest probability, averaged "
            "over all coverages; per mille."
        )
    again = {}
    for result in results:
        made = result.get("measured_again")
        if made is not None:
            name = tables.name_of(result["config"])
            again[f"{name} (commit {made['commit'][:7]})"] = None
    if again:
        lines.append(
            "Measured later, from the predictions that were kept, AURC among "
            f"others: {', '.join(again)}."
        )
    others = {x["outliers"] for x in results} - set(tables.PAPERS_OUTLIERS)
    data = paper_tables.data_of(config).lower()
    if any(x["config"]["dataset"] != data for x in results):
        lines.append(
            "The paper's figures are for MNIST and notMNIST with 431,080 "
            "weights and a KL weight of 1 / 55,000: another data set, network "
            "and KL weight, to be looked at, not compared with."
        )
    elif others:
        lines.append(
            "The paper's outliers are notMNIST; here they are "
            f"{', '.join(sorted(others))} rendered from fonts."
        )
    for chosen in tables.by_row(results):
        final = [r["final"] for r in chosen]
        line = (
            f"{tables.name_of(chosen[0]['config'])}: "
            f"{chosen[0]['settings']}; "
            f"{chosen[0]['num_parameters']:,} trained parameters"
        )
        if final[0].get("kl"):
            kl = np.mean([f["kl"] for f in final])
            weighted = np.mean([f["kl"] * f["kl_weight"] for f in final])
            line += (
                f"; at the end KL {kl:,.0f} nats, {weighted:.3f} nats per "
                "example in the loss"
            )
        lines.append(line + ".")
    return lines


def _measured_on(results):
    """Says on which images under which preset, a line for all rows alike."""
    groups = {}
    for x in results:
        config = x["config"]
        part = "held-out" if config.get("num_validation") else "test"
        images = (
            f"{config['dataset']}: {x['num_train']:,} training and "
            f"{x['num_test']:,} {part} images, {x['num_outliers']:,} "
            f"{x['outliers']} as outliers"
        )
        groups.setdefault((images, config["preset"]), []).append(x)
    lines = []
    for (images, preset), chosen in groups.items():
        counts = sorted({len(seeds) for seeds in tables.by_row(chosen)})
        seeds = " to ".join(dict.fromkeys(map(str, (counts[0], counts[-1]))))
        lengths, names = (
            ", ".join(dict.fromkeys(text_of(x["config"]) for x in chosen))
            for text_of in (tables.length_of, tables.name_of)
        )
        lines.append(
            f"{names + ', on ' if len(groups) > 1 else ''}{images}; mean ± "
            f"standard deviation over {seeds} seed"
            f"{'' if counts == [1] else 's'}; preset {preset}, {lengths}."
        )
    return lines
