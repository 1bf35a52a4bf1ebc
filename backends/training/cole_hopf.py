"""Burgers' equation solved by quadrature of the Cole–Hopf formula, with its own error.

    v(x, t) = ∫ v0(y) w dy / ∫ w dy,  w = exp(-(∫₀^y v0 + (x - y)²/(2t)) / (2ν))

The weight is positive, so that nothing cancels however small ν is, and the trapezoidal rule on the line
converges faster than any power of its step where v0 is smooth (L. N. Trefethen, J. A. C. Weideman, SIAM Rev.
56 (2014) 385).
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from nablax.backends.training.records import Score
from nablax.backends.training.reference import relative
from nablax.backends.training.values import Evaluate, on_host
from nablax.sampling import sample
from nablax.training.burgers import Burgers

TIMES, PLACES = 40, 250
DEGREES = (32, 128, 512, 2048)  # of the polynomial for the initial values
ROUNDING = 1e-13
DECAYED = 150.0  # 4 · 37: exp(-37) is rounding
STEPS = (4.0, 8.0)  # nodes in the narrowest width of a peak: for the error, and for the solution
NODES = 20_000


@dataclass(frozen=True, slots=True)
class Reference:
    """`points` [n, 2] in space and time, `values` [n] of the field there, and how far these are from those
    of half as many nodes, relative in L2."""

    points: np.ndarray
    values: np.ndarray
    error: float

    def score(self, evaluate: Evaluate, dtype: str, name: str) -> Score:
        """The relative L2 distance of a trained field over all points."""
        own = on_host(evaluate, self.points, dtype)[name]
        return Score(name, relative(own, self.values), self.error, "the Cole–Hopf solution by quadrature")


@dataclass(frozen=True, slots=True)
class _Start:
    """v0 on the line, from its Chebyshev coefficients and those of its integral from the lower end."""

    burgers: Burgers
    coefficients: np.ndarray
    integral: np.ndarray
    steepest: float
    largest: float

    def values(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(v0, its integral from the lower end to y)."""
        low, high = self.burgers.ends
        turns = np.floor((y - low) / (high - low))
        xi = 2 * ((y - low) / (high - low) - turns) - 1
        mirrored = (turns % 2 == 1) & self.burgers.odd
        xi = np.where(mirrored, -xi, xi)
        v = np.where(mirrored, -1.0, 1.0) * chebyshev.chebval(xi, self.coefficients)
        area = chebyshev.chebval(xi, self.integral)
        if self.burgers.odd:
            return v, area
        return v, area + turns * chebyshev.chebval(1.0, self.integral)


def reference(burgers: Burgers) -> Reference | None:
    """The solution at midpoints of a grid in space and at times after the first; None where the initial
    values are too rough for the formula to be accurate, or there would be too many nodes."""
    start = _start(burgers)
    if start is None:
        return None
    (low, high), (first, last) = burgers.ends, burgers.times
    x = low + (high - low) * (np.arange(PLACES) + 0.5) / PLACES
    after = (last - first) * np.arange(1, TIMES + 1) / TIMES
    both = [[_at(start, x, float(t), per) for t in after] for per in STEPS]
    if any(v is None for found in both for v in found):
        return None
    coarse, fine = (np.stack([v for v in found if v is not None]) for found in both)
    values = (fine - burgers.speed) / burgers.advection
    size = float(np.linalg.norm(values))
    error = float(np.linalg.norm(fine - coarse)) / abs(burgers.advection) / (size or 1.0)
    t = np.broadcast_to(first + after[:, None], fine.shape)
    points = np.stack([np.broadcast_to(x, fine.shape), t], axis=-1).reshape(-1, 2)
    return Reference(points, values.reshape(-1), max(error, float(np.finfo(float).eps)))


def _start(burgers: Burgers) -> _Start | None:
    low, high = burgers.ends

    def v0(xi: np.ndarray) -> np.ndarray:
        x = low + (high - low) * (xi + 1) / 2
        u = np.broadcast_to(sample(burgers.initial, {burgers.axis.symbol: x}), x.shape)
        values: np.ndarray = burgers.advection * np.real(u) + burgers.speed
        return values

    ends = v0(np.array([-1.0, 1.0]))
    for degree in DEGREES:
        nodes = chebyshev.chebpts1(degree + 1)
        found = 2 / (degree + 1) * chebyshev.chebvander(nodes, degree).T @ v0(nodes)
        found[0] /= 2
        largest = float(np.max(np.abs(found)))
        if not np.isfinite(largest):
            return None
        if np.max(np.abs(found[-3:])) <= ROUNDING * largest:
            break
    else:
        return None
    jump = ends if burgers.odd else ends[1] - ends[0]
    if np.max(np.abs(jump)) > 1e-9 * max(largest, 1e-300):
        return None
    half = (high - low) / 2
    slope = chebyshev.chebval(np.linspace(-1, 1, 4 * degree), chebyshev.chebder(found)) / half
    bound = float(np.max(np.abs(chebyshev.chebval(np.linspace(-1, 1, 4 * degree), found))))
    return _Start(
        burgers,
        found,
        half * chebyshev.chebint(found, lbnd=-1),
        float(np.max(np.abs(slope))),
        bound,
    )


def _at(start: _Start, x: np.ndarray, t: float, per: float) -> np.ndarray | None:
    """v at x [n] and one time after the start, with `per` nodes in the width of the narrowest peak."""
    nu = start.burgers.viscosity
    width = np.sqrt(2 * nu / (start.steepest + 1 / t))
    reach = t * start.largest + np.sqrt(DECAYED * nu * t)
    count = int(np.ceil(reach * per / width))
    if count > NODES:
        return None
    s = reach * np.arange(-count, count + 1) / count
    v0, area = start.values(x[:, None] - s)
    exponent = -(area + s**2 / (2 * t)) / (2 * nu)
    w = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    found: np.ndarray = (v0 * w).sum(axis=1) / w.sum(axis=1)
    return found
