"""Orders of fractional operators: constants in an interval, on one side of every whole number."""

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.diagnostics import Note
from nablax.meaning.scope import Scope
from nablax.meaning.values import fault, shown
from nablax.operator_use import Use
from nablax.problem import Parameter


def check_order(use: Use, index: int, order: sp.Expr, low: int, high: int) -> None:
    """A constant in (low, high], and on one side of every integer whatever its unknown parameters are."""
    span = use.arguments[index][1]
    if order.atoms(AppliedUndef) or order.free_symbols & set(use.scope.symbols):
        raise fault(
            "P308",
            span,
            f"the order of `{use.name}` varies in space or time",
            "use numbers and parameters only",
            label="no constant",
        )
    nominal = order.subs(use.scope.nominal)
    if not (nominal.is_real and low < nominal <= high):
        raise fault(
            "P308",
            span,
            f"the order of `{use.name}` is {shown(nominal)}, outside ({low}, {high}]",
            f"choose an order above {low} and at most {high}",
        )
    reached = _reach(order, use.scope)
    crossed = [n for n in range(low, high + 1) if min(reached) < n < max(reached)]
    if crossed:
        names = ", ".join(f"`{s}`" for s in sorted(map(str, order.free_symbols)))
        raise fault(
            "P308",
            span,
            f"the order of `{use.name}` runs from {shown(min(reached))} to {shown(max(reached))} "
            f"as {names} varies, across {crossed[0]}",
            f"narrow the interval of {names} so that the order stays on one side of {crossed[0]}",
            notes=_intervals(order, use.scope),
            label="its meaning changes at an integer",
        )


def _reach(order: sp.Expr, scope: Scope) -> list[sp.Expr]:
    """Values of an order at the corners and the middle of its parameters' intervals."""
    values = [order]
    for parameter in scope.entities.values():
        if isinstance(parameter, Parameter) and parameter.interval is not None and len(values) < 1000:
            low, high = parameter.interval
            ends = (low, (low + high) / 2, high) if order.has(parameter.symbol) else (parameter.value,)
            values = [v.subs(parameter.symbol, end) for v in values for end in ends]
    numbers = [v.subs(scope.nominal) for v in values]
    return [n for n in numbers if n.is_real] or [order.subs(scope.nominal)]


def _intervals(order: sp.Expr, scope: Scope) -> tuple[Note, ...]:
    return tuple(
        Note(f"`{p.name}` is unknown in [{shown(p.interval[0])}, {shown(p.interval[1])}]", p.span)
        for p in scope.entities.values()
        if isinstance(p, Parameter) and p.interval is not None and order.has(p.symbol)
    )
