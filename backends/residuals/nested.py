"""Derivatives by nested forward mode: slow and obvious, for first derivatives and as an oracle."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import Array

from nablax.derivatives.needs import Form

PointFunction = Callable[[Array], Array]


def derivatives(
    f: PointFunction, z: Array, forms: Sequence[Form], starts: Sequence[int]
) -> tuple[Array, ...]:
    """Σ q ∂^orders f at one point z [axes], for every form; order i counts for entry starts[i] of z."""
    known: dict[tuple[int, ...], Array] = {}
    found = []
    for form in forms:
        total: Array | None = None
        for orders, factor in form:
            if orders not in known:
                known[orders] = _partial(f, orders, starts)(z)
            term = known[orders] if factor == 1 else float(factor) * known[orders]
            total = term if total is None else total + term
        assert total is not None
        found.append(total)
    return tuple(found)


def _partial(f: PointFunction, orders: Sequence[int], starts: Sequence[int]) -> PointFunction:
    for axis, order in zip(starts, orders, strict=True):
        for _ in range(order):
            f = along(f, axis)
    return f


def along(f: PointFunction, axis: int) -> PointFunction:
    """∂f in one entry of the point."""

    def slope(z: Array) -> Array:
        rate: Array = jax.jvp(f, (z,), (jnp.zeros_like(z).at[axis].set(1),))[1]
        return rate

    return slope
