"""Expressions and right-hand sides in plain NumPy: slow, obvious, and independent of the lowering to JAX.

Tests compare the compiled programs with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from nablax.backends.formulas import FormulaError, Place, differentiate, evaluate_formula
from nablax.backends.quadrature import running_weights
from nablax.formulate import UnevaluableError, formulate
from nablax.integrals import Convolution, Running, integrals_in
from nablax.plan import GridAxis, Plan
from nablax.sampling import sample
from nablax.system import LinearTerm, Terms, wavenumbers
from nablax.tables import Tabulated


@dataclass(frozen=True, slots=True)
class Nodes:
    """The grid an expression is evaluated on. `accuracy` is the order of differences and integrals."""

    grid: tuple[GridAxis, ...]
    symbols: tuple[sp.Symbol, ...]
    time: sp.Symbol | None
    accuracy: int

    @property
    def place(self) -> Place:
        return Place(self.grid, self.accuracy)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.place.shape

    def coordinates(self) -> dict[sp.Basic, np.ndarray]:
        """The coordinate arrays by symbol, shaped to broadcast: (1, points, 1) and so on."""
        return {symbol: self.place.coordinate(i) for i, symbol in enumerate(self.symbols)}


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
    values = dict(values)
    for node in integrals_in(expression):
        if isinstance(node, Running) and node not in values:
            values[node] = _running(node, values, place)
        elif isinstance(node, Convolution) and node not in values:
            values[node] = _convolution(node, values, place)
    for node in expression.atoms(Tabulated):
        values[node] = sample(node, values)
    names = {atom: str(i) for i, atom in enumerate(values)}
    formula = formulate(expression, names, place.symbols, place.time)
    try:
        return evaluate_formula(formula, {names[atom]: v for atom, v in values.items()}, place.place)
    except FormulaError as error:
        raise UnevaluableError(str(error)) from None


def _running(node: sp.Expr, values: Mapping[sp.Basic, np.ndarray], place: Nodes) -> np.ndarray:
    """Node by node along the axis: the integrand with its place fixed, summed with the weights there."""
    integrand, inner, axis, lower, upper = node.args
    k = place.symbols.index(axis)
    matrix = running_weights(place.grid[k], place.accuracy, lower == axis, upper == axis)
    here = sp.Dummy(real=True)
    fixed = integrand.xreplace({axis: here}).xreplace({inner: axis})
    result = []
    for i, weight in enumerate(matrix):
        at = np.asarray(place.grid[k].lower + i * place.grid[k].spacing)
        line = np.broadcast_to(evaluate(fixed, {**values, here: at}, place), place.shape)
        result.append(np.tensordot(line, weight, axes=(k, 0)))
    return np.stack(result, axis=k)


def _convolution(node: sp.Expr, values: Mapping[sp.Basic, np.ndarray], place: Nodes) -> np.ndarray:
    """Σ kernel(offset) · field shifted by it, offset by offset."""
    kernel, inside, *axes = node.args
    field = np.broadcast_to(evaluate(inside, values, place), place.shape)
    along = tuple(place.symbols.index(a) for a in axes)
    total = np.zeros(place.shape)
    for index in np.ndindex(*(place.grid[k].n for k in along)):
        known = {}
        for i, a, k in zip(index, axes, along, strict=True):
            n, spacing = place.grid[k].n, place.grid[k].spacing
            known[a] = np.asarray((i if 2 * i < n else i - n) * spacing)
        weight = evaluate(kernel, {**values, **known}, place)
        total = total + weight * np.roll(field, index, axis=along)
    return total * float(np.prod([place.grid[k].spacing for k in along]))


def _multiply(
    field: np.ndarray,
    symbol: sp.Expr,
    ks: tuple[sp.Symbol, ...],
    values: Mapping[sp.Basic, np.ndarray],
    place: Nodes,
) -> np.ndarray:
    """Multiply the Fourier coefficients by a symbol in the wavenumbers `ks`."""
    known = dict(values) | {k: place.place.wavenumber(i) for i, k in enumerate(ks)}
    result = np.fft.ifftn(np.fft.fftn(field) * evaluate(symbol, known, place))
    return result if np.iscomplexobj(field) else result.real


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
        total = total + coefficient * differentiate(inside, place.place, flux.orders)
    return total


def _linear(
    plan: Plan, term: LinearTerm, field: np.ndarray, values: Mapping[sp.Basic, np.ndarray], place: Nodes
) -> np.ndarray:
    result = differentiate(field, place.place, term.orders)
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
