"""Hartigan's dip: how far a sample is from having one mode."""

import functools

import numpy as np
from scipy import optimize

_NUM_SIMULATIONS = 2000


def dip(values):
    """Computes the dip statistic.

        min over unimodal G of max over x of |F(x) - G(x)|

    with F the sample's distribution function. G is convex up to its mode and
    concave from there on, and continuous, so that no dip is below that of
    equally spaced values, 1 / (2 * examples).

    Args:
        values: array `(examples,)` of finite numbers.

    Returns:
        A float, at most 1/4 where no value comes twice.

    References:
        Hartigan and Hartigan, The Dip Test of Unimodality, Annals of
        Statistics 13(1), 1985.
    """
    points, counts = np.unique(
        np.asarray(values, np.float64), return_counts=True
    )
    # F just above and just below each point, in examples.
    above = np.cumsum(counts)
    below = above - counts
    first, last = 0, len(points) - 1
    width = counts.max()
    # G lies between `above` - width / 2 and `below` + width / 2. The interval
    # that its mode is in shrinks until this width does.
    while last > first:
        part = slice(first, last + 1)
        x, high, low = points[part], above[part], below[part]
        convex, convex_ends = _hull(x, low, 1)
        concave, concave_ends = _hull(x, high, -1)
        gap = concave - convex
        left = convex_ends[np.argmax(gap[convex_ends])]
        right = concave_ends[np.argmax(gap[concave_ends])]
        if max(gap[left], gap[right]) <= width:
            break
        if gap[left] > gap[right]:
            right = concave_ends[np.searchsorted(concave_ends, left)]
        else:
            place = np.searchsorted(convex_ends, right, side="right")
            left = convex_ends[place - 1]
        width = max(
            width,
            np.max((high - convex)[: left + 1]),
            np.max((concave - low)[right:]),
        )
        first, last = first + left, first + right
    return float(width / (2 * above[-1]))


def p_values(dips, num_examples):
    """Tells how often a uniform sample has a dip as large.

    The uniform is the unimodal distribution that is hardest to tell from
    several modes, so that others, the normal among them, are rejected less
    often than at the nominal level.

    Args:
        dips: array of `dip` of samples of equal size.
        num_examples: that size.

    Returns:
        Array of numbers from 1 / 2001, by simulation, to 1.
    """
    simulated = _uniform_dips(num_examples)
    as_large = len(simulated) - np.searchsorted(simulated, dips, side="left")
    return (1 + as_large) / (1 + len(simulated))


@functools.lru_cache
def _uniform_dips(num_examples):
    generator = np.random.default_rng(0)
    return np.sort(
        [dip(generator.random(num_examples)) for _ in range(_NUM_SIMULATIONS)]
    )


def _hull(x, heights, sign):
    """Finds the greatest convex minorant, or the least concave majorant.

    Its slopes are the isotonic regression of the slopes between points.

    Args:
        x: increasing array `(points,)`.
        heights: array `(points,)`.
        sign: 1 for the minorant, -1 for the majorant.

    Returns:
        `(values, ends)`: its heights at all points, and the indices of those
        at which it is bent, with the first and the last.
    """
    widths = np.diff(x)
    ends = optimize.isotonic_regression(
        np.diff(heights) / widths, weights=widths, increasing=sign > 0
    ).blocks
    return np.interp(x, x[ends], heights[ends]), ends
