"""z - shift · rate(t, z) = right: the equation of one step, in one solve where the rate is linear and the
shift one for all unknowns."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends import krylov
from nablax.backends.interface import Affine, Linearised, Parameters, Split, Vector
from nablax.backends.newton import mean_square
from nablax.backends.stepping.vectors import scaled
from nablax.planning.treatment import is_stiff

Shift = Array | tuple[Array, ...]
"""One for all unknowns, or one for each."""
STEPS = 20  # of Newton's method; what has not converged by then is not a number
NEAR = {"float64": 1e-5, "float32": 1e-3}  # a correction relative to z after which one more is enough
LOOSE = 1e-3  # relative error of a correction that another one follows


@dataclass(frozen=True, slots=True)
class ImplicitStep:
    """`affine`: the rate is L z + f(t), and `Split.solve` inverts it."""

    scheme: Split[Vector]
    affine: bool

    def solve(self, t: Array, shift: Shift, right: Vector, guess: Vector, params: Parameters) -> Vector:
        """z, pinned to the walls at t. Differentiable; NaN throughout where Newton's method fails."""
        scheme = self.scheme
        if self.affine and not isinstance(shift, tuple):
            force = scheme.explicit_rate(t, scheme.embed(t, guess, params), params)
            known = tuple(a + scaled(shift, b) for a, b in zip(right, force, strict=True))
            return scheme.solve(shift, scheme.finish(t, known, params), params)

        frozen = jax.tree.map(lax.stop_gradient, (t, shift, right, params, guess))
        z, found = self._iterate(*frozen)
        # One more correction, outside the loop: its derivative is that of the solution.
        change = self._correction(t, shift, right, params, z, None)
        return tuple(jnp.where(found, a + b, jnp.nan) for a, b in zip(z, change, strict=True))

    def _iterate(
        self, t: Array, shift: Shift, right: Vector, params: Parameters, guess: Vector
    ) -> tuple[Vector, Array]:
        wanted = NEAR[str(self.scheme.plan.dtype)]

        def going(state: tuple[Array, Vector, Array]) -> Array:
            count, _, size = state
            return (count < STEPS) & (size > 1) & jnp.isfinite(size)

        def again(state: tuple[Array, Vector, Array]) -> tuple[Array, Vector, Array]:
            count, z, _ = state
            change = self._correction(t, shift, right, params, z, LOOSE)
            z = tuple(a + b for a, b in zip(z, change, strict=True))
            scale = wanted * mean_square(z) + float(np.finfo(t.dtype).tiny)
            return count + 1, z, mean_square(change) / scale

        start = self.scheme.finish(t, guess, params)
        large = jnp.full((), float(np.finfo(t.dtype).max), t.dtype)
        _, z, size = lax.while_loop(going, again, (jnp.zeros((), jnp.int32), start, large))
        return z, size <= 1

    def _correction(
        self, t: Array, shift: Shift, right: Vector, params: Parameters, z: Vector, tolerance: float | None
    ) -> Vector:
        """Newton's, solved to a relative tolerance (None: all there is, and differentiable)."""
        scheme = self.scheme
        shifts = shift if isinstance(shift, tuple) else (shift,) * len(z)

        def residual(z: Vector) -> Vector:
            rate = scheme.rate(t, scheme.embed(t, z, params), params)
            reached = tuple(a + scaled(s, b) for a, s, b in zip(right, shifts, rate, strict=True))
            return tuple(a - b for a, b in zip(scheme.finish(t, reached, params), z, strict=True))

        if isinstance(scheme, Linearised) and not isinstance(shift, tuple):
            return scheme.solve_linearised(shift, t, z, residual(z), params)
        missing, slope = jax.linearize(residual, z)

        def matrix(v: Vector) -> Vector:
            return tuple(-a for a in slope(v))

        def inverse(v: Vector) -> Vector:
            if not isinstance(shift, tuple):
                return scheme.solve(shift, v, params)
            # Exact where the fields are not coupled in what `scheme.solve` inverts.
            return tuple(scheme.solve(s, v, params)[i] for i, s in enumerate(shifts))

        if tolerance is None:
            return krylov.solve(matrix, missing, inverse)
        return krylov.iterate(matrix, missing, inverse, tolerance)


def linear(scheme: Split[Vector]) -> bool:
    """Whether `explicit_rate` depends on the time and the parameters alone."""
    if isinstance(scheme, Affine):
        return scheme.affine
    system = scheme.plan.system
    unknowns = [u.value for u in system.unknowns]
    inside = all(
        not e.terms.nonlinear and all(is_stiff(system, e, t) for t in e.terms.linear)
        for e in system.evolution
    )
    return inside and not any(b.data.has(*unknowns) for b in system.boundary)
