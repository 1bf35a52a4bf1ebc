"""Additive and diagonally implicit Runge–Kutta methods with an embedded error.

ARK4(3)6L[2]SA of Kennedy and Carpenter, Appl. Numer. Math. 44 (2003) 139: fourth order, the implicit half
L-stable and stiffly accurate, an explicit first stage, one shift h/4 for all stages.
"""

from dataclasses import dataclass
from typing import Generic, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import (
    Carry,
    Iterated,
    Linearised,
    Parameters,
    Semidiscretisation,
    Split,
    Vector,
)
from nablax.backends.stepping.control import Tolerance
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.tableaus import ARK_EXPLICIT, ARK_IMPLICIT, ARK_NODES
from nablax.backends.stepping.vectors import combination, difference, scaled

NODES = tuple(float(c) for c in ARK_NODES)
DIAGONAL = 0.25
NEWTON_STEPS = 12
NEWTON_TOLERANCE = 1e-2  # of the step's own error


_Stages = tuple[tuple[Array, ...], Vector, Array]
"""Rates so far [stages, ...], the last stage, whether all converged."""


class _Stage(NamedTuple):
    """The equation z = known + shift · rate(t, z), and a first guess."""

    t: Array
    known: Vector
    guess: Vector
    shift: Array
    params: Parameters


@dataclass(frozen=True, slots=True)
class AdditiveRungeKutta(Generic[Carry]):
    """L y implicit, `explicit_rate` explicit. No memory: the first stage is explicit in both halves."""

    scheme: Split[Carry]

    def attempt(self, t: Array, carry: Carry, h: Array, params: Parameters) -> Attempt[Carry, tuple[()]]:
        scheme = self.scheme
        if _iterated(scheme):
            return self._looped(t, carry, h, params)
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

    def _looped(self, t: Array, carry: Carry, h: Array, params: Parameters) -> Attempt[Carry, tuple[()]]:
        """The same with a loop over the stages, whose body is compiled once."""
        scheme = self.scheme
        y = scheme.core(carry)
        shift = DIAGONAL * h
        outer, inner = (jnp.asarray(half.weights(), h.dtype) for half in (ARK_EXPLICIT, ARK_IMPLICIT))
        nodes = jnp.asarray(NODES, h.dtype)

        def stage(i: Array, rates: tuple[Vector, Vector]) -> tuple[Vector, Vector]:
            explicit, implicit = rates
            known = _ahead(_ahead(y, h, outer[i], explicit), h, inner[i], implicit)
            z = scheme.solve(shift, known, params)
            at = t + nodes[i] * h
            forced = scheme.explicit_rate(at, scheme.embed(at, z, params), params)
            return _noted(explicit, i, forced), _noted(implicit, i, scheme.linear(z, params))

        first = scheme.explicit_rate(t, carry, params), scheme.linear(y, params)
        start = _stacked(first[0], ARK_IMPLICIT.stages), _stacked(first[1], ARK_IMPLICIT.stages)
        rates = lax.fori_loop(1, ARK_IMPLICIT.stages, stage, start)
        total = tuple(e + i for e, i in zip(*rates, strict=True))
        after = t + h
        solution, error = (jnp.asarray(w, h.dtype) for w in (ARK_IMPLICIT.solution(), ARK_IMPLICIT.error()))
        new = scheme.finish(after, _ahead(y, h, solution, total), params)
        return Attempt(
            scheme.embed(after, new, params), (), tuple(scaled(h, _weighted(error, r)) for r in total)
        )


@dataclass(frozen=True, slots=True)
class DiagonallyImplicit(Generic[Carry]):
    """The whole rate by the implicit half: for `Linearised` schemes, whose rate may be nonlinear.

    Each stage solves k = rate(t + c h, known + h/4 k) by Newton's method from the stage before; the
    iteration ends when its correction is small against the tolerance. A stage that does not converge
    leaves an infinite error, which the step control refuses, and a state that is not a number, so that
    fixed steps cannot pass over it.
    """

    scheme: Semidiscretisation[Carry]
    linearised: Linearised
    tolerance: Tolerance

    def attempt(self, t: Array, carry: Carry, h: Array, params: Parameters) -> Attempt[Carry, tuple[()]]:
        # The stages are a loop, so that Newton's method and the solver inside it are compiled once.
        scheme = self.scheme
        y = scheme.core(carry)
        shift = DIAGONAL * h
        rows = jnp.asarray(ARK_IMPLICIT.weights(), h.dtype)
        nodes = jnp.asarray(NODES, h.dtype)
        rates = _stacked(scheme.rate(t, carry, params), ARK_IMPLICIT.stages)

        def stage(i: Array, state: _Stages) -> _Stages:
            rates, before, converged = state
            known = _ahead(y, h, rows[i], rates)
            z, found = self._stage(t + nodes[i] * h, known, before, shift, params)
            # Stiffly accurate: the rate that the equation of the stage implies, which rounding spares.
            implied = tuple(_over(a - b, shift) for a, b in zip(z, known, strict=True))
            return _noted(rates, i, implied), z, converged & found

        start = rates, y, jnp.ones((), bool)
        rates, end, converged = lax.fori_loop(1, ARK_IMPLICIT.stages, stage, start)
        after = t + h
        end = tuple(jnp.where(converged, a, jnp.full_like(a, jnp.nan)) for a in end)
        new = scheme.finish(after, end, params)
        bad = jnp.where(converged, 0.0, jnp.inf).astype(h.dtype)
        weights = jnp.asarray(ARK_IMPLICIT.error(), h.dtype)
        error = tuple(scaled(h, _weighted(weights, r)) + bad.astype(r.dtype) for r in rates)
        return Attempt(scheme.embed(after, new, params), (), error)

    def _stage(
        self, t: Array, known: Vector, guess: Vector, shift: Array, params: Parameters
    ) -> tuple[Vector, Array]:
        """z = known + shift · rate(t, z), differentiated as what it solves, not as the iteration."""

        @jax.custom_jvp
        def solved(of: _Stage) -> tuple[Vector, Array]:
            return self._iterated(of)

        @solved.defjvp
        def tangent(
            primals: tuple[_Stage], tangents: tuple[_Stage]
        ) -> tuple[tuple[Vector, Array], tuple[Vector, Array]]:
            (of,) = primals
            z, size = solved(of)
            _, moved = jax.jvp(lambda of: self._right(of, z), primals, tangents)
            change = self.linearised.solve_linearised(of.shift, of.t, z, moved, of.params)
            return (z, size), (change, jnp.zeros_like(size))

        z, size = solved(_Stage(t, known, guess, shift, params))
        return z, size <= NEWTON_TOLERANCE

    def _right(self, of: _Stage, z: Vector) -> Vector:
        rate = self.scheme.rate(of.t, self.scheme.embed(of.t, z, of.params), of.params)
        return tuple(k + scaled(of.shift, r) for k, r in zip(of.known, rate, strict=True))

    def _iterated(self, of: _Stage) -> tuple[Vector, Array]:
        """The solution, and the size of the last correction against the tolerance."""

        def going(state: tuple[Array, Vector, Array]) -> Array:
            i, _, size = state
            return (i < NEWTON_STEPS) & (size > NEWTON_TOLERANCE) & jnp.isfinite(size)

        def again(state: tuple[Array, Vector, Array]) -> tuple[Array, Vector, Array]:
            i, z, _ = state
            right = tuple(a - b for a, b in zip(self._right(of, z), z, strict=True))
            correction = self.linearised.solve_linearised(of.shift, of.t, z, right, of.params)
            new = tuple(a + d for a, d in zip(z, correction, strict=True))
            return i + 1, new, self.tolerance.scaled(self.scheme, correction, new)

        large = jnp.full((), float(np.finfo(of.shift.dtype).max), of.shift.dtype)
        _, z, size = lax.while_loop(going, again, (jnp.zeros((), "int32"), of.guess, large))
        return z, size


@dataclass(frozen=True, slots=True)
class AffineImplicit(Generic[Carry]):
    """The implicit half for a rate L y + f(t): one `solve` a stage, the forcing at the stage's time."""

    scheme: Split[Carry]

    def attempt(self, t: Array, carry: Carry, h: Array, params: Parameters) -> Attempt[Carry, tuple[()]]:
        scheme = self.scheme
        if _iterated(scheme):
            return self._looped(t, carry, h, params)
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
        # The first rate applies L and brings rounding of size ‖L‖: filtered, the estimate is as stable as
        # the step itself (M. E. Hosea, L. F. Shampine, Appl. Numer. Math. 20 (1996) 21-37).
        error = scheme.solve(shift, difference(h, ARK_IMPLICIT.error(), rates), params)
        return Attempt(scheme.embed(after, new, params), (), error)

    def _looped(self, t: Array, carry: Carry, h: Array, params: Parameters) -> Attempt[Carry, tuple[()]]:
        """The same with a loop, whose last turn solves for the error: without y, and without forcing."""
        scheme, count = self.scheme, ARK_IMPLICIT.stages
        y = scheme.core(carry)
        shift = DIAGONAL * h
        rows = jnp.asarray([*ARK_IMPLICIT.weights(), ARK_IMPLICIT.error()], h.dtype)
        nodes = jnp.asarray([*NODES, 1.0], h.dtype)

        def stage(i: Array, state: tuple[Vector, Vector, Vector]) -> tuple[Vector, Vector, Vector]:
            rates, _, before = state
            share = jnp.where(i < count, 1, 0).astype(h.dtype)
            known = _ahead(tuple(scaled(share, a) for a in y), h, rows[i], rates)
            at = t + nodes[i] * h
            force = scheme.explicit_rate(at, scheme.embed(at, before, params), params)
            right = tuple(k + scaled(share * shift, f) for k, f in zip(known, force, strict=True))
            z = scheme.solve(shift, right, params)
            found = tuple(_over(a - b, shift) for a, b in zip(z, known, strict=True))
            return _noted(rates, jnp.minimum(i, count - 1), found), before, z

        start = _stacked(scheme.rate(t, carry, params), count), y, y
        _, end, error = lax.fori_loop(1, count + 1, stage, start)
        after = t + h
        return Attempt(scheme.embed(after, scheme.finish(after, end, params), params), (), error)


def _iterated(scheme: object) -> bool:
    return isinstance(scheme, Iterated) and scheme.iterated


def _stacked(first: Vector, stages: int) -> Vector:
    """Rates of all stages [stages, ...], the first one known, the others 0 until then."""
    return tuple(jnp.zeros((stages, *a.shape), a.dtype).at[0].set(a) for a in first)


def _noted(rates: Vector, stage: Array, found: Vector) -> Vector:
    return tuple(r.at[stage].set(k) for r, k in zip(rates, found, strict=True))


def _ahead(y: Vector, h: Array, weights: Array, rates: Vector) -> Vector:
    """y + h Σ weights · rates, of stacked rates."""
    return tuple(a + scaled(h, _weighted(weights, r)) for a, r in zip(y, rates, strict=True))


def _weighted(weights: Array, stacked: Array) -> Array:
    """Σ weights · stacked along the first axis; a product and a sum, which fuse where a dot would not."""
    shape = (len(weights),) + (1,) * (stacked.ndim - 1)
    return jnp.sum(weights.reshape(shape).astype(stacked.dtype) * stacked, axis=0)


def _over(a: Array, h: Array) -> Array:
    return a / h.astype(a.dtype)
