"""Sums of decaying exponentials in the place of the kernels t^(-α)/Γ(1-α): rates found before the run.

A kernel of known numbers is fitted: weights >= 0 on geometric rates by least squares (the active set of
Lawson and Hanson), some thirty of them. A kernel whose order or coefficient is a parameter takes the rates
of a quadrature of t^(-α)/Γ(1-α) = sin(πα)/π ∫ s^(α-1) e^(-st) ds, with weights that are functions of α:
twice as many, true for every order and differentiable in it (S. Jiang, J. Zhang, Q. Zhang, Z. Zhang,
Commun. Comput. Phys. 21 (2017) 650, with the weight s^(α-1) on the first interval by moments).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gamma, log

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.polynomial.legendre import leggauss, legvander
from scipy.optimize import nnls

from nablax.backends.memory.kernels import KERNELS
from nablax.fractional_calculus.operators import Kernel

Terms = tuple[tuple[float, float], ...]
"""(coefficient, order) of every derivative, 0 < order < 1."""
SAMPLES = 800
DENSITIES = (0.7, 0.9, 1.1, 1.4, 1.8, 2.4, 3.2)  # rates per factor e
LOW = 2.0  # the first interval of the quadrature ends at this rate times the duration
PANEL = 2.35  # length of an interval in log(rate)
ORDERS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)  # for which a quadrature is judged


@dataclass(frozen=True, slots=True)
class Fitted:
    """Σ weights · e^(-rates t) is the kernel for shortest <= t <= duration."""

    rates: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, slots=True)
class Quadrature:
    """`rates` below `count` belong to the first interval [0, low], those above to the rest.

    The weight of rate s_j in the kernel of order α is sin(πα)/π times low^α Σ_k moments_k(α) · basis[k, j] on
    the first interval and steps_j · s_j^α on the rest.
    """

    rates: np.ndarray
    count: int
    low: float
    basis: np.ndarray
    steps: np.ndarray

    def weights(self, order: Array) -> Array:
        """The weights for one order between 0 and 1; differentiable in it."""
        order = jnp.asarray(order)
        return jnp.sin(jnp.pi * order) / jnp.pi * self.integrals(order)

    def integrals(self, order: Array) -> Array:
        """Those of ∫ s^(order-1) f(s) ds for smooth f, order > 0."""
        moments = [1 / order]
        for k in range(1, self.count):
            moments.append(-moments[-1] * (k - order) / (k + order))
        # ∫₀¹ z^(α-1) P_k(2z - 1) dz, by recurrence in k.
        first = self.low**order * (jnp.stack(moments) @ jnp.asarray(self.basis, order.dtype))
        logs = jnp.asarray(np.log(self.rates[self.count :]), order.dtype)
        rest = jnp.asarray(self.steps, order.dtype) * jnp.exp(order * logs)
        return jnp.concatenate([first, rest])


def fitted(
    terms: Terms, shortest: float, duration: float, tolerance: float, kernel: Kernel = "power"
) -> Fitted:
    """The exponentials of Σ c K, K of those orders and coefficients positive, to a relative tolerance."""
    # Runs that differ a little share a fit.
    return _fit(kernel, terms, 2.0 ** np.floor(np.log2(shortest / duration)), duration, tolerance)


@lru_cache(maxsize=64)
def _fit(name: Kernel, terms: Terms, ratio: float, duration: float, tolerance: float) -> Fitted:
    t = np.geomspace(ratio, 1.0, SAMPLES)
    kernel = np.sum([c * KERNELS[name].values(a, duration * t) for c, a in terms], axis=0)
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for density in DENSITIES:
        low, high = 1e-3, log(1 / tolerance) * 1.3 / ratio
        count = int(log(high / low) * density) + 1
        rates = np.concatenate([[0.0], np.geomspace(low, high, count)])
        # Columns of one size: the kernel's own at the lag where a rate matters.
        scale = np.interp(np.log(1 / np.maximum(rates, 1.0)), np.log(t), kernel)
        columns = np.exp(-np.outer(t, rates)) / kernel[:, None] * scale
        found, _ = nnls(columns, np.ones(SAMPLES), maxiter=20000)
        error = float(np.abs(columns @ found - 1).max())
        if best is None or error < best[0]:
            best = error, rates[found > 0], (found * scale)[found > 0]
        if error < tolerance:
            break
    assert best is not None
    return Fitted(best[1] / duration, best[2])


@lru_cache(maxsize=64)
def quadrature(shortest: float, duration: float, tolerance: float) -> Quadrature:
    """Rates whose weights follow from the order, to a relative tolerance for all orders in [0.02, 0.98]."""
    t = np.geomspace(shortest, duration, 400)
    for points in range(6, 24):
        made = panels(LOW / duration, log(10 / tolerance) / shortest, points)
        if all(_miss(made, order, t) < tolerance for order in ORDERS):
            break
    return made


def panels(low: float, high: float, points: int) -> Quadrature:
    """Gauss's rules of so many points: on [0, low], and on intervals in log(s) from there to `high`."""
    nodes, widths = leggauss(points)
    basis = (2 * np.arange(points) + 1)[:, None] * legvander(nodes, points - 1).T * (widths / 2)
    start, end = log(low), log(high)
    pieces = max(int(np.ceil((end - start) / PANEL)), 1)
    length = (end - start) / pieces
    places = start + length * (np.arange(pieces)[:, None] + (nodes + 1) / 2)
    steps = np.tile(widths / 2 * length, pieces)
    rates = np.concatenate([low * (nodes + 1) / 2, np.exp(places.ravel())])
    return Quadrature(rates, points, low, basis, steps)


def _miss(made: Quadrature, order: float, t: np.ndarray) -> float:
    moments = np.array(_moments(order, made.count))
    first = made.low**order * moments @ made.basis
    rest = made.steps * made.rates[made.count :] ** order
    weights = np.sin(np.pi * order) / np.pi * np.concatenate([first, rest])
    kernel = t**-order / gamma(1 - order)
    return float(np.abs(np.exp(-np.outer(t, made.rates)) @ weights / kernel - 1).max())


def _moments(order: float, count: int) -> Sequence[float]:
    found = [1 / order]
    for k in range(1, count):
        found.append(-found[-1] * (k - order) / (k + order))
    return found
