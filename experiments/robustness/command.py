"""What the commands share that attack trained runs (Figures 3 and 4)."""

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import paper_tables
from experiments import trained_runs
from experiments.errors import ExperimentError

_FLAGS = flags.FLAGS


def start(data):
    """Defines the flags, parses them and runs.

    Args:
        data: what the paper's figure was taken on, `"MNIST"` or `"CIFAR5"`.
    """
    flags.DEFINE_list("runs", [], "Output folders of experiments.")
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
    )
    flags.DEFINE_string("output_dir", None, "Folder for curves and figure.")
    flags.DEFINE_list(
        "epsilons",
        [f"{0.05 * step:.2f}" for step in range(9)],
        f"How far each pixel moves, where {paper_tables.ATTACKS[data][1]}.",
    )
    flags.DEFINE_integer(
        "num_images", 1000, "How many of the first test images are attacked."
    )
    flags.DEFINE_integer(
        "num_samples", 100, "Draws of the weights that the attack sees."
    )
    command_line.start(lambda: run(data))


def run(data):
    """Attacks all runs, prints the accuracies and draws the figure.

    Args:
        data: see `start`.

    Raises:
        ExperimentError: with one line that says what is wrong.
    """
    epsilons = _check_flags()
    trained = trained_runs.find(_FLAGS.runs)
    for folder, found in trained:
        if paper_tables.data_of(found["config"]) != data:
            raise ExperimentError(
                f"--runs: expected runs of tables on {data}; got {folder}."
            )
    names = [paper_tables.run_name(found["config"]) for _, found in trained]
    for (folder, _), name in zip(trained, names):
        if names.count(name) > 1:
            raise ExperimentError(
                f"--runs: expected one run for {name}.json; got {folder} and "
                "another."
            )
    from experiments.reporting import exhibit
    from experiments.reporting import tables
    from experiments.robustness import figure as robustness_figure
    from experiments.robustness import table as robustness_table

    results = []
    with files.only_user(_FLAGS.output_dir) as output:
        for folder, found in trained:
            results.append(_attack(folder, found, output, epsilons))
        results.sort(key=tables.order)
        print(robustness_table.text(results))
        path = robustness_figure.write(results, output)
        heading, *rows = robustness_table.lines(results)
        exhibit.write(
            output,
            f"Fast gradient sign method ({paper_tables.ATTACKS[data][0]})",
            [exhibit.Figure(path.name, robustness_figure.CAPTION)],
            [exhibit.Table("Attacked images.", heading, rows)],
            tables.origins(results),
            command_line.command(),
        )
    print(f"Figure: {path}")


def _check_flags():
    try:
        epsilons = [float(epsilon) for epsilon in _FLAGS.epsilons]
    except ValueError as error:
        raise ExperimentError(
            f"--epsilons: expected numbers; got {','.join(_FLAGS.epsilons)}."
        ) from error
    if not epsilons or not all(0 <= epsilon < 10 for epsilon in epsilons):
        raise ExperimentError(
            "--epsilons: expected numbers from 0 up to 10; got "
            f"{','.join(_FLAGS.epsilons) or 'none'}."
        )
    for flag in ("num_images", "num_samples"):
        if _FLAGS[flag].value < 1:
            raise ExperimentError(
                f"--{flag}: expected at least 1; got {_FLAGS[flag].value}."
            )
    flag_checks.check_output_dir(_FLAGS.output_dir)
    return epsilons


def _attack(folder, results, output, epsilons):
    """Returns the curves of one run, made now or before."""
    config = results["config"]
    trained = {key: results[key] for key in ("provenance", "seconds")}
    path = output / f"{paper_tables.run_name(config)}.json"
    settings = {
        "epsilons": epsilons,
        "num_images": _FLAGS.num_images,
        "num_samples": _FLAGS.num_samples,
    }
    found = trained_runs.made_before(path, settings, trained, "curves")
    if found is not None:
        return found
    print(f"Attacking {folder}.", flush=True)
    # Imported here, so that a wrong flag is told before TensorFlow starts.
    import bbh_tf as bbh
    from experiments import inputs
    from experiments import provenance
    from experiments import run_config
    from experiments.robustness import measures as robustness

    model = trained_runs.load(folder)
    try:
        data = bbh.datasets.load(config["dataset"], data_dir=_FLAGS.data_dir)
    except (ValueError, OSError, ImportError) as error:
        raise ExperimentError(f"--data_dir: {error}") from error
    count = _FLAGS.num_images
    images, labels = data.test_images[:count], data.test_labels[:count]
    run = run_config.read(config)
    found = {
        "config": config,
        "settings": settings,
        "num_images": len(images),
        "curves": robustness.curves(
            model,
            inputs.for_prediction(run, images),
            labels,
            inputs.limits(run, images),
            epsilons,
            data.num_classes,
            _FLAGS.num_samples,
        ),
        "trained": trained,
        "provenance": provenance.describe(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, found)
    return files.read_json(path)
