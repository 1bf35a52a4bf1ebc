"""Whether the conditions on the walls go with the nonlocal operators between them."""

from collections.abc import Iterator, Sequence

import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.meaning.values import shown
from nablax.nonlocal_operators import (
    BOX,
    Between,
    IntegralLaplacian,
    OneSided,
    Outside,
    SpectralLaplacian,
    order_along,
)
from nablax.notation import text
from nablax.passes.jets import jets
from nablax.planning.operators import diffusivity_range
from nablax.planning.spectrum import nominal
from nablax.sampling import sample
from nablax.system import Boundary, System


def check_walls(system: System, report: Report) -> None:
    """An error per condition that an operator between walls cannot have."""
    for node, span in operators_of(system):
        unknown = next(i for i, u in enumerate(system.unknowns) if u.value == node.args[0])
        name = system.unknowns[unknown].name
        conditions = [b for b in system.boundary if b.unknown == unknown]
        if isinstance(node, IntegralLaplacian) and node.args[2] != BOX:
            report.error(
                "P402",
                span,
                f"`{text(node)}` has no grid yet: the integral kind has one where the field fills the box",
                help="leave `support` out, or use the residual of a network",
            )
            continue
        if not isinstance(node, SpectralLaplacian):
            _check_values(system, node, span, name, conditions, report)
            continue
        for condition in conditions:
            if not _has_eigenfunctions(system, condition):
                report.error(
                    "P334",
                    condition.span,
                    f"`fraclap` of kind `spectral` has no eigenfunctions for this condition on `{name}`",
                    notes=(Note("here is the operator", span),),
                    help=f"use `{name} = 0`, `dn({name}) = 0` or `dn({name}) + k*{name} = 0` with a "
                    "constant k of at least 0; for other values write equations for the difference from a "
                    "function that has them",
                )
        _check_diffusivity(system, node, span, report)


def _check_values(
    system: System, node: sp.Expr, span: Span, name: str, conditions: Sequence[Boundary], report: Report
) -> None:
    """Differences read the field on the walls, and take it for zero beyond them."""
    here = (Note("here is the operator", span),)
    for condition in conditions:
        axis = system.axes[condition.axis]
        if not order_along(node, axis.symbol) or axis.periodic:
            continue
        place = f"{axis.name} = {shown((axis.lower, axis.upper)[condition.side])}"
        if not condition.dirichlet:
            report.error(
                "P334",
                condition.span,
                f"`{text(node)}` needs the value of `{name}` at {place}, and this condition gives none",
                notes=here,
                help=f"give the value: `{place}: {name} = 0`",
            )
            continue
        beyond = _beyond(system, node, condition, name)
        if beyond is not None and sp.simplify(condition.data - beyond) != 0:
            report.warning(
                "P413",
                condition.span,
                f"`{text(node)}` takes `{name}` for {text(beyond)} beyond {place}, and its value there is "
                f"{text(condition.data)}",
                label="the field jumps here",
                notes=here,
                help="expect errors near this wall that shrink slowly, or write equations for a field that "
                "vanishes there",
            )


def _beyond(system: System, node: sp.Expr, condition: Boundary, name: str) -> sp.Expr | None:
    """What an operator takes its field for just beyond a wall; None where it does not look there."""
    if isinstance(node, OneSided):
        *_, side, _, caputo, _ = node.args
        return sp.S.Zero if caputo == 0 and condition.side == (0 if side == 1 else 1) else None
    axis = system.axes[condition.axis]
    end = (axis.lower, axis.upper)[condition.side]
    known = {o for terms in system.right_sides for f in terms.forcing for o in f.flux.atoms(Outside)}
    mine = [o for o in known if isinstance(node, IntegralLaplacian) and str(o.args[3]) == name]
    return next((o.args[0].subs(o.args[2], end) for o in mine if o.args[1] == node.args[1]), sp.S.Zero)


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


def _has_eigenfunctions(system: System, condition: Boundary) -> bool:
    """A value or a slope of zero, or a leak in proportion to the value: no eigenvalue is negative."""
    if condition.dynamic or condition.data != 0:
        return False
    if len(condition.terms) == 1:
        return condition.terms[0].order < 2
    by_order = {o: sp.Add(*(c.coefficient for c in condition.terms if c.order == o)) for o in (0, 1)}
    if any(c.order > 1 for c in condition.terms):
        return False
    leak = by_order[0] / by_order[1] * (-1 if condition.side == 0 else 1)
    values = nominal(system)
    return leak.free_symbols <= set(values) and bool(sample(leak, values) >= 0)


def _check_diffusivity(system: System, node: sp.Expr, span: Span, report: Report) -> None:
    least, most = diffusivity_range(system, node)
    if least > 0 and most < float("inf"):
        return
    report.error(
        "P334",
        span,
        f"the diffusivity {text(node.args[2])} is not positive and finite everywhere",
        label=f"it reaches {least:.3g}" if least == least else "it has no value somewhere",
        help="give a function that is positive on the whole box, walls included",
    )
