"""Numerical tests run in float64 with JAX's strictest promotion rules.

The repository's root joins the path so that tests find their helpers (`tests.numerics.systems`) however
pytest is started. Fast tests compile with few optimisations, which saves more than it costs in runs as short
as theirs; slow ones, those marked `optimised`, and every process that tests start compile as a user's do.
"""

import gc
import sys
from pathlib import Path

import jax
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_configure(config: pytest.Config) -> None:
    del config
    gc.freeze()  # what was imported stays: full collections need not walk it


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    as_users_do = any(item.get_closest_marker(name) for name in ("slow", "optimised"))
    jax.config.update("jax_disable_most_optimizations", not as_users_do)
