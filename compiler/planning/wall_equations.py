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
SLOPED = 6  # the order of transport with a slope alone
COUPLED = 3  # where first derivatives couple unknowns: closures of degree 2 on sides without a condition
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
    kept = Counter((b.unknown, b.axis, b.side) for b in wall_equations(system, accuracy))
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
        elif b.dirichlet and highest == followed == 1:
            order = min(accuracy, SLOPED)
        if order < lowest[0]:
            lowest = (order, b.span)
    return lowest


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
    order of accuracy stencils read mirror images, and no wave gains or loses energy there. None unless every
    coupled unknown has them on both sides.
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
    """The derivatives that follow from a value, one from the rate of the other; none where one does not."""
    assert system.time is not None
    time, across = system.time.symbol, system.axes[wall.axis].symbol
    same = [b for b in system.boundary if (b.axis, b.side) == (wall.axis, wall.side) and not b.derived]
    rights = {i: _right_side(system, i) for i in coupled}
    if not _given(wall) or any(r is None or suspect(r) for r in rights.values()):
        return []
    try:
        known = {(value, 0): data for value, data in _known(system, same)}
    except Jump:
        return []
    found: list[Boundary] = []
    unknown, order, data = wall.unknown, 0, known[system.unknowns[wall.unknown].value, 0]
    while len(found) < accuracy:
        right = rights[unknown]
        if right is None or suspect(data) or data.count_ops() > LONGEST:
            return []
        left = _on_wall(system, sp.diff(right, across, order), known, wall.axis)
        jet = next(iter(jets(left)), None)
        other = next((i for i in coupled if jet is not None and base(jet) == system.unknowns[i].value), None)
        if jet is None or other is None or len(jets(left)) > 1:
            return []
        unknown, order = other, orders_of(jet, (across,))[0]
        step = _solved(system, replace(wall, unknown=unknown), order, left, sp.diff(data, time))
        if step is None:
            return []
        data = known[system.unknowns[unknown].value, order] = step.data
        found.append(step)
    return found


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


def _solved(system: System, wall: Boundary, order: int, right: sp.Expr, rate: sp.Expr) -> Boundary | None:
    """`right` = `rate`, solved for the normal derivative of the given order."""
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
            if any(orders_of(jet, space)):
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
