"""JAX as a runtime of programs: all that is asked of it, in one place."""

import numpy as np


def start():
    """Imports JAX, so that it counts as TensorFlow does.

    Raises:
        SystemExit: if it is not installed.
    """
    try:
        import jax
    except ImportError as error:
        raise SystemExit(
            f"error: expected JAX to be installed; {error}."
        ) from error
    # TensorFlow counts in int64, and predictions are summed in float64.
    jax.config.update("jax_enable_x64", True)
    return jax


def compiled(jax, text):
    """Compiles a program for the first device; all that JAX may rename.

    Args:
        jax: the module.
        text: the program, StableHLO.

    Returns:
        A function from a list of arrays on the device to such a list. Arrays
        that the program updates in place are gone after a call.

    Raises:
        SystemExit: if this JAX names things otherwise.
    """
    device = jax.devices()[0]
    try:
        from jaxlib import _jax as runtime
        from jaxlib import xla_client

        executable = device.client.compile_and_load(
            text, runtime.DeviceList((device,)), xla_client.CompileOptions()
        )
        execute = executable.execute_sharded
    except (ImportError, AttributeError, TypeError) as error:
        raise SystemExit(
            "error: expected a JAX that compiles as 0.10 and 0.11 do; got "
            f"{jax.__version__}: {str(error).partition(chr(10))[0]}"
        ) from error

    def call(arrays):
        found = execute(arrays).disassemble_into_single_device_arrays()
        return [shards[0] for shards in found]

    return call


def put(jax, array):
    """Copies an array to the first device."""
    return jax.device_put(np.asarray(array), jax.devices()[0])
