"""Fractional powers of the lattice's Laplacian in a box of several axes: block Toeplitz, by the FFT.

The weights of (-Δ_h)^s, Δ_h the sum of second differences over all of space, are of second order for the
integral fractional Laplacian of fields that continue smoothly as zero (Z. Hao, Z. Zhang, R. Du, J. Comput.
Phys. 424 (2021) 109851); on one axis they are the fractional centred differences. They come from

    (-Δ_h)^s = 1/Γ(-s) ∫_0^∞ (exp(tΔ_h) - 1) t^(-1-s) dt,

whose kernel is a product over the axes, e^(-2t) I_j(2t) each (Ó. Ciaurri et al., Adv. Math. 330 (2018) 688).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import factorial

import jax.numpy as jnp
import numpy as np
import scipy.fft
import scipy.special
import sympy as sp
from jax import Array, lax
from jax.scipy.special import gammaln
from numpy.typing import NDArray

from nablax.backends.differences import trigonometric
from nablax.backends.differences.contraction import complex_dtype
from nablax.backends.lowering import Operand, evaluate
from nablax.plan import GridAxis

SHORT = 1 / 16  # time up to which the exponential is its power series, in squares of the smallest spacing
TERMS = 12  # of the series; the next one is below 1e-15 in three dimensions
LONG = 34.0  # logarithm of the last time: the rest is below exp(-34)
PANELS, POINTS = 24, 12  # of Gauss quadrature in the logarithm of the time
GAUSSIAN = 1e8  # argument of the Bessel functions from which they are taken for Gaussians
Scalars = Mapping[sp.Basic, Operand]
Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LatticePower:
    """(-Δ)^s over all of space on a box of two or three axes, the field zero beyond it."""

    node: sp.Expr
    unknown: int
    key: sp.Symbol
    grid: tuple[GridAxis, ...]
    waves: tuple[trigonometric.Kind, ...]
    dtype: jnp.dtype
    diagonal: bool = False

    @property
    def axes(self) -> tuple[int, ...]:
        return tuple(range(len(self.grid)))

    def kernel(self, scalars: Scalars) -> Array:
        """The transform of the circulant that the block Toeplitz matrix is a part of; real."""
        order = jnp.asarray(evaluate([self.node.args[1]], scalars)[0], self.dtype)
        weights = lattice_weights(order, [a.spacing for a in self.grid], [a.points for a in self.grid])
        for k, length in enumerate(self._lengths):
            count = weights.shape[k]
            widths = [(0, length - 2 * count + 1 if j == k else 0) for j in range(weights.ndim)]
            mirror = lax.slice_in_dim(jnp.flip(weights, k), 0, count - 1, axis=k)
            weights = jnp.concatenate([jnp.pad(weights, widths), mirror], axis=k)
        return jnp.real(jnp.fft.rfftn(weights))

    def apply(self, array: Array, scalars: Scalars) -> Array:
        if jnp.iscomplexobj(array):
            return lax.complex(*(self.apply(part, scalars) for part in (jnp.real(array), jnp.imag(array))))
        hat = jnp.fft.rfftn(array, self._lengths)
        kernel = jnp.asarray(scalars[self.key]).astype(complex_dtype(array.dtype))
        return jnp.fft.irfftn(hat * kernel, self._lengths)[tuple(slice(0, n) for n in array.shape)]

    def modes(self, scalars: Scalars) -> Array:
        """The symbol at the angles of the sines: the τ preconditioner of a block Toeplitz matrix."""
        total = np.zeros((1,) * len(self.grid))
        for k, (axis, kind) in enumerate(zip(self.grid, self.waves, strict=True)):
            angle = trigonometric.angles(kind, axis.n)
            shape = [-1 if j == k else 1 for j in range(len(self.grid))]
            total = total + ((2 * np.sin(angle / 2) / axis.spacing) ** 2).reshape(shape)
        order = jnp.asarray(evaluate([self.node.args[1]], scalars)[0], self.dtype)
        # A constant mode stays away from 0^s, whose derivative in s has no value.
        positive = jnp.asarray(np.where(total > 0, total, 1.0), self.dtype)
        return jnp.where(jnp.asarray(total > 0), positive**order, 0)

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(int(scipy.fft.next_fast_len(2 * a.points - 1, real=True)) for a in self.grid)


def lattice_weights(order: Array, spacings: Sequence[float], counts: Sequence[int]) -> Array:
    """w_j of (-Δ_h)^s u(x) = Σ w_|j| u(x - jh), j = 0 .. count - 1 along each axis, for 0 < s <= 1.

    Times up to `SHORT` take the power series of the exponential, where the integrand is singular; beyond, s
    stands in the weights of a fixed quadrature only.
    """
    smallest = min(spacings)
    rates = [(smallest / h) ** 2 for h in spacings]
    dtype = order.dtype
    times, shares = _times()
    heat = [
        jnp.asarray(_heat(np.arange(n)[None, :], 2 * r * times[:, None]), dtype)
        for n, r in zip(counts, rates, strict=True)
    ]
    # 1/Γ(-s) = -s (1 - s)/Γ(2 - s), so that nothing is infinite at s = 1.
    scale = jnp.exp(-gammaln(2 - order))
    weight = -order * (1 - order) * scale * jnp.asarray(shares, dtype)
    weight = weight * jnp.exp(-order * jnp.asarray(np.log(times), dtype))
    letters = "abc"[: len(counts)]
    product = ",".join(f"q{c}" for c in letters)
    found = jnp.einsum(f"q,{product}->{letters}", weight, *heat, precision=lax.Precision.HIGHEST)
    short = scale * jnp.exp(-order * float(np.log(SHORT)))
    series = _series(rates, counts)
    factors = [1 - order, -order * SHORT]
    factors += [-order * (1 - order) * SHORT**k / (factorial(k) * (k - order)) for k in range(2, TERMS + 1)]
    for factor, power in zip(factors, series, strict=True):
        corner = tuple(slice(0, n) for n in power.shape)
        found = found.at[corner].add(short * factor * jnp.asarray(power, dtype))
    return found * jnp.exp(-2 * order * float(np.log(smallest)))


def _times() -> tuple[Real, Real]:
    """Times beyond `SHORT` and the weights of dt/t."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    ends = np.linspace(np.log(SHORT), LONG, PANELS + 1)
    middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    return np.exp((middle[:, None] + half[:, None] * points).ravel()), (half[:, None] * weights).ravel()


def _heat(index: NDArray[np.int64], x: Real) -> Real:
    """e^(-x) I_j(x); where SciPy has no value any more, a Gaussian is the same to rounding."""
    found = scipy.special.ive(index, np.minimum(x, GAUSSIAN))
    far = np.exp(-(index**2) / (2 * x)) / np.sqrt(2 * np.pi * x)
    return np.asarray(np.where(x < GAUSSIAN, found, far))


def _series(rates: Sequence[float], counts: Sequence[int]) -> list[Real]:
    """Δ^k δ at the corner of the lattice with indices from 0 on, k = 0 .. TERMS."""
    reach = TERMS + 1
    power = np.zeros((2 * reach + 1,) * len(rates))
    power[(reach,) * len(rates)] = 1.0
    corner = tuple(slice(reach, reach + min(reach, n)) for n in counts)
    found = [power[corner].copy()]
    for _ in range(TERMS):
        # The lattice is wide enough that nothing comes round its ends.
        power = np.sum(
            [r * (np.roll(power, 1, k) - 2 * power + np.roll(power, -1, k)) for k, r in enumerate(rates)],
            axis=0,
        )
        found.append(power[corner].copy())
    return found
