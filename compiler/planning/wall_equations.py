"""What the equations themselves say of a field whose value is given on a wall: a normal derivative there.

Where u = g(t) holds on a wall, so does the equation, with g' for the rate: u_t = -a u_x + f gives
u_x = (f - g')/a, and w_tt = c² w_xx + f gives w_xx = (g'' - f)/c². One such condition keeps undamped problems
stable between walls with closures of higher degree (`nablax.backends.differences.walls`). It is the first of
the compatibility conditions of N. G. Al Hassanieh, J. W. Banks, W. D. Henshaw, D. W. Schwendeman ("Local
compatibility boundary conditions for high-order accurate finite-difference approximations of PDEs", J.
Comput. Phys. 2022), and of the inverse Lax-Wendroff procedure of S. Tan, C.-W. Shu (J. Comput. Phys. 229
(2010) 8144).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import Jump, check_differentiable, suspect
from nablax.frontend.source import Span
from nablax.grid_functions import GridFunction
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.carried import carried_alone
from nablax.passes.jets import base, derivative, jets, orders_of, slope_of, stand_ins, without
from nablax.plan import Choice
from nablax.planning.spectrum import nominal
from nablax.reductions import Maximum, Mean, Minimum, Noise
from nablax.sampling import sample
from nablax.surrogates import Surrogate
from nablax.system import Boundary, BoundaryTerm, Evolution, System
from nablax.traces import at_wall

KEPT = 4  # orders of accuracy up to which waves need no such condition, and transport no second one
UNAIDED = 5  # the order at a wall value without one: closures of degree 4 and 5
SLOPED = 6  # the order of transport with a slope alone, and beside one-sided derivatives in slopes
CLAMPED = 7  # of beams with clamped ends: closures of degree 7, whose spectra stay real
BENT = 6  # of beams with conditions of order 2 and 3
COUPLED = 3  # where first derivatives couple unknowns: closures of degree 2 on sides without a condition
DIGITS = 60  # of numbers in conditions while they are derived: many more than cancel
LONGEST = 2000  # operations of data that are differentiated once more
PLACES = 5  # per coordinate of a wall and in time, where a leading coefficient is looked at
_WHOLE = (*INTEGRALS, *Nonlocal, Mean, Maximum, Minimum, Noise, GridFunction, Surrogate)


def wall_equations(system: System, accuracy: int) -> tuple[Boundary, ...]:
    """Conditions for each wall value whose normal derivative follows from the equations.

    None of damped problems, and where the derivative does not follow: where other unknowns' derivatives or
    mixed ones stand beside it, where its coefficient may vanish on the wall, where data have no derivative,
    and beside integrals and functions that are not formulas. Up to order 4 of unknowns of first order in
    space alone: those of waves need none.
    """
    if accuracy < 4 or system.time is None or system.constraints or system.has_memory:
        return ()
    if any(u.algebraic for u in system.unknowns):
        return ()
    found = [c for k in range(len(system.axes)) for c in _reflections(system, k, accuracy)]
    found += [c for b in system.boundary for c in _equations(system, b, accuracy)]
    return tuple(found)


def order_at_walls(system: System, accuracy: int) -> tuple[int, Span | None]:
    """The global order that differences of an order of accuracy have between walls, and the condition that
    limits it where it is lower.

    The limits are those of the closures that were found stable (`nablax.backends.differences.walls`), for
    problems of first and second order in space.
    """
    if accuracy < KEPT or system.time is None or carried_alone(system) is not None:
        return accuracy, None
    found = wall_equations(system, accuracy)
    kept = Counter((b.unknown, b.axis, b.side) for b in found)
    one_sided = {(b.axis, b.side) for b in found if _reads_across(system, b)}
    lowest: tuple[int, Span | None] = (accuracy, None)
    for b in (b for b in system.boundary if not b.derived):
        order = accuracy
        highest = highest_order(system, b.unknown, b.axis)
        undamped = len(_chain(system, b.unknown)) > 1 or system.unknowns[b.unknown].complex
        followed = kept[b.unknown, b.axis, b.side]
        aided = followed > 0
        if highest == 1 and _coupled(system, b.unknown, b.axis) and not aided:
            order = COUPLED
        elif accuracy > KEPT and b.dynamic:
            order = accuracy - 1
        elif accuracy > KEPT and b.dirichlet and not aided and (highest == 1 or (highest == 2 and undamped)):
            order = UNAIDED
        elif (b.dirichlet and highest == followed == 1) or (b.axis, b.side) in one_sided:
            order = min(accuracy, SLOPED)
        elif highest == 4:
            order = min(accuracy, BENT if max(t.order for t in b.terms) > 1 else CLAMPED)
        if order < lowest[0]:
            lowest = (order, b.span)
    return lowest


def _reads_across(system: System, condition: Boundary) -> bool:
    """Whether a condition of odd order holds derivatives of other unknowns across the wall: closures take
    them with order 3 (`nablax.backends.differences.walls`)."""
    space = tuple(a.symbol for a in system.axes)
    across = any(orders_of(j, space)[condition.axis] for j in jets(condition.data))
    return across and max(t.order for t in condition.terms) % 2 == 1


def wall_choice(system: System, accuracy: int) -> Choice | None:
    """What `show` says of the closures at walls where they are chosen; None up to order 4."""
    order, limit = order_at_walls(system, accuracy)
    if limit is not None:
        reason = "what closures have here; the equations give no normal derivative for better ones"
        if any(b.dynamic and b.span == limit for b in system.boundary):
            reason = "a condition that moves its wall takes a one-sided slope there"
        return Choice("order at walls", str(order), reason, span=limit)
    found = wall_equations(system, accuracy)
    if not found:
        return None
    names = dict.fromkeys(system.unknowns[b.unknown].name for b in found)
    reason = "the equations give normal derivatives of " + ", ".join(f"`{n}`" for n in names) + " there"
    return Choice("order at walls", str(order), reason)


def highest_order(system: System, unknown: int, axis: int) -> int:
    """Of the derivatives of an unknown along an axis in all equations."""
    space = tuple(a.symbol for a in system.axes)
    value = system.unknowns[unknown].value
    found = [0]
    for terms in system.right_sides:
        found += [t.orders[axis] for t in terms.linear if t.unknown == unknown]
        for flux in (*terms.nonlinear, *terms.conservative):
            of = [j for j in jets(flux.flux) if not isinstance(j, INTEGRALS) and base(j) == value]
            found += [flux.orders[axis] + orders_of(j, space)[axis] for j in of]
    return max(found)


def _equations(system: System, wall: Boundary, accuracy: int) -> Iterator[Boundary]:
    """The conditions that follow from the value on a wall, on the same unknown."""
    assert system.time is not None
    u, k, time = wall.unknown, wall.axis, system.time.symbol
    last, depth = _last_rate(system, u)
    same = [b for b in system.boundary if (b.axis, b.side) == (k, wall.side) and not b.derived]
    if len([b for b in same if b.unknown in _chain(system, u)]) > 1 or not _given(wall):
        return
    order = highest_order(system, u, k)
    waves = accuracy > KEPT and (depth > 0 or system.unknowns[u].complex)
    if not (order == 2 and waves) and (order != 1 or depth > 0 or _coupled(system, u, k)):
        return
    right = _right_side(system, last)
    if right is None:
        return
    try:
        known = {(value, 0): data for value, data in _known(system, same)}
        check_differentiable(known[system.unknowns[last].value, 0], time, 1)
        rate = sp.diff(known[system.unknowns[last].value, 0], time)
        first = _solved(system, wall, order, _on_wall(system, right, known, k), rate)
        if first is None:
            return
        yield first
        if order == 1 and accuracy > KEPT and not suspect(right):
            # The derivative of the equation across the wall, where u_t = -a u_x holds for u_x as well.
            known[system.unknowns[u].value, 1] = first.data
            check_differentiable(first.data, time, 1)
            across = sp.diff(right, system.axes[k].symbol)
            second = _solved(system, wall, 2, _on_wall(system, across, known, k), sp.diff(first.data, time))
            if second is not None:
                yield second
    except Jump:
        return


def _reflections(system: System, axis: int, accuracy: int) -> list[Boundary]:
    """Conditions that make every coupled unknown an odd or even function beside both walls, less data.

    p = g(t) in p_t = -v_x, v_t = -p_x gives v_x, then p_xx, v_xxx, and so on: with all of them up to the
    order of accuracy stencils read mirror images, and no wave gains or loses energy there. With coefficients
    that vary, lower derivatives stand beside the highest. None unless every coupled unknown has them on both
    sides.
    """
    coupled = [
        i
        for i in range(len(system.unknowns))
        if highest_order(system, i, axis) == 1 and _coupled(system, i, axis)
    ]
    if not coupled or system.axes[axis].periodic:
        return []
    found: list[Boundary] = []
    for side in (0, 1):
        here: list[Boundary] = []
        for b in system.boundary:
            if (b.axis, b.side) == (axis, side) and b.unknown in coupled and not b.derived:
                here += _ladder(system, b, coupled, accuracy)
        for i in coupled:
            own = sorted(b.terms[0].order for b in here if b.unknown == i)
            if own not in (list(range(1, accuracy, 2)), list(range(2, accuracy + 1, 2))):
                return []
        found += here
    return found


def _ladder(system: System, wall: Boundary, coupled: list[int], accuracy: int) -> list[Boundary]:
    """The conditions that follow from a value, each the time derivative of the one before; none where the
    highest derivative across the wall is not that of one unknown.

    What is lower in them and belongs to other unknowns stands in their data: in two dimensions u = 0 in
    u_t = -p_x, p_t = -u_x - v_y gives p_x = 0, and then u_xx = -v_xy.
    """
    assert system.time is not None
    across = system.axes[wall.axis].symbol
    same = [b for b in system.boundary if (b.axis, b.side) == (wall.axis, wall.side) and not b.derived]
    rights = {e.unknown: _right_side(system, e.unknown) for e in system.evolution}
    if not _given(wall) or any(r is None or suspect(r) for r in rights.values()):
        return []
    rates = {system.unknowns[i].value: r for i, r in rights.items() if r is not None}
    found: list[Boundary] = []
    try:
        known = {(value, 0): data for value, data in _known(system, same)}
        left = system.unknowns[wall.unknown].value - known[system.unknowns[wall.unknown].value, 0]
        for order in range(1, accuracy + 1):
            left = _on_wall(system, _rate(system, left, rates, wall), known, wall.axis)
            if suspect(left) or left.count_ops() > LONGEST:
                return []
            leading = [j for j in jets(left) if orders_of(j, (across,))[0] >= order]
            other = [i for i in coupled if len(leading) == 1 and base(leading[0]) == system.unknowns[i].value]
            if not other:
                return []
            step = _solved(system, replace(wall, unknown=other[0]), order, left, sp.S.Zero, traces=True)
            if step is None or _feeds(system, step, coupled):
                return []
            value = system.unknowns[other[0]].value
            lower = sp.Add(
                *(t.coefficient * derivative(value, (across,), (t.order,)) for t in step.terms[1:])
            )
            known[value, order] = step.data - lower
            left = derivative(value, (across,), (order,)) - known[value, order]
            found.append(step)
    except Jump:
        return []
    return found


def _feeds(system: System, condition: Boundary, coupled: list[int]) -> bool:
    """Whether derivatives in the data feed waves: along an axis that ends at walls itself, one-sided near its
    ends (growth by 20 to 70 per unit of time), and odd ones along the wall of coupled unknowns, as in elastic
    solids (by about 1)."""
    others = [a for i, a in enumerate(system.axes) if i != condition.axis]
    values = {system.unknowns[i].value for i in coupled}
    for jet in jets(condition.data):
        orders = orders_of(jet, [a.symbol for a in others])
        if any(n and not a.periodic for a, n in zip(others, orders, strict=True)):
            return True
        if sum(orders) % 2 and base(jet) in values:
            return True
    return False


def _rate(system: System, left: sp.Expr, rates: Mapping[AppliedUndef, sp.Expr], wall: Boundary) -> sp.Expr:
    """The time derivative on a wall of an expression in jets, by the equations."""
    assert system.time is not None
    axis = system.axes[wall.axis]
    end = {axis.symbol: axis.lower if wall.side == 0 else axis.upper}
    names = stand_ins(left)
    frozen = left.xreplace(names)
    check_differentiable(frozen, system.time.symbol, 1)
    total = sp.diff(frozen, system.time.symbol)
    space = tuple(a.symbol for a in system.axes)
    for jet, name in names.items():
        value = rates[base(jet)]
        for symbol, n in zip(space, orders_of(jet, space), strict=True):
            if n:
                value = sp.diff(value, symbol, n)
        total += sp.diff(frozen, name) * at_wall(value, end)
    return _shortened(sp.expand(_decimal(total.xreplace({name: jet for jet, name in names.items()}))))


def _decimal(expression: sp.Expr) -> sp.Expr:
    """The expression with decimals for numbers such as sin(1), whose powers and products would pile up."""
    found = {n: n.n(DIGITS) for n in expression.atoms(sp.Function, sp.Pow, sp.NumberSymbol) if n.is_number}
    return expression.xreplace({n: d for n, d in found.items() if isinstance(d, sp.Float)})


def _shortened(total: sp.Expr) -> sp.Expr:
    """A sum without the terms that differ from zero by the rounding of its decimals."""
    terms = [(abs(term.as_coeff_Mul()[0]), term) for term in sp.Add.make_args(total)]
    least = max(size for size, _ in terms) * sp.Float(10, DIGITS) ** (-3 * DIGITS // 4)
    return sp.Add(*(term for size, term in terms if not isinstance(size, sp.Float) or size > least))


def _chain(system: System, unknown: int) -> tuple[int, ...]:
    """An unknown, its rate, the rate of that, and so on."""
    found = [unknown]
    while (
        rate := next((i for i, u in enumerate(system.unknowns) if u.rate_of == found[-1]), None)
    ) is not None:
        found.append(rate)
    return tuple(found)


def _last_rate(system: System, unknown: int) -> tuple[int, int]:
    chain = _chain(system, unknown)
    return chain[-1], len(chain) - 1


def _given(wall: Boundary) -> bool:
    return wall.dirichlet and not wall.derived and not jets(wall.data)


def _coupled(system: System, unknown: int, axis: int) -> bool:
    """Whether the equation of another unknown holds its derivative along an axis."""
    return any(e.unknown != unknown and _reads(system, e, unknown, axis) for e in system.evolution)


def _reads(system: System, equation: Evolution, unknown: int, axis: int) -> bool:
    """Whether an equation holds a derivative of an unknown along an axis."""
    space = tuple(a.symbol for a in system.axes)
    value = system.unknowns[unknown].value
    if any(t.unknown == unknown and t.orders[axis] for t in equation.terms.linear):
        return True
    return any(
        not isinstance(j, INTEGRALS) and base(j) == value and orders_of(j, space)[axis]
        for flux in equation.terms.nonlinear
        for j in jets(flux.flux)
    )


def _known(system: System, same: list[Boundary]) -> Iterator[tuple[AppliedUndef, sp.Expr]]:
    """Values on a wall of the unknowns that are given there, and of their rates."""
    assert system.time is not None
    for b in same:
        if not _given(b):
            continue
        value = b.data / sp.Add(*(t.coefficient for t in b.terms))
        for i in _chain(system, b.unknown):
            yield system.unknowns[i].value, value
            check_differentiable(value, system.time.symbol, 1)
            value = sp.diff(value, system.time.symbol)


def _right_side(system: System, unknown: int) -> sp.Expr | None:
    """What the rate of an unknown is equal to; None under an operator."""
    space = tuple(a.symbol for a in system.axes)
    equation = next(e for e in system.evolution if e.unknown == unknown)
    (mass, *more) = equation.mass
    if more or mass.unknown != unknown or mass.coefficient != 1 or any(mass.orders) or not mass.local:
        return None
    terms = equation.terms
    if not all(t.local for t in terms.linear):
        return None
    total = sp.Add(
        *(
            t.coefficient * derivative(system.unknowns[t.unknown].value, space, t.orders)
            for t in terms.linear
        ),
        *(t.coefficient * t.flux for t in terms.nonlinear),
    )
    for source in terms.forcing:
        value = source.flux
        for symbol, n in zip(space, source.orders, strict=True):
            if n:
                check_differentiable(value, symbol, n)
                value = sp.diff(value, symbol, n)
        total += source.coefficient * value
    return None if total.has(*_WHOLE) else total


def _on_wall(
    system: System, right: sp.Expr, known: Mapping[tuple[AppliedUndef, int], sp.Expr], axis: int
) -> sp.Expr:
    """The expression with the jets that are known on the wall, and their derivatives along it; `known` has
    values and derivatives across it, by unknown and order."""
    space = tuple(a.symbol for a in system.axes)
    names = stand_ins(right)
    back: dict[sp.Basic, sp.Basic] = {}
    for jet, name in names.items():
        back[name] = jet
        orders = orders_of(jet, space)
        if (base(jet), orders[axis]) not in known:
            continue
        value = known[base(jet), orders[axis]]
        for i, (symbol, n) in enumerate(zip(space, orders, strict=True)):
            if n and i != axis:
                check_differentiable(value, symbol, n)
                value = sp.diff(value, symbol, n)
        back[name] = value
    return right.xreplace(names).xreplace(back)


def _solved(
    system: System, wall: Boundary, order: int, right: sp.Expr, rate: sp.Expr, traces: bool = False
) -> Boundary | None:
    """`right` = `rate`, solved for the normal derivative of the given order. `traces`: other derivatives may
    stand in the data."""
    k = wall.axis
    space = tuple(a.symbol for a in system.axes)
    value, axis = system.unknowns[wall.unknown].value, system.axes[k]
    end = {axis.symbol: axis.lower if wall.side == 0 else axis.upper}
    normal = {m: sp.Derivative(value, (axis.symbol, m)) for m in range(1, order + 1)}
    coefficients: list[tuple[sp.Expr, int]] = []
    rest = right
    for jet in jets(right):
        m = next((m for m, j in normal.items() if j == jet), None)
        if m is None:
            if any(orders_of(jet, space)) and not traces:
                return None
            continue
        slope = slope_of(right, jet)
        if slope is None or jets(slope):
            return None
        coefficients.append((at_wall(slope, end), m))
        rest = without(rest, jet)
    leading = next((c for c, m in coefficients if m == order), None)
    if leading is None or not _nonzero(system, leading, k):
        return None
    data = (rate - at_wall(rest, end)) / leading
    if data.has(sp.DiracDelta, sp.Subs) or any(d not in jets(data) for d in data.atoms(sp.Derivative)):
        return None
    terms = tuple(
        BoundaryTerm(sp.S.One if m == order else sp.cancel(c / leading), m)
        for c, m in sorted(coefficients, key=lambda pair: -pair[1])
    )
    return Boundary(wall.unknown, k, wall.side, terms, data, wall.span, derived=True)


def _nonzero(system: System, leading: sp.Expr, axis: int) -> bool:
    """Whether a coefficient keeps away from zero on a few places of the wall and times of the run."""
    assert system.time is not None
    values = nominal(system)
    others = [a for i, a in enumerate(system.axes) if i != axis]
    lines = [
        np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), PLACES)
        for a in (*others, system.time)
    ]
    grids = np.meshgrid(*lines, indexing="ij")
    here = values | {a.symbol: g for a, g in zip((*others, system.time), grids, strict=True)}
    found = np.asarray(sample(leading, here))
    size = np.abs(found)
    if not np.isfinite(size).all() or size.min() <= 1e-6 * size.max():
        return False
    return bool(np.iscomplexobj(found) or (found > 0).all() or (found < 0).all())
