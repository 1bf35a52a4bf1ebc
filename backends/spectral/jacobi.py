"""The fractional Laplacian at rest on an interval or in a ball, by Jacobi polynomials and the edges' factor.

A right side that is smooth up to the walls is met with exponential accuracy, where differences have the
order s.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import Parameters, Rest, Unsupported
from nablax.backends.lowering import evaluate
from nablax.backends.newton import STEPS
from nablax.backends.spectral.polynomials import edged, jacobi, shape_of
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
        ball = shape_of(self.form.dimension)
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
        there = jacobi(s, second, jnp.asarray(points, dtype), count)
        edges = jnp.asarray(ball.edges(points), dtype) ** s
        matrix = strength[:, None] * there + (reaction * edges)[:, None] * there / eigen[None, :]
        found = jnp.linalg.solve(matrix, -forcing)

        place = ball.places(axis.points)
        factor = ball.edges(place)
        nodal = jacobi(s, second, jnp.asarray(place, dtype), count) @ (found / eigen)
        u = edged(factor, s) * nodal
        left = matrix @ found + forcing
        sizes = jnp.full(STEPS + 1, jnp.nan, dtype)
        for i, residual in enumerate((forcing, left)):
            sizes = sizes.at[i].set(jnp.sqrt(jnp.mean(residual**2)))
        name = plan.system.unknowns[0].name
        return Rest({name: u}, lax.stop_gradient(sizes), jnp.isfinite(sizes[1]), {})


def build_interval(plan: Plan) -> JacobiSeries:
    """The scheme of a steady plan with `method == "spectral"` between walls. Raises `Unsupported`."""
    form = interval_form(plan.system)
    if form is None:
        raise Unsupported("no equation with one fractional Laplacian on an interval or in a ball")
    return JacobiSeries(plan, form)
