"""Tests for legends beside the panels of a figure."""

import pytest
from matplotlib import pyplot

from experiments.reporting import figures
from experiments.reporting import legends

_NAMES = [
    *("MAP", "Deep ensemble", "Bayes by Backprop", "MC dropout", "MNF"),
    *("Bayes by Hypernet", "Bayes by Hypernet, advised"),
    "Bayesian hypernetwork",
]


@pytest.mark.parametrize("width", [3, 7.5, 9])
def test_no_legend_is_cut_off_or_over_a_panel(width):
    with pyplot.rc_context(figures.STYLE):
        figure, axis = pyplot.subplots(figsize=(width, 6))
        for name in _NAMES:
            axis.plot([0, 1], [0, 1], label=name)
        legends.outside(figure, *axis.get_legend_handles_labels())
        figure.draw_without_rendering()
    (legend,) = figure.legends
    found = legend.get_window_extent()
    assert 0 <= found.x0 and found.x1 <= figure.bbox.width
    assert 0 <= found.y0 and found.y1 <= figure.bbox.height
    assert not found.overlaps(axis.get_window_extent())
    assert [text.get_text() for text in legend.get_texts()] == _NAMES
    pyplot.close(figure)


def test_columns_are_about_as_long_as_each_other():
    figure, axis = pyplot.subplots(figsize=(5.5, 4))
    for name in "abcdefgh":
        axis.plot([0, 1], [0, 1], label=10 * name)
    legends.outside(figure, *axis.get_legend_handles_labels())
    (legend,) = figure.legends
    assert legend._ncols in (2, 4)
    pyplot.close(figure)
