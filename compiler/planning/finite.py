"""Coefficients and data with no finite value on the grid (1/r at r = 0) or no real one (sqrt(x) below 0)."""

import numpy as np
import sympy as sp

from nablax.centre import has_centre
from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.nonlocal_operators import Outside
from nablax.passes.jets import frozen_at, jets
from nablax.planning.spectrum import nominal
from nablax.sampling import sample
from nablax.system import System

ROUNDING = 1e-6  # imaginary parts relative to the largest value
STARTS = (0.37, 0.731)  # of the numbers that stand for fields and derivatives
POINTS = {1: 65, 2: 17, 3: 7}  # per axis, walls included


def check_finite(system: System, report: Report) -> None:
    """An error per term, and per initial value, that is infinite, no number, or not real if it has to be."""
    values = nominal(system)
    lines = [
        np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), POINTS[len(system.axes)])
        for a in system.axes
    ]
    for line, axis in zip(lines, system.axes, strict=True):
        if has_centre(system.problem, axis):
            line[0] = line[1] / 2  # no node lies at the centre itself
    grids = [g.ravel() for g in np.meshgrid(*lines, indexing="ij")]
    values |= {a.symbol: g for a, g in zip(system.axes, grids, strict=True)}
    if system.time is not None:
        values[system.time.symbol] = sample(system.time.lower, values)

    def check(expression: sp.Expr, span: Span, what: str, real: bool) -> None:
        # What is so for any values of the fields and derivatives is so by the coefficients.
        bare = expression.xreplace(dict.fromkeys(expression.atoms(Outside), sp.S.One))
        infinite, imaginary = np.ones(grids[0].shape, bool), np.ones(grids[0].shape, bool)
        for start in STARTS:
            found = np.broadcast_to(sample(frozen_at(bare, start), values), grids[0].shape)
            finite = np.isfinite(found)
            infinite &= ~finite
            imaginary &= np.abs(np.imag(found)) > ROUNDING * np.max(np.abs(found), where=finite, initial=0.0)
        bad = np.flatnonzero(infinite | imaginary if real else infinite)
        if not len(bad):
            return
        place = ", ".join(f"{a.name} = {g[bad[0]]:.4g}" for a, g in zip(system.axes, grids, strict=True))
        report.error(
            "P321",
            span,
            f"{what} has no {'finite' if infinite[bad[0]] else 'real'} value at {place}",
            help="keep the axis away from this point, or change the expression",
        )

    real = not any(u.complex for u in system.unknowns)
    for terms in system.right_sides:
        for term in terms.linear:
            check(term.coefficient, term.span, "the coefficient of this term", real)
        for flux in terms.forcing:
            check(flux.flux, flux.span, "this term", real)
        for flux in terms.nonlinear:
            if _stands_alone(flux.flux, system):
                # Real or not may be a matter of the fields' values.
                check(flux.flux, flux.span, "this term", False)
    for value, unknown in zip(system.initial, system.unknowns, strict=True):
        if value is not None:
            span = _initial_span(system, unknown.name)
            check(value, span, f"the initial value of `{unknown.name}`", not unknown.complex)


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
