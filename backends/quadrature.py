"""Integrals of nodal values: sums on periodic axes, Gregory's rule on bounded ones."""

from collections.abc import Sequence
from math import comb

import numpy as np
import scipy.special
from numpy.typing import NDArray

from nablax.plan import GridAxis

SMOOTH_NODES = 5  # Gauss nodes per axis and cell for a smooth function: exact to degree 9
ROUGH_PARTS = {1: 32, 2: 8, 3: 4}  # parts of a cell, per axis, that a jump is found in; two nodes in each
HIGHEST = 6  # of Gregory's corrections; up to there every weight is positive
MIDPOINT = 5  # weights of the midpoint rule that are corrected; with more of them one is negative


def gregory_coefficients(count: int) -> tuple[float, ...]:
    """The first `count` end corrections 1/12, 1/24, 19/720, ... of the trapezoidal rule.

    They are the coefficients of z/log(1 + z) up to sign, after 1 and 1/2 (Gregory 1670; Hildebrand,
    "Introduction to Numerical Analysis", section 5.9).
    """
    coefficients = [1.0]
    for n in range(1, count + 2):
        coefficients.append(-sum(c * (-1) ** (n - k) / (n - k + 1) for k, c in enumerate(coefficients)))
    return tuple(abs(c) for c in coefficients[2:])


def weights(axis: GridAxis, order: int) -> NDArray[np.float64]:
    """Weights of shape (points,), so that Σ w·f is the integral of f along the axis.

    Periodic axes: equal weights, exact for every resolved mode. Cells: equal weights, exact for averages.
    Points of bounded axes: an error of O(h^order) or better, `order` from 2 (trapezoidal) on, lowered where
    the axis has too few points. At a centre, half a spacing below the first point, the midpoint rule is
    corrected in place of the trapezoidal one.
    """
    w = np.full(axis.points, axis.spacing)
    if axis.periodic or axis.centred:
        return w
    corrections = max(0, min(order - 2, HIGHEST, axis.points - 1))
    ends = [w[::-1]] if axis.folded else [w, w[::-1]]
    for end in ends:
        end[0] = axis.spacing / 2
    for k, coefficient in enumerate(gregory_coefficients(corrections), start=1):
        difference = np.array([(-1.0) ** j * comb(k, j) for j in range(k + 1)])
        for end in ends:
            end[: k + 1] -= axis.spacing * coefficient * difference
    if axis.folded:
        count = min(corrections + 1, MIDPOINT)
        w[:count] += axis.spacing * _midpoint_corrections(count)
    return w


def _midpoint_corrections(count: int) -> NDArray[np.float64]:
    """What the first `count` weights of the midpoint rule lack at an end, to be exact below degree `count`.

    The rule sums s^p over s = 1/2, 3/2, ... to ζ(-p, 1/2) = -B_{p+1}(1/2)/(p + 1) more than the integral
    from 0 (P. J. Davis, P. Rabinowitz, "Methods of Numerical Integration", section 2.9).
    """
    powers = np.arange(count)
    numbers = scipy.special.bernoulli(max(count, 2))[1 : count + 1]
    halves = np.where(powers == 0, 0.0, (2.0 ** (-powers) - 1) * numbers)  # B_{p+1}(1/2)
    nodes = np.arange(count) + 0.5
    return np.asarray(np.linalg.solve(np.vander(nodes, count, increasing=True).T, halves / (powers + 1)))


def cell_weights(axis: GridAxis, order: int) -> NDArray[np.float64]:
    """Integrals over each cell of a bounded axis as sums over the nodes; shape (n, points).

    Of the polynomial through the `order` nodes nearest to the cell: an error of O(h^order) of a running sum.
    """
    n, width = axis.n, min(max(order, 2), axis.points)
    matrix = np.zeros((n, axis.points))
    powers = np.arange(1, width + 1)
    for cell in range(n):
        first = min(max(cell + 1 - width // 2, 0), axis.points - width)
        nodes = np.arange(first, first + width) - cell
        moments = 1.0 / powers  # of s^(p-1) over [0, 1]
        vandermonde = np.vander(nodes.astype(float), width, increasing=True).T
        matrix[cell, first : first + width] = np.linalg.solve(vandermonde, moments) * axis.spacing
    return matrix


def cell_rule(dimension: int, rough: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes in (-1/2, 1/2) and weights that add up to 1, for averages over cells along each axis.

    `rough`: for functions that may jump inside a cell, which is then met to a part's width.
    """
    parts = ROUGH_PARTS[dimension] if rough else 1
    points, weights = np.polynomial.legendre.leggauss(2 if rough else SMOOTH_NODES)
    middles = (np.arange(parts) + 0.5) / parts - 0.5
    return (middles[:, None] + points / (2 * parts)).ravel(), np.tile(weights / (2 * parts), parts)


def running_weights(axis: GridAxis, order: int, from_here: bool, to_here: bool) -> NDArray[np.float64]:
    """R with (R f)_i the integral of f to or from node i; shape (points, points).

    From the lower end to node i (`to_here`), from node i to the upper end (`from_here`), or over the whole
    axis for every node; nothing where both ends are the node.
    """
    points = axis.points
    if from_here and to_here:
        return np.zeros((points, points))
    total = np.broadcast_to(weights(axis, order), (points, points))
    if not (from_here or to_here):
        return np.array(total)
    below = np.vstack([np.zeros(points), np.cumsum(cell_weights(axis, order), axis=0)])
    return below if to_here else below[-1] - below


def integrate(values: np.ndarray, grid: Sequence[GridAxis], along: Sequence[int], order: int) -> np.ndarray:
    """Integral of `values` (shape of the grid) over the axes `along`, which keep length 1."""
    for i in along:
        shape = [1] * len(grid)
        shape[i] = -1
        values = np.sum(values * weights(grid[i], order).reshape(shape), axis=i, keepdims=True)
    return values


def norm(values: np.ndarray, grid: Sequence[GridAxis]) -> float:
    """The L2 norm of nodal values of the grid's shape: sqrt of the integral of |values|² by trapezoids."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    # Relative to the largest: the squares of what a run that breaks down leaves have no number.
    square = integrate(np.abs(values / largest) ** 2, grid, range(len(grid)), order=2)
    return largest * float(np.sqrt(square.reshape(())))
