"""Additive and diagonally implicit Runge–Kutta methods with an embedded error.

ARK4(3)6L[2]SA of Kennedy and Carpenter, Appl. Numer. Math. 44 (2003) 139: fourth order, the implicit half
L-stable and stiffly accurate, an explicit first stage, one shift h/4 for all stages.
"""

from dataclasses import dataclass
from typing import Generic

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import Carry, Linearised, Parameters, Semidiscretisation, Split, Vector
from nablax.backends.stepping.control import Tolerance
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.tableaus import ARK_EXPLICIT, ARK_IMPLICIT, ARK_NODES
from nablax.backends.stepping.vectors import combination, difference, scaled

NODES = tuple(float(c) for c in ARK_NODES)
DIAGONAL = 0.25
NEWTON_STEPS = 12
NEWTON_TOLERANCE = 1e-2  # of the step's own error


@dataclass(frozen=True, slots=True)
class AdditiveRungeKutta(Generic[Carry]):
    """L y implicit, `explicit_rate` explicit. No memory: the first stage is explicit in both halves."""

    scheme: Split[Carry]
    order: int = 4
    error_order: int = 3

    @property
    def aided(self) -> bool:
        return False

    def aid(self, h: Array, params: Parameters) -> tuple[()]:
        return ()

    def start(self, t: Array, carry: Carry, params: Parameters) -> tuple[()]:
        return ()

    def step(
        self, t: Array, carry: Carry, memory: tuple[()], h: Array, aid: tuple[()], params: Parameters
    ) -> Attempt[Carry, tuple[()]]:
        scheme = self.scheme
        y = scheme.core(carry)
        explicit = [scheme.explicit_rate(t, carry, params)]
        implicit = [scheme.linear(y, params)]
        shift = DIAGONAL * h
        rows = zip(ARK_EXPLICIT.weights()[1:], ARK_IMPLICIT.weights()[1:], NODES[1:], strict=True)
        for i, (a, b, c) in enumerate(rows, start=1):
            known = combination(combination(y, h, a[:i], explicit), h, b[:i], implicit)
            stage = scheme.solve(shift, known, params)
            at = t + c * h
            implicit.append(scheme.linear(stage, params))
            explicit.append(scheme.explicit_rate(at, scheme.embed(at, stage, params), params))
        weights = ARK_IMPLICIT.solution()
        total = [
            tuple(p + q for p, q in zip(e, i, strict=True)) for e, i in zip(explicit, implicit, strict=True)
        ]
        after = t + h
        new = scheme.finish(after, combination(y, h, weights, total), params)
        return Attempt(scheme.embed(after, new, params), (), difference(h, ARK_IMPLICIT.error(), total))


@dataclass(frozen=True, slots=True)
class DiagonallyImplicit(Generic[Carry]):
    """The whole rate by the implicit half: for `Linearised` schemes, whose rate may be nonlinear.

    Each stage solves k = rate(t + c h, known + h/4 k) by Newton's method from the stage before; the
    iteration ends when its correction is small against the tolerance. A stage that does not converge
    leaves an infinite error, which the step control refuses.
    """

    scheme: Semidiscretisation[Carry]
    linearised: Linearised
    tolerance: Tolerance
    order: int = 4
    error_order: int = 3

    @property
    def aided(self) -> bool:
        return False

    def aid(self, h: Array, params: Parameters) -> tuple[()]:
        return ()

    def start(self, t: Array, carry: Carry, params: Parameters) -> tuple[()]:
        return ()

    def step(
        self, t: Array, carry: Carry, memory: tuple[()], h: Array, aid: tuple[()], params: Parameters
    ) -> Attempt[Carry, tuple[()]]:
        scheme = self.scheme
        y = scheme.core(carry)
        rates = [scheme.rate(t, carry, params)]
        shift = DIAGONAL * h
        converged = jnp.ones((), bool)
        stage = y
        for i, (row, c) in enumerate(zip(ARK_IMPLICIT.weights()[1:], NODES[1:], strict=True), start=1):
            known = combination(y, h, row[:i], rates)
            stage, found = self._stage(t + c * h, known, stage, shift, params)
            converged = converged & found
            # Stiffly accurate: the rate that the equation of the stage implies, which rounding spares.
            rates.append(tuple(_over(a - b, shift) for a, b in zip(stage, known, strict=True)))
        after = t + h
        new = scheme.finish(after, stage, params)
        bad = jnp.where(converged, 0.0, jnp.inf).astype(h.dtype)
        error = difference(h, ARK_IMPLICIT.error(), rates)
        error = tuple(e + bad.astype(e.dtype) for e in error)
        return Attempt(scheme.embed(after, new, params), (), error)

    def _stage(
        self, t: Array, known: Vector, guess: Vector, shift: Array, params: Parameters
    ) -> tuple[Vector, Array]:
        scheme = self.scheme

        def going(state: tuple[Array, Vector, Array]) -> Array:
            i, _, size = state
            return (i < NEWTON_STEPS) & (size > NEWTON_TOLERANCE) & jnp.isfinite(size)

        def again(state: tuple[Array, Vector, Array]) -> tuple[Array, Vector, Array]:
            i, z, _ = state
            rate = scheme.rate(t, scheme.embed(t, z, params), params)
            right = tuple(k + scaled(shift, r) - a for k, r, a in zip(known, rate, z, strict=True))
            correction = self.linearised.solve_linearised(shift, t, z, right, params)
            new = tuple(a + d for a, d in zip(z, correction, strict=True))
            return i + 1, new, self.tolerance.scaled(scheme, correction, new)

        large = jnp.full((), float(np.finfo(shift.dtype).max), shift.dtype)
        _, z, size = lax.while_loop(going, again, (jnp.zeros((), "int32"), guess, large))
        return z, size <= NEWTON_TOLERANCE


@dataclass(frozen=True, slots=True)
class AffineImplicit(Generic[Carry]):
    """The implicit half for a rate L y + f(t): one `solve` a stage, the forcing at the stage's time."""

    scheme: Split[Carry]
    order: int = 4
    error_order: int = 3

    @property
    def aided(self) -> bool:
        return False

    def aid(self, h: Array, params: Parameters) -> tuple[()]:
        return ()

    def start(self, t: Array, carry: Carry, params: Parameters) -> tuple[()]:
        return ()

    def step(
        self, t: Array, carry: Carry, memory: tuple[()], h: Array, aid: tuple[()], params: Parameters
    ) -> Attempt[Carry, tuple[()]]:
        scheme = self.scheme
        y = scheme.core(carry)
        rates = [scheme.rate(t, carry, params)]
        shift = DIAGONAL * h
        stage = y
        for i, (row, c) in enumerate(zip(ARK_IMPLICIT.weights()[1:], NODES[1:], strict=True), start=1):
            known = combination(y, h, row[:i], rates)
            at = t + c * h
            force = scheme.explicit_rate(at, scheme.embed(at, stage, params), params)
            right = tuple(k + scaled(shift, f) for k, f in zip(known, force, strict=True))
            stage = scheme.solve(shift, right, params)
            rates.append(tuple(_over(a - b, shift) for a, b in zip(stage, known, strict=True)))
        after = t + h
        new = scheme.finish(after, stage, params)
        return Attempt(scheme.embed(after, new, params), (), difference(h, ARK_IMPLICIT.error(), rates))


def _over(a: Array, h: Array) -> Array:
    return a / h.astype(a.dtype)
