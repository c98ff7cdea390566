"""Pictures show what they were given."""

import sys

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from scipy import stats

import bbh_tf as bbh
from bbh_tf import plots

_GENERATOR = np.random.default_rng(0)
_ROWS = _GENERATOR.dirichlet([1.0, 1.0, 1.0], 200)
_LABELS = _GENERATOR.integers(3, size=200)
_DIAGRAM = bbh.uncertainty.reliability_diagram(_ROWS, _LABELS, 10)
_CURVE = bbh.uncertainty.risk_coverage(
    _ROWS.argmax(1) != _LABELS, 1 - _ROWS.max(1)
)
_DRAWS = _GENERATOR.normal(size=(300, 4))
_CORRELATIONS = np.corrcoef(_DRAWS, rowvar=False)
_GRID = np.linspace(-1, 1, 9)
CALLS = {
    "reliability": lambda ax=None: plots.reliability(_DIAGRAM, ax),
    "risk_coverage": lambda ax=None: plots.risk_coverage(_CURVE, ax),
    "entropy_histograms": lambda ax=None: plots.entropy_histograms(
        {"one": [0.1, 0.2], "other": [0.9]}, 3, ax
    ),
    "predictive_bands": lambda ax=None: plots.predictive_bands(
        _GRID, _GRID**2, 0.1 + _GRID**2, ax=ax
    ),
    "weight_marginal": lambda ax=None: plots.weight_marginal(_DRAWS[:, 0], ax),
    "weight_correlations": lambda ax=None: plots.weight_correlations(
        _CORRELATIONS, ax
    ),
}


@pytest.fixture(autouse=True)
def fixture_closed():
    yield
    pyplot.close("all")


def test_each_plot_is_called():
    assert sorted(CALLS) == plots.__all__


@pytest.mark.parametrize("name", CALLS)
def test_draws_into_the_axes_it_is_given_or_new_ones(name):
    figure, axes = pyplot.subplots(1, 2)
    assert CALLS[name](axes[1]) is axes[1]
    assert axes[1].has_data() and not axes[0].has_data()
    assert pyplot.get_fignums() == [figure.number]
    made = CALLS[name]()
    assert isinstance(made, Axes) and made.has_data()
    assert len(pyplot.get_fignums()) == 2
    made.figure.canvas.draw()


@pytest.mark.parametrize("name", CALLS)
def test_without_matplotlib_one_line_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"^Plots need .*bbh_tf\[plots\]$"):
        CALLS[name]()


def test_reliability_has_a_point_and_wilson_s_interval_for_each_bin():
    ax = CALLS["reliability"]()
    filled = _DIAGRAM.count > 0
    _, points = ax.lines
    np.testing.assert_array_equal(
        points.get_xydata().T,
        [_DIAGRAM.confidence[filled], _DIAGRAM.accuracy[filled]],
    )
    (intervals,) = ax.collections
    hits = np.rint(_DIAGRAM.accuracy[filled] * _DIAGRAM.count[filled])
    for segment, hit, count in zip(
        intervals.get_segments(), hits, _DIAGRAM.count[filled]
    ):
        expected = stats.binomtest(int(hit), int(count)).proportion_ci(
            0.95, method="wilson"
        )
        np.testing.assert_allclose(segment[:, 1], expected, atol=1e-7)
    heights = [bar.get_height() for bar in ax.patches]
    assert np.argmax(heights) == np.argmax(_DIAGRAM.count[filled])


@pytest.mark.parametrize("generalized", [False, True])
def test_the_area_under_the_curve_is_the_measure(generalized):
    ax = plots.risk_coverage(_CURVE, generalized=generalized, label="MAP")
    (line,) = ax.lines
    assert line.get_label() == "MAP"
    losses = _ROWS.argmax(1) != _LABELS
    measure = bbh.uncertainty.augrc if generalized else bbh.uncertainty.aurc
    expected = measure(losses, 1 - _ROWS.max(1))
    # The last half step is AUGRC's trapezoid.
    last = 0.5 * line.get_ydata()[-1] / 200 if generalized else 0.0
    assert np.mean(line.get_ydata()) - last == pytest.approx(expected)


def test_curves_in_one_picture_are_all_seen():
    low = bbh.uncertainty.risk_coverage([1, 1, 1, 2], [0.1, 0.2, 0.3, 0.4])
    high = bbh.uncertainty.risk_coverage([5, 6, 7, 9], [0.1, 0.2, 0.3, 0.4])
    ax = plots.risk_coverage(low)
    assert ax.get_ylim()[0] == 0
    plots.risk_coverage(high, ax)
    bottom, top = ax.get_ylim()
    assert bottom == 0 and top > high.risk.max()


def test_histograms_are_shares_and_hold_all():
    end = np.log(3)
    entropies = {"few": [0.0, end + 1e-6], "many": np.full(50, 0.5)}
    ax = plots.entropy_histograms(entropies, 3, colors=["r", "b"])
    heights = [bar.get_height() for bar in ax.patches]
    assert sum(heights) == pytest.approx(200)
    assert heights[0] == heights[29] == pytest.approx(50)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["few", "many"]


def test_bands_reach_their_widths_in_any_order_of_points():
    order = np.array([3, 0, 8, 1, 7, 2, 6, 5, 4])
    x, mean, std = _GRID[order], 2 * _GRID[order], 0.5 + _GRID[order] ** 2
    ax = plots.predictive_bands(x[:, None], mean, std, widths=(1, 2))
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), _GRID)
    np.testing.assert_array_equal(line.get_ydata(), 2 * _GRID)
    for band, inner, outer in zip(ax.collections, (0, 0, 1, 1), (1, 1, 2, 2)):
        vertices = band.get_paths()[0].vertices
        distances = np.abs(vertices[:, 1] - 2 * vertices[:, 0])
        distances /= 0.5 + vertices[:, 0] ** 2
        assert distances.min() == pytest.approx(inner, abs=1e-9)
        assert distances.max() == pytest.approx(outer)


def test_the_normal_is_that_of_the_draws():
    values = 3.0 + 0.1 * _DRAWS[:, 0]
    ax = plots.weight_marginal(values)
    (line,) = ax.lines
    normal = stats.norm(values.mean(), values.std(ddof=1))
    expected = normal.pdf(line.get_xdata())
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-6)
    equal = plots.weight_marginal(np.ones(5))
    assert len(equal.lines[0].get_xdata()) == 0
    assert not plots.weight_marginal(values, normal_color=None).lines


def test_correlations_keep_their_matrix_and_blank_the_diagonal():
    before = _CORRELATIONS.copy()
    shown = CALLS["weight_correlations"]().images[0].get_array()
    np.testing.assert_array_equal(_CORRELATIONS, before)
    assert np.ma.getmaskarray(shown).diagonal().all()
    assert shown[0, 1] == before[0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: plots.reliability(_ROWS),
            "diagram: expected a ReliabilityDiagram, got a ndarray",
        ),
        (
            lambda: plots.risk_coverage([0.1, 0.2]),
            "curve: expected a RiskCoverage, got a list",
        ),
        (
            lambda: plots.entropy_histograms({"one": [0.0]}, 1),
            "num_classes: expected an integer of at least 2, got 1",
        ),
        (
            lambda: plots.entropy_histograms([0.1, 0.2], 3),
            "entropies: expected a dictionary .* got a list",
        ),
        (
            lambda: plots.entropy_histograms({"one": [[0.1]]}, 3),
            r"one: expected shape \(examples,\), got \(1, 1\)",
        ),
        (
            lambda: plots.entropy_histograms({"one": [1.2]}, 3),
            "one: expected entropies from 0 to .* got 1.2",
        ),
        (
            lambda: plots.predictive_bands([0, 1], [0, 1], [0.1]),
            r"std: expected shape .* got \(1,\)",
        ),
        (
            lambda: plots.predictive_bands([0], [0], [-1.0]),
            "std: expected numbers of at least 0, got -1",
        ),
        (
            lambda: plots.predictive_bands([0], [0], [1.0], widths=(2, 1)),
            "widths: .* that grow",
        ),
        (
            lambda: plots.predictive_bands([0], [0], [1.0], widths=()),
            r"widths: .* got \[\]",
        ),
        (
            lambda: plots.predictive_bands([0], [0], [1.0], widths="12"),
            "widths: expected real numbers, got dtype <U2",
        ),
        (
            lambda: plots.weight_correlations(np.zeros((0, 0))),
            r"correlations: .* got \(0, 0\)",
        ),
        (lambda: plots.weight_marginal([1.0]), r"values: .* got \(1,\)"),
        (
            lambda: plots.weight_correlations(_DRAWS),
            r"correlations: expected shape .* got \(300, 4\)",
        ),
        (
            lambda: plots.weight_correlations([[2.0]]),
            "correlations: expected numbers from -1 to 1, got 2",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    # No empty figure is left.
    assert not pyplot.get_fignums()
