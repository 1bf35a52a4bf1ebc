"""Terms that no residual has: they need a grid."""

from collections.abc import Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.derivatives.histories import has_rule
from nablax.derivatives.statements import Statement
from nablax.derivatives.surroundings import has_sum
from nablax.families import FamilySum, MemberDerivative, laplacians_of
from nablax.fractional_calculus.operators import FractionalOperator
from nablax.frontend.diagnostics import Report
from nablax.integrals import INTEGRALS, Convolution, Running
from nablax.nonlocal_operators import Nonlocal
from nablax.notation import text
from nablax.passes.jets import is_jet
from nablax.problem import Problem
from nablax.reductions import Noise
from nablax.system import System

MOVED = (Running, Convolution)


def check_available(system: System, statements: Sequence[Statement]) -> None:
    """Raises `SpecError` for noise (P557), some nonlocal operators and integral terms (P402)."""
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
            if system.problem.cuts and (cause := _across(value)) is not None:
                report.error(
                    "P402",
                    statement.span,
                    f"{cause} in a region cut out by `inside` is not available yet",
                    help="use a box, or leave this term out",
                )
            value = value.xreplace({n: sp.S.Zero for n in value.atoms(FamilySum) if laplacians_of(n)})
            places = [d for d in value.atoms(MemberDerivative) if not isinstance(d.args[0], AppliedUndef)]
            nested = [
                n for n in value.atoms(FamilySum) if n.has(MemberDerivative) and n.args[0].has(FamilySum)
            ]
            stray = value.replace(FamilySum, lambda *_: sp.S.Zero).has(MemberDerivative)
            if places or stray or nested:
                report.error(
                    "P402",
                    statement.span,
                    "sums of sums over members, mixed derivatives and derivatives along one named member are "
                    "not available yet",
                    help="write one sum over the members: `sum(d(u, x[k], 2), k)`",
                )
            if (what := _without_rule(system.problem, value)) is not None:
                report.error(
                    "P402",
                    statement.span,
                    f"residuals of {what} are not available yet",
                    help="solve the problem on a grid",
                )
            missing = [n for n in value.atoms(*Nonlocal) if not _evaluable(system.problem, n)]
            if missing:
                worst = min(missing, key=sp.default_sort_key)
                report.error(
                    "P402",
                    statement.span,
                    f"the residual of `{text(worst)}` is not available yet",
                    help="make the inner operator a field with an equation of its own, `v = ...`"
                    if worst.args[0].has(*Nonlocal)
                    else "solve the problem on a grid",
                )
    report.check()


def _across(value: sp.Expr) -> str | None:
    """What reads a field beyond the point, through places that a region may leave out."""
    if value.atoms(*INTEGRALS):
        return "an integral"
    space = [n for n in value.atoms(*Nonlocal) if not isinstance(n, FractionalOperator)]
    return "a nonlocal operator" if space else None


def _without_rule(problem: Problem, value: sp.Expr) -> str | None:
    """The integral terms that a residual cannot hold."""
    nodes = value.atoms(*INTEGRALS)
    if nodes and problem.families:
        return "integrals where axes have an index"
    if any(n.args[0].has(*INTEGRALS) or n.args[1].has(*INTEGRALS) for n in nodes if isinstance(n, MOVED)):
        return "integrals inside running integrals and convolutions"
    if any(n.has(*Nonlocal) for n in nodes):
        return "nonlocal operators under an integral"
    return None


def _evaluable(problem: Problem, node: sp.Basic) -> bool:
    """Whether a residual can hold a nonlocal operator: of an unknown or a derivative of whole order."""
    if not (has_rule(node) or has_sum(problem, node)):
        return False
    operand = node.args[0]
    return isinstance(operand, AppliedUndef) or (isinstance(operand, sp.Derivative) and is_jet(operand))
