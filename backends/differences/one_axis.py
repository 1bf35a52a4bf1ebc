"""Fractional derivatives along one axis with walls, as Toeplitz matrices on the nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax
from jax.scipy.special import gammaln
from numpy.typing import NDArray

from nablax.backends.differences import trigonometric
from nablax.backends.differences.kernels import plus, times
from nablax.backends.differences.toeplitz import (
    centred_weights,
    prepared,
    product,
    shift_factors,
    shifted_weights,
)
from nablax.backends.lowering import Operand, evaluate
from nablax.plan import GridAxis
from nablax.stencils import fornberg

Scalars = Mapping[sp.Basic, Operand]
START = 5  # nodes that the slopes at the base of a Caputo derivative are taken from


@dataclass(frozen=True, eq=False, slots=True)
class CentredDifference:
    """sign · (-d²/dx²)^(β/2) on an interval, the field zero beyond it. `order` is β."""

    node: sp.Expr
    unknown: int
    key: sp.Symbol
    axis: int
    dimensions: int
    grid: GridAxis
    order: sp.Expr
    sign: int
    waves: trigonometric.Kind
    dense: bool
    dtype: jnp.dtype
    diagonal: bool = False

    @property
    def axes(self) -> tuple[int, ...]:
        return (self.axis,)

    def kernel(self, scalars: Scalars) -> Array:
        points = self.grid.points
        weights = self.sign * centred_weights(self._order(scalars), points, self.grid.spacing)
        return prepared(jnp.concatenate([weights[:0:-1], weights]), points, self.dense)

    def apply(self, array: Array, scalars: Scalars) -> Array:
        return product(jnp.asarray(scalars[self.key]), array, self.axis, self.dense)

    def modes(self, scalars: Scalars) -> Array:
        """The symbol of the differences at the angles of the sines: the τ preconditioner (D. Bini, M.
        Capovani, Linear Algebra Appl. 52 (1983) 99)."""
        slope = _slope(self.waves, self.grid, self.dtype)
        return _placed(self.sign * slope ** self._order(scalars), self.axis, self.dimensions)

    def _order(self, scalars: Scalars) -> Array:
        return jnp.asarray(evaluate([self.order], scalars)[0], self.dtype)


@dataclass(frozen=True, eq=False, slots=True)
class ShiftedDifference:
    """A derivative of order α, n - 1 < α <= n = `ceiling` <= 2, that looks from one end of its axis.

    `side` 1 looks from the lower end. `caputo` takes the field's Taylor polynomial of degree n at the base
    apart, and what is left continues as zero; otherwise the field itself does. `rate` is λ of a tempered
    derivative.
    """

    node: sp.Expr
    unknown: int
    key: sp.Symbol
    axis: int
    dimensions: int
    grid: GridAxis
    order: sp.Expr
    ceiling: int
    side: int
    caputo: bool
    rate: sp.Expr
    waves: trigonometric.Kind
    dense: bool
    dtype: jnp.dtype
    diagonal: bool = False

    @property
    def axes(self) -> tuple[int, ...]:
        return (self.axis,)

    def kernel(self, scalars: Scalars) -> Array:
        points, h = self.grid.points, self.grid.spacing
        order, rate = (jnp.asarray(evaluate([e], scalars)[0], self.dtype) for e in (self.order, self.rate))
        weights, shift = shifted_weights(order, self.ceiling, points + 1, h)
        # t_d with d = k - shift, from d = 1 - points on.
        ahead = jnp.zeros(points - 1 - shift, self.dtype)
        diagonals = jnp.concatenate([ahead, weights[: points + shift]])
        distance = jnp.arange(1 - points, points, dtype=self.dtype) * h
        diagonals = jnp.where(distance >= -h, diagonals * jnp.exp(-rate * jnp.maximum(distance, -h)), 0)
        return prepared(diagonals if self.side == 1 else diagonals[::-1], points, self.dense)

    def apply(self, array: Array, scalars: Scalars) -> Array:
        kernel = jnp.asarray(scalars[self.key])
        if not self.caputo:
            return product(kernel, array, self.axis, self.dense)
        terms = self._taylor(array)
        steps = np.arange(self.grid.points, dtype=float)
        rest: Operand = array
        for power, term in enumerate(terms):
            rest = plus(rest, times(-1.0, self._along(term, steps**power)))
        # D^α y^n = Γ(n+1)/Γ(n+1-α) y^(n-α) in closed form; what is left is smooth when it continues as zero.
        n, order = self.ceiling, jnp.asarray(evaluate([self.order], scalars)[0], self.dtype)
        away = jnp.asarray(np.maximum(steps, 1.0), self.dtype)
        known = away ** (n - order) * jnp.exp(
            gammaln(jnp.asarray(n + 1.0, self.dtype)) - gammaln(n + 1 - order)
        )
        known = jnp.where(jnp.asarray(steps > 0), known, 0) * jnp.exp(
            -order * float(np.log(self.grid.spacing))
        )
        found = product(kernel, jnp.asarray(rest), self.axis, self.dense)
        return jnp.asarray(plus(found, self._along(terms[n], known)))

    def _taylor(self, array: Array) -> list[Array]:
        """The coefficients of 1, y, .. y^n at the base, y in steps of the grid; size 1 along the axis."""
        ends = slice(0, START) if self.side == 1 else slice(None, -START - 1, -1)
        near = jnp.moveaxis(jnp.moveaxis(array, self.axis, 0)[ends], 0, -1)
        weights = fornberg(np.arange(START), 0.0, self.ceiling)
        found = (
            jnp.sum(jnp.asarray(times(near, jnp.asarray(w / factorial(m), self.dtype))), axis=-1)
            for m, w in enumerate(weights)
        )
        return [jnp.expand_dims(value, self.axis) for value in found]

    def _along(self, value: Array, profile: NDArray[np.float64] | Array) -> Operand:
        """A value per line times a profile seen from the base."""
        seen = profile if self.side == 1 else profile[::-1]
        return times(value, _placed(jnp.asarray(seen, self.dtype), self.axis, self.dimensions))

    def modes(self, scalars: Scalars) -> Array:
        """The real part of the symbol without tempering: a τ preconditioner of the symmetric part (X. Lin, X.
        Huang, M. Ng, H.-W. Sun, Numer. Algorithms 92 (2023) 651)."""
        order = jnp.asarray(evaluate([self.order], scalars)[0], self.dtype)
        angle = jnp.asarray(trigonometric.angles(self.waves, self.grid.n), self.dtype)
        turn = order * (float(np.pi) - angle) / 2
        shift = self.ceiling - 1
        first, second = shift_factors(order, self.ceiling)
        real = first * jnp.cos(turn + shift * angle) + second * jnp.cos(turn + (shift - 1) * angle)
        slope = _slope(self.waves, self.grid, self.dtype)
        return _placed(slope**order * real, self.axis, self.dimensions)


@dataclass(frozen=True, eq=False, slots=True)
class FourierPower:
    """-(-d²/dx²)^(β/2) along a periodic axis of a box that has walls elsewhere."""

    node: sp.Expr
    unknown: int
    key: sp.Symbol
    axis: int
    dimensions: int
    grid: GridAxis
    order: sp.Expr
    dtype: jnp.dtype
    diagonal: bool = True

    @property
    def axes(self) -> tuple[int, ...]:
        return (self.axis,)

    def kernel(self, scalars: Scalars) -> Array:
        order = jnp.asarray(evaluate([self.order], scalars)[0], self.dtype)
        k = np.abs(2 * np.pi * np.fft.fftfreq(self.grid.n) / self.grid.spacing)
        away = jnp.asarray(np.where(k > 0, k, 1.0), self.dtype)
        return jnp.where(jnp.asarray(k > 0), -(away**order), 0)

    def apply(self, array: Array, scalars: Scalars) -> Array:
        symbol = self.modes(scalars)
        if jnp.iscomplexobj(array):
            return jnp.fft.ifft(
                jnp.asarray(times(jnp.fft.fft(array, axis=self.axis), symbol)), axis=self.axis
            )
        kept = lax.slice_in_dim(symbol, 0, self.grid.n // 2 + 1, axis=self.axis)
        hat = jnp.asarray(times(jnp.fft.rfft(array, axis=self.axis), kept))
        return jnp.fft.irfft(hat, self.grid.n, axis=self.axis)

    def modes(self, scalars: Scalars) -> Array:
        return _placed(jnp.asarray(scalars[self.key]), self.axis, self.dimensions)


def _slope(waves: trigonometric.Kind, grid: GridAxis, dtype: jnp.dtype) -> Array:
    """2 sin(θ/2) / h at the angles of the waves; positive, so that powers of it have derivatives."""
    found = 2 * np.sin(trigonometric.angles(waves, grid.n) / 2) / grid.spacing
    return jnp.asarray(np.maximum(found, np.finfo(np.float32).tiny), dtype)


def _placed(values: Array, axis: int, dimensions: int) -> Array:
    return values.reshape([-1 if j == axis else 1 for j in range(dimensions)])
