"""What Keras' `fit` lacks for several replicas and worker processes.

Under `tf.distribute.MultiWorkerMirroredStrategy` Keras 3.15 fails in two
places: it adds up a batch whose parts lie in different processes, and it takes
means of scalars over an axis that they do not have. The former fails in one
process, too, where replicas have parts of several sizes; and there the loop
over `steps_per_execution` fails, which TensorFlow cannot run on several
devices. All else of `fit`, its callbacks, metrics, validation and progress,
works there, and is used.
"""

import contextlib
import json
import math
import random
import re

import keras
import tensorflow as tf

from bbh_tf import optimizers
from bbh_tf import workers

_CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")
_NUMBER_OF_NAME = re.compile(r'_\d+(?=[_/"])')


def check(model):
    """Refuses what several replicas would not do as one device does.

    A `FusedAdam` clips what has been added up.

    Raises:
        ValueError: if the optimiser would clip the gradients of each replica,
            or XLA is to compile what workers tell each other.
    """
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return
    if model.jit_compile and workers.are_several(strategy):
        raise ValueError(
            "Expected jit_compile=False under several workers, whose messages "
            "XLA does not compile; got jit_compile=True."
        )
    optimizer = model.optimizer
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(optimizer, optimizers.FusedAdam):
        return
    for name in _CLIPPING:
        value = getattr(optimizer, name, None)
        if value is not None:
            raise ValueError(
                f"Expected an optimiser without {name}, or FusedAdam, under a "
                "strategy of several replicas, where Keras clips the "
                "gradients of each before they are added up; got "
                f"{name}={value}."
            )


def is_needed(model):
    """Returns whether `function` stands for what Keras would make."""
    strategy = model.distribute_strategy
    return workers.are_several(strategy) or (
        strategy.num_replicas_in_sync > 1 and model.steps_per_execution > 1
    )


def local_batch(model, epoch_iterator):
    """Returns what the first device of this process gets of the first batch."""
    for _, _, iterator in epoch_iterator:
        return keras.tree.map_structure(
            lambda part: _local(model.distribute_strategy, part), next(iterator)
        )
    return None


def function(model, replica_step):
    """Makes what `fit` or `evaluate` calls with its iterator of batches.

    Args:
        model: a compiled model whose strategy has several replicas.
        replica_step: its `train_step` or `test_step`.

    Returns:
        A function from an iterator to the metrics of the last step, the same
        on all replicas. With `steps_per_execution` it takes as many steps, one
        by one.
    """
    strategy = model.distribute_strategy

    def told_step(batch):
        logs = replica_step(batch)
        # One message for all: each replica knows its own examples' alone.
        parts = keras.tree.flatten(logs)
        values = tf.concat(
            [tf.reshape(tf.cast(x, tf.float32), [-1]) for x in parts], axis=0
        )
        values = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, values
        )
        values = tf.split(values, [math.prod(x.shape) for x in parts])
        return keras.tree.pack_sequence_as(
            logs, [tf.reshape(v, x.shape) for v, x in zip(values, parts)]
        )

    def step(batch):
        return keras.tree.map_structure(
            lambda value: _local(strategy, value),
            strategy.run(told_step, (batch,)),
        )

    if not model.run_eagerly:
        step = tf.function(
            step,
            autograph=False,
            jit_compile=bool(model.jit_compile),
            reduce_retracing=True,
        )

    def steps(iterator):
        logs = step(next(iterator))
        for _ in range(model.steps_per_execution - 1):
            try:
                batch = next(iterator)
            except StopIteration:
                break
            logs = step(batch)
        return logs

    return steps


def _local(strategy, value):
    return strategy.experimental_local_results(value)[0]


@contextlib.contextmanager
def job(model):
    """Watches over a training by several workers; does nothing for one.

    Args:
        model: a Keras model.

    Raises:
        ValueError: if the workers have different models.
        ConnectionError: if a worker is lost.
    """
    strategy = model.distribute_strategy
    if not workers.are_several(strategy):
        yield
        return
    with workers.watched(strategy):
        _check_same(model, strategy)
        # Data that Keras shuffles are then in the same order everywhere.
        tf.random.set_seed(workers.of_chief(random.getrandbits(31), strategy))
        yield


def _check_same(model, strategy):
    settings = json.dumps(model.get_config(), sort_keys=True, default=str)
    # Keras numbers names, and the first worker may have made models alone.
    settings = _NUMBER_OF_NAME.sub("", settings)
    found = workers.of_all(workers.hash_of(settings), strategy)
    if len(set(found)) > 1:
        raise ValueError(
            "Expected all workers to train the same model; the configurations "
            "of this one and another differ. Give seeds to what chooses at "
            "random, and the same command to all workers."
        )
