"""How many boundary conditions stand where, against the derivatives along each axis."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.centre import has_centre
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.meaning.values import shown
from nablax.nonlocal_operators import Nonlocal, OneSided, order_along
from nablax.passes.characteristics import carried_beside, coupled, diffusing, entering
from nablax.passes.jets import jets_of, orders_of, slope_of
from nablax.passes.wall_speeds import signs_at_walls
from nablax.problem import Axis, Problem, Side
from nablax.region import SIDES, Wall, walls_unreached
from nablax.system import Boundary, Constraint, Evolution, Unknown, root_of


@dataclass(frozen=True, slots=True)
class Need:
    """What one unknown wants along one axis: its highest derivative there, where that stands, and the
    coefficient of it (None unless it stands linearly in the unknown's own equation). `whole`: it is no
    derivative but an operator between walls, which counts as one. `turns`: the coefficient is known, and
    changes its sign on a wall."""

    order: int
    span: Span
    leading: sp.Expr | None
    wanted: tuple[int, int]
    certain: bool
    whole: bool = False
    turns: bool = False

    def most(self, side: Side) -> int:
        """Conditions that one side may hold."""
        return self.wanted[side] if self.certain else self.order // 2 + 1


def needs_of(
    problem: Problem, unknowns: Sequence[Unknown], equations: Sequence[Evolution | Constraint]
) -> dict[tuple[int, int], Need]:
    """The need of every unknown (rates too: their own derivatives) along every axis, by their indices."""
    space = tuple(a.symbol for a in problem.axes)
    found = {}
    for i in range(len(unknowns)):
        for k in range(len(space)):
            order, span, leading, whole = _highest(i, unknowns, equations, k, space)
            wanted, certain = _wanted(problem, k, order, leading)
            turns = not certain and leading is not None and not leading.has(AppliedUndef)
            if has_centre(problem, problem.axes[k]):
                wanted = (0, wanted[1] if certain else order - order // 2)
            found[i, k] = Need(order, span, leading, wanted, certain, whole, turns)
    return found


def check_counts(
    problem: Problem,
    unknowns: Sequence[Unknown],
    equations: Sequence[Evolution | Constraint],
    needs: Mapping[tuple[int, int], Need],
    multipliers: Collection[int],
    carried: Mapping[int, Collection[int]],
    boundary: Sequence[Boundary],
    report: Report,
) -> None:
    """m conditions along an axis for a highest derivative of order m: m/2 per side, see LANGUAGE.md.

    `multipliers` are unknowns that no equation determines: they need none. `carried` ones have no time: their
    odd condition may stand on either side (`nablax.passes.carried`), or be one of a field whose equation they
    enter. By unknown: the carried fields whose values, through others too, enter its equation.
    """
    stated = [b for b in boundary if not b.derived]
    away = walls_unreached(problem)
    for axis_index, axis in enumerate(problem.axes):
        if axis.periodic or {(axis_index, 0), (axis_index, 1)} <= away:
            continue
        loose: list[tuple[Unknown, Need, list[Boundary]]] = []
        shared = _shared(axis, axis_index, unknowns, needs, carried, stated, report)
        counted: set[int] = set()
        first = [
            i
            for i, u in enumerate(unknowns)
            if needs[i, axis_index].order == 1
            and u.rate_of is None
            and i not in {*multipliers, *carried}
            and not {(axis_index, 0), (axis_index, 1)} & away
        ]
        spread = diffusing(axis_index, unknowns, equations)
        for i in carried_beside(axis_index, first, spread, equations):
            if entering(problem, axis_index, (i,), equations, spread) == (0, 0):
                counted.add(i)
                places = [b for b in stated if b.unknown == i and b.axis == axis_index]
                _check_still(axis, unknowns, i, spread, places, needs[i, axis_index].span, report)
        for group in coupled(axis_index, first, equations):
            waves = entering(problem, axis_index, group, equations, spread)
            if waves is not None:
                counted |= set(group)
                places = [b for b in stated if root_of(b.unknown, unknowns) in group and b.axis == axis_index]
                names = ", ".join(f"`{unknowns[i].name}`" for i in group)
                _check_waves(axis, names, places, waves, needs[group[0], axis_index].span, report)
        for i, unknown in enumerate(unknowns):
            if unknown.rate_of is not None or i in multipliers or i in counted:
                continue
            need = _reached(needs[i, axis_index], axis_index, away)
            given = [b for b in stated if root_of(b.unknown, unknowns) == i and b.axis == axis_index]
            if i in shared:
                continue
            if i in carried and need.order == 1 and not has_centre(problem, axis):
                wanted = (0, 1) if [b.side for b in given] == [1] else (1, 0)
                _check_one(unknown, axis, replace(need, wanted=wanted, certain=True), given, report)
            elif need.order % 2 and need.leading is None and not has_centre(problem, axis):
                loose.append((unknown, need, given))
            else:
                _check_one(unknown, axis, need, given, report, has_centre(problem, axis))
        if len(loose) > 1:
            _check_together(axis, loose, report)
        for unknown, need, given in loose if len(loose) == 1 else ():
            _check_one(unknown, axis, need, given, report, has_centre(problem, axis))


def _reached(need: Need, axis: int, away: Collection[Wall]) -> Need:
    """The need without the walls that the region leaves out."""
    wanted = tuple(0 if (axis, side) in away else n for side, n in zip(SIDES, need.wanted, strict=True))
    return need if wanted == need.wanted else replace(need, wanted=(wanted[0], wanted[1]), certain=True)


def _shared(
    axis: Axis,
    axis_index: int,
    unknowns: Sequence[Unknown],
    needs: Mapping[tuple[int, int], Need],
    carried: Mapping[int, Collection[int]],
    stated: Sequence[Boundary],
    report: Report,
) -> frozenset[int]:
    """Carried fields with one condition each on average: some have two, in the place of others without any.

    u' = v, v' = -u with u given at both ends, say. What has none enters an equation of what has two.
    """
    given = {
        i: [b for b in stated if (b.unknown, b.axis) == (i, axis_index)]
        for i in carried
        if needs[i, axis_index].order == 1
    }
    double = [i for i, found in given.items() if len(found) == 2 and found[0].side != found[1].side]
    empty = [i for i, found in given.items() if not found]
    if (
        not double
        or len(double) != len(empty)
        or any(all(e not in carried[d] for d in double) for e in empty)
    ):
        return frozenset()
    names = ", ".join(f"`{unknowns[i].name}`" for i in sorted((*double, *empty)))
    report.warning(
        "P313",
        given[double[0]][1].span,
        f"{names} are coupled along {axis.name}: {2 * len(double)} conditions in all are right, and where "
        "they belong is not proven",
        help=f"make sure that the conditions along `{axis.name}` determine all of these fields",
    )
    return frozenset((*double, *empty))


def _check_together(
    axis: Axis, loose: Sequence[tuple[Unknown, Need, list[Boundary]]], report: Report
) -> None:
    """Fields coupled by odd derivatives: waves of the system carry combinations of them, so that only the
    conditions on all of them together can be counted."""
    names = ", ".join(f"`{unknown.name}`" for unknown, *_ in loose)
    wanted = sum(need.order for _, need, _ in loose)
    given = [b for *_, conditions in loose for b in conditions]
    if len(given) == wanted:
        report.warning(
            "P313",
            given[0].span,
            f"{names} are coupled by odd derivatives along {axis.name}: {wanted} conditions in all are "
            "right, and where they belong is not proven",
            help=f"give each side of `{axis.name}` as many conditions as waves enter there",
        )
        return
    report.error(
        "P301",
        given[-1].span if given else axis.span,
        f"{names} need {wanted} boundary conditions along {axis.name} together, and have {len(given)}",
        notes=(Note("they are coupled by odd derivatives", loose[0][1].span),),
        help=f"give each side of `{axis.name}` as many conditions as waves enter there, or make it periodic",
    )


def _check_waves(
    axis: Axis, names: str, given: Sequence[Boundary], waves: tuple[int, int], span: Span, report: Report
) -> None:
    """As many conditions on each side as waves enter there."""
    counts = [sum(b.side == side for b in given) for side in SIDES]
    if tuple(counts) == waves:
        return
    ends = (shown(axis.lower), shown(axis.upper))
    sides = [s for s in SIDES if counts[s] > waves[s]] or [s for s in SIDES if counts[s] < waves[s]]
    there = [b for b in given if b.side == sides[0]]
    report.error(
        "P301",
        there[-1].span if there else axis.span,
        f"{names} need {waves[0]} boundary condition{'' if waves[0] == 1 else 's'} together at "
        f"{axis.name} = {ends[0]} and {waves[1]} at {ends[1]}, and have {counts[0]} and {counts[1]}",
        notes=(Note("so many waves of these equations enter there", span),),
        help="; ".join(
            f"{'remove' if counts[s] > waves[s] else 'add'} {abs(counts[s] - waves[s])} at "
            f"`{axis.name} = {ends[s]}`"
            for s in SIDES
            if counts[s] != waves[s]
        ),
    )


def _check_still(
    axis: Axis,
    unknowns: Sequence[Unknown],
    unknown: int,
    spread: Collection[int],
    given: Sequence[Boundary],
    span: Span,
    report: Report,
) -> None:
    """No condition on a field that moves through diffusing ones alone: its own waves stand still.

    A condition a side is right for the two together, and on grids it is the diffusing field's."""
    if not given:
        return
    others = ", ".join(f"`{unknowns[i].name}`" for i in sorted(spread))
    name = unknowns[unknown].name
    report.error(
        "P301",
        given[0].span,
        f"`{name}` needs no boundary condition along {axis.name}, and has {len(given)}",
        label=f"no wave carries `{name}` into the domain here",
        notes=(
            Note(f"it moves by derivatives of {others} alone, which diffuse and take the conditions", span),
        ),
        help=f"give the condition to {others}: the equation of `{name}` says which derivative a value of "
        f"`{name}` prescribes",
    )


def _highest(
    i: int,
    unknowns: Sequence[Unknown],
    equations: Sequence[Evolution | Constraint],
    axis: int,
    space: tuple[sp.Symbol, ...],
) -> tuple[int, Span, sp.Expr | None, bool]:
    """Highest derivative of an unknown along an axis in any equation, its place, its coefficient, and whether
    it is an operator between walls.

    The coefficient is None unless the derivative stands linearly in the unknown's own evolution equation:
    without time there is no direction.
    """
    highest, place, leading, fractional = 0, unknowns[i].span, None, False
    for equation in equations:
        owner = equation.unknown
        own = owner == i or (owner is not None and unknowns[owner].rate_of == i)
        for term in equation.terms.linear:
            if term.unknown == i and term.orders[axis] > highest:
                highest, place = term.orders[axis], term.span
                alone = sum(term.orders) == highest
                leading = term.coefficient if own and alone and isinstance(equation, Evolution) else None
                fractional = False
            if term.unknown == i and order_along(term.operator, space[axis]) > highest:
                highest, place = order_along(term.operator, space[axis]), term.span
                leading, fractional = _from_its_end(term.operator), True
        for term in equation.mass if isinstance(equation, Evolution) else ():
            # A space derivative of the time derivative needs conditions as well.
            if term.unknown == i and term.orders[axis] > highest:
                highest, place, leading, fractional = term.orders[axis], term.span, None, False
        for flux in equation.terms.nonlinear:
            for jet in jets_of(unknowns[i].value, flux.flux):
                whole = isinstance(jet, Nonlocal)
                n = order_along(jet, space[axis]) if whole else orders_of(jet, space)[axis]
                if n > highest:
                    slope = slope_of(flux.flux, jet) if own and not whole else None
                    highest, place, leading = n, flux.span, _from_its_end(jet) if whole else slope
                    fractional = whole
    return highest, place, leading, fractional


def _from_its_end(node: sp.Basic | None) -> sp.Expr | None:
    """A one-sided derivative has its odd condition where it starts, as if it carried waves from there."""
    return -node.args[3] if isinstance(node, OneSided) else None


def _check_one(
    unknown: Unknown, axis: Axis, need: Need, given: Sequence[Boundary], report: Report, centre: bool = False
) -> None:
    order, span = need.order, need.span
    sides: tuple[list[Boundary], list[Boundary]] = (
        [b for b in given if b.side == 0],
        [b for b in given if b.side == 1],
    )
    counts = (len(sides[0]), len(sides[1]))
    ends = (shown(axis.lower), shown(axis.upper))
    wanted, certain = need.wanted, need.certain
    line = report.source.position(span.start)[0]
    reason = Note(
        f"this operator counts as order {order} along {axis.name}, line {line}"
        if need.whole
        else f"the highest derivative along {axis.name} is d{axis.name * order}({unknown.name}), line {line}"
        if order
        else f"no derivative along {axis.name} is taken of `{unknown.name}`",
        span,
    )
    if counts == wanted and not need.turns:
        return
    if centre:
        _check_outside(unknown, axis, need, given, reason, report)
        return
    if not certain and sum(counts) == order and abs(counts[0] - counts[1]) == 1:
        report.warning(
            "P313",
            given[0].span,
            f"`{unknown.name}` has its odd condition at {axis.name} = "
            f"{ends[0 if counts[0] > counts[1] else 1]}, and "
            + (
                "its speed changes its sign on a wall"
                if need.turns
                else "no sign proves that it belongs there"
            ),
            notes=(reason,),
            help="a condition is right only where and while information enters through it: cut the time there"
            if need.turns
            else f"make sure that information enters the domain at this side of `{axis.name}`",
        )
        return
    place = given[0].span if given else axis.span
    missing = [s for s in (0, 1) if counts[s] < wanted[s]]
    total = sum(counts)
    needed = sum(wanted)
    plural = "" if needed == 1 else "s"
    if sum(wanted) > total and total:
        label = "only this side is given" if 0 in counts else "not enough of them"
    else:
        walls = "two walls" if len(missing) == 2 else "a wall"
        label = f"`{axis.name}` has {walls}" if not given else "too many" if not missing else "the wrong side"
    if missing:
        where = " and ".join(f"`{axis.name} = {ends[s]}`" for s in missing)
        help = f"add {_numeral(max(wanted[s] - counts[s] for s in missing))} for {where}"
        help += ", or make the axis periodic" if not given or total < order else ""
        if total >= needed:
            help = f"move a condition to {where}: that is where it belongs"
    else:
        side = 0 if counts[0] > wanted[0] else 1
        place = sides[side][-1].span
        help = f"remove a condition at `{axis.name} = {ends[side]}`"
    report.error(
        "P301",
        place,
        f"`{unknown.name}` needs {needed or 'no'} boundary condition{plural} along {axis.name}"
        + (f" ({wanted[0]} at {ends[0]}, {wanted[1]} at {ends[1]})" if total == needed or order > 2 else "")
        + f", and has {total}",
        label=label,
        notes=(reason,),
        help=help,
    )


def _check_outside(
    unknown: Unknown, axis: Axis, need: Need, given: Sequence[Boundary], reason: Note, report: Report
) -> None:
    """Conditions where the other end of the axis is a centre: half of them on the one wall there is."""
    wanted, found = need.wanted[1], len(given)
    end = shown(axis.upper)
    if need.turns and found in (need.order // 2, wanted):
        report.warning(
            "P313",
            given[0].span if given else axis.span,
            f"the speed of `{unknown.name}` changes its sign on the wall at {axis.name} = {end}",
            notes=(reason,),
            help="a condition is right only while information enters through it: cut the time there",
        )
        return
    if not need.certain and found == need.order // 2:
        return  # waves may leave through all of the wall
    report.error(
        "P301",
        given[-1].span if given else axis.span,
        f"`{unknown.name}` needs {wanted or 'no'} boundary condition{'' if wanted == 1 else 's'} at "
        f"{axis.name} = {end}, and has {found}",
        label="too many" if found > wanted else f"the wall is at {axis.name} = {end}",
        notes=(reason,),
        help=f"remove a condition at `{axis.name} = {end}`"
        if found > wanted
        else f"add {_numeral(wanted - found)} for `{axis.name} = {end}`",
    )


def _numeral(count: int) -> str:
    return "a line" if count == 1 else f"{count} conditions"


def _wanted(problem: Problem, axis: int, order: int, leading: sp.Expr | None) -> tuple[tuple[int, int], bool]:
    """Conditions per side, and whether the sides of the odd ones are known.

    u_t = a ∂ⁿu with n odd: an extra condition stands where waves enter. With (ik)ⁿ the group velocity
    is n a i^(n-1) k^(n-1) times -1; for n = 1: u_t = a u_x moves to the left for a > 0, enters at the right.
    A speed that turns round between the walls enters at both of them, or at none.
    """
    half = order // 2
    if order % 2 == 0:
        return (half, half), True
    lower, upper = (None, None) if leading is None else signs_at_walls(problem, axis, leading)
    # i^(n-1) is +1 for n = 1, 5, ... and -1 for n = 3, 7, ...
    turn = 1 if order % 4 == 1 else -1
    known = lower is not None and upper is not None
    if not known or (order > 1 and (lower != upper or lower == 0)):
        return (half + 1, half), False
    assert lower is not None
    assert upper is not None
    return (half + (turn * lower < 0), half + (turn * upper > 0)), True
