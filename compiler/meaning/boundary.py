"""`boundary`: conditions on the walls of the box and on the curves of a region, as SymPy."""

from collections.abc import Sequence

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Note, Report
from nablax.meaning.expressions import constant, evaluate
from nablax.meaning.scope import Failed, Scope
from nablax.meaning.statements import pair, relation_of, statements_of
from nablax.meaning.values import Fault, VectorValue, fault, reported, shown
from nablax.problem import Axis, BoundaryCondition, Cut, EdgeCondition, Parameter, Side
from nablax.region import SIDES, Wall, nominal, unreached


def read_boundary(
    module: syntax.Module, scope: Scope, cuts: Sequence[Cut] | None, report: Report
) -> tuple[tuple[BoundaryCondition, ...], tuple[EdgeCondition, ...]]:
    """The conditions on walls and those on curves; `cuts` is None where the region has no meaning."""
    walls: list[BoundaryCondition] = []
    edges: list[EdgeCondition] = []
    parameters = [e for e in scope.entities.values() if isinstance(e, Parameter)]
    away = unreached(cuts or (), scope.axes, nominal(parameters))
    for statement in statements_of(module, "boundary"):
        try:
            places = _places(statement, scope, cuts, away)
        except Fault as error:
            error.tell(report)
            continue
        for clause in statement.clauses:
            for place in places:
                try:
                    if isinstance(place, int):
                        assert cuts is not None
                        inner = scope.at("boundary", cut=cuts[place])
                        residuals = _residuals(relation_of(clause), inner)
                        edges += [EdgeCondition(place, r, clause.span) for r in residuals]
                    else:
                        name = scope.axes[place[0]].name
                        residuals = _residuals(relation_of(clause), scope.at("boundary", place))
                        walls += [BoundaryCondition(name, place[1], r, clause.span) for r in residuals]
                except Fault as error:
                    error.tell(report)
    return tuple(walls), tuple(edges)


def _places(
    statement: syntax.Statement, scope: Scope, cuts: Sequence[Cut] | None, away: frozenset[Wall]
) -> tuple[Wall | int, ...]:
    """Walls by axis and side, curves by the index of their cut; the region leaves the walls `away` out."""
    found: list[Wall | int] = []
    for place in statement.where:
        if isinstance(place, syntax.Name) and place.id == "all":
            walls = [i for i, a in enumerate(scope.axes) if not a.periodic]
            found += [p for i in walls for p in _both(i) if p not in away and not _is_centre(p, scope)]
            found += range(len(cuts or ()))
            if not found:
                raise fault(
                    "P307",
                    place.span,
                    "every axis is periodic: there is no wall",
                    "remove this line, or the word `periodic` of an axis",
                    label="no wall",
                )
            continue
        if isinstance(place, syntax.Name):
            if cuts is None:
                raise reported()
            if curved := [k for k, cut in enumerate(cuts) if cut.name == place.id]:
                found += curved
                continue
            curves = ", ".join(f"`{name}`" for name in dict.fromkeys(cut.name for cut in cuts))
            raise fault(
                "P312",
                place.span,
                f"`{scope.source.slice(place.span)}` names no side",
                f"name a curve of the region ({curves}), a side, or write `all`"
                if curves
                else "name a side, such as "
                f"`{scope.axes[0].name} = {shown(scope.axes[0].lower)}`, or write `all` for every side",
            )
        relation = relation_of(place)
        named = relation.left.id if isinstance(relation.left, syntax.Name) else ""
        axis = next((a for a in scope.axes if a.name == named), None)
        if axis is None and (scope.incomplete or isinstance(scope.entities.get(named), Failed)):
            raise reported()
        if axis is None:
            names = ", ".join(f"`{a.name}`" for a in scope.axes)
            raise fault(
                "P312",
                relation.left.span,
                f"`{scope.source.slice(relation.left.span)}` is no space axis",
                f"the space axes are {names}" if len(scope.axes) > 1 else f"the space axis is {names}",
                label="no axis",
            )
        wall = (scope.axes.index(axis), _side(axis, relation, scope))
        if wall in away:
            raise fault(
                "P307",
                relation.span,
                "the region has no point on this side of the box",
                "remove the condition: those on the curve are all it needs",
                label="no wall here",
            )
        found.append(wall)
    return tuple(found)


def _is_centre(wall: Wall, scope: Scope) -> bool:
    """Whether the radius begins at 0 there, where there is no wall."""
    curved = scope.geometry.coordinates != "cartesian"
    return curved and wall == (0, 0) and scope.axes[0].lower.subs(scope.nominal) == 0


def _both(axis: int) -> tuple[tuple[int, Side], tuple[int, Side]]:
    return (axis, 0), (axis, 1)


def _side(axis: Axis, relation: syntax.Relation, scope: Scope) -> Side:
    if axis.periodic:
        raise fault(
            "P307",
            relation.span,
            f"`{axis.name}` is periodic and has no wall",
            f"remove the condition, or the word `periodic` where `{axis.name}` is declared",
            label="no wall here",
            notes=(
                Note(
                    f"`{axis.name}` is declared in line {scope.source.position(axis.span.start)[0]}",
                    axis.span,
                ),
            ),
        )
    if axis.lower is sp.nan:
        raise reported()
    value = constant(relation.right, scope)
    for side, end in zip(SIDES, (axis.lower, axis.upper), strict=True):
        if sp.expand(value - end).subs(scope.nominal).equals(0):
            return side
    raise fault(
        "P312",
        relation.right.span,
        f"{axis.name} = {shown(value)} is no side: the axis runs from "
        f"{shown(axis.lower)} to {shown(axis.upper)}",
        f"write `{axis.name} = {shown(axis.lower)}` or `{axis.name} = {shown(axis.upper)}`",
        label="no end of the axis",
        notes=(
            Note(f"`{axis.name}` is declared in line {scope.source.position(axis.span.start)[0]}", axis.span),
        ),
    )


def _residuals(relation: syntax.Relation, inner: Scope) -> tuple[sp.Expr, ...]:
    """Left side minus right side, one for each axis in a relation of vectors."""
    left, right = evaluate(relation.left, inner), evaluate(relation.right, inner)
    if left == 0 and isinstance(right, VectorValue):
        left, right = right, left
    lefts, rights = pair(left, right, relation)
    return tuple(a - b for a, b in zip(lefts, rights, strict=True))
