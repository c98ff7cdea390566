"""Attacks trained runs with the fast gradient sign method (Figure 3).

python -m experiments.mnist_adversarial --runs=runs/mnist_methods \
    --data_dir=<TFDS folder> --output_dir=runs/adversarial

Reads the checkpoints of runs that are done. Two attacks: the paper's, which
averages the adversarial images of single draws, and one on the averaged
prediction, within the pixels' range and, for comparison with the paper's,
without it. A run attacked once is not attacked again.
"""

import pathlib

from absl import flags

from experiments import command_line
from experiments import files
from experiments import paper
from experiments.errors import ExperimentError

_RUNS = flags.DEFINE_list("runs", [], "Output folders of experiments.")
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for curves and figure."
)
_EPSILONS = flags.DEFINE_list(
    "epsilons",
    [f"{0.05 * step:.2f}" for step in range(9)],
    "How far each pixel moves, where pixels go from 0 to 1.",
)
_NUM_IMAGES = flags.DEFINE_integer(
    "num_images", 1000, "How many of the first test images are attacked."
)
_NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", 100, "Draws of the weights that the attack sees."
)


def run():
    """Attacks all runs, prints the accuracies and draws the figure."""
    epsilons = _check_flags()
    trained = [
        (path.parent, files.read_json(path))
        for folder in _RUNS.value
        for path in sorted(pathlib.Path(folder).glob("*/seed_*/results.json"))
    ]
    if not trained:
        raise ExperimentError(
            "--runs: expected folders with results of runs; got "
            f"{','.join(_RUNS.value) or 'none'}."
        )
    names = [paper.run_name(found["config"]) for _, found in trained]
    for (folder, _), name in zip(trained, names):
        if names.count(name) > 1:
            raise ExperimentError(
                f"--runs: expected one run for {name}.json; got {folder} and "
                "another."
            )
    from experiments import robustness_figure
    from experiments import tables

    results = []
    with files.only_user(_OUTPUT_DIR.value) as output:
        for folder, found in trained:
            results.append(_attack(folder, found, output, epsilons))
        results.sort(key=tables.order)
        print(tables.robustness_table(results))
        path = robustness_figure.write(results, output)
    print(f"Figure: {path}")


def _check_flags():
    try:
        epsilons = [float(epsilon) for epsilon in _EPSILONS.value]
    except ValueError as error:
        raise ExperimentError(
            f"--epsilons: expected numbers; got {','.join(_EPSILONS.value)}."
        ) from error
    if not epsilons or not all(0 <= epsilon < 10 for epsilon in epsilons):
        raise ExperimentError(
            "--epsilons: expected numbers from 0 up to 10; got "
            f"{','.join(_EPSILONS.value) or 'none'}."
        )
    for flag in (_NUM_IMAGES, _NUM_SAMPLES):
        if flag.value < 1:
            raise ExperimentError(
                f"--{flag.name}: expected at least 1; got {flag.value}."
            )
    if not _OUTPUT_DIR.value:
        raise ExperimentError("--output_dir: expected a folder; got none.")
    return epsilons


def _attack(folder, results, output, epsilons):
    """Returns the curves of one run, made now or before."""
    config = results["config"]
    trained = {key: results[key] for key in ("provenance", "seconds")}
    path = output / f"{paper.run_name(config)}.json"
    settings = {
        "epsilons": epsilons,
        "num_images": _NUM_IMAGES.value,
        "num_samples": _NUM_SAMPLES.value,
    }
    if path.exists():
        found = files.read_json(path)
        if found["settings"] != settings or found["trained"] != trained:
            raise ExperimentError(
                f"--output_dir: {path} holds curves of other settings or of "
                "another run. Choose another folder, or remove that one."
            )
        return found
    print(f"Attacking {folder}.", flush=True)
    # Imported here, so that a wrong flag is told before TensorFlow starts.
    import bbh_tf as bbh
    from experiments import checkpoints
    from experiments import provenance
    from experiments import robustness

    loaded = checkpoints.Checkpoints(folder).load()
    if loaded is None:
        raise ExperimentError(
            f"--runs: {folder} has no checkpoint; expected a folder that its "
            "experiment wrote on this machine."
        )
    try:
        data = bbh.datasets.load(config["dataset"], data_dir=_DATA_DIR.value)
    except (ValueError, OSError, ImportError) as error:
        raise ExperimentError(f"--data_dir: {error}") from error
    count = _NUM_IMAGES.value
    found = {
        "config": config,
        "settings": settings,
        "num_images": len(data.test_images[:count]),
        "curves": robustness.curves(
            loaded[0],
            data.test_images[:count],
            data.test_labels[:count],
            epsilons,
            data.num_classes,
            _NUM_SAMPLES.value,
        ),
        "trained": trained,
        "provenance": provenance.describe(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, found)
    return files.read_json(path)


if __name__ == "__main__":
    command_line.start(run)
