"""What an expression of the language can mean, and the fault raised where it means nothing."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import sympy as sp

from nablax.frontend.diagnostics import Diagnostic, Edit, Note, Report
from nablax.frontend.source import Span


@dataclass(frozen=True, slots=True)
class VectorValue:
    """One SymPy expression per space axis, in declared order."""

    items: tuple[sp.Expr, ...]


Value: TypeAlias = sp.Expr | VectorValue


class Fault(Exception):
    """A located error inside one statement; the statement is given up and the next one is read.

    `diagnostic` is None where the cause has been reported already, at another place.
    """

    def __init__(self, diagnostic: Diagnostic | None) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message if diagnostic else "reported elsewhere")

    def tell(self, report: Report) -> None:
        if self.diagnostic is not None:
            report.add(self.diagnostic)


def reported() -> Fault:
    """The fault of what depends on something that an earlier message speaks of."""
    return Fault(None)


def outside(given: str, error: Fault) -> Fault:
    """The fault of a value that does not stand in the text; `given` is the flag that brought it."""
    found = error.diagnostic
    return error if found is None else Fault(replace(found, edits=(), given=given))


def fault(
    code: str,
    span: Span,
    message: str,
    help: str,
    *,
    label: str = "",
    notes: tuple[Note, ...] = (),
    edits: tuple[Edit, ...] = (),
) -> Fault:
    return Fault(Diagnostic(code, message, span, label, notes, help, edits))


def shown(value: sp.Expr) -> str:
    """A value as a message writes it: decimals where they are exact, as the text has them."""
    if value.is_Rational and not value.is_Integer:
        rest = int(value.q)
        for prime in (2, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1 and value.q < 10**12:
            return f"{float(value):.15g}"
    return str(sp.sstr(value))


def rank(value: Value) -> int:
    return 1 if isinstance(value, VectorValue) else 0


def rank_word(value: Value) -> str:
    return "a vector" if isinstance(value, VectorValue) else "a scalar"
