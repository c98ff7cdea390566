"""Legends beside the panels of a figure, where they hide no curve."""


def outside(figure, handles, labels, loc="outside upper left"):
    """Adds a legend with as many columns as the figure is wide for.

    Args:
        figure: one with the constrained layout, which makes room.
        handles, labels: what the axes' `get_legend_handles_labels` returns.
        loc: where, as `figure.legend` has it.
    """
    count = max(1, len(labels))
    for columns in range(count, 0, -1):
        # Rows as full as they can be: eight names are four and four.
        columns = -(-count // -(-count // columns))
        legend = figure.legend(
            handles,
            labels,
            loc=loc,
            ncols=columns,
            frameon=False,
            fontsize=9,
        )
        width = legend.get_window_extent().width
        if columns == 1 or width <= figure.bbox.width:
            return
        legend.remove()
