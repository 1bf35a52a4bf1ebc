"""Checks of expressions that need their syntax only: where relations stand, and what a power applies to."""

import re

from nablax.frontend.diagnostics import Edit, Report
from nablax.frontend.source import Source, Span
from nablax.frontend.syntax import (
    Argument,
    Binary,
    Call,
    Expression,
    Inside,
    Name,
    Partial,
    Relation,
    Statement,
)
from nablax.frontend.walk import walk

_SIGN = re.compile("<=|>=|~=|[≈≤≥<>=]")
_COMMENT = re.compile(r"#[^\n]*")


def operator_span(relation: Relation, source: Source) -> Span:
    """Where a relation's sign stands."""
    # a right side in brackets begins before its node does, so the gap may hold brackets and comments
    between = Span(relation.left.span.end, relation.right.span.start)
    gap = _COMMENT.sub(lambda comment: " " * len(comment.group()), source.slice(between))
    match = _SIGN.search(gap)
    if match is None:
        return relation.span
    return Span(between.start + match.start(), between.start + match.end())


def check_expressions(statement: Statement, report: Report) -> bool:
    """Report relations at wrong places (False) and powers that bind unlike they look (a warning)."""
    sound = True
    for node in walk(statement):
        match node:
            case Call(function, arguments):
                for argument in arguments:
                    sound = _check_argument(function, argument, report) and sound
            case Inside(relation) if relation.operator in ("=", "≈"):
                sign = operator_span(relation, report.source)
                report.error(
                    "P016", sign, f"`inside` with `{report.source.slice(sign)}`", label="no region",
                    help="a region is an inequality, such as `inside x^2 + y^2 < 1`",
                )  # fmt: skip
                sound = False
            case Binary("^", base, exponent):
                _check_power(node, base, exponent, report)
    return sound


def _check_argument(function: Name, argument: Argument, report: Report) -> bool:
    if not isinstance(argument.value, Relation):
        return True
    if function.id == "where" and argument.value.operator != "≈":
        return True
    sign = operator_span(argument.value, report.source)
    written = report.source.slice(sign)
    if argument.value.operator == "=":
        help = "an option is `name = value`; a condition stands in `where(condition, a, b)`"
    else:
        help = "use `where(condition, a, b)`, or `heaviside(a - b)`"
    report.error(
        "P016", sign, f"the relation `{written}` in an argument of `{report.source.slice(function.span)}`",
        help=help,
    )  # fmt: skip
    return False


def _check_power(power: Binary, base: Expression, exponent: Expression, report: Report) -> None:
    prefix = isinstance(base, Partial) or (isinstance(base, Call) and base.sugar not in (None, "δ/δ"))
    if not prefix or base.span.start != power.span.start:  # brackets make it clear
        return
    written = report.source.slice(base.span)
    whole = report.source.slice(power.span)
    if len(whole) > 40 or "\n" in whole or "#" in whole:
        whole, written = "this power", "its base"
        message = "the power applies to the derivative, not to its argument"
    else:
        message = f"`{whole}` means `({written}){whole[len(written) :]}`"
    report.warning(
        "P020", power.span, message,
        help="write the brackets; for the derivative of the power put them around the power",
        edits=[
            Edit(Span(base.span.start, base.span.start), "("),
            Edit(Span(base.span.end, base.span.end), ")"),
        ],
    )  # fmt: skip
