"""Fractional derivatives of fields in space as operators between walls: the form that grids take."""

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import (
    Caputo,
    FractionalOperator,
    GrunwaldLetnikov,
    RiemannLiouville,
    Tempered,
)
from nablax.nonlocal_operators import OneSided
from nablax.passes.expansion import Expanded
from nablax.problem import Problem, Summand

HIGHEST = 2  # order of a one-sided derivative on a grid


def between_walls(problem: Problem, expanded: Sequence[Expanded]) -> tuple[Problem, tuple[Expanded, ...]]:
    """The equations, as stated and expanded, with one-sided derivatives in space for a grid.

    What looks from another point than an end of its axis, is of an order above 2 or of another kind stays.
    """
    known = {
        node: _on_grid(problem, node)
        for summands in (*expanded, *(e.summands for e in problem.equations))
        for summand in summands
        for node in summand.value.atoms(FractionalOperator)
    }
    found = {node: value for node, value in known.items() if value is not None}
    if not found:
        return problem, tuple(expanded)

    def changed(summands: Sequence[Summand]) -> Expanded:
        return tuple(Summand(s.value.xreplace(found), s.span) for s in summands)

    equations = tuple(replace(e, summands=changed(e.summands)) for e in problem.equations)
    return replace(problem, equations=equations), tuple(changed(summands) for summands in expanded)


def _on_grid(problem: Problem, node: sp.Expr) -> sp.Expr | None:
    axis = next((a for a in problem.axes if a.symbol == node.variable), None)
    if axis is None or axis.periodic or not isinstance(node.operand, AppliedUndef):
        return None
    end = axis.lower if node.side == 1 else axis.upper
    if sp.expand(node.base - end) != 0 or node.ceiling > HIGHEST:
        return None
    caputo = sp.Integer(isinstance(node, Caputo))
    u, x, order, _, side, ceiling, *further = node.args
    if isinstance(node, Caputo | RiemannLiouville | GrunwaldLetnikov):
        return OneSided(u, x, order, side, ceiling, caputo, 0)
    if not isinstance(node, Tempered):
        return None
    rate, normalised = further
    value = OneSided(u, x, order, side, ceiling, caputo, rate)
    if normalised == 1:
        value -= rate**order * u
        if ceiling == 2:
            value -= order * rate ** (order - 1) * side * sp.Derivative(u, x)
    return value
