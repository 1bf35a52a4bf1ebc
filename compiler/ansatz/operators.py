"""What conditions add to a function: a lift of their data, and the factors and corrections of a network.

Both go through the axes one by one. A switching function ψ of a condition of order n at x = a is
(x - a)^n/n!, times a power of the distance to the other wall so high that no condition there feels it.

- Lift: G ↦ G + ψ (data - B[G] at the wall)/b, with b the leading coefficient of B: the function lacks what
  is missing on the wall (C. Leake, H. Johnston, D. Mortari, The multivariate theory of functional
  connections, Mathematics 8 (2020) 1303).
- Network: a condition of order 0 becomes a factor that vanishes on the wall; one of higher order is taken
  off by w ↦ w - ψ B[w]/b with B[w] at the point itself, not at the wall (N. Sukumar, A. Srivastava,
  Comput. Methods Appl. Mech. Eng. 389 (2022) 114333), so that one evaluation of the network is enough.
"""

from collections.abc import Mapping, Sequence

import sympy as sp

from nablax.ansatz.conditions import Condition
from nablax.problem import Axis, Side

Operator = Mapping[int, sp.Expr]
"""Derivative order along the axis to coefficient."""


def applied(operator: Operator, function: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """Σ c_k ∂^k f, with derivatives of f where it is."""
    return sp.Add(*(c * sp.diff(function, symbol, k) for k, c in operator.items()))


def lift(conditions: Sequence[Condition]) -> sp.Expr:
    """A function without unknowns that meets the conditions, where their data agree with each other."""
    value: sp.Expr = sp.S.Zero
    for axis, group in by_axis(conditions):
        corrections = []
        for side in (0, 1):
            own = sorted((c for c in group if c.side == side), key=lambda c: c.order)
            moved = value
            for c in own:
                reached = applied(c.coefficients, moved, axis.symbol).subs(axis.symbol, c.place)
                gap = (c.data - reached) / c.coefficients[c.order]
                others = [o.order for o in group if o.side != side]
                moved += switch(axis, c.side, c.order, others) * gap
            corrections.append(moved - value)
        value += sp.Add(*corrections)
    return value


def homogeneous(conditions: Sequence[Condition], network: sp.Expr) -> sp.Expr:
    """The network made to meet the conditions with zero data: linear in it and its derivatives."""
    value, factor = network, sp.S.One
    for axis, group in by_axis(conditions):
        vanishing, left = _factored(group)
        factor *= vanishing
        corrections = []
        for side in (0, 1):
            own = sorted(((c, o) for c, o in left if c.side == side), key=lambda pair: max(pair[1]))
            others = [max(o) for c, o in left if c.side != side]
            moved = value
            for c, operator in own:
                order = max(operator)
                excess = applied(operator, moved, axis.symbol) / operator[order]
                moved -= switch(axis, c.side, order, others) * excess
            corrections.append(moved - value)
        value += sp.Add(*corrections)
    return factor * value


def by_axis(conditions: Sequence[Condition]) -> list[tuple[Axis, list[Condition]]]:
    axes = dict.fromkeys(c.axis for c in conditions)
    return [(axis, [c for c in conditions if c.axis == axis]) for axis in axes]


def switch(axis: Axis, side: Side, order: int, others: Sequence[int]) -> sp.Expr:
    """ψ of a condition of this order on one side, beside conditions of orders `others` on the other."""
    place, opposite = (axis.lower, axis.upper) if side == 0 else (axis.upper, axis.lower)
    x = axis.symbol
    rising = (x - place) ** order / sp.factorial(order)
    if not others:
        return rising
    return rising * ((x - opposite) / (place - opposite)) ** (max(others) + 1)


def _factored(group: Sequence[Condition]) -> tuple[sp.Expr, list[tuple[Condition, Operator]]]:
    """A factor for every condition of order 0, and what the others demand of the function it multiplies."""
    factor: sp.Expr = sp.S.One
    left: list[tuple[Condition, Operator]] = [(c, dict(c.coefficients)) for c in group]
    while (zero := next((pair for pair in left if max(pair[1]) == 0), None)) is not None:
        left.remove(zero)
        c = zero[0]
        x = c.axis.symbol
        distance = (x - c.place) / (c.opposite - c.place)
        factor *= distance
        left = [(o, _behind(operator, distance, o, x)) for o, operator in left]
    return factor, [(c, operator) for c, operator in left if operator]


def _behind(operator: Operator, distance: sp.Expr, c: Condition, x: sp.Symbol) -> Operator:
    """B[distance · w] at the wall of c as an operator on w: the distance is linear in x."""
    value, slope = distance.subs(x, c.place), sp.diff(distance, x)
    found: dict[int, sp.Expr] = {}
    for k, coefficient in operator.items():
        found[k] = found.get(k, sp.S.Zero) + coefficient * value
        if k:
            found[k - 1] = found.get(k - 1, sp.S.Zero) + k * coefficient * slope
    return {k: v for k, v in found.items() if sp.simplify(v) != 0}
