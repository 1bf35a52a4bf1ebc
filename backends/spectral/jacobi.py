"""The fractional Laplacian at rest on an interval, by Jacobi polynomials times the edges' (1 - ξ²)^s.

(-Δ)^s (1 - ξ²)^s P_n = Γ(2s + n + 1)/n! P_n on (-1, 1), zero outside, P_n the Jacobi polynomials with both
parameters s (B. Dyda, A. Kuznetsov, M. Kwaśnicki, Constr. Approx. 45 (2017) 427, theorem 3). A right side
that is smooth up to the walls is met with exponential accuracy, where differences have the order s.
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
class JacobiInterval:
    """Collocation at Gauss and Legendre's points; meets `Equilibrium`."""

    plan: Plan
    form: Interval

    def solve(self, params: Parameters, fields: Mapping[str, Array]) -> Rest:
        """The field at rest at the nodes of the grid; there is no first guess to replace."""
        del fields
        plan, axis = self.plan, self.plan.grid[0]
        dtype = jnp.dtype(plan.dtype)
        count = min(axis.n, MODES)
        half, middle = axis.length / 2, (axis.lower + axis.upper) / 2
        points = np.polynomial.legendre.leggauss(count)[0]
        known = {p.symbol: jnp.asarray(params[p.name], dtype) for p in plan.system.parameters}
        known[plan.system.axes[0].symbol] = jnp.asarray(middle + half * points, dtype)
        form = self.form
        order, *values = evaluate([form.order, form.coefficient, form.reaction, form.forcing], known)
        s = jnp.asarray(order, dtype)
        strength, reaction, forcing = (jnp.broadcast_to(jnp.asarray(v, dtype), (count,)) for v in values)

        n = jnp.arange(count, dtype=dtype)
        # Unknowns are the coefficients times the eigenvalues: a column for each of a size alike.
        eigen = jnp.exp(gammaln(2 * s + n + 1) - gammaln(n + 1) - 2 * s * float(np.log(half)))
        there = _jacobi(s, jnp.asarray(points, dtype), count)
        edges = jnp.asarray(1 - points**2, dtype) ** s
        matrix = strength[:, None] * there + (reaction * edges)[:, None] * there / eigen[None, :]
        found = jnp.linalg.solve(matrix, -forcing)

        place = np.linspace(-1, 1, axis.points)
        inside = jnp.asarray(np.where(np.abs(place) < 1, 1 - place**2, 1.0), dtype) ** s
        nodal = _jacobi(s, jnp.asarray(place, dtype), count) @ (found / eigen)
        u = jnp.where(jnp.asarray(np.abs(place) < 1), inside * nodal, 0)
        left = matrix @ found + forcing
        sizes = jnp.full(STEPS + 1, jnp.nan, dtype)
        for i, residual in enumerate((forcing, left)):
            sizes = sizes.at[i].set(jnp.sqrt(jnp.mean(residual**2)))
        name = plan.system.unknowns[0].name
        return Rest({name: u}, lax.stop_gradient(sizes), jnp.isfinite(sizes[1]), {})


def _jacobi(s: Array, at: Array, count: int) -> Array:
    """P_n^(s,s) at points: [points, count] (NIST DLMF 18.9.2)."""

    def following(pair: tuple[Array, Array], n: Array) -> tuple[tuple[Array, Array], Array]:
        before, here = pair
        scale = 2 * n * (n + 2 * s) * (2 * n + 2 * s - 2)
        up = (2 * n + 2 * s - 1) * (2 * n + 2 * s) * (2 * n + 2 * s - 2)
        down = 2 * (n + s - 1) ** 2 * (2 * n + 2 * s)
        new = (up * at * here - down * before) / scale
        return (here, new), new

    first, second = jnp.ones_like(at), (s + 1) * at
    _, rest = lax.scan(following, (first, second), jnp.arange(2, count, dtype=at.dtype))
    return jnp.concatenate([jnp.stack([first, second]), rest]).T


def build_interval(plan: Plan) -> JacobiInterval:
    """The scheme of a steady plan with `method == "spectral"` between walls. Raises `Unsupported`."""
    form = interval_form(plan.system)
    if form is None:
        raise Unsupported("no equation with one fractional Laplacian on an interval")
    return JacobiInterval(plan, form)
