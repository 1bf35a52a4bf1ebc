"""Conditions on walls that are not linear, tie several fields, or hold derivatives along the wall.

Such a condition B(u, v, ..) = 0 holds the highest derivative ∂^n u across the wall of some field linearly, or
that field itself (n = 0). With ψ = (x - a)^n/n!, times a power of the distance to the other wall that no
condition there feels, and b the coefficient of ∂^n u, the field

    u - ψ (E - S),   E = B(u, v, ..)/b at the point itself

with S what E is at the start, to the order in t known there,
has the wall's lower derivatives of u, so that B does not see the change but in ∂^n u, which it cancels: the
correction of linear conditions (N. Sukumar, A. Srivastava, Comput. Methods Appl. Mech. Eng. 389 (2022)
114333) read for any B. S is zero on the wall where the initial data agree with the condition, and keeps them.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.ansatz.conditions import Condition, Refusal, Unsuitable, check_leading, check_smooth, wall
from nablax.ansatz.operators import switch
from nablax.ansatz.trials import POINTS, closes, frozen, random_values
from nablax.continuity import Jump, check_differentiable
from nablax.derivatives.statements import Statement, edge_place, statements
from nablax.passes.jets import base, is_jet, jets, orders_of, slope_of, stand_ins
from nablax.problem import Axis, Problem, Side
from nablax.sampling import sample
from nablax.system import System

Values: TypeAlias = Mapping[AppliedUndef, sp.Expr]
"""Every component as a function of networks, which have the components' names, and of their derivatives."""
Periodic: TypeAlias = Sequence[tuple[Axis, int]]
ROUNDING = 1e-8


@dataclass(frozen=True, slots=True)
class _Tie:
    """0 = `residual`, in which ∂^order unknown/∂axis^order has the coefficient 1."""

    unknown: AppliedUndef
    axis: Axis
    side: Side
    order: int
    residual: sp.Expr


def tied(
    system: System, values: Values, kept: Sequence[Condition], left: Mapping[str, Refusal], periodic: Periodic
) -> tuple[Values, Set[str], dict[str, Refusal]]:
    """The components with what can be built in of `left` besides, the names of that, and what is left still,
    each with the reason."""
    curves = {edge_place(cut) for cut in system.problem.cuts}
    open_ones = [
        s
        for s in statements(system)
        if s.name in left and s.place.startswith("boundary/") and s.place not in curves
    ]
    remaining = dict(left)
    whole = _Whole(values, tuple((c.unknown, c.axis, c.side, c.order) for c in kept))
    exact = {c.statement for c in kept}
    added: set[str] = set()
    for statement in sorted(open_ones, key=lambda s: _highest(system.problem, s)):
        try:
            found = _built_in(system, whole, kept, statement, open_ones)
            _check(system, found.values(), values, exact | {statement.name}, periodic)
        except Unsuitable as unfit:
            if left[statement.name].form:
                remaining[statement.name] = unfit.refusal
            continue
        whole = found
        exact.add(statement.name)
        added.add(statement.name)
        del remaining[statement.name]
    return whole.values(), added, remaining


_Place: TypeAlias = tuple[AppliedUndef, Axis, Side, int]


@dataclass(frozen=True, slots=True)
class _Whole:
    """Components before and after corrections, and what conditions already speak of."""

    bare: Values
    taken: tuple[_Place, ...]
    corrections: tuple[tuple[_Tie, sp.Expr], ...] = ()

    def values(self, seen_from: tuple[Axis, Side] | None = None) -> Values:
        """With all corrections; seen from a wall, without those of the opposite wall, which vanish here."""
        found = dict(self.bare)
        for tie, change in self.corrections:
            if seen_from is None or tie.axis != seen_from[0] or tie.side == seen_from[1]:
                found[tie.unknown] -= change
        return found


def _highest(problem: Problem, statement: Statement) -> int:
    axis = wall(problem, statement.place)[0]
    return max((_across(problem, axis, j) for v in statement.values for j in jets(v)), default=0)


def _across(problem: Problem, axis: Axis, jet: sp.Basic) -> int:
    return orders_of(jet, problem.symbols)[problem.symbols.index(axis.symbol)]


def _built_in(
    system: System,
    whole: _Whole,
    kept: Sequence[Condition],
    statement: Statement,
    open_ones: Sequence[Statement],
) -> _Whole:
    """The components corrected for one statement. Raises `Unsuitable`."""
    problem = system.problem
    axis, side = wall(problem, statement.place)
    facing = [v for s in open_ones if wall(problem, s.place) == (axis, 1 - side) for v in s.values]
    for value in statement.values:
        tie = _read(system, value, axis, side, whole.taken)
        known = [order for u, a, s, order in whole.taken if (u, a, s) == (tie.unknown, axis, 1 - side)]
        known += [_across(problem, axis, j) for v in facing for j in jets(v) if base(j) == tie.unknown]
        excess = inserted(tie.residual, whole.values((axis, side)), problem) - _started(system, tie, kept)
        change = switch(axis, side, tie.order, known) * excess
        place = (tie.unknown, axis, side, tie.order)
        whole = replace(whole, taken=(*whole.taken, place), corrections=(*whole.corrections, (tie, change)))
    return whole


def _read(system: System, value: sp.Expr, axis: Axis, side: Side, taken: Sequence[_Place]) -> _Tie:
    """The condition as one on a field that no condition of its order speaks of there. Raises `Unsuitable`."""
    problem = system.problem
    components = {c.value: c for c in problem.components}
    found = jets(value)
    plain = all(is_jet(j) and isinstance(j, AppliedUndef | sp.Derivative) for j in found)
    if not plain or not {base(j) for j in found} <= set(components):
        raise Unsuitable("it holds more than the fields and their derivatives")
    if any(components[base(j)].complex for j in found):
        raise Unsuitable("it ties complex fields, or is not linear in them")
    across = problem.symbols.index(axis.symbol)
    place = axis.lower if side == 0 else axis.upper
    refusals: list[str] = []
    choices: list[tuple[int, _Tie]] = []
    for jet in sorted(found, key=sp.default_sort_key):
        unknown, orders = base(jet), orders_of(jet, problem.symbols)
        order = orders[across]
        same = [orders_of(j, problem.symbols) for j in found if base(j) == unknown and j != jet]
        if sum(orders) != order or any(o[across] >= order for o in same):
            continue
        if (unknown, axis, side, order) in taken:
            refusals.append(f"another condition sets the same of `{components[unknown].name}` on that wall")
            continue
        slope = slope_of(value, jet)
        if slope is None or jets(slope):
            refusals.append(f"it is not linear in the highest derivative of `{components[unknown].name}`")
            continue
        try:
            check_leading(problem, slope.subs(axis.symbol, place))
        except Unsuitable as reason:
            refusals.append(str(reason))
            continue
        busy = sum(u == unknown and a == axis and s == side for u, a, s, _ in taken)
        choices.append((busy, _Tie(unknown, axis, side, order, value / slope)))
    if not choices:
        raise Unsuitable(
            refusals[0] if refusals else "no field has one highest derivative across the wall in it"
        )
    _check_even(system, value)
    return min(choices, key=lambda pair: pair[0])[1]


def _check_even(system: System, value: sp.Expr) -> None:
    """What is built in is differentiated with the field: no jump and no kink, in coordinates or in fields."""
    names = stand_ins(value)
    bare = value.xreplace(names)
    check_smooth(system, (bare,))
    try:
        for name in names.values():
            check_differentiable(bare, name, 2)
    except Jump:
        raise Unsuitable("it may have a jump or a kink in the values of the fields") from None


def _started(system: System, tie: _Tie, kept: Sequence[Condition]) -> sp.Expr:
    """What the condition's residual is at the start, as a polynomial in time."""
    time = system.problem.time
    stated = [c for c in kept if time is not None and c.axis == time]
    count = sum(c.unknown == tie.unknown for c in stated)
    if time is None or not count:
        return sp.S.Zero
    t, elapsed = time.symbol, time.symbol - time.lower
    begun: dict[AppliedUndef, sp.Expr] = {}
    for c in stated:
        begun[c.unknown] = begun.get(c.unknown, sp.S.Zero) + c.data * elapsed**c.order / sp.factorial(c.order)
    missing = {base(j) for j in jets(tie.residual)} - set(begun)
    if missing:
        raise Unsuitable("initial data are built in for some of the fields in it, and not for all")
    whole = inserted(tie.residual, begun, system.problem)
    terms = (sp.diff(whole, t, k).subs(t, time.lower) * elapsed**k / sp.factorial(k) for k in range(count))
    return sp.Add(*terms)


def inserted(expression: sp.Expr, values: Values, problem: Problem) -> sp.Expr:
    """The expression with functions in place of the components."""
    found: dict[sp.Basic, sp.Expr] = {}
    for jet in jets(expression):
        counts = [(x, n) for x, n in zip(problem.symbols, orders_of(jet, problem.symbols), strict=True) if n]
        function = values[base(jet)]
        found[jet] = sp.diff(function, *counts) if counts else function
    return expression.xreplace(found)


def _check(system: System, values: Values, before: Values, names: Set[str], periodic: Periodic) -> None:
    """Raises `Unsuitable` where one of the statements is not met by all networks."""
    problem = system.problem
    for statement in statements(system):
        if statement.name not in names:
            continue
        axis, side = wall(problem, statement.place)
        for value in statement.values:
            known = random_values(problem)
            end = axis.lower if side == 0 else axis.upper
            known[axis.symbol] = np.full(POINTS, float(sample(end, known)))
            size = np.abs(_sampled(inserted(value, before, problem), known))
            left = np.abs(_sampled(inserted(value, values, problem), known))
            if not np.all(np.isfinite([left, size])):
                raise Unsuitable("it has no value for some values of the fields")
            if np.any(left > ROUNDING * (1 + np.max(size))):
                raise Unsuitable("it cannot be kept together with other conditions where they meet")
    for axis, count in periodic:
        if not all(closes(problem, value, axis, count) for value in values.values()):
            raise Unsuitable(f"it is not periodic along {axis.name}, as the fields are")


def _sampled(value: sp.Expr, known: Mapping[sp.Basic, np.ndarray]) -> np.ndarray:
    """Values [points] for random networks; nan where they are not real, as they are for a program."""
    values = dict(known)
    found = np.broadcast_to(sample(frozen(value, values), values), (POINTS,))
    return np.where(np.imag(found) == 0, np.real(found), np.nan)
