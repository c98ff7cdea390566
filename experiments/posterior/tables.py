"""What draws of weights say about the paper's claim, as text."""

from experiments.posterior import findings
from experiments.posterior import measures as posterior_measures

_MISSING = "–"


def shapes(found):
    """Sets out how many marginals are not normal, or not of one mode.

    Args:
        found: dictionary from names of runs to what
            `findings.measure` returns.

    Returns:
        List of lists of texts, the heading first.
    """
    lines = [
        [
            "marginals rejected at 1 %",
            "draws",
            "normality, first kernel",
            "one mode, first kernel",
            "normality, all layers",
            "one mode, all layers",
            "median std",
        ]
    ]
    for name, run in found.items():
        kernel, chosen = run["kernel"], run["chosen"]
        lines.append(
            [
                name,
                f"{run['num_draws']:,}",
                _percent(kernel["not_normal"]),
                _percent(kernel["multimodal"]),
                _percent(chosen["not_normal"]),
                _percent(chosen["multimodal"]),
                f"{run['median_std']:.2g}",
            ]
        )
    lines.append(["normal weights", "", *2 * ["1.0 %", "below 1 %"], ""])
    return lines


def dependence(found):
    """Sets out how the weights of first kernels depend on each other.

    Args:
        found: see `shapes`.

    Returns:
        List of lists of texts, the heading first.
    """
    lines = [
        [
            "weights of the first kernel",
            "weights",
            "mean |r|",
            "in a filter",
            "between filters",
            "effective rank",
            "participation ratio",
        ]
    ]
    references = {}
    for name, run in found.items():
        kernel = run["kernel"]
        lines.append(
            [
                name,
                f"{kernel['resolved']}",
                *(
                    _number(kernel[key], digits)
                    for key, digits in (
                        ("correlation", 3),
                        ("within_filters", 3),
                        ("between_filters", 3),
                        ("effective_rank", 1),
                        ("participation_ratio", 1),
                    )
                ),
            ]
        )
        if kernel["resolved"] > 1:
            references[run["num_draws"], kernel["resolved"]] = None
    for num_draws, num_weights in references:
        expected = posterior_measures.of_independent_weights(
            num_draws, num_weights
        )
        size = f"{expected['correlation']:.3f}"
        lines.append(
            [
                f"independent weights, {num_draws:,} draws",
                f"{num_weights}",
                *3 * [size],
                f"{expected['effective_rank']:.1f}",
                f"{expected['participation_ratio']:.1f}",
            ]
        )
    return lines


def kl(found):
    """Sets out the KL to the prior: as trained, and the least there can be.

    Args:
        found: see `shapes`; each has `"trained_kl"` besides.

    Returns:
        List of lists of texts, the heading first; of runs with a KL of their
        weights.
    """
    lines = [["KL to the prior, nats", "in training", "at least", "a weight"]]
    for name, run in found.items():
        if run["least_kl"] is None:
            continue
        trained, least = run["trained_kl"], run["least_kl"]
        lines.append(
            [
                name,
                _MISSING if trained is None else f"{trained:,.0f}",
                f"{least:,.0f}",
                f"{least / run['num_weights']:.3g}",
            ]
        )
    return lines


def notes(found, configs, settings):
    """Says what the numbers are and are not.

    Args:
        found: see `shapes`.
        configs: the runs' configurations, in the same order.
        settings: dictionary of the command's settings.

    Returns:
        List of sentences.
    """
    lines = [
        "Normality: Anderson-Darling, which rejects 1 % of normal marginals. "
        "One mode: Hartigan's dip, p-values by simulation from the uniform, "
        "the unimodal distribution most like several modes, so that other "
        "unimodal marginals are rejected more rarely. All layers: "
        f"up to {settings['num_chosen']:,} of all weights, chosen by chance; "
        "the dip of up to 500 of them.",
        "r: correlation over draws. Effective rank: exp of the entropy of the "
        "correlation matrix's eigenvalues; participation ratio: 1 over the "
        "sum of their squares. Both are 1 where all weights move as one. At "
        "most they are what independent weights reach with as many draws, for "
        "the draws' own scatter counts as correlation.",
    ]
    if any(run["least_kl"] is not None for run in found.values()):
        lines.append(
            "KL in training: what the loss had, the mean over the last epoch, "
            "an estimate unless it is the closed form. At least: the KL of "
            "independent normals with the draws' means and standard "
            "deviations, which no distribution with these is below; weights "
            "that do not vary at all are left out. A weight: on average."
        )
    for (name, run), config in zip(found.items(), configs):
        kernel = run["kernel"]
        lines.append(f"{name}: {_shape_in_words(kernel, run['num_draws'])}")
        if config["method"] in ("bbh", "bbh_advised"):
            inputs = config.get("noise_dim", 1)
            what = "number: a curve" if inputs == 1 else "numbers"
            lines.append(
                f"{name}: the weights of a kernel are functions of {inputs} "
                f"random {what}."
            )
        if findings.learns_prior_scale(config):
            lines.append(
                f"{name}: the prior learnt its scale, another for each tensor, "
                "so that there is no one line for it, nor a KL that is the "
                "least."
            )
        if findings.is_released_mnf(config):
            lines.append(
                f"{name}: the prior is N(0, e), and training leaves the KL of "
                "convolutions out; 'at least' is of all weights."
            )
        for part, size in (("kernel", run["kernel_size"]), ("chosen", None)):
            size = size or run["num_chosen"]
            left_out = size - run[part]["resolved"]
            if left_out:
                where = "first kernel" if part == "kernel" else "chosen"
                lines.append(
                    f"{name}: {left_out:,} of {size:,} weights "
                    f"({where}) vary by no more than float32's rounding and "
                    "are not tested."
                )
    return lines


def _shape_in_words(kernel, num_draws):
    if not kernel["resolved"]:
        return "the first kernel does not vary."
    few = "" if num_draws >= 100 else f" {num_draws} draws can show little."
    # More than chance rejects, of a few hundred weights.
    limit = 3 * posterior_measures.LEVEL
    shape, modes = (
        f"pass for {word}"
        if kernel[key] < limit
        else f"are {_percent(kernel[key])} not {word}"
        for key, word in (("not_normal", "normal"), ("multimodal", "unimodal"))
    )
    text = f"marginals of the first kernel {shape}, {modes}"
    if kernel["correlation"] is not None:
        expected = posterior_measures.of_independent_weights(
            num_draws, kernel["resolved"]
        )
        times = kernel["correlation"] / expected["correlation"]
        text += (
            f"; |r| of two of its weights is {times:.1f} times that of "
            "independent ones"
        )
    return f"{text}.{few}"


def _percent(share):
    return _MISSING if share is None else f"{100 * share:.1f} %"


def _number(value, digits):
    return _MISSING if value is None else f"{value:.{digits}f}"
