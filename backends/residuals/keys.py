"""Keys of random numbers, as callers give them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.residuals.field import FieldError


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
