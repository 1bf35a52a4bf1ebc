from nablax.frontend.diagnostics import Report
from nablax.frontend.syntax import Statement


def check_hints(statement: Statement, report: Report) -> None:
    return None
