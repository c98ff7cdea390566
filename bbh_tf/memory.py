"""How much memory there is, and how to write a number of bytes."""

import pathlib

_MEMINFO = pathlib.Path("/proc/meminfo")
_CGROUP = pathlib.Path("/sys/fs/cgroup")


def available_bytes():
    """Returns the bytes of memory that a new allocation can have.

    The smaller of what the system has and what its control group allows;
    None where neither can be read.
    """
    limits = [b for b in (_system_bytes(), _cgroup_bytes()) if b is not None]
    return min(limits) if limits else None


def require(num_bytes, what):
    """Refuses what memory cannot hold.

    Args:
        num_bytes: bytes that are about to be allocated.
        what: a text that names what needs them, and how to need less.

    Raises:
        MemoryError: if fewer bytes are available.
    """
    available = available_bytes()
    if available is not None and num_bytes > available:
        raise MemoryError(
            f"{format_bytes(num_bytes)} are needed and "
            f"{format_bytes(available)} are free: {what}"
        )


def format_bytes(num_bytes):
    """Writes a number of bytes as a person would, `"890 MB"` say."""
    if num_bytes < 1000:
        return "1 byte" if num_bytes == 1 else f"{num_bytes:.0f} bytes"
    for unit, scale in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if num_bytes < 999.5 * scale:
            return f"{num_bytes / scale:.3g} {unit}"
    return f"{num_bytes / 1e12:.3g} TB"


def _system_bytes():
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _cgroup_bytes():
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
    except OSError:
        return None
    if limit == "max":
        return None
    return max(0, int(limit) - max(0, used - _cgroup_cache_bytes()))


def _cgroup_cache_bytes():
    # Files read once count as used until somebody needs the room.
    try:
        lines = (_CGROUP / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    for line in lines:
        if line.startswith("inactive_file "):
            return int(line.split()[1])
    return 0
