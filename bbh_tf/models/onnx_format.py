"""Writing a program as ONNX."""

import importlib.util
import warnings

from bbh_tf import memory

# A file of ONNX is one protocol buffer.
_MOST_BYTES = 2**31 - 2**20


def check(draws_bytes=0):
    """Refuses what could not be written.

    Args:
        draws_bytes: how large the draws are.

    Raises:
        ImportError: if tf2onnx or onnx is not installed.
        ValueError: if the draws are too large for one file.
    """
    missing = [
        name
        for name in ("tf2onnx", "onnx")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise ImportError(
            f'format="onnx" needs {" and ".join(missing)}: pip install '
            "--no-deps tf2onnx onnx"
        )
    if draws_bytes > _MOST_BYTES:
        raise ValueError(
            "Expected draws of at most 2 GB, which is all that a file of ONNX "
            f"holds; got {memory.format_bytes(draws_bytes)}. Export fewer: "
            "num_samples."
        )


def write(path, function, signature, opset_version=None):
    """Writes a function as ONNX.

    Args:
        path: file to write to.
        function: a `tf.function` of one argument.
        signature: structure of `tf.TensorSpec` of it.
        opset_version: number of ONNX's set of operations; None for tf2onnx's.
    """
    # As Keras' own export to ONNX does, for tf2onnx under NumPy 2. No list of
    # ours can name tf2onnx: it asks for a protobuf that TensorFlow has left.
    from keras.src.export.tf2onnx_lib import patch_tf2onnx
    from keras.src.utils.module_utils import tf2onnx

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In the future `np.object`")
        patch_tf2onnx()
    tf2onnx.convert.from_function(
        function, [signature], opset=opset_version, output_path=str(path)
    )
