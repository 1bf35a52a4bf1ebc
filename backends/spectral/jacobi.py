"""The fractional Laplacian at rest on an interval or in a ball, by Jacobi polynomials and the edges' factor.

(-Δ)^s (1 - ξ²)^s P_n = Γ(2s + n + 1)/n! P_n on (-1, 1), zero outside, P_n the Jacobi polynomials with both
parameters s (B. Dyda, A. Kuznetsov, M. Kwaśnicki, Constr. Approx. 45 (2017) 427, theorem 3). Of the distance
ρ from the centre of the unit ball of d dimensions, by the same theorem, (-Δ)^s (1 - ρ²)^s P_n(2ρ² - 1) =
4^s Γ(s + n + 1) Γ(d/2 + s + n) / (n! Γ(d/2 + n)) P_n(2ρ² - 1), with the parameters s and d/2 - 1. A right
side that is smooth up to the walls is met with exponential accuracy, where differences have the order s.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import gammaln

from nablax.backends.interface import Parameters, Rest, Unsupported
from nablax.backends.lowering import evaluate
from nablax.backends.newton import STEPS
from nablax.passes.interval import Interval, interval_form
from nablax.plan import Plan

MODES = 128  # at most: the edges' factor leaves a smooth rest


@dataclass(frozen=True, slots=True)
class JacobiSeries:
    """Collocation at Gauss and Legendre's points; meets `Equilibrium`."""

    plan: Plan
    form: Interval

    def solve(self, params: Parameters, fields: Mapping[str, Array]) -> Rest:
        """The field at rest at the nodes of the grid; there is no first guess to replace."""
        del fields
        plan, axis = self.plan, self.plan.grid[0]
        dtype = jnp.dtype(plan.dtype)
        count = min(axis.n, MODES)
        ball = _Ball(self.form.dimension) if self.form.dimension > 1 else _Line()
        size = axis.length if self.form.dimension > 1 else axis.length / 2
        points = np.polynomial.legendre.leggauss(count)[0]
        known = {p.symbol: jnp.asarray(params[p.name], dtype) for p in plan.system.parameters}
        known[plan.system.axes[0].symbol] = jnp.asarray(axis.lower + size * ball.along(points), dtype)
        form = self.form
        order, *values = evaluate([form.order, form.coefficient, form.reaction, form.forcing], known)
        s = jnp.asarray(order, dtype)
        strength, reaction, forcing = (jnp.broadcast_to(jnp.asarray(v, dtype), (count,)) for v in values)

        n = jnp.arange(count, dtype=dtype)
        # Unknowns are the coefficients times the eigenvalues: a column for each of a size alike.
        eigen = jnp.exp(ball.logarithms(s, n) - 2 * s * float(np.log(size)))
        second = ball.second(s)
        there = _jacobi(s, second, jnp.asarray(points, dtype), count)
        edges = jnp.asarray(ball.edges(points), dtype) ** s
        matrix = strength[:, None] * there + (reaction * edges)[:, None] * there / eigen[None, :]
        found = jnp.linalg.solve(matrix, -forcing)

        place = ball.places(axis.points)
        factor = ball.edges(place)
        inside = jnp.asarray(np.where(factor > 0, factor, 1.0), dtype) ** s
        nodal = _jacobi(s, second, jnp.asarray(place, dtype), count) @ (found / eigen)
        u = jnp.where(jnp.asarray(factor > 0), inside * nodal, 0)
        left = matrix @ found + forcing
        sizes = jnp.full(STEPS + 1, jnp.nan, dtype)
        for i, residual in enumerate((forcing, left)):
            sizes = sizes.at[i].set(jnp.sqrt(jnp.mean(residual**2)))
        name = plan.system.unknowns[0].name
        return Rest({name: u}, lax.stop_gradient(sizes), jnp.isfinite(sizes[1]), {})


@dataclass(frozen=True, slots=True)
class _Line:
    """The interval from -1 to 1, whose points are the arguments of the polynomials."""

    def along(self, points: np.ndarray) -> np.ndarray:
        """Distances from the lower end, in units of half the length."""
        return 1 + points

    def places(self, count: int) -> np.ndarray:
        """Arguments at equally spaced nodes."""
        return np.linspace(-1, 1, count)

    def edges(self, points: np.ndarray) -> np.ndarray:
        """What is taken to the power s."""
        return np.asarray(1 - points**2)

    def second(self, s: Array) -> Array:
        """The second parameter of the polynomials."""
        return s

    def logarithms(self, s: Array, n: Array) -> Array:
        """Of the eigenvalues."""
        return gammaln(2 * s + n + 1) - gammaln(n + 1)


@dataclass(frozen=True, slots=True)
class _Ball:
    """The radius from 0 to 1 in a ball of so many dimensions: the polynomials' argument is 2ρ² - 1."""

    dimension: int

    def along(self, points: np.ndarray) -> np.ndarray:
        return np.sqrt((1 + points) / 2)

    def places(self, count: int) -> np.ndarray:
        return np.asarray(2 * np.linspace(0, 1, count) ** 2 - 1)

    def edges(self, points: np.ndarray) -> np.ndarray:
        return np.asarray((1 - points) / 2)

    def second(self, s: Array) -> Array:
        return jnp.full_like(s, self.dimension / 2 - 1)

    def logarithms(self, s: Array, n: Array) -> Array:
        half = self.dimension / 2
        rising = gammaln(s + n + 1) - gammaln(n + 1) + gammaln(half + s + n) - gammaln(half + n)
        return rising + 2 * s * float(np.log(2))


def _jacobi(a: Array, b: Array, at: Array, count: int) -> Array:
    """P_n^(a,b) at points: [points, count] (NIST DLMF 18.9.2)."""

    def following(pair: tuple[Array, Array], n: Array) -> tuple[tuple[Array, Array], Array]:
        before, here = pair
        total = 2 * n + a + b
        scale = 2 * n * (n + a + b) * (total - 2)
        up = (total - 1) * (total * (total - 2) * at + (a - b) * (a + b))
        down = 2 * (n + a - 1) * (n + b - 1) * total
        new = (up * here - down * before) / scale
        return (here, new), new

    first, second = jnp.ones_like(at), (a + 1) + (a + b + 2) * (at - 1) / 2
    _, rest = lax.scan(following, (first, second), jnp.arange(2, count, dtype=at.dtype))
    return jnp.concatenate([jnp.stack([first, second]), rest]).T


def build_interval(plan: Plan) -> JacobiSeries:
    """The scheme of a steady plan with `method == "spectral"` between walls. Raises `Unsupported`."""
    form = interval_form(plan.system)
    if form is None:
        raise Unsupported("no equation with one fractional Laplacian on an interval or in a ball")
    return JacobiSeries(plan, form)
