"""Traces: values and space derivatives of the unknowns on a wall, as boundary data hold them.

A trace is written as the jet itself, `u(x, y, t)` or `Derivative(u(x, y, t), x)`, with the wall's coordinate
left in it; coordinates outside jets are replaced by their value on the wall.
"""

from collections.abc import Mapping, Sequence

import sympy as sp

from nablax.integrals import INTEGRALS
from nablax.passes.jets import base, orders_of, stand_ins
from nablax.system import Unknown


def frozen(expression: sp.Expr) -> tuple[sp.Expr, dict[sp.Basic, sp.Dummy]]:
    """The expression with a name for every trace in it."""
    names = stand_ins(expression)
    return expression.xreplace(names), names


def at_wall(expression: sp.Expr, place: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """The expression with coordinates replaced outside its traces."""
    inner, names = frozen(expression)
    return inner.subs(place).xreplace({name: jet for jet, name in names.items()})


def has_time(expression: sp.Expr, time: sp.Symbol) -> bool:
    """Whether time stands in the expression outside its traces."""
    return bool(frozen(expression)[0].has(time))


def rates(unknowns: Sequence[Unknown]) -> dict[sp.Expr, sp.Expr]:
    """The unknown that is the time derivative of another, by the value of that other."""
    return {unknowns[u.rate_of].value: u.value for u in unknowns if u.rate_of is not None}


def time_derivative(expression: sp.Expr, unknowns: Sequence[Unknown], time: sp.Symbol) -> sp.Expr | None:
    """d/dt of boundary data; None where it holds a trace whose time derivative is no unknown."""
    inner, names = frozen(expression)
    moving = rates(unknowns)
    total = sp.diff(inner, time)
    back: dict[sp.Basic, sp.Basic] = {}
    for jet, name in names.items():
        back[name] = jet
        slope = sp.diff(inner, name)
        if slope == 0:
            continue
        owner = None if isinstance(jet, INTEGRALS) else base(jet)
        if owner is None or owner not in moving:
            return None
        total += slope * jet.xreplace({owner: moving[owner]})
    return total.xreplace(back)


def normal_order(jet: sp.Basic, space: Sequence[sp.Symbol], axis: int) -> int:
    """How often a trace is differentiated along the axis of its wall."""
    return orders_of(jet, space)[axis]


def tangential(jet: sp.Basic, space: Sequence[sp.Symbol], axis: int) -> bool:
    """Whether a trace is differentiated along the wall."""
    return any(n for i, n in enumerate(orders_of(jet, space)) if i != axis)
