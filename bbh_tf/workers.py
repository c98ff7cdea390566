"""Worker processes that train one model together.

Each runs the same program. What one of them chooses for itself, a random seed
say, must be what the others choose: it is asked for here.
"""

import contextlib
import functools
import re

import tensorflow as tf

# Where an error came up, in the words of TensorFlow.
_OPERATION = re.compile(r"\[\[.*?\]\]|\{\{.*?\}\}|\[Op:.*?\]", re.DOTALL)
# What TensorFlow says where a process that it waits for has gone.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)


def are_several(strategy=None):
    """Returns whether a strategy spreads over several processes.

    Args:
        strategy: a `tf.distribute.Strategy`; None for the one in force.
    """
    strategy = strategy or tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return False
    spec = strategy.cluster_resolver.cluster_spec().as_dict()
    return sum(map(len, spec.values())) > 1


def is_chief(strategy=None):
    """Returns whether this process is the one that writes for all.

    Args:
        strategy: see `are_several`.
    """
    strategy = strategy or tf.distribute.get_strategy()
    if not are_several(strategy):
        return True
    resolver = strategy.cluster_resolver
    if resolver.task_type == "chief":
        return True
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return resolver.task_id == 0 and not has_chief


def of_all(value, strategy=None):
    """Tells all workers an integer, and hears theirs.

    All must call it, in the same order; it waits for the last one.

    Args:
        value: an integer of 64 bits.
        strategy: see `are_several`.

    Returns:
        List of integers, one for each replica; this one's alone where there
        is one process.
    """
    strategy = strategy or tf.distribute.get_strategy()
    if not are_several(strategy):
        return [int(value)]
    return _teller(strategy)(tf.constant(int(value), tf.int64)).numpy().tolist()


@functools.cache
def _teller(strategy):
    count = strategy.num_replicas_in_sync

    def tell(value):
        context = tf.distribute.get_replica_context()
        place = tf.one_hot(
            context.replica_id_in_sync_group, count, dtype=tf.int64
        )
        return context.all_reduce(tf.distribute.ReduceOp.SUM, place * value)

    @tf.function(autograph=False)
    def tell_all(value):
        found = strategy.run(tell, (value,))
        return strategy.experimental_local_results(found)[0]

    return tell_all


def of_chief(value, strategy=None):
    """Returns the integer of the first worker; see `of_all`."""
    return of_all(value, strategy)[0]


def hash_of(text):
    """Returns an integer that differs where texts do, but for chance."""
    return int(tf.strings.to_hash_bucket_fast(text, 2**31 - 1))


@contextlib.contextmanager
def watched(strategy=None):
    """Says so where another worker is lost.

    Args:
        strategy: see `are_several`.

    Raises:
        ConnectionError: in the place of what TensorFlow raises.
    """
    try:
        yield
    except _LOST as error:
        if not are_several(strategy):
            raise
        raise ConnectionError(
            "A worker is lost, and with it the step under way "
            f"({_reason(error)}). Start all workers again; what was kept of "
            "the model, a checkpoint say, is where training goes on."
        ) from error


def _reason(error):
    lines = _OPERATION.sub("", error.message).strip().splitlines()
    return lines[0].strip().rstrip(":.") if lines else type(error).__name__
