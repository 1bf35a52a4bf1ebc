"""Numerical tests run in float64 with JAX's strictest promotion rules.

The repository's root joins the path so that tests find their helpers (`tests.numerics.systems`) however
pytest is started.
"""

import sys
from pathlib import Path

import jax

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
