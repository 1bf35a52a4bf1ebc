"""The arguments of a call: how many there are, what they may be, and the names that they introduce."""

from dataclasses import replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend import syntax
from nablax.frontend.source import Span
from nablax.functions import CONSTANTS
from nablax.limits import EXPONENT
from nablax.meaning.scope import Scope, splits
from nablax.meaning.values import fault, shown
from nablax.operator_use import Operator
from nablax.operators import OPERATORS

RESERVED = frozenset(OPERATORS) | frozenset(CONSTANTS) | {"d", "where", "sum"}
_ORDERED = ("max", "min", "step", "box", "heaviside", "floor", "ceil", "atan2")  # functions of reals


def is_derivative(node: syntax.Call, scope: Scope) -> bool:
    """`dxx(u)`: along declared axes, or so short that nothing else can be meant."""
    name = node.function.id
    if not name.startswith("d") or len(name) < 2 or not name[1:].isalpha():
        return False
    if splits(name[1:], tuple(a.name for a in scope.all_axes)):
        return True
    return len(node.arguments) == 1 and (len(name) == 2 or (len(name) <= 6 and len(set(name[1:])) <= 2))


def argument_of(node: syntax.Call, index: int) -> syntax.Expression:
    """The argument at an index, where a value is wanted."""
    value = node.arguments[index].value
    if isinstance(value, syntax.Relation | syntax.Inside | syntax.Domain | syntax.Unknown):
        raise fault(
            "P105", value.span, f"`{node.function.id}` wants a value here, and this is a relation",
            "relations stand in `where(condition, a, b)`",
        )  # fmt: skip
    return value


def check_count(node: syntax.Call, least: int, most: int | None, options: tuple[str, ...] = ()) -> None:
    """P105 for too few or too many arguments, and for options that are none."""
    given = sum(a.name is None for a in node.arguments)
    name = node.function.id
    if given < least or (most is not None and given > most):
        wanted = f"{least}" if least == most else f"{least} to {most}" if most else f"at least {least}"
        raise fault(
            "P105",
            node.span,
            f"`{name}` takes {wanted} argument{'s' if wanted != '1' else ''}, and has {given}",
            f"of one field it is taken over the grid, in `expect` only; of two values `{name}(u, 0)` is the "
            + ("larger" if name == "max" else "smaller")
            if name in ("max", "min") and given == 1
            else f"see `{name}` in docs/language.md",
        )
    for argument in node.arguments:
        if argument.name is not None and argument.name.id not in options:
            raise fault(
                "P105",
                argument.span,
                f"`{name}` has no option `{argument.name.id}`",
                f"its options are: {', '.join(options)}" if options else "remove it",
            )


def binding(node: syntax.Call, operator: Operator, scope: Scope) -> Scope:
    """The scope of the arguments, with the name that one of them introduces."""
    if operator.binds is None or operator.binds >= len(node.arguments):
        return scope
    argument = node.arguments[operator.binds]
    name = argument.value
    if argument.name is not None or not isinstance(name, syntax.Name) or not name.id.isidentifier():
        return scope
    if name.id in scope.entities or name.id in RESERVED or any(name.id == n for n, _ in scope.bound):
        return scope
    return replace(scope, bound=(*scope.bound, (name.id, sp.Dummy(name.id, real=True))))


def check_arguments(node: syntax.Call, arguments: tuple[sp.Expr, ...], scope: Scope) -> None:
    """Arguments that overflow or that have no order."""
    name = node.function.id
    steep = arguments if name == "gamma" else arguments[:1] if name == "besselj" else ()
    if any(a.is_Rational and abs(a) > 170 for a in steep):
        what = "the order of `besselj` is" if name == "besselj" else "the argument of `gamma` is"
        raise fault("P316", node.span, f"{what} above 170", "use a smaller one")
    steep = arguments if name in ("exp", "sinh", "cosh", "sech") else ()
    if any(a.is_number and (not a.is_finite or abs(a) > EXPONENT) for a in steep):
        raise fault("P316", node.span, f"`{name}` of this number overflows", "use a smaller one")
    if name == "mittag_leffler":
        order = arguments[0].subs(scope.nominal)
        if not (order.is_real and 0 < order <= 2):
            raise fault(
                "P308",
                node.arguments[0].span,
                f"the order of `mittag_leffler` is {shown(order)}, outside (0, 2]",
                "choose an order above 0 and at most 2",
            )
        check_ordered(arguments[-1], node.arguments[-1].span, "`mittag_leffler`")
    if name in _ORDERED:
        for value, argument in zip(arguments, node.arguments, strict=True):
            check_ordered(value, argument.span, f"`{name}`")


def check_ordered(value: sp.Expr, span: Span, what: str) -> None:
    """Complex numbers are neither large nor small."""
    complex_field = any(f.is_real is not True for f in value.atoms(AppliedUndef))
    if value.is_extended_real is False or (
        value.is_extended_real is None and (complex_field or value.has(sp.I))
    ):
        raise fault(
            "P206",
            span,
            f"{what} orders its arguments, and this one is complex",
            "take `re(...)`, `im(...)` or the modulus `|...|`",
            label="a complex value",
        )
