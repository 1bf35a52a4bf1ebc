"""What an expression of the language can mean, and the fault raised where it means nothing."""

from dataclasses import dataclass

import sympy as sp

from nablax.frontend.diagnostics import Diagnostic, Edit, Note
from nablax.frontend.source import Span


@dataclass(frozen=True, slots=True)
class VectorValue:
    """One SymPy expression per space axis, in declared order."""

    items: tuple[sp.Expr, ...]


Value = sp.Expr | VectorValue


class Fault(Exception):
    """A located error inside one statement; the statement is given up and the next one is read."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


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


def rank(value: Value) -> int:
    return 1 if isinstance(value, VectorValue) else 0


def rank_word(value: Value) -> str:
    return "a vector" if isinstance(value, VectorValue) else "a scalar"
