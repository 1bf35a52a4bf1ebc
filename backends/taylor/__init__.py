"""Taylor mode: derivatives of any order of any JAX function, many at once, in one pass."""

from nablax.backends.taylor.transform import propagate

__all__ = ["propagate"]
