"""What a statement wanted where it found something else, in words and not in token names."""

from nablax.frontend.diagnostics import Report
from nablax.frontend.outline import StatementTokens
from nablax.frontend.source import Span


def report_unexpected(statement: StatementTokens, at: int, accepts: set[str], report: Report) -> None:
    last = statement.tokens[at] if at < len(statement.tokens) else statement.terminator
    report.error("P014", last.span, f"expected {accepts}", help="x")
