"""The numbers of Figure 1 as a table."""

from experiments.bhn import toy

CAPTION = (
    "How far each method is from the posterior as NUTS samples it, where the "
    "training data are (x from 0 to 0.5) and elsewhere: root mean square "
    "difference of the means, mean ratio of the standard deviations, mean "
    "Wasserstein-1 distance."
)


def table(results):
    """Returns heading and rows of texts.

    Args:
        results: what `toy.compare` returned.
    """
    lines = [["", *_heading("inside"), *_heading("outside"), "seconds"]]
    for key, found in results["measures"].items():
        cells = [
            f"{found[where][name]:.3f}"
            for where in ("seen", "unseen")
            for name in (
                "rmse_to_reference",
                "std_ratio",
                "distance_to_reference",
            )
        ]
        seconds = f"{results['seconds'][key]:.0f}"
        lines.append([toy.NAMES[key], *cells, seconds])
    return lines


def notes(results):
    """Says how well the reference ran, and the noise that all have."""
    found = results["reference"]
    return [
        f"NUTS: acceptance {found['acceptance']:.2f}, "
        f"{found['divergences']} divergent steps, "
        f"{found['leapfrog_steps']:.0f} leapfrog steps a draw, largest R-hat "
        f"over the points {found['r_hat']:.2f}; standard error of its mean "
        f"{found['mean_error']:.3f}, of its standard deviation "
        f"{found['std_error']:.3f}. Where R-hat is far from 1 the chains do "
        "not agree yet, and their spread is not quite the posterior's.",
        f"Noise of the likelihood: {results['noise_std']:.3f}, that of "
        "the labels around the curve.",
    ]


def _heading(where):
    return [f"RMSE {where}", f"std ratio {where}", f"distance {where}"]
