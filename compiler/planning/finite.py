"""Coefficients and data with no finite value on the grid (1/r at r = 0), or none at an end of the time, or no
real one (sqrt(x) below 0)."""

from collections.abc import Callable

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
BETWEEN = 0.37  # share of the time at which a term is looked at that has no value at an end of it
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
    moments, between = [values], values
    if system.time is not None:
        t, ends = system.time.symbol, [sample(e, values) for e in (system.time.lower, system.time.upper)]
        moments = [values | {t: end} for end in ends]
        between = values | {t: ends[0] + BETWEEN * (ends[1] - ends[0])}

    def bad_nodes(
        bare: sp.Expr, known: dict[sp.Basic, np.ndarray], real: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """The nodes without a value, and those among them whose value is infinite or no number."""
        infinite, imaginary = np.ones(grids[0].shape, bool), np.ones(grids[0].shape, bool)
        for start in STARTS:
            found = np.broadcast_to(sample(frozen_at(bare, start), known), grids[0].shape)
            finite = np.isfinite(found)
            infinite &= ~finite
            imaginary &= np.abs(np.imag(found)) > ROUNDING * np.max(np.abs(found), where=finite, initial=0.0)
        return np.flatnonzero(infinite | imaginary if real else infinite), infinite

    def check(expression: sp.Expr, span: Span, what: str, real: bool) -> None:
        # What is so for any values of the fields and derivatives is so by the coefficients.
        bare = expression.xreplace(dict.fromkeys(expression.atoms(Outside), sp.S.One))
        timed = system.time is not None and system.time.symbol in bare.free_symbols
        for known in moments if timed else moments[:1]:
            bad, infinite = bad_nodes(bare, known, real)
            if len(bad):
                break
        else:
            return
        value = f"{what} has no {'finite' if infinite[bad[0]] else 'real'} value"
        zero = _zeros(bare, system, lambda cured: not len(bad_nodes(bare, known | cured, real)[0]))
        if zero:
            names = " and ".join(f"`{name}`" for name in zero)
            report.error(
                "P321", span, f"{value} because {names} {'is' if len(zero) == 1 else 'are'} 0",
                help=f"give {names} another value, or change the expression",
            )  # fmt: skip
            return
        place = [f"{a.name} = {g[bad[0]]:.4g}" for a, g in zip(system.axes, grids, strict=True)]
        away = "the axis away from this point"
        if timed and bad[0] not in bad_nodes(bare, between, real)[0]:
            assert system.time is not None  # `timed`
            moment = f"{system.time.name} = {float(known[system.time.symbol]):.4g}"
            place = [moment] if len(bad) == len(grids[0]) else [*place, moment]
            away = "the time away from this moment"
        report.error(
            "P321", span, f"{value} at {', '.join(place)}", help=f"keep {away}, or change the expression"
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


def _zeros(
    expression: sp.Expr, system: System, cures: Callable[[dict[sp.Basic, np.ndarray]], bool]
) -> tuple[str, ...]:
    """The parameters that are 0 and, set to 1, leave a value everywhere; one alone where one does."""
    values = nominal(system)
    zero = [
        p for p in system.parameters
        if p.symbol in expression.free_symbols and float(sample(p.symbol, values)) == 0.0
    ]  # fmt: skip
    one = np.asarray(1.0)
    for p in zero:
        if cures({p.symbol: one}):
            return (p.name,)
    return tuple(p.name for p in zero) if len(zero) > 1 and cures({p.symbol: one for p in zero}) else ()


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
