"""Coefficient functions that are arguments of a solver: given by their values on its grid.

Between the nodes, and where equations hold a derivative of one, the polynomial through the nearest nodes
stands for it (Lagrange's, of degree `width` - 1 along every axis).
"""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

import sympy as sp
from sympy.printing.str import StrPrinter

from nablax.chain_rule import chain_rule
from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.plan import Choice, GridAxis, Plan

SMOOTH = 12
"""Nodes along an axis that a polynomial goes through in spectral plans, for a first derivative at most."""
Record = TypeVar("Record")


class GridData(sp.Atom):
    """The values of a coefficient on a grid, still to be given. Equal where name, derivative and grid are.

    `definition` is the function that stands for them where none are given, of the symbols `arguments`;
    `orders` says which derivative this is. `grid` is empty until a plan has one.
    """

    __slots__ = ("arguments", "definition", "grid", "name", "orders", "width")

    name: str
    arguments: tuple[sp.Symbol, ...]
    definition: sp.Expr
    orders: tuple[int, ...]
    grid: tuple[GridAxis, ...]
    width: int

    def __new__(
        cls,
        name: str,
        arguments: Sequence[sp.Symbol],
        definition: sp.Expr,
        orders: tuple[int, ...] | None = None,
        grid: tuple[GridAxis, ...] = (),
        width: int = SMOOTH,
    ) -> "GridData":
        data: GridData = super().__new__(cls)
        data.name = name
        data.arguments = tuple(arguments)
        data.definition = definition
        data.orders = (0,) * len(data.arguments) if orders is None else orders
        data.grid = grid
        data.width = width
        return data

    def _hashable_content(self) -> tuple[object, ...]:
        return self.name, self.definition, self.orders, self.grid, self.width

    def _sympystr(self, printer: StrPrinter) -> str:
        letters = "".join(str(a) * n for a, n in zip(self.arguments, self.orders, strict=True))
        return f"∂{letters} {self.name}" if letters else self.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values: one size an argument."""
        return tuple(axis.points for axis in self.grid)

    @property
    def values(self) -> "GridData":
        """The data themselves, no derivative of theirs."""
        return GridData(self.name, self.arguments, self.definition, None, self.grid, self.width)

    def slope(self, argument: int) -> "GridData":
        """The derivative with respect to an argument."""
        orders = tuple(n + (i == argument) for i, n in enumerate(self.orders))
        return GridData(self.name, self.arguments, self.definition, orders, self.grid, self.width)

    def on(self, grid: Sequence[GridAxis], width: int) -> "GridData":
        """The same on a grid; `width` nodes along an axis take part between them."""
        return GridData(self.name, self.arguments, self.definition, self.orders, tuple(grid), width)

    def at(self, places: Sequence[sp.Basic]) -> sp.Expr:
        """The definition, or its derivative, at a place."""
        derived = self.definition
        for argument, order in zip(self.arguments, self.orders, strict=True):
            derived = sp.diff(derived, argument, order)
        return derived.xreplace(dict(zip(self.arguments, places, strict=True)))


class GridFunction(sp.Function):
    """GridFunction(data, x, y, ...): the coefficient at a place."""

    @property
    def data(self) -> GridData:
        found = self.args[0]
        assert isinstance(found, GridData)
        return found

    @property
    def nominal(self) -> sp.Expr:
        """What it is where no values are given."""
        return self.data.at(self.args[1:])

    def _eval_is_extended_real(self) -> bool:
        return True

    def _eval_is_finite(self) -> bool:
        return True

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        places = self.args[1:]
        return chain_rule(places, symbol, lambda k: GridFunction(self.data.slope(k), *places))

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"{printer.doprint(self.data)}({', '.join(printer.doprint(a) for a in self.args[1:])})"

    def _latex(self, printer: object) -> str:
        primes = "".join(
            rf"\partial_{{{a}}}" * n for a, n in zip(self.data.arguments, self.data.orders, strict=True)
        )
        letter: str = sp.latex(sp.Symbol(self.data.name))
        return primes + letter


def on_grid(plan: Plan, place: Span, report: Report) -> Plan | None:
    """The plan with every coefficient function on its grid, and their data in `arrays`.

    None where an axis has too few points for a derivative of one: a message at `place`.
    """
    system = plan.system
    axes = {a.symbol: g for a, g in zip(system.axes, plan.grid, strict=True)}
    records = (system.evolution, system.constraints, system.initial, system.boundary, plan.balance)
    found = {d for record in records for e in _expressions(record) for d in e.atoms(GridData)}
    if not found:
        return plan
    # One node more for every derivative of a coefficient, so that the highest one keeps the order.
    highest = max(1, *(n for d in found for n in d.orders))
    width = highest + (SMOOTH - 1 if plan.order == 0 else plan.order + 1)
    for data in sorted(found, key=str):
        for symbol, order in zip(data.arguments, data.orders, strict=True):
            axis = axes[symbol]
            if axis.points <= order:
                report.error(
                    "P403",
                    place,
                    f"`{data.name}` is differentiated {order} times along {axis.name}, "
                    f"and {axis.points} points there are too few for it",
                    help=f"choose n of at least {order + 1}",
                )
                return None
    placed: dict[sp.Basic, sp.Basic] = {d: d.on([axes[a] for a in d.arguments], width) for d in found}
    bound = replace(
        system,
        evolution=_replaced(system.evolution, placed),
        constraints=_replaced(system.constraints, placed),
        initial=_replaced(system.initial, placed),
        boundary=_replaced(system.boundary, placed),
    )
    arrays = {d.name: d.values for d in placed.values() if isinstance(d, GridData)}
    ordered = tuple(arrays[name] for name in sorted(arrays))
    names = ", ".join(d.name for d in ordered)
    given = Choice("arrays", names, "one value a node from Python; what the text says where none is given")
    return replace(
        plan,
        system=bound,
        balance=_replaced(plan.balance, placed),
        arrays=ordered,
        choices=(*plan.choices, given),
    )


def _expressions(record: object) -> list[sp.Basic]:
    """Everything symbolic in a record."""
    if isinstance(record, sp.Basic):
        return [record]
    if isinstance(record, tuple):
        return [e for part in record for e in _expressions(part)]
    if is_dataclass(record):
        return [e for f in fields(record) for e in _expressions(getattr(record, f.name))]
    return []


def _replaced(record: Record, mapping: dict[sp.Basic, sp.Basic]) -> Record:
    """The record with atoms of its expressions replaced."""
    if isinstance(record, sp.Basic):
        return cast(Record, record.xreplace(mapping))
    if isinstance(record, tuple):
        return cast(Record, tuple(_replaced(part, mapping) for part in record))
    if is_dataclass(record) and not isinstance(record, type):
        changes = {f.name: _replaced(getattr(record, f.name), mapping) for f in fields(record)}
        return replace(record, **changes)
    return record
