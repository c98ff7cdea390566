"""Times, bandwidth and memory."""

import concurrent.futures
import pathlib
import resource
import statistics
import time

import numpy as np

_COPY_BYTES = 2**29


def median_seconds(function, warmup, repeats):
    """Times calls at steady state.

    Args:
        function: callable without arguments that returns when it is done.
        warmup: calls that are not counted.
        repeats: calls that are.

    Returns:
        The median of their wall-clock times, in seconds.
    """
    for _ in range(warmup):
        function()
    return median_seconds_in_turn([function], repeats)[0]


def median_seconds_in_turn(functions, repeats):
    """Times several functions, one after the other, again and again.

    Args:
        functions: list of callables without arguments.
        repeats: how often each is called.

    Returns:
        List of the medians of their wall-clock times, in seconds.
    """
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, own in zip(functions, times):
            started = time.perf_counter()
            function()
            own.append(time.perf_counter() - started)
    return [statistics.median(own) for own in times]


def copy_bandwidth(cores):
    """Measures how fast cores copy memory, each a part of it.

    Args:
        cores: how many.

    Returns:
        Bytes read and written a second, by all of them together.
    """
    source = np.ones(_COPY_BYTES // 8)
    target = np.zeros_like(source)
    pieces = [
        (a, b) for a, b in zip(np.split(source, cores), np.split(target, cores))
    ]
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        seconds = median_seconds(
            lambda: list(pool.map(lambda ab: np.copyto(ab[1], ab[0]), pieces)),
            warmup=2,
            repeats=7,
        )
    return 2 * _COPY_BYTES / seconds


def peak_bytes():
    """Returns the most memory held since the start, or `reset_peak`."""
    try:
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    except OSError:
        # Linux alone forgets a peak; elsewhere it is that since the start.
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(peak.split()[1])


def reset_peak():
    """Forgets the peak so far, where Linux lets a process do so."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass
