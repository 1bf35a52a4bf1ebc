"""Numerical tests run in float64 with JAX's strictest promotion rules.

The repository's root joins the path so that tests find their helpers (`tests.numerics.systems`) however
pytest is started. Fast tests and those marked `brief` compile with few optimisations, and all of them without
XLA's newer generator of fused loops, in one piece and for one core, which saves more than it costs in runs as
short as theirs; nor do programs tell where in Python their operations come from. Under `--optimised`, and in
every process that tests start, programs compile as a user's do.
"""

import gc
import mmap
import os
import sys
from pathlib import Path

import jax
import jaxlib.version
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

SHORT_RUNS = {
    "xla_cpu_use_fusion_emitters": "false",
    "xla_cpu_parallel_codegen_split_count": "1",  # as many processes as cores run tests
    "xla_cpu_multi_thread_eigen": "false",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--optimised", action="store_true", help="compile with XLA's defaults")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--optimised"):
        jax.config.update("jax_traceback_in_locations_limit", 0)
        known = _known_to_xla(tuple(SHORT_RUNS))
        before = os.environ.get("XLA_FLAGS")
        os.environ["XLA_FLAGS"] = " ".join(
            [before or "", *(f"--{name}={SHORT_RUNS[name]}" for name in known)]
        )
        jax.devices()  # reads the flags
        if before is None:
            del os.environ["XLA_FLAGS"]
        else:
            os.environ["XLA_FLAGS"] = before
    gc.freeze()  # what was imported stays: full collections need not walk it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first, so that short ones fill up the end of a run of several processes."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    long = any(item.get_closest_marker(name) for name in ("slow", "optimised"))
    brief = item.get_closest_marker("brief") is not None
    jax.config.update("jax_disable_most_optimizations", brief or not long)


def _known_to_xla(flags: tuple[str, ...]) -> tuple[str, ...]:
    """XLA ends a process that gives it a flag unknown to it, so its library is searched for the names."""
    known = set[str]()
    for library in Path(jaxlib.__file__).parent.glob("*.so"):
        with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            known.update(flag for flag in flags if content.find(flag.encode()) >= 0)
    if jaxlib.version.__version_info__ >= (0, 11):
        known.discard(
            "xla_cpu_use_fusion_emitters"
        )  # the library still holds the name but takes the flag no longer
    return tuple(flag for flag in flags if flag in known)
