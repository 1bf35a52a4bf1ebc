"""Numerical tests run in float64 with JAX's strictest promotion rules.

The repository's root joins the path so that tests find their helpers (`tests.numerics.systems`) however
pytest is started. Fast tests and those marked `brief` compile with few optimisations, and all of them without
XLA's newer generator of fused loops, which saves more than it costs in runs as short as theirs. Under
`--optimised`, and in every process that tests start, programs compile as a user's do.
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

NEWER_GENERATOR = "xla_cpu_use_fusion_emitters"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--optimised", action="store_true", help="compile with XLA's defaults")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--optimised") and _xla_knows(NEWER_GENERATOR):
        before = os.environ.get("XLA_FLAGS")
        os.environ["XLA_FLAGS"] = f"{before or ''} --{NEWER_GENERATOR}=false"
        jax.devices()  # reads the flags
        if before is None:
            del os.environ["XLA_FLAGS"]
        else:
            os.environ["XLA_FLAGS"] = before
    gc.freeze()  # what was imported stays: full collections need not walk it


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    long = any(item.get_closest_marker(name) for name in ("slow", "optimised"))
    brief = item.get_closest_marker("brief") is not None
    jax.config.update("jax_disable_most_optimizations", brief or not long)


def _xla_knows(flag: str) -> bool:
    """XLA ends a process that gives it a flag unknown to it, so its library is searched for the name.

    The library of JAX 0.12 holds the name though it takes the flag no longer.
    """
    if jaxlib.version.__version_info__ >= (0, 11):
        return False
    for library in Path(jaxlib.__file__).parent.glob("*.so"):
        with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(flag.encode()) >= 0:
                return True
    return False
