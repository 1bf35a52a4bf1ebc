"""What this machine has, and sizes in words."""

import os
from contextlib import suppress
from pathlib import Path


def machine_memory() -> float | None:
    """Bytes the process may use: physical memory, or the control group's limit; None if unknown."""
    sizes = []
    with suppress(AttributeError, ValueError, OSError):
        sizes.append(float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES"))
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            sizes.append(float(Path(name).read_text()))
        except (OSError, ValueError):
            continue
    return min(sizes, default=None)


def size_text(size: float) -> str:
    """Bytes as `3.2 GB`."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000 or unit == "PB":
            return f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError
