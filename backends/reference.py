"""Expressions and right-hand sides in plain NumPy: slow, obvious, and independent of the lowering to JAX.

`expect` is judged with it, and tests compare the compiled programs with it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.backends.noise import noise
from nablax.backends.quadrature import integrate
from nablax.nonlocal_operators import Nonlocal, fourier_symbol
from nablax.plan import GridAxis, Plan
from nablax.reductions import Integral, Maximum, Mean, Minimum, Noise
from nablax.sampling import FUNCTIONS
from nablax.system import LinearTerm, Terms, wavenumbers


class UnevaluableError(Exception):
    """An expression that nodal values cannot answer; the message says what in it."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """The grid an expression is evaluated on. `accuracy` is the order of differences and integrals."""

    grid: tuple[GridAxis, ...]
    symbols: tuple[sp.Symbol, ...]
    time: sp.Symbol | None
    accuracy: int

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(a.points for a in self.grid)

    def coordinates(self) -> dict[sp.Basic, np.ndarray]:
        """The coordinate arrays by symbol, shaped to broadcast: (1, points, 1) and so on."""
        arrays = {}
        for i, (symbol, axis) in enumerate(zip(self.symbols, self.grid, strict=True)):
            shape = [1] * len(self.grid)
            shape[i] = -1
            arrays[symbol] = (axis.lower + axis.spacing * np.arange(axis.points)).reshape(shape)
        return arrays


def nodes(plan: Plan, accuracy: int | None = None) -> Nodes:
    """The nodes of a plan; without `accuracy`, the scheme's order and at least 4."""
    time = plan.system.time
    return Nodes(
        grid=plan.grid,
        symbols=tuple(a.symbol for a in plan.system.axes),
        time=None if time is None else time.symbol,
        accuracy=max(4, plan.order) if accuracy is None else accuracy,
    )


def environment(
    plan: Plan, t: float, fields: Mapping[str, np.ndarray], params: Mapping[str, float]
) -> dict[sp.Basic, np.ndarray]:
    """Values of coordinates, time, parameters and the unknowns in `fields` (by name), by symbol."""
    place = nodes(plan)
    values = place.coordinates()
    if place.time is not None:
        values[place.time] = np.asarray(t)
    for parameter in plan.system.parameters:
        if parameter.name in params:
            values[parameter.symbol] = np.asarray(params[parameter.name])
    for unknown in plan.system.unknowns:
        if unknown.name in fields:
            values[unknown.value] = fields[unknown.name]
    for component in plan.system.problem.components:
        if component.name in fields:
            values[component.value] = fields[component.name]
    return values


def evaluate(expression: sp.Basic, values: Mapping[sp.Basic, np.ndarray], place: Nodes) -> np.ndarray:
    """The expression's value on the nodes: an array that broadcasts to the grid, 0-dimensional if constant.

    Derivatives along an axis are spectral where it is periodic and finite differences elsewhere;
    reductions act on this one frame. Raises `UnevaluableError` for anything the nodes cannot answer.
    """
    with np.errstate(all="ignore"):
        return _value(expression, values, place)


def _value(node: sp.Basic, values: Mapping[sp.Basic, np.ndarray], place: Nodes) -> np.ndarray:
    def inner(part: sp.Basic) -> np.ndarray:
        return _value(part, values, place)

    def full(part: sp.Basic) -> np.ndarray:
        return np.broadcast_to(inner(part), place.shape)

    if node in values:
        return np.asarray(values[node])
    if node in (sp.true, sp.false):
        return np.asarray(bool(node))
    if node.is_number and not node.has(sp.Piecewise, Noise, Integral, Mean, Maximum, Minimum):
        number = complex(node)
        return np.asarray(number.real if number.imag == 0 else number)
    if isinstance(node, sp.Derivative):
        return differentiate(full(node.expr), place, _orders(node, place))
    if isinstance(node, Integral | Mean):
        return _mean_or_integral(node, full(node.args[0]), place)
    if isinstance(node, Maximum):
        return np.asarray(np.max(full(node.args[0])))
    if isinstance(node, Minimum):
        return np.asarray(np.min(full(node.args[0])))
    if isinstance(node, Noise):
        return noise(int(node.args[0]), place.shape)
    if isinstance(node, Nonlocal):
        return _nonlocal(node, full(node.args[0]), values, place)
    if isinstance(node, sp.Piecewise):
        return _piecewise([(inner(value), inner(condition)) for value, condition in node.args])
    if node.func in FUNCTIONS:
        return np.asarray(FUNCTIONS[node.func](*(inner(a) for a in node.args)))
    if isinstance(node, AppliedUndef | sp.Symbol):
        raise UnevaluableError(f"`{node}` has no values on the grid")
    raise UnevaluableError(f"`{node.func.__name__}` cannot be evaluated on the grid")


def _orders(node: sp.Derivative, place: Nodes) -> tuple[int, ...]:
    orders = dict.fromkeys(place.symbols, 0)
    for symbol, count in node.variable_count:
        if symbol == place.time:
            raise UnevaluableError("a frame holds values at one time, which have no time derivative")
        if symbol not in orders or not isinstance(count, sp.Integer):
            raise UnevaluableError(f"`{node}` is no derivative along the axes")
        orders[symbol] += int(count)
    return tuple(orders.values())


def _mean_or_integral(node: sp.Expr, values: np.ndarray, place: Nodes) -> np.ndarray:
    along = [place.symbols.index(s) for s in node.args[1:]] or list(range(len(place.grid)))
    result = integrate(values, place.grid, along, place.accuracy)
    if isinstance(node, Mean):
        result = result / np.prod([place.grid[i].length for i in along])
    return result.reshape(()) if len(along) == len(place.grid) else result


def _piecewise(branches: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    result = np.asarray(np.nan)
    for value, condition in reversed(branches):
        result = np.where(condition, value, result)
    return result


def _nonlocal(
    node: sp.Expr, field: np.ndarray, values: Mapping[sp.Basic, np.ndarray], place: Nodes
) -> np.ndarray:
    if not all(a.periodic for a in place.grid):
        raise UnevaluableError(f"`{node.func.__name__}` is evaluated on periodic axes only")
    ks = {s: sp.Symbol(f"k_{s}", real=True) for s in place.symbols}
    return _multiply(field, fourier_symbol(node, ks), tuple(ks.values()), values, place)


def _multiply(
    field: np.ndarray,
    symbol: sp.Expr,
    ks: tuple[sp.Symbol, ...],
    values: Mapping[sp.Basic, np.ndarray],
    place: Nodes,
) -> np.ndarray:
    """Multiply the Fourier coefficients by a symbol in the wavenumbers `ks`."""
    known = dict(values)
    for i, (k, axis) in enumerate(zip(ks, place.grid, strict=True)):
        shape = [1] * len(place.grid)
        shape[i] = -1
        known[k] = (2 * np.pi * np.fft.fftfreq(axis.points, axis.spacing)).reshape(shape)
    factor = _value(symbol, known, place)
    result = np.fft.ifftn(np.fft.fftn(field) * factor)
    return result if np.iscomplexobj(field) else result.real


def differentiation_matrix(axis: GridAxis, order: int, accuracy: int) -> np.ndarray:
    """The dense matrix (points, points) of d^order/dx^order on nodal values.

    Periodic: the derivative of the trigonometric interpolant, where the highest mode of an even number
    of points counts as a cosine. Bounded: the derivative at each node of the polynomial through the
    nearest nodes, with an error of O(h^accuracy).
    """
    n = axis.points
    if order == 0:
        return np.eye(n)
    if axis.periodic:
        k = 2 * np.pi * np.fft.fftfreq(n, axis.spacing)
        symbol = (1j * k) ** order
        if order % 2 and n % 2 == 0:
            symbol[n // 2] = 0
        transform = np.fft.fft(np.eye(n), axis=0)
        return np.real(np.conj(transform.T) / n @ (symbol[:, None] * transform))
    width = min(n, order + accuracy)
    matrix = np.zeros((n, n))
    for row in range(n):
        first = min(max(row - width // 2, 0), n - width)
        columns = np.arange(first, first + width)
        # Weights that are exact for 1, s, ..., s^(width-1) with s the distance in cells.
        powers = np.vander((columns - row).astype(float), width, increasing=True).T
        moments = np.zeros(width)
        if order < width:
            moments[order] = math.factorial(order)
        matrix[row, columns] = np.linalg.solve(powers, moments) / axis.spacing**order
    return matrix


def differentiate(values: np.ndarray, place: Nodes, orders: Sequence[int]) -> np.ndarray:
    """The derivative with the given order along each axis, of nodal values of the grid's shape."""
    for i, (axis, order) in enumerate(zip(place.grid, orders, strict=True)):
        if order > 0:
            matrix = differentiation_matrix(axis, order, place.accuracy)
            values = np.moveaxis(np.tensordot(matrix, values, axes=(1, i)), 0, i)
    return values


def reference_rate(
    plan: Plan, t: float, fields: Mapping[str, np.ndarray], params: Mapping[str, float], accuracy: int = 8
) -> dict[str, np.ndarray]:
    """d/dt of every evolving unknown at all nodes, straight from the normal form.

    `fields` maps the names of all unknowns (rates and multipliers such as a pressure included) to nodal
    arrays of `plan.shape`. Boundary conditions play no part: on bounded axes compare interior nodes.
    Dense matrices throughout: small grids only.
    """
    place = nodes(plan, accuracy)
    values = environment(plan, t, fields, params)
    rates = {}
    for evolution in plan.system.evolution:
        right = terms_value(plan, evolution.terms, values, place)
        rates[plan.system.unknowns[evolution.unknown].name] = _without_mass(
            plan, evolution.mass, right, values, place
        )
    return rates


def terms_value(plan: Plan, terms: Terms, values: Mapping[sp.Basic, np.ndarray], place: Nodes) -> np.ndarray:
    """The sum of linear, nonlinear (expanded) and forcing terms at all nodes."""
    total = np.zeros(place.shape)
    for linear in terms.linear:
        unknown = plan.system.unknowns[linear.unknown]
        total = total + _linear(plan, linear, values[unknown.value], values, place)
    for flux in (*terms.nonlinear, *terms.forcing):
        inside = np.broadcast_to(evaluate(flux.flux, values, place), place.shape)
        coefficient = evaluate(flux.coefficient, values, place)
        total = total + coefficient * differentiate(inside, place, flux.orders)
    return total


def _linear(
    plan: Plan, term: LinearTerm, field: np.ndarray, values: Mapping[sp.Basic, np.ndarray], place: Nodes
) -> np.ndarray:
    result = differentiate(field, place, term.orders)
    if term.multiplier != 1:
        result = _multiply(result, term.multiplier, wavenumbers(plan.system), values, place)
    coefficient = evaluate(term.coefficient, values, place)
    return np.asarray(coefficient * result)


def _without_mass(
    plan: Plan,
    mass: Sequence[LinearTerm],
    right: np.ndarray,
    values: Mapping[sp.Basic, np.ndarray],
    place: Nodes,
) -> np.ndarray:
    if all(m.coefficient == 1 and m.multiplier == 1 and not any(m.orders) for m in mass) and len(mass) == 1:
        return right
    size = right.size
    columns = []
    for j in range(size):
        unit = np.zeros(size)
        unit[j] = 1.0
        column = sum(_linear(plan, m, unit.reshape(place.shape), values, place) for m in mass)
        columns.append(np.ravel(column))
    return np.linalg.solve(np.stack(columns, axis=1), right.ravel()).reshape(place.shape)
