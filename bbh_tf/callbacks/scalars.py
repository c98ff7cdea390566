"""Numbers for TensorBoard, written without it."""

import tensorflow as tf


def writer(log_dir):
    """Opens event files in a folder; None for None."""
    if log_dir is None:
        return None
    return tf.summary.create_file_writer(str(log_dir))


def write(to, values, step):
    """Writes scalars.

    Args:
        to: what `writer` returned; nothing is written to None.
        values: dictionary from tag to number.
        step: number of the epoch, from 0.
    """
    if to is None:
        return
    # tf.summary.scalar would import tensorboard, which TensorFlow no longer
    # brings; it adds this description.
    metadata = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(
            plugin_name="scalars"
        )
    )
    metadata.data_class = 1  # DATA_CLASS_SCALAR
    with to.as_default():
        for tag, value in values.items():
            tf.summary.write(
                tag, tf.constant(value, tf.float32), step, metadata
            )
    to.flush()
