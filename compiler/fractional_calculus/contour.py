"""Mittag-Leffler functions on arrays: NumPy's or JAX's, given as the namespace `xp`.

E^γ_{α,β}(z) is the inverse Laplace transform of F(s) = s^(αγ-β) / (s^α - z)^γ at time 1, taken by the
midpoint rule on a modified Talbot contour (J. A. C. Weideman, SIAM J. Numer. Anal. 44 (2006) 2342: an
error of 3.89^-N for N nodes). Poles outside a disc are subtracted from F and added back as residues, so
that none comes near the contour. Needs neither SymPy nor JAX.
"""

import math
from types import ModuleType

import numpy as np

Array = np.ndarray
"""NumPy's, or an array of `xp` that calculates alike."""

NODES = 26  # beyond, rounding grows and nothing is gained in float64
NODES_COMPLEX = 30  # for β up to 4, where residues are complex and larger
NODES_SINGLE = 20
ENCLOSED = 0.1  # poles this near to 0 lie well inside the contour


def mittag_leffler_complex(xp: ModuleType, alpha: Array, beta: Array, z: Array) -> Array:
    """E_{α,β}(z), elementwise with broadcasting, for complex z and 0 < α ≤ 2; within 1e-12 in complex128."""
    alpha, beta, z = xp.broadcast_arrays(alpha, beta, z)
    kind = z.dtype
    single = kind == xp.dtype("complex64")
    nodes = NODES_SINGLE if single else NODES_COMPLEX
    safe = xp.where(z == 0, xp.ones_like(z), z)
    radius, turned = xp.abs(safe) ** (1 / alpha), xp.angle(safe)
    other = xp.where(turned < 0, turned + 2 * math.pi, turned - 2 * math.pi)
    poles = []
    for angle in (turned / alpha, other / alpha):
        outside = (xp.abs(angle) < math.pi) & (radius > ENCLOSED) & (z != 0)
        away = xp.where(outside, radius, xp.ones_like(radius))
        scale = xp.where(outside, away ** (1 - beta) / alpha, 0 * away)
        pole = (away * xp.cos(angle)).astype(kind) + 1j * (away * xp.sin(angle)).astype(kind)
        turn = angle * (1 - beta)
        residue = (scale * xp.cos(turn)).astype(kind) + 1j * (scale * xp.sin(turn)).astype(kind)
        poles.append((pole, residue))
    order, outer = alpha.astype(kind), (alpha - beta).astype(kind)
    total = 0 * z
    for weight, s in _nodes(nodes):
        for w, place in ((weight, s), (weight.conjugate(), s.conjugate())):
            transform = place**outer / (place**order - z)
            for pole, residue in poles:
                transform = transform - residue / (place - pole)
            total = total + w / 2 * transform
    for pole, residue in poles:
        total = total + residue * xp.exp(pole)
    return total


def _nodes(count: int) -> list[tuple[complex, complex]]:
    """Weights, twice those of the rule, and places on the upper half of the contour."""
    found = []
    for k in range(count // 2):
        theta = (2 * k + 1) * math.pi / count
        slant = 0.6407 * theta
        s = count * (0.5017 * theta / math.tan(slant) - 0.6122 + 0.2645j * theta)
        slope = count * (0.5017 / math.tan(slant) - 0.5017 * slant / math.sin(slant) ** 2 + 0.2645j)
        found.append((2 * complex(math.e) ** s * slope / (1j * count), s))
    return found


def mittag_leffler(xp: ModuleType, alpha: Array, beta: Array, z: Array, gamma: Array) -> Array:
    """E^γ_{α,β}(z), elementwise with broadcasting, for real z and 0 < α ≤ 2; within 1e-12 in float64.

    Not a number for γ ≠ 1 where a pole would have to be subtracted (z > 0 with α ≠ 1, or z < 0 with α > 1).
    """
    alpha, beta, gamma, z = xp.broadcast_arrays(alpha, beta, gamma, z)
    single = z.dtype == xp.dtype("float32")
    whole = xp.where((gamma != 1) & (alpha == 1) & (z > 0), True, False)
    # Kummer's transformation, DLMF 13.2.39.
    power = xp.where(whole, beta - gamma, gamma)
    turned = xp.where(whole, -z, z)
    value = _by_contour(xp, alpha, beta, turned, power, NODES_SINGLE if single else NODES)
    found: Array = xp.where(whole, xp.exp(xp.where(whole, z, 0 * z)) * value, value)
    return found


def _by_contour(xp: ModuleType, alpha: Array, beta: Array, z: Array, gamma: Array, nodes: int) -> Array:
    kind = xp.dtype("complex64" if z.dtype == xp.dtype("float32") else "complex128")
    safe = xp.where(z == 0, xp.ones_like(z), z)
    radius = xp.abs(safe) ** (1 / alpha)
    angle = xp.where(z > 0, 0 * z, math.pi / alpha)
    outside = (angle < math.pi) & (radius > ENCLOSED) & (z != 0)
    away = xp.where(outside, radius, xp.ones_like(z))
    real, imaginary = away * xp.cos(angle), away * xp.sin(angle)
    pole = real.astype(kind) + 1j * imaginary.astype(kind)
    scale = xp.where(outside, away ** (1 - beta) / alpha, 0 * z)
    turn = angle * (1 - beta)
    residue = (scale * xp.cos(turn)).astype(kind) + 1j * (scale * xp.sin(turn)).astype(kind)
    pair = xp.where(z > 0, 0 * z, xp.ones_like(z))  # 1 where the conjugate is a pole of its own
    mirrored = pair.astype(kind) * xp.conj(residue)
    inner, order, power = z.astype(kind), alpha.astype(kind), gamma.astype(kind)
    outer = (alpha * gamma - beta).astype(kind)
    total = 0 * z
    for weight, s in _nodes(nodes):
        transform = s**outer / (s**order - inner) ** power
        transform = transform - residue / (s - pole) - mirrored / (s - xp.conj(pole))
        total = total + xp.real(weight * transform)
    waves = scale * xp.cos(turn + imaginary)
    total = total + (1 + pair) * xp.exp(real) * waves
    found: Array = xp.where(outside & (gamma != 1), xp.nan + 0 * z, total)
    return found
