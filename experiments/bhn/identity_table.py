"""The numbers of Figure 2 as a table."""

import numpy as np

from experiments.bhn import identity

CAPTION = (
    "Barrier: how far the exact posterior's log-density falls between its "
    "modes, nats. Smaller mode: share of draws at the mode that has fewer, "
    "median over seeds; a draw is at a mode where the 95 % densest parts of "
    "the exact posterior are, on that side. Both: seeds with more than 10 % of "
    "the draws at each. KL: of q to the exact posterior, nats, by its draws; "
    "at one mode alone it is log 2 = 0.69 at best."
)


def table(results):
    """Returns heading and rows of texts, by noise level, then flow.

    Args:
        results: what `identity.compare` returned.
    """
    lines = [
        [
            "noise",
            "barrier",
            "flow",
            "smaller mode",
            "both",
            "KL, median",
            "KL, lowest to highest",
        ]
    ]
    for result in sorted(results, key=lambda x: -x["noise_std"]):
        smaller = [min(pair) for pair in result["shares"]]
        lines.append(
            [
                f"{result['noise_std']:g}",
                f"{result['barrier']:.0f}",
                identity.FLOWS[result["flow"]],
                f"{100 * np.median(smaller):.0f} %",
                f"{result['both']} of {len(smaller)}",
                f"{np.median(result['kl']):.2f}",
                f"{min(result['kl']):.2f} to {max(result['kl']):.2f}",
            ]
        )
    return lines
