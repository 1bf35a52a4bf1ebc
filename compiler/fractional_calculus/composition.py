"""Which compositions of fractional operators merge, and how their kinds convert.

A merge is made only where it holds for every function that the inner operator accepts. It is NOT made for
Caputo ∘ Caputo nor Riemann–Liouville ∘ Riemann–Liouville: C^½ C^½ √t = 0 while d√t/dt is not (K. Diethelm,
The Analysis of Fractional Differential Equations, Springer 2010, section 2.1 to 3.1).
"""

from collections.abc import Callable, Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import (
    Caputo,
    FractionalIntegral,
    FractionalOperator,
    RiemannLiouville,
)

Pair = tuple[type[sp.Basic], type[sp.Basic]]


def merged(expression: sp.Expr) -> sp.Expr:
    """The expression with every composition merged that may be, innermost first; its value is unchanged."""
    if expression.is_Atom:
        return expression
    if isinstance(expression, FractionalOperator):
        return _merged_once(expression.of(merged(expression.operand)))
    if isinstance(expression, sp.Derivative):
        inner = merged(expression.expr)
        if isinstance(inner, FractionalOperator):
            return _outer_derivative(inner, dict(expression.variable_count))
        return expression.func(inner, *expression.variable_count)
    return expression.func(*(merged(a) for a in expression.args))


def initial_terms(operator: Caputo | RiemannLiouville) -> sp.Expr:
    """RL - C of the same operand: Σ_{k<n} u^(k)(base) y^(k-α)/Γ(k+1-α) (Diethelm, theorem 3.1)."""
    x, order, base, side = operator.args[1:5]
    y = sp.expand(side * (x - base))
    total = sp.S.Zero
    for k in range(operator.ceiling):
        slope = side**k * sp.diff(operator.operand, (x, k)) if k else operator.operand
        total += _at(slope, x, base) * y ** (k - order) / sp.gamma(k + 1 - order)
    return total


def as_riemann_liouville(operator: Caputo) -> sp.Expr:
    """A Caputo derivative by the one of Riemann and Liouville, with the terms of its initial values."""
    return RiemannLiouville(*operator.args) - initial_terms(operator)


def as_caputo(operator: RiemannLiouville) -> sp.Expr:
    """The converse, for an operand with n derivatives at the base point."""
    return Caputo(*operator.args) + initial_terms(operator)


def caputo_orders_add(first: sp.Expr, second: sp.Expr, smoothness: int) -> bool:
    """Whether C^first C^second u = C^(first+second) u for every u with this many continuous derivatives:
    there is a whole m ≤ smoothness with both `second` and the sum in [m - 1, m] (Diethelm, lemma 3.13)."""
    total = first + second
    return any(m - 1 <= second and total <= m for m in range(1, smoothness + 1))


def _at(value: sp.Expr, x: sp.Symbol, point: sp.Expr) -> sp.Expr:
    return sp.Subs(value, x, point).doit()


def _merged_once(outer: FractionalOperator) -> sp.Expr:
    coefficient, inner = outer.operand.as_independent(outer.variable, as_Add=False)
    rule = _RULES.get((type(outer), type(inner)))
    if rule is None:
        return outer
    if isinstance(inner, FractionalOperator):
        same = (inner.variable, inner.base, inner.side) == (outer.variable, outer.base, outer.side)
        if not same:
            return outer
    found = rule(outer, inner)
    return outer if found is None else coefficient * found


def _outer_derivative(inner: FractionalOperator, orders: Mapping[sp.Symbol, int]) -> sp.Expr:
    """D^m from outside: it raises the order of RL and lowers that of an integral; others wait."""
    value: sp.Expr = inner
    for symbol, count in orders.items():
        for _ in range(int(count)):
            value = sp.diff(value, symbol)
    return value


def _integrals_add(outer: FractionalOperator, inner: FractionalOperator) -> sp.Expr:
    n = outer.ceiling + inner.ceiling
    order = outer.order + inner.order
    return FractionalIntegral(inner.operand, inner.variable, order, inner.base, inner.side, n)


def _derivative_of_integral(outer: FractionalOperator, inner: FractionalOperator) -> sp.Expr | None:
    """D^a I^c = I^(c-a) for c ≥ a, and D^(a-c) for a > c: true of RL for every integrable operand, and of
    Caputo (c ≥ a) for continuous ones, which the fields of a problem are: C^½ I^½ t^(-½) = 0."""
    if isinstance(outer, Caputo) and not isinstance(inner.operand, AppliedUndef):
        return None
    rest = sp.expand(inner.order - outer.order)
    if rest.is_zero:
        return inner.operand
    if rest.is_positive:
        return FractionalIntegral(inner.operand, inner.variable, rest, inner.base, inner.side, inner.ceiling)
    if rest.is_negative and isinstance(outer, RiemannLiouville):
        return RiemannLiouville(inner.operand, inner.variable, -rest, inner.base, inner.side, outer.ceiling)
    return None


def _caputo_of_derivative(outer: FractionalOperator, inner: sp.Derivative) -> sp.Expr | None:
    """C^a D^m = C^(a+m), always."""
    counts = dict(inner.variable_count)
    m = counts.pop(outer.variable, sp.S.Zero)
    if not m.is_Integer or m == 0:
        return None
    rest = sp.Derivative(inner.expr, *counts.items()) if counts else inner.expr
    sign = outer.side ** int(m)
    order = outer.order + m
    return sign * Caputo(rest, outer.variable, order, outer.base, outer.side, outer.ceiling + int(m))


def _liouville_of_caputo(outer: FractionalOperator, inner: FractionalOperator) -> sp.Expr | None:
    """RL^a C^c u = RL^a I^(n-c) u^(n), which is C^(a+c) u while a + c ≤ n."""
    total = sp.expand(outer.order + inner.order)
    if (inner.ceiling - total).is_nonnegative:
        return Caputo(inner.operand, inner.variable, total, inner.base, inner.side, inner.ceiling)
    return None


_RULES: Mapping[Pair, Callable[..., sp.Expr | None]] = {
    (FractionalIntegral, FractionalIntegral): _integrals_add,
    (RiemannLiouville, FractionalIntegral): _derivative_of_integral,
    (Caputo, FractionalIntegral): _derivative_of_integral,
    (Caputo, sp.Derivative): _caputo_of_derivative,
    (RiemannLiouville, Caputo): _liouville_of_caputo,
}
