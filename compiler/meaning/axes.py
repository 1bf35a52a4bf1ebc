"""`space` and `time`: the axes a spec declares."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Edit, Report
from nablax.limits import AXES, MEMBERS, NAMED_AXES
from nablax.meaning.declarations import LARGEST, check_ends_ordered, clauses, declared_name, interval_ends
from nablax.meaning.expressions import constant
from nablax.meaning.scope import Scope, splits
from nablax.meaning.values import Fault, fault, reported
from nablax.problem import Axis, Coordinates

AXES_OF: Mapping[Coordinates, int] = {"polar": 2}


def space_axes(module: syntax.Module, scope: Scope, system: Coordinates, report: Report) -> tuple[Axis, ...]:
    """The space axes; one whose ends make no sense stays, without ends, so that its name is known."""
    written = [clause for clause in clauses(module, "space") if not isinstance(clause, syntax.Inside)]
    found = [axis for clause in written if (axis := _read_axis(clause, scope, report))]
    most = NAMED_AXES if system == "cartesian" else AXES_OF.get(system, AXES)
    family = next((a for a in found if a.size is not None), None)
    if family is not None and system != "cartesian":
        report.error(
            "P107",
            family.span,
            f"{system} coordinates have no indexed family of axes",
            help="use cartesian coordinates",
        )
    if system == "cartesian" and len(found) > most:
        report.error(
            "P403",
            found[most].span,
            f"there are {len(found)} space axes, and a space has at most {most}",
            help="use an indexed family: `x[1..100] in [-1, 1]`",
        )
    elif len(found) > most:
        report.error(
            "P107",
            found[most].span,
            f"{system} coordinates have {most} axes, and this is one more",
            help=f"use at most {most} axes" + (", or `cylindrical`" if system == "polar" else ""),
        )
    # Axes over the limit stay known, too; geometry needs no more than it can scale.
    return tuple(found) if len(found) <= most else tuple(found[:most])


def time_axis(module: syntax.Module, scope: Scope, report: Report) -> Axis | None:
    found: list[Axis] = []
    for clause in clauses(module, "time"):
        axis = _read_axis(clause, scope, report)
        if axis is None:
            continue
        if axis.periodic:
            report.error("P314", clause.span, "time cannot be periodic", help="remove `periodic`")
        if axis.size is not None:
            report.error(
                "P314", clause.span, "time is one axis, and this is a family", help="write `t in [0, 1]`"
            )
        found.append(axis)
    if len(found) > 1:
        report.error("P314", found[1].span, "there is more than one time axis", help="keep one")
    return found[0] if found else None


def _read_axis(clause: syntax.Clause, scope: Scope, report: Report) -> Axis | None:
    try:
        return _axis(clause, scope)
    except Fault as error:
        error.tell(report)
    name = declared_name(clause)
    if name is None:
        return None
    periodic = isinstance(clause, syntax.Domain) and clause.qualifier is not None
    return Axis(name.id, sp.Symbol(name.id, real=True), sp.nan, sp.nan, periodic, name.span)


def _axis(clause: syntax.Clause, scope: Scope) -> Axis:
    members: tuple[int, int | None] = (1, None)
    match clause:
        case syntax.Domain(target=syntax.Name() as name, interval=interval, qualifier=qualifier):
            pass
        case syntax.Domain(
            target=syntax.Item(base=syntax.Name() as name, index=syntax.Range() as indices),
            interval=interval,
            qualifier=qualifier,
        ):
            members = _members(indices, scope)
        case _:
            raise reported()
    if name.id == "n":
        raise fault(
            "P103",
            name.span,
            "an axis cannot be called `n`: `dn` is the normal derivative",
            "choose another name",
            label="a reserved name",
        )
    if qualifier is not None and qualifier.id != "periodic":
        similar = bool(get_close_matches(qualifier.id, ["periodic"]))
        raise fault(
            "P107",
            qualifier.span,
            f"`{qualifier.id}` says nothing about an axis",
            "did you mean `periodic`?"
            if similar
            else "write `periodic`, or nothing for an axis with two ends",
            edits=(Edit(qualifier.span, "periodic"),) if similar else (),
        )
    low, high = interval_ends(interval, scope, f"`{name.id} in [lowest, highest]`")
    for end, place in zip((low, high), interval.items, strict=True):
        if not (end.is_number and end.is_real and end.is_finite and abs(end) < LARGEST):
            raise fault(
                "P314", place.span, "an interval has finite real ends", "cut the domain at a large number",
                label="infinite" if end.is_infinite else "",
            )  # fmt: skip
    check_ends_ordered(low, high, interval)
    lower, upper = (constant(item, scope) for item in interval.items)
    symbol = sp.Symbol(name.id, real=True)
    first, size = members
    return Axis(name.id, symbol, lower, upper, qualifier is not None, name.span, size, first)


def _members(indices: syntax.Range, scope: Scope) -> tuple[int, int]:
    """(first index, number of members) of a family."""
    first, last = (constant(end, scope).subs(scope.nominal) for end in (indices.lower, indices.upper))
    if not (first.is_Integer and last.is_Integer and 0 <= first <= last and last - first < MEMBERS):
        raise fault(
            "P403",
            indices.span,
            f"a family has from 1 to {MEMBERS:,} members, counted by whole numbers",
            "write `x[1..100] in [-1, 1]`",
        )
    return int(first), int(last - first + 1)


def check_axis_names(axes: Iterable[Axis], report: Report) -> None:
    """An axis whose name is made of others' would make `dxx` mean two things."""
    axes = tuple(axes)
    for axis in axes:
        others = tuple(a.name for a in axes if a is not axis)
        if splits(axis.name, others):
            report.error(
                "P108",
                axis.span,
                f"the axis name `{axis.name}` is made of other axis names",
                help="rename it, so that derivative suffixes are read in one way",
            )
