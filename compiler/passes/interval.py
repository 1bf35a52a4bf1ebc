"""The fractional Laplacian at rest on an interval or in a ball: what has a spectral method of its own."""

from dataclasses import dataclass

import sympy as sp

from nablax.centre import centre_of
from nablax.nonlocal_operators import BoundedRiesz, IntegralLaplacian, Outside
from nablax.problem import Problem
from nablax.system import System


@dataclass(frozen=True, slots=True)
class Interval:
    """coefficient · (-Δ)^order u + reaction · u + forcing = 0 on the first axis, u zero outside.

    `dimension` is that of space: 1 on an interval; 2 and 3 in a disc and in a ball, where the axis is the
    radius, from the centre on, and fields do not depend on angles.
    """

    order: sp.Expr
    coefficient: sp.Expr
    reaction: sp.Expr
    forcing: sp.Expr
    dimension: int = 1


def interval_form(system: System) -> Interval | None:
    """None unless a linear equation without time holds one operator of one real field, zero on both walls."""
    if system.time is not None or len(system.axes) != 1 or len(system.constraints) != 1:
        return None
    if len(system.unknowns) != 1 or system.unknowns[0].complex:
        return None
    if not all(b.dirichlet and b.data == 0 for b in system.boundary):
        return None
    problem = system.problem
    if problem.coordinates != "cartesian" and centre_of(problem) is None:
        return None
    terms = system.constraints[0].terms
    orders: set[sp.Expr] = set()
    coefficient = reaction = sp.S.Zero
    for term in terms.linear:
        if isinstance(term.operator, IntegralLaplacian):
            orders.add(term.operator.args[1])
            coefficient += term.coefficient
        elif isinstance(term.operator, BoundedRiesz):
            orders.add(term.operator.args[2] / 2)
            coefficient -= term.coefficient
        elif term.local and not any(term.orders):
            reaction += term.coefficient
        else:
            return None
    if terms.nonlinear or len(orders) != 1:
        return None
    forcing = sp.Add(*(f.coefficient * f.flux for f in terms.forcing))
    if forcing.has(Outside):
        return None
    return Interval(orders.pop(), coefficient, reaction, forcing, dimension_of(problem))


def dimension_of(problem: Problem) -> int:
    """That of the space that one axis stands for: an interval, or the radius of a disc or a ball."""
    return {"cartesian": 1, "spherical": 3}.get(problem.coordinates, 2)
