"""Keys of random numbers, as callers give them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.residuals.field import FieldError

POWERS, FORMS, RAYS = 2**16, 2**17, 2**18
"""Where the numbers begin that a key is folded with for powers of Laplacians, functionals, sums along rays;
those of sums over members begin at 0. No two share one, and so products of them are unbiased."""


def checked_key(key: object) -> Array:
    """The key, new in style or old (`jax.random.PRNGKey`). Raises `FieldError` for anything else."""
    if isinstance(key, jax.Array | np.ndarray):
        if key.ndim == 0 and jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
            return jnp.asarray(key)
        if key.ndim == 1 and key.dtype == jnp.uint32:
            try:
                jax.random.wrap_key_data(jnp.asarray(key))
            except TypeError:
                pass
            else:
                return jnp.asarray(key)
        raise FieldError(
            f"a key is one `jax.random.key(seed)`, and this is an array of {key.dtype} of shape "
            f"{list(key.shape)}"
        )
    raise FieldError(f"a key is `jax.random.key(seed)`, and this is `{_short(key)}`")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
