"""Turned and mixed digits and calibration of runs, found now or before."""

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import image_data
from experiments import lazy
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import figures
from experiments.reporting import tables
from experiments.shift import calibration_panels
from experiments.shift import panels as shift_panels
from experiments.shift import runs as shift_runs
from experiments.shift import settings
from experiments.shift import tables as shift_tables

shift_images = lazy.import_module("experiments.shift.images")


def make(
    trained,
    data_dir,
    output_dir,
    num_images=settings.NUM_IMAGES,
    num_samples=None,
    idx_dir=None,
    indices=None,
):
    """Looks at all runs; writes figures, numbers and a finding.

    Args:
        trained: list of pairs of a run's folder and its results.
        data_dir: folder of prepared TFDS data, or None.
        output_dir: folder for figures and numbers. A run looked at before is
            not looked at again.
        num_images: how many of the first test images are turned.
        num_samples: draws of the weights; None: each run's own number.
        idx_dir: folder with MNIST's test set as published, or None.
        indices: places of a 3, a 1, a 6 and an 8 in the test set, or None.

    Raises:
        ExperimentError: with one line that says what is wrong.
    """
    trained = shift_runs.named(trained)
    dataset = next(iter(trained.values()))[1]["config"]["dataset"]
    flag_checks.check_data_dir(data_dir, [dataset])
    data = _load(dataset, data_dir, idx_dir)
    digits = data.test_images, data.test_labels, indices
    if idx_dir:
        images, labels, places = shift_images.published(idx_dir)
        digits = images, labels, indices or places
    series = shift_images.series(*digits)
    first = data.test_images[:num_images]
    turned = [shift_images.turn(first, x) for x in shift_images.ANGLES]
    labels = data.test_labels[: len(first)]
    images = series, turned, labels, data.test_images, data.test_labels
    chosen = {
        "indices": indices,
        "published": bool(idx_dir),
        "num_images": len(first),
    }
    with files.only_user(output_dir) as output:
        results = {
            name: shift_runs.analyse(
                *found, images, chosen, output, num_samples
            )
            for name, found in trained.items()
        }
        _write(series, results, len(data.test_images), output)


def _load(dataset, data_dir, idx_dir):
    if idx_dir and dataset != "mnist":
        raise ExperimentError(f"--idx_dir: holds MNIST; got runs on {dataset}.")
    return image_data.load(dataset, data_dir)


def _write(series, results, num_test, output):
    first = next(iter(results.values()))
    chosen = first["settings"]
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
    pictures = [
        exhibit.Figure(figures.save(figure, output / f"{name}.png"), caption)
        for name, figure, caption in made
    ]
    found = (
        ("Calibration on the test set.", shift_tables.calibration(results)),
        (
            "A temperature, fitted on the other half of the test set.",
            shift_tables.temperature(results),
        ),
        ("The test set, turned.", shift_tables.turned(results)),
        (
            "Single digits: the highest entropy of the mean prediction.",
            shift_tables.digits(series, results),
        ),
    )
    notes = shift_tables.notes(
        first["config"]["dataset"],
        chosen["num_images"],
        num_test,
        chosen["published"] and chosen["indices"] is None,
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
