"""Figures 3 and 4: accuracy and entropy under attack."""

from matplotlib import pyplot

from experiments import paper_tables
from experiments.reporting import figures
from experiments.reporting import legends

CAPTION = (
    "Left: how many attacked images are still classified rightly. Right: how "
    "unsure the prediction is; a model that knows what it does not know rises. "
    "The paper's attack averages the adversarial images of single draws, which "
    "moves a pixel less where draws disagree: the attack on the averaged "
    "prediction is the honest one."
)


def curves(results):
    """Draws accuracy and entropy under attack, a row of panels for each attack.

    Args:
        results: list of dictionaries as `experiments.mnist_adversarial`
            writes them.

    Returns:
        A figure.
    """
    attacks = {
        "paper": "the paper's attack",
        "expected_gradient": "attack on the averaged prediction",
        "expected_gradient_unclipped": "the same, pixels not clipped",
    }
    _, units = paper_tables.ATTACKS[paper_tables.data_of(results[0]["config"])]
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            3, 2, figsize=(9, 9), sharex=True, sharey="col"
        )
        for (attack, name), line in zip(attacks.items(), axes):
            labelled = set()
            for result in results:
                curve = result["curves"][attack]
                row = paper_tables.row_of(result["config"]).name
                for axis, key in zip(line, ("accuracy", "entropy")):
                    axis.plot(
                        [point["epsilon"] for point in curve],
                        [100 * point[key] for point in curve],
                        ".-",
                        color=paper_tables.color_of(result["config"]),
                        label=None if row in labelled else row,
                    )
                labelled.add(row)
            line[0].set(title=name, ylabel="accuracy, %")
            line[1].set(title=name, ylabel="entropy, % of its maximum")
        for axis in axes[-1]:
            axis.set_xlabel(f"epsilon, where {units}")
            # More numbers of three decimals would run into each other.
            axis.locator_params(axis="x", nbins=5)
        legends.outside(figure, *axes[0][0].get_legend_handles_labels())
    return figure


def write(results, folder):
    """Writes the figure as `adversarial.png` into a folder.

    Args:
        results: see `curves`.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    path = folder / "adversarial.png"
    figures.save(curves(results), path)
    return path
