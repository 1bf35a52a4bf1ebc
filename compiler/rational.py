"""Inverse powers as sums of poles: λ^(-β) ≈ c_0 + Σ c_j/(λ + p_j) on an interval of positive λ.

The poles come from the AAA algorithm (Y. Nakatsukasa, O. Sète, L. N. Trefethen, SIAM J. Sci. Comput. 40
(2018) A1494), for several powers at once on the same support points. `scipy.interpolate.AAA` asks for SciPy
1.15, takes one function and weighs absolute errors only; here errors are relative where asked for. The poles,
real and negative for these functions, are bisected: an eigenproblem was seen to lose some on eight decades.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
SAMPLES = 240  # places, evenly in log λ
MOST = 60  # support points: rounding ends the gain before
MARGIN = 14.0  # how far beyond the interval poles are looked for, in log λ


@dataclass(frozen=True, eq=False, slots=True)
class Poles:
    """λ^(-β) ≈ c_0 + Σ c_j/(λ + shifts_j) for λ in [lowest, 1], c = residues · λ^(1/2 - β) at the `places`.

    `residues` [1 + shifts, places] is the least-squares fit for the weight λ^(1/2), between those of the
    relative errors for β in [0, 1]: linear in the samples, so that β may be traced.
    """

    shifts: Real
    places: Real
    residues: Real

    def coefficients(self, power: float) -> Real:
        """c for λ^(-power), weighed for its own relative error."""
        weight = self.places**power
        return _fitted(_columns(self.places, self.shifts) * weight[:, None]) @ np.ones_like(weight)


@lru_cache(maxsize=32)
def inverse_powers(
    powers: tuple[float, ...], lowest: float, tolerance: float, relative: bool = True
) -> Poles:
    """Poles for all the powers given, each in (0, 1), to an error of `tolerance` on [lowest, 1].

    Without `relative` the error is absolute after scaling λ so that the interval starts at 1.
    """
    x = np.geomspace(lowest, 1.0, SAMPLES)
    values = np.stack([(x / lowest) ** -b for b in powers], axis=1)
    points, weights = _support(x, values, 1 / values if relative else np.ones_like(values), tolerance)
    shifts = _negative_roots(points, weights, lowest)
    columns = _columns(x, shifts) * np.sqrt(x)[:, None]
    return Poles(shifts, x, _fitted(columns))


def _support(x: Real, values: Real, scale: Real, tolerance: float) -> tuple[Real, Real]:
    """Support points and weights of the barycentric form, added one by one where the error is largest."""
    chosen: list[int] = []
    weights = np.ones(1)
    free = np.ones(len(x), dtype=bool)
    fit = np.broadcast_to(values.mean(axis=0), values.shape)
    while True:
        errors = (np.abs(values - fit) * scale).max(axis=1)
        if errors.max() <= tolerance or len(chosen) == MOST:
            return x[chosen], weights
        chosen.append(int(np.argmax(np.where(free, errors, -1.0))))
        free[chosen[-1]] = False
        cauchy = 1 / (x[free, None] - x[chosen])
        rows = [
            (v[free, None] - v[chosen]) * cauchy * s[free, None]
            for v, s in zip(values.T, scale.T, strict=True)
        ]
        loewner = np.concatenate(rows)
        size = np.linalg.norm(loewner, axis=0)
        weights = np.linalg.svd(np.linalg.qr(loewner / size, mode="r"))[2][-1] / size
        fit = values.copy()
        fit[free] = (cauchy @ (weights[:, None] * values[chosen])) / (cauchy @ weights)[:, None]


def _negative_roots(points: Real, weights: Real, lowest: float) -> Real:
    """The p > 0 with Σ weights/(-p - points) = 0: poles of the barycentric form, mirrored."""

    def denominator(y: Real) -> Real:
        return np.asarray(np.sum(weights / (-np.exp(y)[:, None] - points), axis=1))

    y = np.linspace(np.log(lowest) - MARGIN, MARGIN, 4001)
    signs = np.sign(denominator(y))
    (places,) = np.nonzero(signs[1:] * signs[:-1] < 0)
    low, high, before = y[places], y[places + 1], signs[places]
    for _ in range(52):
        middle = (low + high) / 2
        same = np.sign(denominator(middle)) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.exp((low + high) / 2)


def _columns(x: Real, shifts: Real) -> Real:
    """1 and 1/(x + shift), [places, 1 + shifts]."""
    return np.concatenate([np.ones((len(x), 1)), 1 / (x[:, None] + shifts)], axis=1)


def _fitted(columns: Real) -> Real:
    """The least-squares solution operator, its columns of one size before they meet rounding."""
    size = np.linalg.norm(columns, axis=0)
    return np.asarray(np.linalg.pinv(columns / size, rcond=1e-15) / size[:, None])
