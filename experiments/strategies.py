"""Over which devices and processes runs are spread."""

import contextlib
import functools
import io
import json
import os
import pathlib

from absl import flags

from experiments import files
from experiments import lazy
from experiments.errors import ExperimentError

# They are in the --help of the command that has them.
flags.disclaim_key_flags()

tf = lazy.import_module("tensorflow")
workers = lazy.import_module("bbh_tf.workers")

STRATEGIES = ("auto", "mirrored", "multiworker")


def define_flag():
    """Defines `--strategy`.

    Returns:
        Its holder.
    """
    return flags.DEFINE_string(
        "strategy",
        "auto",
        "mirrored: all devices of this machine. multiworker: the processes "
        "that TF_CONFIG names, each started with this command. auto: what "
        "there is of these. Batches are split, results but for rounding the "
        "same.",
    )


def check(name):
    """Refuses a strategy that this process cannot have.

    Args:
        name: one of `STRATEGIES`.

    Raises:
        ExperimentError: if it is another, or `TF_CONFIG` is not as it should
            be.
    """
    if name not in STRATEGIES:
        raise ExperimentError(
            f"--strategy: expected one of {', '.join(STRATEGIES)}; got "
            f"{name!r}."
        )
    count = num_workers()
    if name == "multiworker" and count < 2:
        raise ExperimentError(
            "--strategy=multiworker: expected TF_CONFIG to name several "
            f"workers; got {count}."
        )
    if name == "mirrored" and count > 1:
        raise ExperimentError(
            "--strategy=mirrored: expected one process; TF_CONFIG names "
            f"{count} workers."
        )


def check_one_process():
    """Refuses to be one of several processes, which would all do the same.

    Raises:
        ExperimentError: if `TF_CONFIG` names several.
    """
    count = num_workers()
    if count > 1:
        raise ExperimentError(
            "expected one process, since this command does not spread over "
            f"workers; TF_CONFIG names {count}. Unset it, and start the "
            "command once."
        )


@functools.cache
def make(name):
    """Makes a strategy, once; TensorFlow must have run nothing before.

    Args:
        name: one of `STRATEGIES`. "auto" is "multiworker" where `TF_CONFIG`
            names several workers, else "mirrored" where there are several
            GPUs, else one device.

    Returns:
        A `tf.distribute.Strategy`.
    """
    if name == "multiworker" or num_workers() > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([x.name for x in devices])
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def num_workers():
    """Returns how many processes `TF_CONFIG` names; 0 if it is not set.

    Raises:
        ExperimentError: if it is not as it should be.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    try:
        cluster = json.loads(text or "{}").get("cluster", {})
        return sum(len(cluster.get(job, [])) for job in ("chief", "worker"))
    except (ValueError, AttributeError, TypeError) as error:
        raise ExperimentError(
            f"TF_CONFIG: expected JSON with cluster and task; got {text!r}."
        ) from error


@contextlib.contextmanager
def job(name, output_dir):
    """Keeps others out of an output folder while all workers train.

    Of several workers the first writes, and what the others print is lost.

    Args:
        name: one of `STRATEGIES`.
        output_dir: the folder, which is made.

    Yields:
        The folder, a `pathlib.Path`.

    Raises:
        ExperimentError: if this process cannot have the strategy, another run
            is in the folder, or a worker is lost.
    """
    check(name)
    if num_workers() < 2:
        # What is wrong is told before TensorFlow is imported.
        with files.only_user(output_dir) as folder:
            yield folder
        return
    strategy = make(name)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(output_dir)
        if workers.is_chief(strategy):
            folder = stack.enter_context(files.only_user(folder))
        else:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        try:
            with workers.watched(strategy):
                yield folder
                # Whoever leaves first would be taken for lost.
                workers.of_all(0, strategy)
        except ConnectionError as error:
            raise ExperimentError(
                f"{error} Here: the same command, on all of them."
            ) from error


@contextlib.contextmanager
def first_alone(strategy):
    """Lets the first worker do something, and then the others.

    What the first leaves in files, the others find there.

    Args:
        strategy: a `tf.distribute.Strategy`; None for the one in force.
    """
    is_first = workers.is_chief(strategy)
    if not is_first:
        workers.of_all(0, strategy)
    yield
    if is_first:
        workers.of_all(0, strategy)
