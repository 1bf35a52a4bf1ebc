"""The fractional operators of the language: entries of the operator table.

Of a known expression the closed form is taken; an unknown stays under its operator, unless the order is a
whole number, which gives the classical derivative.
"""

from collections.abc import Callable

import sympy as sp
from numpy.polynomial.legendre import leggauss
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import (
    AtanganaBaleanu,
    Caputo,
    CaputoFabrizio,
    DistributedCaputo,
    FractionalIntegral,
    FractionalOperator,
    GrunwaldLetnikov,
    Hadamard,
    PsiCaputo,
    RiemannLiouville,
    Singular,
    Tempered,
    TemperedCaputo,
    VariableCaputo,
)
from nablax.fractional_orders import check_order
from nablax.frontend.source import Span
from nablax.meaning.values import Value, VectorValue, fault, shown
from nablax.operator_use import Operator, Use
from nablax.problem import Axis

HIGHEST = 4
ORDER_NODES = 16
Further = Callable[[Use], tuple[sp.Expr, ...]]


def _nothing(use: Use) -> tuple[sp.Expr, ...]:
    return ()


def _operator(
    kind: type[FractionalOperator], highest: int, further: Further = _nothing, order_varies: bool = False
) -> Callable[[Use], Value]:
    """An entry's `apply`: operand, axis, order, then what `further` reads."""

    def apply(use: Use) -> Value:
        axis = _axis(use)
        order = use.scalar(2)
        if order_varies:
            _check_varying(use, order)
        else:
            check_order(use, 2, order, 0, highest)
        side = _side(use)
        base = _base(use, axis, side)
        ceiling = max(int(sp.ceiling(_nominal(use, order, axis))), 1)
        arguments = (axis.symbol, order, base, side, ceiling, *further(use))
        value, span = use.arguments[0]
        return _each(value, lambda c: _value(use, span, kind, c, arguments))

    return apply


def _each(value: Value, f: Callable[[sp.Expr], sp.Expr]) -> Value:
    return VectorValue(tuple(map(f, value.items))) if isinstance(value, VectorValue) else f(value)


def _value(
    use: Use,
    span: Span,
    kind: type[FractionalOperator],
    operand: sp.Expr,
    arguments: tuple[sp.Expr | int, ...],
) -> sp.Expr:
    made = kind(operand, *arguments)
    whole: sp.Expr = made  # a classical derivative where the order is a whole number
    known = not operand.has(AppliedUndef)
    if not whole.has(FractionalOperator):
        return whole.doit() if known else whole
    if not known:
        return made
    try:
        closed = made.doit()
    except Singular as problem:
        raise fault(
            "P330",
            span,
            f"`{use.name}` of this expression does not exist: {problem}",
            "start with a higher power of the distance from the base point",
        ) from None
    if isinstance(made, DistributedCaputo):
        closed = summed(closed)
    if closed.has(FractionalOperator):
        raise fault(
            "P331",
            span,
            f"no closed form of `{use.name}` of this expression is known",
            "use powers, exponentials, sines and Mittag-Leffler functions of the distance from the base",
        )
    return closed


def summed(expression: sp.Expr) -> sp.Expr:
    """Integrals over the order by Gauss and Legendre: closed forms are analytic in the order."""
    nodes, weights = leggauss(ORDER_NODES)

    def rule(integral: sp.Integral) -> sp.Expr:
        order, low, high = integral.limits[0]
        middle, half = (low + high) / 2, (high - low) / 2
        points = zip(nodes.tolist(), weights.tolist(), strict=True)
        return half * sp.Add(*(w * integral.function.subs(order, middle + half * z) for z, w in points))

    return expression.replace(lambda e: isinstance(e, sp.Integral), rule)


def _axis(use: Use) -> Axis:
    symbol = use.axis(1)
    axis = next(a for a in use.scope.all_axes if a.symbol == symbol)
    if axis.periodic:
        raise fault(
            "P332",
            use.arguments[1][1],
            f"`{use.name}` starts at a base point, and the periodic axis `{axis.name}` has none",
            "use `riesz` or `fraclap` along a periodic axis",
            label="no first point",
        )
    return axis


def _side(use: Use) -> int:
    if "side" not in use.options:
        return 1
    word, span = use.options["side"]
    if word not in ("left", "right"):
        raise fault(
            "P105",
            span,
            f"the side of `{use.name}` is `left` or `right`",
            "write `side=left` (from the base point upwards) or `side=right`",
        )
    return 1 if word == "left" else -1


def _base(use: Use, axis: Axis, side: int) -> sp.Expr:
    """The end of the axis that the operator looks from, or what `base` gives."""
    end = axis.lower if side == 1 else axis.upper
    if "base" not in use.options:
        return end
    value, span = use.options["base"]
    nominal = use.scope.nominal
    number = value.subs(nominal) if isinstance(value, sp.Expr) else sp.nan
    if not number.is_number or not number.is_real:
        raise fault(
            "P332",
            span,
            f"the base point of `{use.name}` is no real constant",
            "give a number or a parameter",
        )
    low, high = axis.lower.subs(nominal), axis.upper.subs(nominal)
    if not (low <= number <= high):
        raise fault(
            "P332",
            span,
            f"the base point {shown(number)} lies outside `{axis.name}`, from {shown(low)} to {shown(high)}",
            f"leave `base` out for {shown(end.subs(nominal))}, or choose a point of the axis",
        )
    assert isinstance(value, sp.Expr)
    return value


def _nominal(use: Use, order: sp.Expr, axis: Axis) -> sp.Expr:
    """The order at the nominal parameters, in the middle of the axes where it varies."""
    middle = {a.symbol: (a.lower + a.upper) / 2 for a in use.scope.all_axes}
    return order.subs(middle).subs(use.scope.nominal)


def _check_varying(use: Use, order: sp.Expr) -> None:
    """An order that is a function stays between two whole numbers on the whole box."""
    span = use.arguments[2][1]
    if order.atoms(AppliedUndef):
        raise fault("P308", span, "the order depends on a field", "use the coordinates and parameters only")
    points: list[sp.Expr] = [order]
    for axis in use.scope.all_axes:
        if order.has(axis.symbol):
            ends = [axis.lower + (axis.upper - axis.lower) * sp.Rational(k, 4) for k in range(5)]
            points = [p.subs(axis.symbol, end) for p in points for end in ends]
    values = [p.subs(use.scope.nominal) for p in points]
    low, high = min(values), max(values)
    if not all(v.is_real for v in values) or not (
        sp.floor(low) <= low and high <= sp.floor(low) + 1 and low > 0
    ):
        raise fault(
            "P308",
            span,
            f"the order of `{use.name}` runs from {shown(low)} to {shown(high)}",
            "keep it between two neighbouring whole numbers, from 0 on",
        )


def _rate(use: Use) -> tuple[sp.Expr, ...]:
    """λ ≥ 0 of a tempered derivative, and whether λ^α u is subtracted."""
    rate = use.scalar(3)
    if rate.atoms(AppliedUndef) or rate.free_symbols & set(use.scope.symbols):
        raise fault(
            "P308",
            use.arguments[3][1],
            f"the rate of `{use.name}` varies in space or time",
            "use numbers and parameters only",
            label="no constant",
        )
    number = rate.subs(use.scope.nominal)
    if not (number.is_real and number >= 0):
        raise fault(
            "P308",
            use.arguments[3][1],
            f"the rate of `{use.name}` is {shown(number)}",
            "choose one from 0 on",
        )
    word, span = use.options.get("normalised", ("no", use.span))
    if word not in ("yes", "no"):
        raise fault("P105", span, "`normalised` is `yes` or `no`", "write `normalised=yes`")
    return rate, sp.Integer(1 if word == "yes" else 0)


def _tempered(use: Use) -> Value:
    """tempered(u, t, α, λ, kind=caputo): of Riemann and Liouville where no kind is given."""
    word, span = use.options.get("kind", ("rl", use.span))
    if word not in ("rl", "caputo"):
        raise fault("P105", span, "`kind` of `tempered` is `rl` or `caputo`", "write `kind=caputo`")
    return _operator(TemperedCaputo if word == "caputo" else Tempered, 2, _rate)(use)


def _psi(use: Use) -> tuple[sp.Expr, ...]:
    symbol = use.axis(1)
    psi = use.scalar(3)
    axis = next(a for a in use.scope.all_axes if a.symbol == symbol)
    slope = sp.diff(psi, symbol)
    ends = [axis.lower + (axis.upper - axis.lower) * sp.Rational(k, 8) for k in range(1, 8)]
    values = [slope.subs(symbol, e).subs(use.scope.nominal) for e in ends]
    if psi.free_symbols & set(use.scope.symbols) - {symbol} or not all(v.is_positive for v in values):
        raise fault(
            "P308",
            use.arguments[3][1],
            f"the last argument of `{use.name}` does not increase with `{axis.name}` alone",
            f"use an increasing function, such as `{axis.name}^2` on an axis from 0 on",
        )
    base = _base(use, axis, _side(use))
    if not psi.subs(symbol, base).subs(use.scope.nominal).is_finite:
        raise fault(
            "P308",
            use.arguments[3][1],
            f"the last argument of `{use.name}` is infinite at {shown(base)}, where its memory starts",
            "give another function, or `base=` where it is finite",
        )
    return (psi,)


def _positive_base(kind: type[FractionalOperator]) -> Callable[[Use], Value]:
    inner = _operator(kind, HIGHEST)

    def apply(use: Use) -> Value:
        base = _base(use, _axis(use), _side(use)).subs(use.scope.nominal)
        if not base.is_positive:
            raise fault(
                "P332",
                use.span,
                f"`{use.name}` needs a positive base point, and this one is {shown(base)}",
                "give one: `base=1`",
            )
        return inner(use)

    return apply


def _distributed(use: Use) -> Value:
    """distcaputo(u, t, w, low, high): ∫ w(a) C^a u da; the weight is a function of `order`."""
    axis = _axis(use)
    weight, low, high = (use.scalar(k) for k in (2, 3, 4))
    ends = [v.subs(use.scope.nominal) for v in (low, high)]
    if not (all(e.is_real for e in ends) and 0 <= ends[0] < ends[1] <= sp.floor(ends[0]) + 1):
        raise fault(
            "P308",
            use.arguments[3][1],
            f"the orders run from {shown(ends[0])} to {shown(ends[1])}",
            "keep them between two neighbouring whole numbers",
        )
    if weight.free_symbols & set(use.scope.symbols):
        raise fault(
            "P308", use.arguments[2][1], "the weight varies in space or time", "use a constant weight"
        )
    side = _side(use)
    base = _base(use, axis, side)
    order = sp.Dummy("order", positive=True)
    arguments = (axis.symbol, order, base, side, int(sp.floor(ends[0])) + 1, weight, low, high)
    value, span = use.arguments[0]
    return _each(value, lambda c: _value(use, span, DistributedCaputo, c, arguments))


_ENDS = ("base", "side")
FRACTIONAL = (
    Operator(
        "caputo", "any, axis, α → same", "", "Caputo derivative", 3, 3, _operator(Caputo, HIGHEST), _ENDS
    ),
    Operator(
        "rl", "any, axis, α → same", "", "Riemann–Liouville derivative", 3, 3,
        _operator(RiemannLiouville, HIGHEST), _ENDS,
    ),
    Operator(
        "gl", "any, axis, α → same", "", "Grünwald–Letnikov derivative", 3, 3,
        _operator(GrunwaldLetnikov, HIGHEST), _ENDS,
    ),
    Operator(
        "fracint", "any, axis, α → same", "", "Riemann–Liouville integral", 3, 3,
        _operator(FractionalIntegral, HIGHEST), _ENDS,
    ),
    Operator(
        "tempered", "any, axis, α, λ → same", "", "tempered derivative, normalised=yes less λ^α u", 4, 4,
        _tempered, (*_ENDS, "normalised", "kind"),
    ),
    Operator(
        "vocaputo", "any, axis, α(…) → same", "", "Caputo derivative whose order varies", 3, 3,
        _operator(VariableCaputo, HIGHEST, order_varies=True), _ENDS,
    ),
    Operator(
        "distcaputo", "any, axis, w, low, high → same", "", "Caputo derivatives of all orders between", 5, 5,
        _distributed, _ENDS,
    ),
    Operator(
        "hadamard", "any, axis, α → same", "", "Hadamard derivative", 3, 3, _positive_base(Hadamard), _ENDS
    ),
    Operator(
        "psicaputo", "any, axis, α, ψ → same", "", "Caputo derivative with respect to ψ", 4, 4,
        _operator(PsiCaputo, HIGHEST, _psi), _ENDS,
    ),
    Operator(
        "cf", "any, axis, α → same", "", "Caputo–Fabrizio operator (bounded kernel)", 3, 3,
        _operator(CaputoFabrizio, 1), _ENDS,
    ),
    Operator(
        "abc", "any, axis, α → same", "", "Atangana–Baleanu operator (bounded kernel)", 3, 3,
        _operator(AtanganaBaleanu, 1), _ENDS,
    ),
)  # fmt: skip
