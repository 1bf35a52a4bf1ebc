"""First order in time: components, then rates, and every time derivative written by them."""

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Nonlocal, conditions_along
from nablax.passes.expansion import Expanded
from nablax.passes.jets import base, jets, orders_of
from nablax.problem import Problem, Summand
from nablax.system import Unknown, root_of


def time_orders(problem: Problem, expanded: Sequence[Expanded]) -> dict[AppliedUndef, int]:
    heights = {c.value: 0 for c in problem.components}
    if problem.time is not None:
        for summands in expanded:
            for summand in summands:
                for jet in jets(summand.value):
                    if isinstance(jet, INTEGRALS):
                        continue
                    order = orders_of(jet, (problem.time.symbol,))[0]
                    order += conditions_along(jet, problem.time.symbol)
                    heights[base(jet)] = max(heights[base(jet)], order)
    return heights


def unknowns_of(problem: Problem, heights: Mapping[AppliedUndef, int]) -> tuple[Unknown, ...]:
    """Components first, then rates: `dt(w)`, `dtt(w)`, ... up to one below the highest order."""
    found = [
        Unknown(c.name, c.value, c.complex, None, heights[c.value] == 0, c.span) for c in problem.components
    ]
    for i, component in enumerate(problem.components):
        parent = i
        for order in range(1, heights[component.value]):
            name = f"d{'t' * order}({component.name})"
            kind = {"complex": True} if component.complex else {"real": True}
            value = sp.Function(name, **kind)(*component.value.args)
            found.append(Unknown(name, value, component.complex, parent, False, component.span))
            parent = len(found) - 1
    return tuple(found)


def rename_rates(
    problem: Problem,
    expanded: Sequence[Expanded],
    heights: Mapping[AppliedUndef, int],
    unknowns: Sequence[Unknown],
) -> tuple[dict[sp.Basic, int], list[Expanded]]:
    """Lower time derivatives become rates; the highest ones become derivatives of first order of rates.

    Returns the top jets with the index of the unknown whose time derivative they are.
    """
    if problem.time is None:
        return {}, list(expanded)
    t = problem.time.symbol
    space = tuple(a.symbol for a in problem.axes)
    chains: dict[AppliedUndef, list[int]] = {}
    for i, unknown in enumerate(unknowns):
        if unknown.rate_of is None:
            chains[unknown.value] = [i]
    for i, unknown in enumerate(unknowns):
        if unknown.rate_of is not None:
            chains[unknowns[root_of(i, unknowns)].value].append(i)
    tops: dict[sp.Basic, int] = {}
    rename: dict[sp.Basic, sp.Basic] = {}
    for summands in expanded:
        for summand in summands:
            for jet in jets(summand.value):
                if isinstance(jet, (*Nonlocal, *INTEGRALS)):
                    continue
                order = orders_of(jet, (t,))[0]
                if not order:
                    continue
                chain = chains[base(jet)]
                height = heights[base(jet)]
                pairs = [(s, n) for s, n in zip(space, orders_of(jet, space), strict=True) if n]
                if order < height:
                    value: sp.Expr = unknowns[chain[order]].value
                    rename[jet] = sp.Derivative(value, *pairs) if pairs else value
                else:
                    last = unknowns[chain[-1]].value
                    top = sp.Derivative(last, *pairs, t)
                    rename[jet] = top
                    tops[top] = chain[-1]
    rewritten = [tuple(Summand(s.value.xreplace(rename), s.span) for s in summands) for summands in expanded]
    return tops, rewritten
