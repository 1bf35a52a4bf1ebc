"""Coefficients and data that have no finite value on the grid, such as 1/r at r = 0."""

import numpy as np
import sympy as sp

from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.nonlocal_operators import Outside
from nablax.passes.jets import jets
from nablax.planning.spectrum import nominal
from nablax.sampling import sample
from nablax.system import System

POINTS = {1: 65, 2: 17, 3: 7}  # per axis, walls included


def check_finite(system: System, report: Report) -> None:
    """An error per term, and per initial value, that is infinite or not a number somewhere."""
    values = nominal(system)
    lines = [
        np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), POINTS[len(system.axes)])
        for a in system.axes
    ]
    grids = [g.ravel() for g in np.meshgrid(*lines, indexing="ij")]
    values |= {a.symbol: g for a, g in zip(system.axes, grids, strict=True)}
    if system.time is not None:
        values[system.time.symbol] = sample(system.time.lower, values)

    def check(expression: sp.Expr, span: Span, what: str) -> bool:
        # Where every field and derivative is 1 nothing but the coefficients can be singular.
        frozen = expression.xreplace(dict.fromkeys((*jets(expression), *expression.atoms(Outside)), sp.S.One))
        found = np.broadcast_to(sample(frozen, values), grids[0].shape)
        bad = np.flatnonzero(~np.isfinite(found))
        if not len(bad):
            return True
        place = ", ".join(f"{a.name} = {g[bad[0]]:.4g}" for a, g in zip(system.axes, grids, strict=True))
        report.error(
            "P321",
            span,
            f"{what} has no finite value at {place}",
            help="keep the axis away from this point, or change the expression",
        )
        return False

    for terms in system.right_sides:
        for term in terms.linear:
            check(term.coefficient, term.span, "the coefficient of this term")
        for flux in terms.forcing:
            check(flux.flux, flux.span, "this term")
        for flux in terms.nonlinear:
            if _stands_alone(flux.flux, system):
                check(flux.flux, flux.span, "this term")
    for value, unknown in zip(system.initial, system.unknowns, strict=True):
        if value is not None:
            check(value, _initial_span(system, unknown.name), f"the initial value of `{unknown.name}`")


def _stands_alone(expression: sp.Expr, system: System) -> bool:
    """Whether a coordinate stands anywhere but in the arguments of the fields."""
    bare = expression.xreplace(dict.fromkeys(jets(expression), sp.S.One))
    return bool(bare.free_symbols & {a.symbol for a in system.axes})


def _initial_span(system: System, name: str) -> Span:
    for condition in system.problem.initial:
        wanted = (
            condition.component if not condition.order else f"d{'t' * condition.order}({condition.component})"
        )
        if wanted == name:
            return condition.span
    return system.problem.span
