"""Steady problems on periodic boxes: the modes at which the right-hand side vanishes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends import krylov, newton
from nablax.backends.interface import Parameters, Rest, Vector
from nablax.backends.lowering import Operand
from nablax.backends.spectral.matrices import Matrix, pseudo_inverse
from nablax.backends.spectral.scheme import Spectral, build
from nablax.backends.spectral.symbols import add
from nablax.passes.determination import free_constants, relaxed
from nablax.plan import Plan

ROUNDINGS = 4  # by which wavenumbers are moved to tell a resonance
MOVED = 0.1  # of itself: as far as a solution may go with them


@dataclass(frozen=True, slots=True)
class SteadySpectral:
    """All unknowns of a steady plan at once; meets `Equilibrium`.

    `scheme` is that of the evolution which comes to rest at the solution. `free` are the unknowns
    determined up to a constant: their mean is zero.
    """

    plan: Plan
    scheme: Spectral
    free: tuple[int, ...]

    def solve(self, params: Parameters, fields: Mapping[str, Array]) -> Rest:
        """The fields at rest; `fields` replaces where the iteration begins."""
        scheme, layout = self.scheme, self.scheme.layout
        time = jnp.zeros((), self.plan.dtype)
        ready = scheme.prepare(params)
        kind = newton.Kind(scheme.affine, scheme.affine, not self.free)

        def equations(ready: Parameters) -> newton.Equations:
            return newton.Equations(
                lambda y: self._anchored(y, scheme.rate(time, y, ready)),
                lambda _: self._inverse(ready, kind.direct),
            )

        start = scheme.initial(ready, fields)
        found = newton.root(equations, ready, start, kind, self.plan.stepping.rtol)
        converged = found.converged
        if kind.direct and kind.regular:
            converged &= self._steadfast(equations, ready, start, kind, found.x)
        origin = layout.is_origin()
        y = tuple(jnp.where(origin, 0, a) if u in self.free else a for u, a in enumerate(found.x))
        y = scheme.finish(time, y, ready)
        left = scheme.rate(time, y, ready)
        defects = {
            self.plan.system.unknowns[u].name: jnp.sum(jnp.where(origin, jnp.abs(left[u]), 0)) / layout.count
            for u in self.free
        }
        nodal = scheme.fields(time, y, ready)
        # Modes are unnormalised sums: their root mean square, as that of nodal values.
        modes = float(np.sqrt(np.prod(y[0].shape)) / layout.count)
        return Rest(
            {name: jnp.where(converged, a, jnp.nan) for name, a in nodal.items()},
            found.residuals * modes,
            converged,
            defects,
        )

    def _steadfast(
        self,
        equations: Callable[[Parameters], newton.Equations],
        ready: Parameters,
        start: Vector,
        kind: newton.Kind,
        x: Vector,
    ) -> Array:
        """Whether the solution stays when all wavenumbers change by a few roundings.

        At a resonance, where the symbol of a mode is what rounding leaves of zero, it does not.
        """
        fixed = jax.tree.map(lax.stop_gradient, ready)
        scale = 1 + ROUNDINGS * float(np.finfo(self.plan.dtype).eps)
        names = [f"k/{axis}" for axis in range(len(self.plan.grid))]
        moved = {**fixed, **{name: fixed[name] * scale for name in names}}
        other = newton.root(equations, moved, start, kind, self.plan.stepping.rtol).x
        apart = newton.mean_square(tuple(a - b for a, b in zip(other, x, strict=True)))
        return lax.stop_gradient(apart <= MOVED * newton.mean_square(x))

    def _anchored(self, y: Vector, residual: Vector) -> Vector:
        """The residual, with the mean of every free unknown added to that of its equation."""
        origin = self.scheme.layout.is_origin()
        return tuple(
            r + jnp.where(origin, self._anchor * a, 0) if u in self.free else r
            for u, (a, r) in enumerate(zip(y, residual, strict=True))
        )

    @property
    def _anchor(self) -> float:
        return -float(max((2 * np.pi / a.length) ** 2 for a in self.plan.grid))

    def _inverse(self, params: Parameters, direct: bool) -> krylov.Operator:
        """The inverse of the linear part, per mode; directions it does not see are anchored at the mean.

        A direct solve anchors free unknowns only: what else the operator does not see, it leaves at zero.
        """
        layout = self.scheme.layout
        symbol = self.scheme.linear_symbol(params)
        origin = layout.is_origin()

        def anchored(i: int, entry: Operand) -> Operand:
            if direct and i not in self.free:
                return entry
            blind = jnp.abs(jnp.asarray(entry)) == 0
            return add(entry, jnp.where(origin & blind, self._anchor, 0.0).astype(layout.precision))

        matrix: Matrix = tuple(
            tuple(anchored(i, e) if i == j else e for j, e in enumerate(row)) for i, row in enumerate(symbol)
        )
        inverse = pseudo_inverse(matrix, layout)
        return lambda vector: self.scheme.applied(inverse, vector)


def build_steady(plan: Plan) -> SteadySpectral:
    """The scheme of a steady plan with method "spectral". Raises `Unsupported` like `scheme.build`."""
    scheme = build(replace(plan, system=relaxed(plan.system)))
    return SteadySpectral(plan, scheme, free_constants(plan.system))
