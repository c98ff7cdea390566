"""Calibration error on cases known by hand, edges of bins included."""

import numpy as np
import pytest

from bbh_tf import uncertainty


def _slow_error(probabilities, labels, num_bins):
    total = 0.0
    for b in range(num_bins):
        low, high = b / num_bins, (b + 1) / num_bins
        members = [
            (max(row), int(np.argmax(row) == label))
            for row, label in zip(probabilities, labels, strict=True)
            if low < max(row) <= high
        ]
        if members:
            confidence, right = np.mean(members, axis=0)
            total += len(members) * abs(confidence - right)
    return total / len(labels)


def test_confidence_of_exactly_one_is_counted():
    rows = [[1.0, 0.0]] * 4 + [[0.75, 0.25]] * 4
    labels = [1] * 4 + [0] * 4
    assert uncertainty.expected_calibration_error(rows, labels) == 0.625


def test_certain_and_right_is_calibrated():
    rows = [[1.0, 0.0], [0.0, 1.0]]
    assert uncertainty.expected_calibration_error(rows, [0, 1]) == 0.0
    assert uncertainty.expected_calibration_error(rows, [1, 0]) == 1.0


def test_calibrated_by_construction():
    rows = [[0.75, 0.25]] * 4
    assert uncertainty.expected_calibration_error(rows, [0, 0, 0, 1]) == 0.0


@pytest.mark.parametrize("num_bins", [1, 2, 10, 15, 37])
def test_equals_a_slow_loop(num_bins):
    generator = np.random.default_rng(3)
    rows = generator.dirichlet(np.full(5, 0.3), 300)
    labels = generator.integers(5, size=300)
    assert uncertainty.expected_calibration_error(
        rows, labels, num_bins
    ) == pytest.approx(_slow_error(rows, labels, num_bins))


def test_bins_are_closed_on_the_right():
    rows = [[0.5, 0.5], [0.75, 0.25], [0.76, 0.24], [1.0, 0.0]]
    diagram = uncertainty.reliability_diagram(rows, [0, 0, 1, 0], 4)
    np.testing.assert_array_equal(diagram.edges, [0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_array_equal(diagram.count, [0, 1, 1, 2])
    np.testing.assert_allclose(diagram.confidence, [np.nan, 0.5, 0.75, 0.88])
    np.testing.assert_allclose(diagram.accuracy, [np.nan, 1.0, 1.0, 0.5])


def test_edges_that_floats_cannot_hold_exactly():
    # 0.6 = 9 / 15 is an edge: it belongs to the bin that ends there.
    diagram = uncertainty.reliability_diagram([[0.6, 0.4]], [0], 15)
    assert diagram.count[8] == 1
    assert diagram.edges[9] == 0.6


def test_confidence_above_one_by_round_off_is_counted():
    rows = np.array([[1.0 + 1e-6, 0.0]])
    diagram = uncertainty.reliability_diagram(rows, [0])
    assert diagram.count[-1] == diagram.count.sum() == 1


def test_empty_bins_give_no_warning():
    with np.errstate(all="raise"):
        diagram = uncertainty.reliability_diagram([[1.0, 0.0]], [0])
    assert diagram.count.sum() == 1
    assert np.isnan(diagram.accuracy[:-1]).all()


@pytest.mark.parametrize("num_bins", [0, -3, 2.0, True, "15"])
def test_refuses_a_bad_number_of_bins(num_bins):
    for function in (
        uncertainty.reliability_diagram,
        uncertainty.expected_calibration_error,
    ):
        with pytest.raises(ValueError, match="num_bins: expected a positive"):
            function([[1.0, 0.0]], [0], num_bins)


@pytest.mark.parametrize("num_bins", [1, 7, 15, 300, 400])
def test_bins_of_equal_mass_equal_a_slow_loop(num_bins):
    generator = np.random.default_rng(4)
    rows = generator.dirichlet(np.full(5, 0.3), 300)
    labels = generator.integers(5, size=300)
    order = np.argsort(rows.max(1))
    parts = [[] for _ in range(num_bins)]
    for place, index in enumerate(order):
        parts[place * num_bins // 300].append(index)
    expected = sum(
        abs(np.sum(rows[part].max(1) - (rows[part].argmax(1) == labels[part])))
        for part in parts
        if part
    )
    diagram = uncertainty.reliability_diagram(rows, labels, num_bins, "mass")
    assert diagram.count.tolist() == [len(part) for part in parts]
    assert (np.diff(diagram.edges) >= 0).all()
    for part, low, high in zip(parts, diagram.edges, diagram.edges[1:]):
        # They are open on the left, as those of equal width are.
        inside = rows[part].max(1)
        assert (low < inside).all() and (inside <= high).all()
    found = uncertainty.expected_calibration_error(
        rows, labels, num_bins, binning="mass"
    )
    assert found == pytest.approx(expected / 300)


def test_equal_confidences_have_no_order():
    rows = [[0.75, 0.25]] * 6 + [[1.0, 0.0]] * 6
    labels = np.array([0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0])
    for order in (
        slice(None),
        slice(None, None, -1),
        [*range(6, 12), *range(6)],
    ):
        ordered = np.array(rows)[order], labels[order]
        diagram = uncertainty.reliability_diagram(*ordered, 4, "mass")
        np.testing.assert_allclose(
            diagram.accuracy, [1 / 3, 1 / 3, 5 / 6, 5 / 6]
        )


def test_an_unknown_binning_is_refused():
    with pytest.raises(ValueError, match="binning: .* width, mass, got 'area'"):
        uncertainty.reliability_diagram([[0.5, 0.5]], [0], binning="area")
