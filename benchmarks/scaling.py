"""How a step's cost grows: weights, samples, noise, slices and batch.

The main network is one hidden layer between 100 inputs and 10 classes, as wide
as the wanted number of weights. Beside Bayes by Hypernet, layer-wise and
sliced, stand MAP and Bayes by Backprop. What does not fit in memory is left
out, and said so.
"""

import dataclasses
import json
import multiprocessing
import pathlib

import keras
import matplotlib.figure
import numpy as np
from absl import app
from absl import flags
from matplotlib import ticker

import bbh_tf as bbh
from benchmarks import measure

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "results/scaling", "Folder for table and figure."
)
_LARGEST = flags.DEFINE_float(
    "largest", 1e7, "Most weights of the main network."
)
_REPEATS = flags.DEFINE_integer(
    "repeats", 5, "Steps that are timed.", lower_bound=1
)
_NUM_INPUTS, _NUM_CLASSES = 100, 10
_COLOURS = {
    "map": "#000000",
    "bbb": "#0072B2",
    "bbh": "#D55E00",
    "bbh sliced": "#009E73",
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One point of the table.

    Attributes:
        method: `"map"`, `"bbb"`, `"bbh"` or `"bbh sliced"`.
        weights: wanted number of weights of the main network.
        samples: posterior and prior samples of the KL.
        noise: dimension of the noise.
        slices: slices of each layer, for `"bbh sliced"`.
        batch: examples in a batch.
    """

    method: str
    weights: int = 100_000
    samples: int = 5
    noise: int = 1
    slices: int = 100
    batch: int = 100


def settings():
    """Returns the points by the name of what varies, each a list."""
    weights = [10**k for k in range(4, 8) if 10**k <= _LARGEST.value]
    sliced = "bbh sliced"
    return {
        "weights": [
            Setting(method, weights=w) for method in _COLOURS for w in weights
        ],
        "samples": [
            Setting(method, samples=n)
            for method in ("bbh", sliced)
            for n in (2, 5, 10, 20)
        ],
        "noise": [
            Setting(method, noise=d)
            for method in ("bbh", sliced)
            for d in (1, 8, 64)
        ],
        "slices": [
            Setting(sliced, weights=10**6, slices=s)
            for s in (10, 100, 1000, 10_000)
        ],
        "batch": [
            Setting(method, batch=b)
            for method in _COLOURS
            for b in (10, 100, 1000)
        ],
    }


def step_seconds(setting, repeats):
    """Times a step.

    Args:
        setting: a `Setting`.
        repeats: steps that are timed.

    Returns:
        `(seconds, parameters)`; None where memory does not do.
    """
    try:
        model = _model(setting)
    except MemoryError:
        return None, None
    generator = np.random.default_rng(0)
    x = generator.random((setting.batch, _NUM_INPUTS), np.float32)
    y = generator.integers(0, _NUM_CLASSES, setting.batch)
    seconds = measure.median_seconds(
        lambda: model.train_on_batch(x, y), 3, repeats
    )
    return seconds, int(
        sum(np.prod(v.shape) for v in model.trainable_variables)
    )


def _model(setting):
    posterior = {
        "map": None,
        "bbb": bbh.posteriors.MeanField(),
        "bbh": bbh.posteriors.Implicit(noise_dim=setting.noise),
        "bbh sliced": bbh.posteriors.Implicit(
            bbh.hypernetworks.Sliced(slices=setting.slices),
            noise_dim=setting.noise,
        ),
    }[setting.method]
    width = max(1, setting.weights // (_NUM_INPUTS + _NUM_CLASSES))
    model = keras.Sequential(
        [
            keras.Input((_NUM_INPUTS,)),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(_NUM_CLASSES),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if posterior is not None:
        loss = None
        model = bbh.models.BayesianModel(
            bbh.models.bayesify(model, posterior),
            num_train_examples=55_000,
            divergence=bbh.divergences.AnalyticKL()
            if setting.method == "bbb"
            else bbh.divergences.KernelKL(),
            num_samples=setting.samples,
            seed=0,
        )
    model.compile(bbh.optimizers.FusedAdam(1e-4), loss=loss)
    return model


def draw(table):
    """Draws one panel for each thing that varies.

    Args:
        table: name of what varies -> list of rows, as `main` writes them.

    Returns:
        A matplotlib figure.
    """
    figure = matplotlib.figure.Figure((15, 3.4), layout="constrained")
    for axes, (name, rows) in zip(
        figure.subplots(1, len(table)), table.items()
    ):
        for method, colour in _COLOURS.items():
            points = [
                (row[name], 1e3 * row["seconds"])
                for row in rows
                if row["method"] == method and row["seconds"] is not None
            ]
            if points:
                axes.loglog(*zip(*points), "o-", color=colour, label=method)
        values = sorted({row[name] for row in rows})
        axes.set_xticks(values, map(ticker.EngFormatter(sep=""), values))
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(ticker.NullFormatter())
        axes.set_xlabel(name)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("milliseconds a step")
    figure.axes[0].legend(frameon=False)
    return figure


def main(_):
    """Measures, prints and writes the table and the figure."""
    folder = pathlib.Path(_OUTPUT_DIR.value)
    folder.mkdir(parents=True, exist_ok=True)
    table = {}
    # A process for each point, or what one leaves in memory slows the next.
    pool = multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)
    for name, points in settings().items():
        print(f"{'method':<12}{name:>12}{'parameters':>16}{'ms a step':>12}")
        table[name] = []
        for point in points:
            seconds, parameters = pool.apply(
                step_seconds, (point, _REPEATS.value)
            )
            row = dataclasses.asdict(point)
            row.update(seconds=seconds, parameters=parameters)
            table[name].append(row)
            figures = (
                (f"{parameters:,}", f"{1e3 * seconds:.1f}")
                if seconds is not None
                else ("too many", "-")
            )
            print(
                f"{point.method:<12}{row[name]:>12,}{figures[0]:>16}"
                f"{figures[1]:>12}",
                flush=True,
            )
        (folder / "scaling.json").write_text(json.dumps(table, indent=1) + "\n")
    draw(table).savefig(folder / "scaling.png", dpi=110)


if __name__ == "__main__":
    app.run(main)
