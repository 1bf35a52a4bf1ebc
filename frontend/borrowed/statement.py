"""Notations of other tools in a statement, each answered with the notation of this language.

`du/dt`, `diff(u, t)`, `D[u, t]`, `u.diff(t)`, `lap u`, `u'`, `u(x, 0) = f`, `u(0, t) = 0`: none of them is a
statement of the language, so a statement that holds one is reported here and not parsed.
"""

from collections.abc import Callable

from nablax.frontend.borrowed.brackets import brackets, interval
from nablax.frontend.borrowed.derivatives import call, fraction, lowered, method, prefix, prime
from nablax.frontend.borrowed.places import argument, side_behind
from nablax.frontend.borrowed.reading import Found, Reading
from nablax.frontend.diagnostics import Report
from nablax.frontend.limits import ERRORS_PARSED

Recogniser = Callable[[Reading, int], Found | None]

_RECOGNISERS: tuple[Recogniser, ...] = (
    interval, side_behind, argument, fraction, call, method, prime, lowered, prefix, brackets,
)  # fmt: skip


def report_borrowed(reading: Reading, report: Report) -> bool:
    """Report every notation of another tool in a statement; False where it holds none."""
    at, any_found = 0, False
    while at < len(reading.tokens) and len(report.diagnostics) <= ERRORS_PARSED:
        found = next((f for r in _RECOGNISERS if (f := r(reading, at)) is not None), None)
        if found is None:
            at += 1
            continue
        any_found = True
        report.error(
            found.code, reading.span(at, found.end), found.message, label=found.label, help=found.help,
            edits=list(found.edits),
        )  # fmt: skip
        at = found.end
    brace = next((token for token in reading.tokens if token.kind == "LBRACE"), None)
    if brace is not None and not any_found:
        report.error(
            "P002", brace.span, "`{` inside of a block", help="group with `( )`; only a block has braces"
        )
    return any_found or brace is not None
