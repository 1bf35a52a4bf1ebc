"""Derivatives of a network at points, as a plan says."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.residuals import nested
from nablax.backends.residuals.networks import Part
from nablax.backends.taylor import propagate
from nablax.derivatives.algebra import directions as series
from nablax.derivatives.algebra import univariate
from nablax.derivatives.plans import Candidate, DerivativePlan
from nablax.derivatives.waring import Direction


def tables(part: Part, plan: DerivativePlan, z: Array) -> tuple[Array, ...]:
    """Values [points, outputs] of every form of the plan, at points [points, axes]."""
    own = _own(part, z)
    chosen = plan.chosen
    algebra = chosen.algebra
    if algebra is None:
        found: tuple[Array, ...] = jax.vmap(
            lambda point: nested.derivatives(part.call, point, plan.forms, part.starts)
        )(own)
        return found
    along = [_vector(part, direction, z) for direction in chosen.directions]
    if chosen.times:
        return _composed(part.call, chosen, own, jnp.stack(along))

    def one(point: Array) -> tuple[Array, ...]:
        coefficients = propagate(part.call, point, along, algebra)
        return tuple(_combined(extraction, coefficients) for extraction in chosen.extractions)

    result: tuple[Array, ...] = jax.vmap(one)(own)
    return result


def _own(part: Part, z: Array) -> Array:
    """The network's arguments among the coordinates of points."""
    return z if part.columns == tuple(range(z.shape[1])) else z[:, np.array(part.columns)]


def _composed(
    call: Callable[[Array], Array], chosen: Candidate, own: Array, along: Array
) -> tuple[Array, ...]:
    """Powers of the Laplacian, each by a pass through the program of the one below."""
    assert chosen.algebra is not None
    algebra = chosen.algebra
    powers = [call]

    def laplacian_of(f: Callable[[Array], Array]) -> Callable[[Array], Array]:
        return lambda point: propagate(f, point, (along,), algebra)[-1]

    for _ in range(chosen.times):
        powers.append(laplacian_of(powers[-1]))

    def one(point: Array) -> tuple[Array, ...]:
        needed = {k for extraction in chosen.extractions for k, _ in extraction}
        found = {k: powers[k](point) for k in needed}
        values = [found.get(k, jnp.zeros(0)) for k in range(len(powers))]
        return tuple(_combined(extraction, values) for extraction in chosen.extractions)

    result: tuple[Array, ...] = jax.vmap(one)(own)
    return result


def _combined(extraction: Sequence[tuple[int, Fraction]], coefficients: Sequence[Array]) -> Array:
    terms = [coefficients[k] if w == 1 else float(w) * coefficients[k] for k, w in extraction]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _vector(part: Part, direction: Direction, z: Array) -> Array:
    """A direction over the arguments as one over the network's columns."""
    vector = np.zeros(len(part.columns))
    vector[list(part.starts)] = [float(entry) for entry in direction]
    return jnp.asarray(vector, z.dtype)


def laplacian(part: Part, z: Array, along: Array) -> Array:
    """Σ_v (v·∇)² of the outputs, over directions [n, axes]: [points, outputs], all in one pass."""
    return power_along(part, z, along, 2)


def power_along(part: Part, z: Array, along: Array, order: int) -> Array:
    """Σ_v (v·∇)^order of the outputs, order > 1, over directions [n, columns]: [points, outputs]."""
    count = along.shape[0]
    algebra = series(count, order, [factorial(order)] * count, stacked=True)
    own = _own(part, z)
    found: Array = jax.vmap(lambda point: propagate(part.call, point, (along,), algebra)[-1])(own)
    return found


def series_along(part: Part, z: Array, along: Array, order: int) -> tuple[Array, ...]:
    """The derivatives 1 .. order along each direction [n, columns]: [points, n, outputs]."""
    algebra = univariate(order)
    own = _own(part, z)
    scales = np.cumprod(np.arange(1, order + 1))

    def one(point: Array, direction: Array) -> tuple[Array, ...]:
        coefficients = propagate(part.call, point, (direction,), algebra)
        return tuple(float(s) * c for s, c in zip(scales, coefficients[1:], strict=True))

    found: tuple[Array, ...] = jax.vmap(lambda p: jax.vmap(lambda v: one(p, v))(along))(own)
    return found
