"""Terms that no residual has: they need a grid."""

from collections.abc import Sequence

from nablax.derivatives.statements import Statement
from nablax.frontend.diagnostics import Report
from nablax.nonlocal_operators import Nonlocal
from nablax.reductions import Noise
from nablax.system import System


def check_available(system: System, statements: Sequence[Statement]) -> None:
    """Raises `SpecError` for noise (P557) and nonlocal operators (P402)."""
    report = Report(system.problem.source)
    for statement in statements:
        for value in statement.values:
            if value.has(Noise):
                report.error(
                    "P557",
                    statement.span,
                    "`noise` belongs to a grid, and a residual is evaluated at any point",
                    help="give the initial value as a formula",
                )
            if value.has(*Nonlocal):
                report.error(
                    "P402",
                    statement.span,
                    "residuals of nonlocal operators are not available yet",
                    help="solve the problem on a grid",
                )
    report.check()
