"""Turned digits, mixed digits and calibration: the authors' other analyses.

python -m experiments.mnist_shift --runs=runs/mnist_methods \
    --data_dir=<TFDS folder> --output_dir=runs/shift

Reads the checkpoints of runs that are done. Their code turns three digits of
the test set little by little, and mixes two; here all runs are shown side by
side, with their draws' spread, and the test set is turned as well. Its
calibration curve was computed against labels that are all one, so that it
showed nothing; here it has the labels, intervals, and what chance alone would
give. A run looked at once is not looked at again.
"""

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments.errors import ExperimentError

_RUNS = flags.DEFINE_list("runs", [], "Output folders of experiments.")
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for figures and numbers."
)
_IDX_DIR = flags.DEFINE_string(
    "idx_dir",
    None,
    "Folder with MNIST's test set as published, t10k-images-idx3-ubyte and "
    "t10k-labels-idx1-ubyte, gzipped or not: the authors' digits are places "
    "in it, and TFDS has another order. None: other digits of their classes.",
)
_INDICES = flags.DEFINE_list(
    "indices",
    [],
    "Places of a 3, a 1, a 6 and an 8 in the test set; none: the authors' "
    "with --idx_dir, else the first of each.",
)
_NUM_IMAGES = flags.DEFINE_integer(
    "num_images", 1000, "How many of the first test images are turned."
)
_NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", None, "Draws of the weights; none: each run's own number."
)


def run():
    """Looks at all runs; writes figures, numbers and a finding."""
    indices = _check_flags()
    from experiments.shift import runs as shift_runs

    trained = shift_runs.find(_RUNS.value)
    # Only now, so that a wrong flag is told before TensorFlow starts.
    from experiments.shift import images as shift_images

    data = _load(next(iter(trained.values()))[1]["config"]["dataset"])
    digits = data.test_images, data.test_labels, indices
    if _IDX_DIR.value:
        images, labels, places = shift_images.published(_IDX_DIR.value)
        digits = images, labels, indices or places
    series = shift_images.series(*digits)
    first = data.test_images[: _NUM_IMAGES.value]
    turned = [shift_images.turn(first, x) for x in shift_images.ANGLES]
    labels = data.test_labels[: len(first)]
    images = series, turned, labels, data.test_images, data.test_labels
    settings = {
        "indices": indices,
        "published": bool(_IDX_DIR.value),
        "num_images": len(first),
    }
    with files.only_user(_OUTPUT_DIR.value) as output:
        results = {
            name: shift_runs.analyse(
                *found, images, settings, output, _NUM_SAMPLES.value
            )
            for name, found in trained.items()
        }
        _write(series, results, len(data.test_images), output)


def _check_flags():
    """Returns the places of the digits, or None."""
    indices = None
    if _INDICES.value:
        try:
            indices = [int(place) for place in _INDICES.value]
        except ValueError:
            indices = []
        if len(indices) != 4 or min(indices) < 0:
            raise ExperimentError(
                "--indices: expected four places, of a 3, a 1, a 6 and an 8; "
                f"got {','.join(_INDICES.value)}."
            )
    for flag in (_NUM_IMAGES, _NUM_SAMPLES):
        if flag.value is not None and flag.value < 1:
            raise ExperimentError(
                f"--{flag.name}: expected at least 1; got {flag.value}."
            )
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    return indices


def _load(dataset):
    if _IDX_DIR.value and dataset != "mnist":
        raise ExperimentError(f"--idx_dir: holds MNIST; got runs on {dataset}.")
    import bbh_tf as bbh

    try:
        return bbh.datasets.load(dataset, data_dir=_DATA_DIR.value)
    except (ValueError, OSError, ImportError) as error:
        raise ExperimentError(f"--data_dir: {error}") from error


def _write(series, results, num_test, output):
    from experiments.reporting import exhibit
    from experiments.reporting import figures
    from experiments.reporting import tables
    from experiments.shift import calibration_panels
    from experiments.shift import panels as shift_panels
    from experiments.shift import tables as shift_tables

    first = next(iter(results.values()))
    settings = first["settings"]
    made = (
        (
            "calibration",
            calibration_panels.reliability(results),
            "Reliability on the test set. Left, bins of equal width, with how "
            "many predictions are in each in grey: nearly all are in the last. "
            "Right, bins of equal mass on logarithmic axes, where they spread. "
            "Points off the line by more than their 95 % interval are "
            "miscalibrated: below it on the left, above it on the right, too "
            "sure. Open: no errors in that bin; at the left edge: surer than "
            "one in a million.",
        ),
        (
            "turned_test_set",
            shift_panels.turned_test_set(results),
            "Test images turned by an angle. As accuracy falls, uncertainty "
            "should rise; NLL tells how much harm is done where it does not.",
        ),
        (
            "turned_digits",
            shift_panels.turned_digits(series[:-1], results),
            "What each run takes a turned digit for: mean probability over "
            "draws, with the 10 to 90 % quantiles of single draws; the true "
            "class in black, only classes that come to 20 %. Below, the "
            "entropy of the mean, and dotted the part of it that is the draws' "
            "disagreement.",
        ),
        (
            "mixed_digits",
            shift_panels.mixed_digits(series[-1], results),
            "Two digits mixed pixel by pixel. Uncertainty should be highest "
            "where both are there; bands are the 10 to 90 % quantiles of "
            "single draws.",
        ),
    )
    pictures = []
    for name, figure, caption in made:
        path = output / f"{name}.png"
        data = figures.as_png(figure)
        with files.replacing(path) as temporary:
            temporary.write_bytes(data)
        pictures.append(exhibit.Figure(path.name, caption))
    found = (
        ("Calibration on the test set.", shift_tables.calibration(results)),
        ("The test set, turned.", shift_tables.turned(results)),
        (
            "Single digits: the highest entropy of the mean prediction.",
            shift_tables.digits(series, results),
        ),
    )
    notes = shift_tables.notes(
        first["config"]["dataset"],
        settings["num_images"],
        num_test,
        settings["published"] and settings["indices"] is None,
    )
    for _, table in found:
        print(f"{tables.aligned(table)}\n")
    print("\n".join(notes))
    exhibit.write(
        output,
        "Turned digits, mixed digits and calibration (the authors' code)",
        pictures,
        [exhibit.Table(text, table[0], table[1:]) for text, table in found],
        notes,
        command_line.command(),
    )
    print(f"\nFigures: {', '.join(str(output / x.file) for x in pictures)}")


if __name__ == "__main__":
    command_line.start(run)
