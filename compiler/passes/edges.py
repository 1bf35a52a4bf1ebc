"""Conditions on the curves of a region: each given to the field it determines, and counted."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import sympy as sp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from nablax.frontend.diagnostics import Note, Report
from nablax.limits import EXPRESSION_TERMS, TooLarge
from nablax.passes.boundary_counts import Need
from nablax.passes.expansion import is_real
from nablax.passes.jets import bases, expand, jets, orders_of
from nablax.passes.reality import real_parts
from nablax.problem import EdgeCondition, Problem
from nablax.system import Unknown


def check_edges(
    problem: Problem,
    unknowns: Sequence[Unknown],
    needs: Mapping[tuple[int, int], Need],
    multipliers: Collection[int],
    report: Report,
) -> None:
    """As many conditions on every curve as half the highest derivative (P301), all of lower order (P322).

    Where that order is odd, one more or less: which way the waves of an equation go differs along a curve.
    """
    components = [i for i, u in enumerate(unknowns) if u.rate_of is None and i not in multipliers]
    highest = {
        i: max((needs[i, k] for k in range(len(problem.axes))), key=lambda n: n.order) for i in components
    }
    for k in range(len(problem.cuts)):
        here = [e for e in problem.edges if e.cut == k]
        _count(problem, k, here, highest, unknowns, report)
    for edge in problem.edges:
        _check_order(problem, edge, highest, unknowns, report)


def check_fields(problem: Problem, report: Report) -> bool:
    """Whether every condition on a curve speaks of a field, and is real where the fields are (P113, P208)."""
    real = is_real(problem)
    good = True
    for edge in problem.edges:
        try:
            residual = expand(edge.residual, real)
        except TooLarge:
            report.error(
                "P316",
                edge.span,
                f"this condition has more than {EXPRESSION_TERMS} terms when it is multiplied out",
                help="lower its powers or the order of its derivatives",
            )
            good = False
            continue
        if not bases(residual):
            name = problem.fields[0].name
            report.error(
                "P113",
                edge.span,
                "this condition speaks of no field",
                label="no field here",
                help=f"write `{name} = ...` or `dn({name}) = ...`",
            )
            good = False
        elif real and residual.has(sp.I) and not real_parts([residual]):
            report.error(
                "P208",
                edge.span,
                "this condition is imaginary, or not proven to be real, and every field is real",
                help="declare the field as complex: `psi: complex`, or take the real part: `re(...)`",
            )
            good = False
    return good


def _count(
    problem: Problem,
    cut: int,
    here: Sequence[EdgeCondition],
    highest: Mapping[int, Need],
    unknowns: Sequence[Unknown],
    report: Report,
) -> None:
    index = {unknowns[i].value: i for i in highest}
    spoken = [sorted(index[v] for v in bases(e.residual) if v in index) for e in here]
    given = _shared_out([o for o in spoken if o], {i: n.order // 2 for i, n in highest.items()})
    curve = problem.cuts[cut]
    for i, need in highest.items():
        least, most = need.order // 2, (need.order + 1) // 2
        if least <= given[i] <= most:
            continue
        name = unknowns[i].name
        own = [e for e, options in zip(here, spoken, strict=True) if i in options]
        plural = "" if least == 1 else "s"
        where = f"on the curve `{curve.name}`"
        report.error(
            "P301",
            own[-1].span if own else curve.span,
            f"`{name}` needs {least or 'no'} boundary condition{plural} {where}, and has {given[i]}",
            label="too many" if given[i] > most else "not enough of them" if own else "no condition here",
            notes=(Note(f"the highest derivative of `{name}` has order {need.order}", need.span),),
            help=f"remove a condition {where}"
            if given[i] > most
            else f"add a condition: `{curve.name}: {name} = ...`, or write it for `all`",
        )


def _shared_out(spoken: Sequence[Sequence[int]], wanted: Mapping[int, int]) -> dict[int, int]:
    """How many conditions every field has, each counted for one of the fields it speaks of, so that as many
    as can be have what they want (a matching in a bipartite graph)."""
    slots = [i for i, count in wanted.items() for _ in range(count)]
    given = dict.fromkeys(wanted, 0)
    if not spoken:
        return given
    fits = np.array([[i in options for i in slots] for options in spoken], int).reshape(len(spoken), -1)
    chosen = maximum_bipartite_matching(csr_array(fits), perm_type="column") if slots else [-1] * len(spoken)
    for slot, options in zip(chosen, spoken, strict=True):
        given[slots[slot] if slot >= 0 else options[0]] += 1
    return given


def _check_order(
    problem: Problem,
    edge: EdgeCondition,
    highest: Mapping[int, Need],
    unknowns: Sequence[Unknown],
    report: Report,
) -> None:
    space = tuple(a.symbol for a in problem.axes)
    found = jets(expand(edge.residual, is_real(problem)))
    for i, need in highest.items():
        own = [sum(orders_of(j, space)) for j in found if bases(j) == {unknowns[i].value}]
        if own and max(own) > 0 and max(own) >= need.order:
            report.error(
                "P322",
                edge.span,
                f"this condition holds a derivative of `{unknowns[i].name}` of order {max(own)}, and the "
                f"highest one in the equations has order {need.order}",
                label="as high as the equation itself"
                if max(own) == need.order
                else "higher than the equation",
                notes=(Note("it stands here", need.span),),
                help=f"use derivatives up to order {max(need.order - 1, 0)}",
            )
            return
