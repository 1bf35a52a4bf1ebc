"""Conditions as linear operators across one wall, or at the start of time; what is none is told why."""

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import Jump, check_differentiable
from nablax.derivatives.statements import START, Statement, edge_place, wall_name
from nablax.families import FamilyLaplacian, FamilySum, MemberDerivative
from nablax.passes.jets import base, is_jet, jets, orders_of, slope_of, without
from nablax.problem import Axis, Problem, Side
from nablax.reductions import Noise
from nablax.system import System


@dataclass(frozen=True, slots=True)
class Condition:
    """Σ coefficients[k] ∂^k u/∂axis^k = data where axis = place; its order is the highest k there is.

    Coefficients and data hold the other coordinates and parameters.
    """

    statement: str
    unknown: AppliedUndef
    axis: Axis
    side: Side
    coefficients: Mapping[int, sp.Expr]
    data: sp.Expr

    @property
    def order(self) -> int:
        return max(self.coefficients)

    @property
    def place(self) -> sp.Expr:
        return self.axis.lower if self.side == 0 else self.axis.upper

    @property
    def opposite(self) -> sp.Expr:
        return self.axis.upper if self.side == 0 else self.axis.lower


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a statement is not built in; `form` where it has another form than linear conditions, which
    something else may take."""

    reason: str
    form: bool = False


class Unsuitable(Exception):
    """Why a condition cannot be built in."""

    def __init__(self, reason: str, *, form: bool = False) -> None:
        self.refusal = Refusal(reason, form)
        super().__init__(reason)


def read_conditions(system: System, statement: Statement) -> tuple[Condition, ...]:
    """One condition for each value of an initial or boundary statement. Raises `Unsuitable`."""
    if any(statement.place == edge_place(cut) for cut in system.problem.cuts):
        raise Unsuitable("it speaks of a curve across the axes")
    axis, side = wall(system.problem, statement.place)
    if axis.size is not None:
        raise Unsuitable("it speaks of the walls of a family of axes")
    return tuple(_condition(system, statement.name, value, axis, side) for value in statement.values)


def wall(problem: Problem, place: str) -> tuple[Axis, Side]:
    """The axis and the side of a place of initial or boundary conditions."""
    if place == START:
        assert problem.time is not None
        return problem.time, 0
    sides: tuple[Side, Side] = (0, 1)
    return next((a, s) for a in problem.axes for s in sides if place == f"boundary/{wall_name(a, s)}")


def _condition(system: System, name: str, value: sp.Expr, axis: Axis, side: Side) -> Condition:
    problem = system.problem
    if value.has(Noise, FamilyLaplacian, FamilySum, MemberDerivative):
        raise Unsuitable("it holds noise, or sums over a family of axes")
    found = jets(value)
    plain = all(is_jet(j) and isinstance(j, AppliedUndef | sp.Derivative) for j in found)
    unknowns = {base(j) for j in found} if plain else set()
    components = {c.value for c in problem.components}
    if not unknowns or not unknowns <= components:
        raise Unsuitable("it holds more than the fields and their derivatives")
    if len(unknowns) > 1:
        raise Unsuitable("it ties several fields to each other", form=True)
    symbols = problem.symbols
    across = symbols.index(axis.symbol)
    where = {axis.symbol: axis.lower if side == 0 else axis.upper}
    coefficients: dict[int, sp.Expr] = {}
    rest = value
    for jet in sorted(found, key=sp.default_sort_key):
        orders = orders_of(jet, symbols)
        if any(n for i, n in enumerate(orders) if i != across):
            raise Unsuitable("it holds derivatives along the wall, or in time", form=True)
        slope = slope_of(value, jet)
        if slope is None or jets(slope):
            raise Unsuitable("it is not linear", form=True)
        coefficient = slope.subs(where)
        if coefficient != 0:
            coefficients[orders[across]] = coefficient
        rest = without(rest, jet)
    if not coefficients:
        raise Unsuitable("its coefficients vanish there")
    check_leading(problem, coefficients[max(coefficients)])
    data = -rest.subs(where)
    check_smooth(system, (data, *coefficients.values()))
    return Condition(name, unknowns.pop(), axis, side, coefficients, data)


def check_leading(problem: Problem, leading: sp.Expr) -> None:
    """The coefficient that is divided by is nowhere zero: by proof, or a parameter that is not zero."""
    if leading.is_nonzero or leading.is_positive or leading.is_negative:
        return
    nominal = {p.symbol: p.value for p in problem.parameters}
    value = leading.subs(nominal)
    if not leading.free_symbols <= set(nominal) or value.is_zero or not value.is_number:
        raise Unsuitable("the coefficient of its highest derivative may vanish on the wall")


def check_smooth(system: System, values: tuple[sp.Expr, ...]) -> None:
    """Data and coefficients become part of the field, and are differentiated with it."""
    symbols = system.problem.symbols
    held = [j for b in system.balances for v in b.values for j in jets(v) if isinstance(j, sp.Derivative)]
    for i, symbol in enumerate(symbols):
        order = max((orders_of(j, symbols)[i] for j in held), default=0)
        try:
            for value in values:
                if value.has(symbol):
                    check_differentiable(value, symbol, max(order, 1))
        except Jump:
            raise Unsuitable(f"its data may have a jump or a kink along {symbol}") from None
