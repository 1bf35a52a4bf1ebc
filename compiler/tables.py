"""Functions given by values on a grid: what `file("u0.npy")` stands for.

A tensor-product B-spline through the values (de Boor, "A Practical Guide to Splines", chapters IX and X), of
degree 3 or 1 along every axis. It goes through the values exactly, so that on the grid they were given
on nothing is interpolated.
"""

from collections.abc import Sequence
from hashlib import sha256
from types import ModuleType
from typing import Any, Literal

import numpy as np
import sympy as sp
from sympy.printing.str import StrPrinter

from nablax.chain_rule import chain_rule

Values = Any
"""An array of NumPy or of JAX."""


class Line:
    """One axis of a table: knots of the spline, its degree, and the period where there is one."""

    __slots__ = ("degree", "knots", "period")

    def __init__(self, knots: np.ndarray, degree: int, period: float | None) -> None:
        self.knots = knots
        self.degree = degree
        self.period = period

    @property
    def key(self) -> bytes:
        return self.knots.tobytes() + repr((self.degree, self.period)).encode()


class Table(sp.Atom):
    """Spline coefficients over the knots of every axis. Equal where name and data are.

    `points` are the coordinates of the values that were given, one array an axis (those of a periodic axis
    without its upper end); `orders` says which derivative of their spline this is.
    """

    __slots__ = ("coefficients", "digest", "kind", "lines", "name", "orders", "points")

    name: str
    kind: str
    lines: tuple[Line, ...]
    coefficients: np.ndarray
    points: tuple[np.ndarray, ...]
    orders: tuple[int, ...]
    digest: str

    def __new__(
        cls,
        name: str,
        kind: str,
        lines: tuple[Line, ...],
        coefficients: np.ndarray,
        points: tuple[np.ndarray, ...],
        orders: tuple[int, ...],
    ) -> "Table":
        table: Table = super().__new__(cls)
        table.name = name
        table.kind = kind
        table.lines = lines
        table.coefficients = coefficients
        table.points = points
        table.orders = orders
        found = sha256(coefficients.tobytes())
        for line in lines:
            found.update(line.key)
        table.digest = found.hexdigest()[:16]
        return table

    def _hashable_content(self) -> tuple[str, ...]:
        return self.name, self.digest

    def _sympystr(self, printer: StrPrinter) -> str:
        return f'"{self.name}" {self.digest}'

    def derivative(self, axis: int) -> "Table":
        """The table of the derivative along an axis: its degree there is one less."""
        line = self.lines[axis]
        k, t = line.degree, line.knots
        count = self.coefficients.shape[axis] - 1
        spans = t[k + 1 : k + 1 + count] - t[1 : 1 + count]
        shape = tuple(-1 if j == axis else 1 for j in range(self.coefficients.ndim))
        coefficients = k * np.diff(self.coefficients, axis=axis) / spans.reshape(shape)
        lines = (*self.lines[:axis], Line(t[1:-1], k - 1, line.period), *self.lines[axis + 1 :])
        orders = tuple(n + (j == axis) for j, n in enumerate(self.orders))
        return Table(self.name, self.kind, lines, coefficients, self.points, orders)


class Tabulated(sp.Function):
    """Tabulated(table, x, y, ...): the table's function at a place."""

    @property
    def table(self) -> Table:
        found = self.args[0]
        assert isinstance(found, Table)
        return found

    def _eval_is_extended_real(self) -> bool:
        return True

    def _eval_is_finite(self) -> bool:
        return True

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        places = self.args[1:]

        def slope(k: int) -> sp.Expr:
            if not self.table.lines[k].degree:
                return sp.S.Zero  # a step function, between its steps
            return Tabulated(self.table.derivative(k), *places)

        return chain_rule(places, symbol, slope)

    def _sympystr(self, printer: StrPrinter) -> str:
        letters = "".join(
            printer.doprint(a) * n for a, n in zip(self.args[1:], self.table.orders, strict=True)
        )
        return f'file("{self.table.name}")' if not letters else f'∂{letters} file("{self.table.name}")'

    def _latex(self, printer: object) -> str:
        return r"\mathrm{" + self.table.name.replace("_", r"\_") + "}"


def tabulated(
    name: str, kind: str, points: Sequence[np.ndarray], values: np.ndarray, periods: Sequence[float | None]
) -> Table:
    """The spline through values of shape (points...). `kind` is `cubic` or `linear`.

    Few points lower the degree. Along a periodic axis the values lack the upper end.
    """
    from scipy.interpolate import make_interp_spline

    coefficients = np.asarray(values, np.float64)
    lines = []
    for k, (given, period) in enumerate(zip(points, periods, strict=True)):
        x = np.asarray(given, np.float64)
        if period is not None:
            x = np.append(x, x[0] + period)
            coefficients = np.concatenate([coefficients, np.take(coefficients, [0], axis=k)], axis=k)
        degree = 1 if kind == "linear" or len(x) < 4 else 3
        ends: Literal["periodic"] | None = "periodic" if period is not None and degree == 3 else None
        spline = make_interp_spline(x, np.moveaxis(coefficients, k, 0), degree, bc_type=ends)
        coefficients = np.moveaxis(np.asarray(spline.c), 0, k)
        lines.append(Line(np.asarray(spline.t), degree, period))
    return Table(
        name, kind, tuple(lines), np.ascontiguousarray(coefficients), tuple(points), (0,) * len(lines)
    )


def interpolate(table: Table, places: Sequence[Values], xp: ModuleType) -> Values:
    """The table's function at places that broadcast against each other; beyond its ends it goes on.

    `xp` is NumPy, or JAX in its place.
    """
    parts = [_weights(line, xp.asarray(place), xp) for line, place in zip(table.lines, places, strict=True)]
    coefficients = xp.asarray(table.coefficients, dtype=xp.asarray(places[0]).dtype)
    return _summed(coefficients, parts, ())


def _summed(
    coefficients: Values, parts: Sequence[tuple[Values, Sequence[Values]]], indices: tuple[Values, ...]
) -> Values:
    if len(indices) == len(parts):
        return coefficients[indices]
    first, weights = parts[len(indices)]
    total = None
    for j, weight in enumerate(weights):
        term = weight * _summed(coefficients, parts, (*indices, first + j))
        total = term if total is None else total + term
    return total


def _weights(line: Line, x: Values, xp: ModuleType) -> tuple[Values, list[Values]]:
    """The first coefficient that counts at x, and the weights from there on (Cox and de Boor)."""
    k = line.degree
    knots = xp.asarray(line.knots, dtype=x.dtype)
    if line.period is not None:
        low = float(line.knots[k])
        x = low + (x - low) - line.period * xp.floor((x - low) / line.period)
    inner = knots[k : len(line.knots) - k]
    cell = xp.clip(xp.searchsorted(inner, x, side="right") - 1, 0, len(line.knots) - 2 * k - 2) + k
    weights = [xp.where(x == x, x * 0 + 1, x)]
    for degree in range(1, k + 1):
        raised = [x * 0] * (degree + 1)
        for r in range(degree):
            left, right = knots[cell + 1 + r - degree], knots[cell + 1 + r]
            share = weights[r] / (right - left)
            raised[r] = raised[r] + (right - x) * share
            raised[r + 1] = raised[r + 1] + (x - left) * share
        weights = raised
    return cell - k, weights
