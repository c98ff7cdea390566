"""Tests for pictures of densities of kernels."""

from matplotlib import pyplot

from experiments.dwp import figures


def test_no_training_ends_outside_the_picture(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        figures.figures, "save", lambda figure, path: seen.append(figure)
    )
    histories = {"short": [9.0, 6.6], "long": [900.0, -5.0, -12.0]}
    normals = {"full": 9.5, "factorised": 10.3}
    figures.curves(histories, normals, tmp_path / "training.png")
    low, high = seen[0].axes[0].get_ylim()
    assert low < -6.6 and high > 12
    # The first steps do not squeeze the rest.
    assert low > -100
    pyplot.close(seen[0])
