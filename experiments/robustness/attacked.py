"""Figures 3 and 4: runs that are done, attacked now or before."""

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import image_data
from experiments import inputs
from experiments import lazy
from experiments import paper_tables
from experiments import provenance
from experiments import run_config
from experiments import trained_runs
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import tables
from experiments.robustness import figure as robustness_figure
from experiments.robustness import settings
from experiments.robustness import table as robustness_table

robustness = lazy.import_module("experiments.robustness.measures")


def make(
    trained,
    data,
    data_dir,
    output_dir,
    epsilons=settings.EPSILONS,
    num_images=settings.NUM_IMAGES,
    num_samples=settings.NUM_SAMPLES,
):
    """Attacks runs, prints the accuracies and draws the figure.

    Args:
        trained: list of pairs of a run's folder and its results.
        data: what the paper's figure was taken on, `"MNIST"` or `"CIFAR5"`.
        data_dir: folder of prepared TFDS data, or None.
        output_dir: folder for curves and figure. A run whose curves are there
            is not attacked again.
        epsilons: how far each pixel moves.
        num_images: how many of the first test images are attacked.
        num_samples: draws of the weights that the attack sees.

    Raises:
        ExperimentError: with one line that says what is wrong.
    """
    for folder, found in trained:
        if paper_tables.data_of(found["config"]) != data:
            raise ExperimentError(
                f"--runs: expected runs of tables on {data}; got {folder}."
            )
    flag_checks.check_data_dir(
        data_dir, [found["config"]["dataset"] for _, found in trained]
    )
    names = [paper_tables.run_name(found["config"]) for _, found in trained]
    for (folder, _), name in zip(trained, names):
        if names.count(name) > 1:
            raise ExperimentError(
                f"--runs: expected one run for {name}.json; got {folder} and "
                "another."
            )
    chosen = {
        "epsilons": [float(epsilon) for epsilon in epsilons],
        "num_images": num_images,
        "num_samples": num_samples,
    }
    with files.only_user(output_dir) as output:
        results = [
            _attack(folder, found, output, chosen, data_dir)
            for folder, found in trained
        ]
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


def _attack(folder, results, output, chosen, data_dir):
    """Returns the curves of one run, made now or before."""
    config = results["config"]
    trained = {key: results[key] for key in ("provenance", "seconds")}
    path = output / f"{paper_tables.run_name(config)}.json"
    found = trained_runs.made_before(path, chosen, trained, "curves")
    if found is not None:
        return found
    print(f"Attacking {folder}.", flush=True)
    model = trained_runs.load(folder)
    data = image_data.load(config["dataset"], data_dir)
    count = chosen["num_images"]
    images, labels = data.test_images[:count], data.test_labels[:count]
    run = run_config.read(config)
    found = {
        "config": config,
        "settings": chosen,
        "num_images": len(images),
        "curves": robustness.curves(
            model,
            inputs.for_prediction(run, images),
            labels,
            inputs.limits(run, images),
            chosen["epsilons"],
            data.num_classes,
            chosen["num_samples"],
        ),
        "trained": trained,
        "provenance": provenance.describe(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, found)
    return files.read_json(path)
