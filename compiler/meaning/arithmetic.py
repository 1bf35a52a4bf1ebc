"""Sums, products, quotients and powers of scalars and vectors."""

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.source import Span
from nablax.limits import DIGITS, EXPONENT
from nablax.meaning.values import Value, VectorValue, fault, rank_word


def negate(value: Value) -> Value:
    return VectorValue(tuple(-c for c in value.items)) if isinstance(value, VectorValue) else -value


def add(node: syntax.Binary, left: Value, right: Value) -> Value:
    sign = 1 if node.operator == "+" else -1
    if isinstance(left, VectorValue) and isinstance(right, VectorValue):
        return VectorValue(tuple(a + sign * b for a, b in zip(left.items, right.items, strict=True)))
    if isinstance(left, VectorValue) or isinstance(right, VectorValue):
        raise fault(
            "P201",
            node.span,
            f"{rank_word(left)} is added to {rank_word(right)}"
            if sign == 1
            else f"{rank_word(right)} is subtracted from {rank_word(left)}",
            "make both scalars or both vectors: `grad`, `div`, `dot` and components (`U.x`) change the rank",
            label=f"left is {rank_word(left)}, right is {rank_word(right)}",
        )
    return left + sign * right


def multiply(node: syntax.Binary, left: Value, right: Value) -> Value:
    if isinstance(left, VectorValue) and isinstance(right, VectorValue):
        raise fault(
            "P203",
            node.span,
            "two vectors are multiplied with `*`",
            "write `dot(a, b)` (a·b) or `cross(a, b)` (a×b)",
        )
    if isinstance(left, VectorValue):
        return VectorValue(tuple(c * right for c in left.items))
    if isinstance(right, VectorValue):
        return VectorValue(tuple(left * c for c in right.items))
    return bounded(left * right, node.span)


def divide(node: syntax.Binary, left: Value, right: Value) -> Value:
    if isinstance(right, VectorValue):
        raise fault("P203", node.right.span, "something is divided by a vector", "divide by a scalar")
    if right.is_zero:
        raise fault(
            "P320", node.right.span, "this is a division by zero", "change the denominator", label="zero"
        )
    if isinstance(left, VectorValue):
        return VectorValue(tuple(c / right for c in left.items))
    return bounded(left / right, node.span)


def power(node: syntax.Binary, left: Value, right: Value) -> Value:
    if isinstance(right, VectorValue):
        raise fault("P203", node.right.span, "the exponent is a vector", "use a scalar exponent")
    if isinstance(left, VectorValue):
        if right == 2:
            return sp.Add(*(c * sp.conjugate(c) for c in left.items))
        raise fault("P203", node.left.span, "a vector is raised to a power", "write `dot(a, a)` for |a|²")
    if right.is_number and (not right.is_finite or abs(right) > EXPONENT):
        raise fault(
            "P316", node.right.span, "this exponent is too large", f"use an exponent below {EXPONENT:,}"
        )
    if left.is_Rational and right.is_Rational:
        digits = max(len(str(abs(left.p))), len(str(left.q))) * abs(float(right))
        if left not in (0, 1, -1) and digits > DIGITS:
            raise fault(
                "P316", node.span, f"this number has more than {DIGITS} digits", "use a smaller exponent"
            )
    if left.is_zero and right.is_negative:
        raise fault("P320", node.span, "this is a division by zero", "change the base or the exponent")
    return bounded(left**right, node.span)


def bounded(value: sp.Expr, span: Span) -> sp.Expr:
    """The value, refused where it is an exact number with too many digits."""
    if value.is_Rational and max(value.p.bit_length(), value.q.bit_length()) > 4 * DIGITS:
        raise fault("P316", span, f"this number has more than {DIGITS} digits", "use smaller numbers")
    return value


def modulus(value: Value) -> sp.Expr:
    if isinstance(value, VectorValue):
        return sp.sqrt(sp.Add(*(c * sp.conjugate(c) for c in value.items)))
    return sp.Abs(value)
