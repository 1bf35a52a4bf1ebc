"""Which linear equations with memory fall apart into modes that are known at any time."""

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from nablax.frontend.source import Span
from nablax.grid_functions import GridData
from nablax.plan import GridAxis, Method
from nablax.system import Evolution, Memory, System, root_of
from nablax.traces import has_time

DENSE = 1000  # cells between walls up to which every closure has its eigenvectors
REASON = "every mode of these linear equations is known at any time, without a history"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps the modes from being known at any time, and where it stands."""

    what: str
    span: Span


def obstacle(system: System, method: Method, grid: tuple[GridAxis, ...]) -> Obstacle | None:
    """The first of them; None where every mode is a Mittag-Leffler function of the time."""
    return next(_obstacles(system, method, grid), None)


def _obstacles(system: System, method: Method, grid: tuple[GridAxis, ...]) -> Iterator[Obstacle]:
    if system.time is None:
        return
    t = system.time.symbol
    if system.constraints:
        yield Obstacle("a constraint", system.constraints[0].span)
    rates = {u.rate_of: i for i, u in enumerate(system.unknowns) if u.rate_of is not None}
    for equation in system.evolution:
        if equation.unknown not in rates:  # others define a rate
            yield from _of_memory(equation, t)
            yield from _of_terms(system, equation)
    for boundary in system.boundary:
        held = boundary.data.has(*(u.value for u in system.unknowns))
        if boundary.dynamic or held or has_time(boundary.data, t):
            yield Obstacle("a wall that moves", boundary.span)
        if any(not c.coefficient.is_number for c in boundary.terms):
            yield Obstacle("a condition whose coefficients are no numbers", boundary.span)
    if method != "spectral":
        yield from _of_walls(system, grid)


def _of_memory(equation: Evolution, t: sp.Symbol) -> Iterator[Obstacle]:
    for memory in equation.memory:
        if len(equation.memory) > 1:
            yield Obstacle("a sum of derivatives in time", memory.span)
        unusual = _unusual(memory, t)
        if unusual is not None:
            yield Obstacle(unusual, memory.span)


def _unusual(memory: Memory, t: sp.Symbol) -> str | None:
    if memory.kernel != "power":
        return "a bounded kernel"
    if memory.rate != 0:
        return "a tempered derivative"
    if memory.scale is not None:
        return "a derivative that measures the time by another function"
    return "an order or a coefficient that varies" if has_time(memory.order * memory.coefficient, t) else None


def _of_terms(system: System, equation: Evolution) -> Iterator[Obstacle]:
    assert system.time is not None
    t, terms = system.time.symbol, equation.terms
    known = {p.symbol for p in system.parameters}
    field = root_of(equation.unknown, system.unknowns)
    for term in (*terms.nonlinear, *terms.conservative):
        yield Obstacle("a nonlinear term", term.span)
    for term in terms.forcing:
        if has_time(term.coefficient * term.flux, t):
            yield Obstacle("a source that changes with the time", term.span)
    for linear in terms.linear:
        if not linear.coefficient.free_symbols <= known or linear.coefficient.has(GridData):
            yield Obstacle("a coefficient that varies", linear.span)
        if linear.unknown != field:
            what = "a derivative in time" if root_of(linear.unknown, system.unknowns) == field else "a field"
            yield Obstacle(f"{what} of another equation", linear.span)
    for mass in equation.mass:
        if any(mass.orders) or not mass.local or mass.coefficient != 1:
            yield Obstacle("a derivative of a derivative in time", mass.span)


def _of_walls(system: System, grid: tuple[GridAxis, ...]) -> Iterator[Obstacle]:
    """Along an axis with walls, one operator of even order has eigenvectors of its own."""
    terms = [t for e in system.evolution for t in e.terms.linear]
    for term in terms:
        if not term.local:
            yield Obstacle("a nonlocal operator on a grid", term.span)
    for k, axis in enumerate(grid):
        if axis.periodic:
            continue
        found = {term.orders[k]: term.span for term in terms if term.orders[k]}
        if len(found) > 1 or any(order % 2 for order in found):
            what = f"derivatives along `{axis.name}`, which has walls, of odd or of several orders"
            yield Obstacle(what, list(found.values())[-1])
        elif found and axis.n > DENSE:
            yield Obstacle(f"more than {DENSE} cells along `{axis.name}`", next(iter(found.values())))
