"""Derivatives: axis suffixes read, constants and jumps refused."""

from collections.abc import Callable

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import Jump
from nablax.families import IndexRuleError
from nablax.frontend import syntax
from nablax.frontend.source import Span
from nablax.geometry import differentiate
from nablax.limits import DERIVATIVE_ORDER, EXPRESSION_NODES, TooLarge
from nablax.meaning.scope import Failed, Scope, describe, splits
from nablax.meaning.values import Fault, Value, VectorValue, fault, reported
from nablax.problem import Axis


def suffix(letters: str, span: Span, scope: Scope) -> tuple[sp.Symbol, ...]:
    """The axes that `xxt` names; exactly one way to read it."""
    names = tuple(a.name for a in scope.all_axes)
    ways = splits(letters, names)
    if len(ways) == 1:
        symbols = {a.name: a.symbol for a in scope.all_axes}
        return tuple(symbols[name] for name in ways[0])
    if not ways:
        raise _no_axes(letters, span, scope)
    readings = " and ".join("·".join(way) for way in ways)
    raise fault(
        "P108",
        span,
        f"`{letters}` can be split into axes in more than one way: {readings}",
        "write `d(u, x, 2)`, or rename an axis",
    )


def _no_axes(letters: str, span: Span, scope: Scope) -> Fault:
    failed = tuple(name for name, entity in scope.entities.items() if isinstance(entity, Failed))
    names = tuple(a.name for a in scope.all_axes)
    if scope.incomplete or splits(letters, (*names, *failed)):
        return reported()
    if len(letters) > 1 and set(letters) == {"n"}:
        count = len(letters)
        return fault(
            "P109",
            span,
            f"`{letters}` is not made of axis names: the normal is none",
            f"write `{'dn(' * count}...{')' * count}`" + (", or `laplacian(...)`" if count == 2 else ""),
            label="the normal of a wall",
        )
    missing = "" if scope.time or "t" not in letters else "; without a `time` block there is no `t`"
    return fault(
        "P109",
        span,
        f"`{letters}` is not made of axis names",
        ("the axes are " if len(names) > 1 else "the only axis is ") + ", ".join(names) + missing,
        label="no axis is called so",
    )


def derivative(
    value: Value, symbols: tuple[sp.Symbol, ...], operand: syntax.Expression, span: Span, scope: Scope
) -> Value:
    """The derivative along all `symbols`; `operand` is the text that is differentiated."""
    if len(symbols) > DERIVATIVE_ORDER:
        raise too_high(len(symbols), span)
    family = next((a for a in scope.axes if a.size is not None and a.symbol in symbols), None)
    if family is not None:
        raise whole_family(family, span)
    if isinstance(value, VectorValue):
        return guarded(lambda: VectorValue(tuple(_scalar(c, symbols) for c in value.items)), span)
    if not (value.has(AppliedUndef) or value.free_symbols & set(scope.symbols)):
        text = scope.source.slice(operand.span).strip()
        entity = scope.entities.get(text)
        what = f"`{text}`, {describe(entity)}," if entity else f"`{text}`"
        raise fault(
            "P109",
            operand.span,
            f"the derivative of {what} is zero: it depends on no axis",
            "differentiate a field or an expression of the coordinates",
            label="a constant",
        )
    return guarded(lambda: _scalar(value, symbols), span)


def _scalar(value: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> sp.Expr:
    for symbol in dict.fromkeys(symbols):
        value = differentiate(value, symbol, symbols.count(symbol))
    return value


def guarded(build: Callable[[], Value], span: Span) -> Value:
    """What `build` makes; the faults of differentiation are at `span`."""
    try:
        value = build()
    except Jump:
        raise jump(span) from None
    except IndexRuleError as rule:
        raise fault(
            "P402",
            span,
            f"{rule} is not available yet",
            "write sums over the members, such as `sum(d(u, x[k])^2, k)`",
        ) from None
    except TooLarge:
        raise fault(
            "P316",
            span,
            f"this expression has more than {EXPRESSION_NODES} parts when its derivatives are carried out",
            "lower the order of the derivative",
        ) from None
    items = value.items if isinstance(value, VectorValue) else (value,)
    if any(c.has(sp.DiracDelta, sp.Subs) for c in items):
        raise jump(span)
    return value


def jump(span: Span) -> Fault:
    return fault(
        "P309",
        span,
        "a function with a jump is differentiated",
        "use a smooth function, such as `tanh((x - a)/w)` with w no smaller than a spacing of the grid; "
        "for a linear `dx(k*dx(u))`, `order = 2` takes any w",
        label="not proven to be continuous",
    )


def whole_family(family: Axis, span: Span) -> Fault:
    return fault(
        "P109",
        span,
        f"`{family.name}` is a family of {family.size} axes, and one of them is wanted here",
        f"name a member: `{family.name}[k]` inside `sum(..., k)`",
        label="a family of axes",
    )


def too_high(order: int, span: Span) -> Fault:
    return fault(
        "P315",
        span,
        f"this derivative has order {order}, and the limit is {DERIVATIVE_ORDER}",
        "lower the order",
    )
