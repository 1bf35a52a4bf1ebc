"""Functions ψ of the time that a memory measures it by: their increments and how they share out a run."""

from collections.abc import Mapping

import numpy as np
import sympy as sp
from numpy.polynomial.legendre import leggauss

from nablax.sampling import sample

NODES = 8  # of an increment, where the slope changes little in it
EVEN = 1.2  # by this factor at most
EARLIEST, POINTS = 1e-6, 400  # share of the run at which a table begins, and its length


def increments(
    scale: sp.Expr,
    time: sp.Symbol,
    known: Mapping[sp.Basic, np.ndarray],
    begins: np.ndarray,
    ends: np.ndarray,
) -> np.ndarray:
    """ψ(end) - ψ(begin), with the accuracy of ψ' where a difference would cancel."""
    nodes, weights = leggauss(NODES)
    lengths = ends - begins
    inside = begins[:, None] + lengths[:, None] * (nodes + 1) / 2
    values = dict(known)

    def at(expression: sp.Expr, places: np.ndarray) -> np.ndarray:
        return np.broadcast_to(sample(expression, values | {time: places}), places.shape)

    slopes = at(sp.diff(scale, time), inside)
    even = slopes.max(axis=1) < EVEN * slopes.min(axis=1)
    return np.asarray(np.where(even, lengths / 2 * (slopes @ weights), at(scale, ends) - at(scale, begins)))


def shares_of(
    scale: sp.Expr, time: sp.Symbol, known: Mapping[sp.Basic, np.ndarray], start: float, end: float
) -> tuple[tuple[tuple[float, float], ...], float]:
    """Logarithms of shares of ψ's growth and of the shares of the run that they take; and all its growth."""
    elapsed = np.concatenate([[0.0], np.geomspace(EARLIEST, 1.0, POINTS)])
    places = start + (end - start) * elapsed
    grown = np.cumsum(increments(scale, time, known, places[:-1], places[1:]))
    table = zip(np.log(grown / grown[-1]).tolist(), np.log(elapsed[1:]).tolist(), strict=True)
    return tuple(table), float(grown[-1])
