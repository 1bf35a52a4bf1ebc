"""`inside` in the `space` block: the relations that cut a region out of the box."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Note, Report
from nablax.meaning.arguments import check_ordered
from nablax.meaning.expressions import scalar
from nablax.meaning.scope import Scope
from nablax.meaning.values import Fault, fault
from nablax.problem import Axis, Cut, Parameter
from nablax.region import DIMENSIONS, bounds, holds, nominal, probe
from nablax.sampling import sample

EDGE = "edge"
"""The name of the curve of a relation without a label."""
TAKEN = ("all",)


def read_cuts(module: syntax.Module, scope: Scope, report: Report) -> tuple[Cut, ...] | None:
    """The cuts of the region, in the order of the text; None (and a report) where one has no meaning."""
    block = module.block("space")
    found: list[Cut] = []
    good = True
    for statement in block.statements if block else ():
        for clause in statement.clauses:
            if not isinstance(clause, syntax.Inside):
                continue
            try:
                cut = _cut(clause, statement.label, scope)
            except Fault as error:
                error.tell(report)
                good = False
                continue
            count = sum(c.name == cut.name for c in found)
            cut = replace(cut, mark=f"{cut.name} {count + 1}") if count else cut
            twin = next((c for c in found if c.mark.replace(" ", "") == cut.mark.replace(" ", "")), None)
            if twin is not None:
                report.error(
                    "P103",
                    cut.span,
                    f"the curves `{twin.mark}` and `{cut.mark}` would have one name in batches",
                    help="choose another label",
                    notes=(Note("this is the other one", twin.span),),
                )
                good = False
                continue
            found.append(cut)
    if not good or report.failed:
        return None
    try:
        _check_shape(found, scope)
    except Fault as error:
        error.tell(report)
        return None
    return tuple(found)


def _cut(clause: syntax.Inside, label: syntax.Name | None, scope: Scope) -> Cut:
    inner = scope.at("space")
    relation = clause.relation
    if scope.geometry.coordinates != "cartesian":
        raise fault(
            "P402",
            clause.span,
            f"a region in {scope.geometry.coordinates} coordinates is not available yet",
            "use cartesian coordinates",
        )
    if scope.geometry.families or len(scope.axes) not in DIMENSIONS:
        raise fault(
            "P402",
            clause.span,
            "a region of any but two or three space axes is not available yet",
            "move the ends of the axes, or state the problem in the plane or in space",
        )
    if label is not None and (label.id in TAKEN or label.id in scope.entities):
        raise fault(
            "P103",
            label.span,
            f"a curve cannot be called `{label.id}`",
            "choose another label",
            label="it names something else",
        )
    left, right = scalar(relation.left, inner), scalar(relation.right, inner)
    check_ordered(left, relation.left.span, "a region")
    check_ordered(right, relation.right.span, "a region")
    value = left - right if relation.operator in ("<", "<=") else right - left
    if scope.time is not None and value.has(scope.time.symbol):
        raise fault(
            "P402",
            clause.span,
            f"a region that moves with `{scope.time.name}` is not available yet",
            "use a relation of the space axes and parameters",
        )
    unknown = [e for e in scope.entities.values() if isinstance(e, Parameter) and e.unknown]
    for parameter in unknown:
        if value.has(parameter.symbol):
            raise fault(
                "P402",
                clause.span,
                f"a region whose size `{parameter.name}` is to be found is not available yet",
                f"give it a value: `{parameter.name} = ...`",
            )
    if not value.free_symbols & {a.symbol for a in scope.axes}:
        raise fault(
            "P327",
            clause.span,
            "this relation speaks of no axis",
            "write a relation of the space axes, such as `inside x^2 + y^2 < 1`",
            label="no axis here",
        )
    name = EDGE if label is None else label.id
    return Cut(name, name, value, clause.span)


def _check_shape(cuts: list[Cut], scope: Scope) -> None:
    """Every relation cuts something off, something is left, and periodic axes close on themselves."""
    if not cuts:
        return
    parameters = [e for e in scope.entities.values() if isinstance(e, Parameter)]
    values = nominal(parameters)
    everywhere = probe(scope.axes, values)
    inside = holds(cuts, everywhere)
    if not inside.any():
        raise fault(
            "P327",
            cuts[-1].span,
            "no point of the box lies inside" + (" all regions" if len(cuts) > 1 else " this region"),
            "check the sign of the relation, and the ends of the axes",
            label="nothing is left",
        )
    for cut in cuts:
        level = sample(cut.value, everywhere)
        if np.any(~np.isreal(level)):
            raise fault(
                "P327",
                cut.span,
                "this relation has no real value in a part of the box",
                "move the ends of the axes to where it has one, or write it without the root",
                label="not real everywhere",
            )
    for k, cut in enumerate(cuts):
        if np.array_equal(holds([*cuts[:k], *cuts[k + 1 :]], everywhere) & np.ones_like(inside), inside):
            raise fault(
                "P327",
                cut.span,
                "this relation cuts nothing off",
                "remove it, or widen the axes until the curve lies in the box",
                label="it holds everywhere",
            )
        if not bounds(cuts, k, everywhere, inside):
            raise fault(
                "P327",
                cut.span,
                "the curve of this relation bounds nothing: it lies where another relation does not hold",
                "write a relation whose curve touches the region",
                label="no edge of the region",
            )
    for axis in (a for a in scope.axes if a.periodic):
        _check_periodic(axis, cuts, everywhere, scope)


def _check_periodic(
    axis: Axis, cuts: list[Cut], everywhere: Mapping[sp.Basic, np.ndarray], scope: Scope
) -> None:
    ends = [sample(end, everywhere) for end in (axis.lower, axis.upper)]
    for cut in cuts:
        low, high = (holds([cut], {**everywhere, axis.symbol: end}) for end in ends)
        if np.array_equal(low, high):
            continue
        line = scope.source.position(axis.span.start)[0]
        raise fault(
            "P327",
            cut.span,
            f"`{axis.name}` is periodic, and this relation differs at its two ends",
            f"write a relation that is periodic along `{axis.name}`, or give the axis walls",
            label="the curve is torn there",
            notes=(Note(f"`{axis.name}` is declared in line {line}", axis.span),),
        )
