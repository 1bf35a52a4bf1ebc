"""What a known field outside an interval adds to a fractional Laplacian inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from jax.scipy.special import gammaln
from numpy.typing import NDArray

from nablax.backends.lowering import Operand, evaluate
from nablax.nonlocal_operators import Outside
from nablax.plan import GridAxis, Plan

NEAR = 64  # nodes beyond each wall that are summed one by one
PANELS, POINTS = 40, 8  # of Gauss quadrature beyond them, each panel twice as long as the one before
Scalars = Mapping[sp.Basic, Operand]


@dataclass(frozen=True, eq=False, slots=True)
class Exterior:
    """Σ w_(i-j) g(x_j) over the nodes beyond both walls, w the weights of the centred difference.

    Far away the sum is an integral, over the weights continued between the nodes by their gamma functions;
    beyond the last panel g is taken for constant.
    """

    node: sp.Expr
    key: sp.Symbol
    grid: GridAxis
    dtype: jnp.dtype

    def kernel(self, scalars: Scalars) -> Array:
        """[nodes, places]: what one unit of g at a place outside adds at a node."""
        order = 2 * jnp.asarray(evaluate([self.node.args[1]], scalars)[0], self.dtype)
        beyond, share, end = _places()
        index = np.arange(self.grid.points, dtype=float)[:, None]
        # Distances in steps from every node to every place beyond the upper wall; mirrored below the lower.
        away = self.grid.n - index + beyond[None, :]
        found = []
        for distance in (away, away[::-1]):
            k = jnp.asarray(distance, self.dtype)
            weights = jnp.exp(gammaln(k - order / 2) - gammaln(k + order / 2 + 1))
            weights = weights * jnp.asarray(share[None, :], self.dtype)
            rest = jnp.exp(-order * float(np.log(end))) / order
            found.append(weights.at[:, -1].add(rest))
        half = float(np.pi) / 2
        scale = -jnp.exp(gammaln(order + 1) - order * float(np.log(self.grid.spacing)))
        return jnp.concatenate(found, axis=1) * (scale * jnp.sin(half * order) / float(np.pi))

    def value(self, scalars: Scalars) -> Array:
        """What g adds at the nodes."""
        value, symbol = self.node.args[0], self.node.args[2]
        beyond = _places()[0]
        h = self.grid.spacing
        places = np.concatenate([self.grid.upper + beyond * h, self.grid.lower - beyond * h])
        g = evaluate([value], {**scalars, symbol: jnp.asarray(places, self.dtype)})[0]
        kernel = jnp.asarray(scalars[self.key])
        return kernel @ jnp.broadcast_to(jnp.asarray(g, self.dtype), places.shape)


def _places() -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Distances from a wall in steps, how many nodes each place stands for, and where the last panel ends."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    ends = (NEAR + 0.5) * 2.0 ** np.arange(PANELS + 1)
    middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    far = (middle[:, None] + half[:, None] * points).ravel()
    share = (half[:, None] * weights).ravel()
    near = np.arange(1, NEAR + 1, dtype=float)
    return np.concatenate([near, far]), np.concatenate([np.ones(NEAR), share]), float(ends[-1])


def exteriors(plan: Plan) -> tuple[Exterior, ...]:
    """One per known field outside that the equations of a plan hold."""
    found: dict[sp.Expr, None] = {}
    for terms in plan.system.right_sides:
        for flux in terms.forcing:
            held: Sequence[sp.Expr] = sorted(flux.flux.atoms(Outside), key=sp.default_sort_key)
            found |= dict.fromkeys(held)
    dtype = jnp.dtype(plan.dtype)
    return tuple(
        Exterior(node, sp.Symbol(f"kernel of exterior {i}"), plan.grid[0], dtype)
        for i, node in enumerate(found)
    )
