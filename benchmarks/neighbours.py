"""What the k-th neighbour does to the nearest-neighbour estimates of the KL.

Prints the table of `docs/divergences.md` by neighbour k, posterior samples n
and prior samples m, and draws its picture: bias and deviation, the mean square
of the gradient, and the width of q at which the estimate is least.
"""

import json
import math
import pathlib

import matplotlib.figure
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

import bbh_tf as bbh
from benchmarks import divergence_bias

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "results/neighbours", "Folder of the numbers and the picture."
)
_NUM_WEIGHTS = flags.DEFINE_integer(
    "num_weights", 1_000_000, "Weights over which all is averaged."
)
# What the mean square of the gradient is looked at over: it does not settle
# where it has no mean.
_COUNTS = (1_000, 10_000, 100_000, 1_000_000)
_SHOWN = (1_000, 1_000_000)
flags.register_validator(
    _NUM_WEIGHTS,
    lambda count: count > 0 and count % _COUNTS[-1] == 0,
    f"Expected a multiple of {_COUNTS[-1]:,}, which the table shows.",
)
# Form, k, n, m; those of the picture first.
FORMS = [
    ("kernel", 1, 5, 5),
    ("kernel", 3, 5, 5),
    ("kernel", 3, 5, 20),
    ("entropy", 1, 5, None),
    ("entropy", 3, 5, None),
    ("kernel", 2, 5, 5),
    ("kernel", 1, 5, 20),
    ("kernel", 3, 5, 100),
    ("kernel", 1, 10, 10),
    ("kernel", 3, 10, 10),
    ("kernel", 3, 10, 40),
    ("kernel", 3, 20, 20),
    ("entropy", 2, 5, None),
    ("entropy", 4, 5, None),
    ("entropy", 1, 10, None),
    ("entropy", 3, 10, None),
    ("entropy", 3, 20, None),
]
_IN_PICTURE = 5
STDS_OF_BIAS = (0.1, 0.5, 1.0, 2.0)
_STDS = np.geomspace(0.1, 30.0, 60)


def estimate(form, k):
    """Returns the estimate as a function of samples of q and of N(0, 1)."""
    if form == "kernel":
        return bbh.divergences.KernelKL(num_neighbours=k)
    entropy = bbh.divergences.NearestNeighbourEntropy(num_neighbours=k)
    (density,) = bbh.priors.Normal().distributions([None])
    return lambda q, prior: entropy(q, density)


def measure(form, k, n, m, num_weights):
    """Measures one form.

    Args:
        form: `"kernel"` or `"entropy"`.
        k: the neighbour.
        n: posterior samples.
        m: prior samples, or None where there are none.
        num_weights: weights of each figure.

    Returns:
        Dictionary: `"bias"`, `"error"` and `"deviation"` for each of a few
        standard deviations of q, nats per weight; `"mean_square"` of the
        gradient by a sample at s = 1 for each number of weights, the median
        over groups of so many; `"means"`, nats per weight on a grid of
        standard deviations; `"least_at"`, where these are least, or None for
        the grid's end.
    """
    found = tf.function(estimate(form, k), autograph=False)
    blocks = 50
    results = [
        divergence_bias.measure(
            found,
            divergence_bias.Case(0.0, std),
            n,
            m or 1,
            num_weights // blocks,
            blocks,
        )
        for std in STDS_OF_BIAS
    ]
    q, p = (
        bbh.randomness.normal(bbh.randomness.key(side), count, (num_weights,))
        for side, count in enumerate((n, m or 1))
    )
    # The same numbers, scaled: differences are far surer than the means.
    means = [float(found(std * q, p)) / num_weights for std in _STDS]
    least = int(np.argmin(means))
    return {
        "form": form,
        "k": k,
        "n": n,
        "m": m,
        "bias": [x.bias for x in results],
        "error": [x.error for x in results],
        "deviation": [x.deviation for x in results],
        "mean_square": _mean_squares(found, q, p),
        "means": means,
        "least_at": _STDS[least] if 0 < least < len(_STDS) - 1 else None,
    }


def _mean_squares(found, q, p):
    with tf.GradientTape() as tape:
        tape.watch(q)
        value = found(q, p)
    # Of the mean over samples, each has its n-th part.
    gradient = q.shape[0] * tape.gradient(value, q)
    squares = np.mean(np.square(gradient), axis=0)
    # Of many groups of so many weights, the middle one.
    return [
        float(np.median(squares.reshape(-1, count).mean(axis=1)))
        for count in _COUNTS
        if count <= len(squares)
    ]


def markdown(rows):
    """Formats what `measure` returns, a row for each form."""
    heading = ["", "k", "n", "m"]
    heading += [f"bias, s = {std:g}" for std in STDS_OF_BIAS]
    heading += ["deviation, s = 1"]
    heading += [f"gradient², {count:,} weights" for count in _SHOWN]
    heading += ["least at s ="]
    lines = [heading, ["---"] * len(heading)]
    for row in rows:
        least = row["least_at"]
        lines.append(
            [
                row["form"],
                f"{row['k']}",
                f"{row['n']}",
                "" if row["m"] is None else f"{row['m']}",
                *(f"{bias:+.3f}" for bias in row["bias"]),
                f"{row['deviation'][STDS_OF_BIAS.index(1.0)]:.2f}",
                *(
                    f"{row['mean_square'][_COUNTS.index(count)]:.3g}"
                    for count in _SHOWN
                ),
                "never" if least is None else f"{least:.2f}",
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def name_of(row):
    """Names a form in a picture."""
    prior = "" if row["m"] is None else f", m = {row['m']}"
    return f"{row['form']}, k = {row['k']}{prior}"


def draw(rows):
    """Draws means by width, and the gradient by number of weights.

    Args:
        rows: list of what `measure` returns.

    Returns:
        A matplotlib figure.
    """
    figure = matplotlib.figure.Figure((11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    truth = [0.5 * (std**2 - 1) - math.log(std) for std in _STDS]
    left.semilogx(_STDS, truth, "k--", label="KL")
    for row in rows:
        name = name_of(row)
        style = "o-" if row["form"] == "entropy" else "s:"
        left.semilogx(_STDS, row["means"], style[1:], label=name)
        counts = _COUNTS[: len(row["mean_square"])]
        right.loglog(counts, row["mean_square"], style, label=name)
    left.set(
        ylim=(-1, 4),
        xlabel="standard deviation s of q",
        ylabel="mean estimate, nats a weight",
        title="KL(N(0, s²) ‖ N(0, 1)), n = 5",
    )
    right.set(
        xlabel="weights",
        ylabel="mean square",
        title="gradient by a sample at s = 1",
    )
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def main(_):
    """Measures, prints and writes the table and the picture."""
    # Each form is traced anew for each number of weights.
    tf.get_logger().setLevel("ERROR")
    folder = pathlib.Path(_OUTPUT_DIR.value)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [measure(*form, _NUM_WEIGHTS.value) for form in FORMS]
    (folder / "neighbours.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(markdown(rows))
    draw(rows[:_IN_PICTURE]).savefig(folder / "neighbours.png", dpi=110)


if __name__ == "__main__":
    app.run(main)
