"""Figures 1 and 6: kernels, and where the encoder puts them."""

import numpy as np
from matplotlib import pyplot

from experiments.reporting import figures


def kernels(columns, path):
    """Draws kernels, a square of them for each source (Figure 1).

    Args:
        columns: dictionary from titles to arrays `(count, k, k)`.
        path: where to write a PNG.
    """
    side = 8
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            1, len(columns), figsize=(3.6 * len(columns), 3.9), squeeze=False
        )
        for axis, (title, some) in zip(axes[0], columns.items()):
            # Each in units of its largest pixel, so that its form is seen.
            some = some[: side * side]
            most = np.abs(some).max(axis=(1, 2), keepdims=True)
            axis.imshow(
                _mosaic(some / most, side), cmap="RdBu_r", vmin=-1, vmax=1
            )
            axis.set_title(title, fontsize=10)
            axis.axis("off")
        figure.get_layout_engine().set(wspace=0.06)
    figures.save(figure, path)


def latent(means, norms, path):
    """Draws the encoder's means of kernels (Figure 6).

    Args:
        means: array `(count, latent_dim)`; the first two are drawn.
        norms: the kernels' Euclidean norms, the colour.
        path: where to write a PNG.
    """
    with pyplot.rc_context(figures.STYLE):
        figure, axis = pyplot.subplots(figsize=(5.2, 4.4))
        points = axis.scatter(
            means[:, 0], means[:, 1], c=norms, s=6, cmap="viridis"
        )
        angle = np.linspace(0, 2 * np.pi, 200)
        for radius in (1, 2):
            axis.plot(
                radius * np.cos(angle),
                radius * np.sin(angle),
                color="grey",
                linewidth=0.8,
            )
        axis.set(xlabel="mean of z[0]", ylabel="mean of z[1]", aspect="equal")
        figure.colorbar(points, label="norm of the kernel")
    figures.save(figure, path)


def curves(histories, normals, path):
    """Draws training bounds by epoch, and exact densities of normals.

    Args:
        histories: dictionary from labels to lists of losses, nats.
        normals: dictionary from labels to nats per held-out kernel.
        path: where to write a PNG.
    """
    with pyplot.rc_context(figures.STYLE):
        figure, axis = pyplot.subplots(figsize=(6.4, 3.8))
        for label, losses in histories.items():
            epochs = np.arange(1, len(losses) + 1)
            axis.plot(epochs, -np.array(losses), linewidth=1.2, label=label)
        styles = ((0, (5, 2)), (0, (1, 1.5)))
        for (label, value), style in zip(normals.items(), styles):
            axis.axhline(
                value, color="black", linestyle=style, linewidth=1, label=label
            )
        highest = max(*normals.values(), *(-min(x) for x in histories.values()))
        # First epochs may be far below; where a training ended is shown.
        lowest = min(*normals.values(), *(-x[-1] for x in histories.values()))
        axis.set(
            xlabel="epoch",
            ylabel="nats per kernel",
            ylim=(lowest - 10, highest + 5),
        )
        axis.legend(fontsize=8, framealpha=1.0, edgecolor="none")
    figures.save(figure, path)


def _mosaic(some, side):
    size = some.shape[1]
    image = np.full((side * (size + 1) - 1,) * 2, np.nan)
    for index, kernel in enumerate(some):
        row, column = (place * (size + 1) for place in divmod(index, side))
        image[row : row + size, column : column + size] = kernel
    return image
