"""Whether the conditions on the walls go with the nonlocal operators between them."""

from collections.abc import Iterator

import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.nonlocal_operators import Between
from nablax.passes.jets import jets
from nablax.system import Boundary, System


def check_walls(system: System, report: Report) -> None:
    """An error per condition that an operator between walls cannot have."""
    for node, span in operators_of(system):
        unknown = next(i for i, u in enumerate(system.unknowns) if u.value == node.args[0])
        name = system.unknowns[unknown].name
        for condition in system.boundary:
            if condition.unknown == unknown and not _has_eigenfunctions(condition):
                report.error(
                    "P334",
                    condition.span,
                    f"`fraclap` of kind `spectral` has no eigenfunctions for this condition on `{name}`",
                    notes=(Note("here is the operator", span),),
                    help=f"use `{name} = 0` or `dn({name}) = 0`; for other values write equations for the "
                    "difference from a function that has them",
                )


def operators_of(system: System) -> Iterator[tuple[sp.Expr, Span]]:
    """The operators between walls in the equations, each with the place where it stands first."""
    found: dict[sp.Expr, Span] = {}
    for terms in system.right_sides:
        for term in terms.linear:
            if term.operator is not None:
                found.setdefault(term.operator, term.span)
        for flux in terms.nonlinear:
            for jet in sorted(jets(flux.flux), key=sp.default_sort_key):
                if isinstance(jet, Between):
                    found.setdefault(jet, flux.span)
    yield from found.items()


def _has_eigenfunctions(condition: Boundary) -> bool:
    """A value or a slope of zero: what sines and cosines have."""
    return (
        not condition.dynamic
        and condition.data == 0
        and len(condition.terms) == 1
        and condition.terms[0].order < 2
    )
