"""The numbers of Figure 1, as text."""

from experiments.toy import measures as toy_measures


def table(results, names):
    """Sets methods and posterior side by side.

    Args:
        results: what `toy_comparison.compare` returned first.
        names: dictionary from methods, and the posterior, to names.

    Returns:
        List of lists of texts, the heading first.
    """
    lines = [
        [
            "",
            "RMSE to x³",
            "RMSE to HMC",
            "W1 to HMC",
            "std / HMC's",
            "NLL",
            "coverage in",
            "coverage out",
            "seconds",
        ]
    ]
    for key, found in results["measures"].items():
        lines.append(
            [
                names[key],
                f"{found['rmse']:.1f}",
                f"{found['all']['rmse_to_reference']:.1f}",
                *inside_and_outside(found),
                _shares(found["seen"]["label_coverage"]),
                _shares(found["unseen"]["label_coverage"]),
                f"{results['seconds'][key]:.0f}",
            ]
        )
    return lines


def inside_and_outside(found):
    """Says how far a method is from the posterior, and its NLL.

    Args:
        found: measures of a method, as `toy_measures` takes them.

    Returns:
        Texts for W1, the ratio of standard deviations and the NLL: inside the
        training data | outside.
    """
    seen, unseen = found["seen"], found["unseen"]
    return [
        f"{seen['distance_to_reference']:.1f} | "
        f"{unseen['distance_to_reference']:.1f}",
        f"{seen['std_ratio']:.2f} | {unseen['std_ratio']:.2f}",
        f"{seen['nll']:.2f} | {unseen['nll']:.1f}",
    ]


def notes(results):
    """Says what the columns are, and how good the reference is.

    Args:
        results: see `table`.

    Returns:
        List of sentences.
    """
    found = results["reference"]
    return [
        "In [-6, 6]; a | b: inside [-4, 4], where the training points are, and "
        "outside. RMSE: of the predictive mean. W1: Wasserstein-1 distance of "
        "the functions' values, a mean over x. std: of the function, without "
        "noise.",
        "NLL, nats, and coverage, %: of fresh noisy labels, by mean ± 1/2/3 "
        "std of function and noise; a calibrated normal has "
        f"{_shares(toy_measures.NOMINAL)}.",
        f"HMC: {found['num_chains']} chains of {found['num_draws']} draws, "
        f"R-hat {found['r_hat']:.3f}, acceptance {found['acceptance']:.2f}, "
        f"{found['divergences']} divergences, standard errors "
        f"{found['mean_error']:.2f} of its mean and {found['std_error']:.2f} "
        "of its std.",
    ]


def _shares(values):
    return "/".join(f"{100 * value:.0f}" for value in values)
