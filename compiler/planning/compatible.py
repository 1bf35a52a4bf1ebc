"""Whether the initial data agree with the boundary conditions where they meet."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import sympy as sp

from nablax.continuity import suspect
from nablax.frontend.diagnostics import Report, Severity
from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Outside
from nablax.passes.jets import base, frozen_at, jets
from nablax.planning.estimate import estimate
from nablax.planning.spectrum import nominal
from nablax.reductions import Noise
from nablax.sampling import sample
from nablax.system import Boundary, System

TOLERANCE = 1e-6  # relative to the data
ROUNDING = 1e-12  # relative to the data there
BESIDE = "a coefficient of this term"
LATER = 0.37  # share of the time at which coefficients and sources are looked at
JUMP = 1e-2  # relative to the data there; smaller ones are tails that were cut off


def warn_incompatible(system: System, report: Report) -> None:
    """A warning per condition that the initial data miss at the start; the boundary wins."""
    if system.time is None:
        return
    without = {d.span for d in report.diagnostics if d.severity is Severity.ERROR}
    for condition in system.boundary:
        initial = system.initial[condition.unknown]
        if (
            condition.span in without
            or initial is None
            or condition.dynamic
            or condition.derived
            or initial.has(Noise)
        ):
            continue
        found, wanted, scale = _compare(system, condition, initial)
        miss = np.abs(found - wanted)
        if not np.isfinite(miss).all() or miss.max() <= TOLERANCE * scale:
            continue
        if np.iscomplexobj(found) and not system.unknowns[condition.unknown].complex:
            continue  # data that are not real are an error of their own
        worst = int(miss.argmax())
        axis = system.axes[condition.axis]
        name = system.unknowns[condition.unknown].name
        end = axis.lower if condition.side == 0 else axis.upper
        report.warning(
            "P317",
            condition.span,
            f"the initial value of `{name}` does not satisfy this condition at {axis.name} = {sp.sstr(end)}",
            label=f"it wants {_shown(wanted[worst], scale)}, and the initial data give "
            f"{_shown(found[worst], scale)}",
            help="make them agree, or accept that the boundary wins and the solution starts with a jump",
        )


def _shown(value: complex, scale: float) -> str:
    """Four digits, without parts that are rounding beside values of the size `scale`."""
    real, imaginary = (float(p) if abs(p) > ROUNDING * scale else 0.0 for p in (value.real, value.imag))
    return f"{complex(real, imaginary):.4g}" if imaginary else f"{real:.4g}"


def _magnitude(system: System, value: sp.Expr, values: dict[sp.Basic, np.ndarray]) -> float:
    """The largest value of data on a few points, walls included."""
    lines = [
        np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), 17) for a in system.axes
    ]
    grids = np.meshgrid(*lines, indexing="ij")
    found = np.abs(sample(value, values | {a.symbol: g for a, g in zip(system.axes, grids, strict=True)}))
    return float(np.max(found[np.isfinite(found)], initial=0.0))


def warn_jump(system: System, report: Report) -> None:
    """A warning for initial data, coefficients and sources that do not close up along a periodic axis.

    A coefficient that jumps elsewhere too may be meant to.
    """
    values = nominal(system)
    if system.time is not None:
        begin, end = (sample(e, values) for e in (system.time.lower, system.time.upper))
        values[system.time.symbol] = begin + LATER * (end - begin)
    for what, value, span in _given(system):
        for i, axis in enumerate(system.axes):
            if not axis.periodic or axis.symbol not in value.free_symbols:
                continue
            jump = _jump(system, value, i, values)
            scale = _magnitude(system, value, values)
            if np.isfinite(jump) and jump > JUMP * max(scale, 1e-300):
                report.warning(
                    "P318",
                    span,
                    # Of a coefficient beside fields the size depends on the fields.
                    f"{what} jumps{'' if what == BESIDE else f' by {jump:.3g}'} where the periodic axis "
                    f"{axis.name} closes",
                    help=f"make it periodic in {axis.name}, or give the axis walls",
                )


def _given(system: System) -> Iterator[tuple[str, sp.Expr, Span]]:
    """What is given as a function of the place: its name, itself, where it stands."""
    for value, unknown in zip(system.initial, system.unknowns, strict=True):
        if value is not None and not value.has(Noise) and unknown.rate_of is None:
            span = next(c.span for c in system.problem.initial if c.component == unknown.name)
            yield f"the initial value of `{unknown.name}`", value, span
    for terms in system.right_sides:
        found = [("the coefficient of this term", t.coefficient, t.span) for t in terms.linear]
        found += [("this term", f.flux, f.span) for f in terms.forcing]
        # Where fields and derivatives are the same at both ends nothing but the coefficients can jump.
        found += [(BESIDE, frozen_at(f.flux, LATER), f.span) for f in terms.nonlinear]
        yield from (g for g in found if not g[1].has(Noise, Outside) and not suspect(g[1]))


def _jump(system: System, value: sp.Expr, closing: int, values: dict[sp.Basic, np.ndarray]) -> float:
    """The largest difference between the two ends of a periodic axis, at a few places along the others."""
    lines = []
    for j, axis in enumerate(system.axes):
        low, high = (float(sample(e, values)) for e in (axis.lower, axis.upper))
        lines.append(np.linspace(low, high, 9)[1:-1] + 1e-3 if j != closing else np.zeros(1))
    places = np.array(list(product(*lines))).T
    sides = []
    for end in (system.axes[closing].lower, system.axes[closing].upper):
        places[closing] = sample(end, values)
        at = values | {a.symbol: places[j] for j, a in enumerate(system.axes)}
        sides.append(np.array(np.broadcast_to(sample(value, at), (places.shape[1],))))
    return float(np.max(np.abs(sides[0] - sides[1])))


def _started(system: System, data: sp.Expr, values: dict[sp.Basic, np.ndarray]) -> sp.Expr:
    """Boundary data with the initial values in place of their traces; nan where there is none."""
    start = {
        u.value: sp.nan if v is None else v for u, v in zip(system.unknowns, system.initial, strict=True)
    }
    found: dict[sp.Basic, sp.Expr] = {}
    for jet in jets(data):
        pairs = jet.variable_count if isinstance(jet, sp.Derivative) else ()
        if isinstance(jet, INTEGRALS):
            found[jet] = estimate(jet, start, system.axes, values)
            continue
        value = start[base(jet)]
        for symbol, count in pairs:
            value = sp.diff(value, symbol, int(count))
        found[jet] = value
    return data.xreplace(found)


def _compare(system: System, condition: Boundary, initial: sp.Expr) -> tuple[np.ndarray, np.ndarray, float]:
    """Left and right side of the condition for the initial data, at a few places along the wall, and the size
    of the data: of the initial ones in the whole domain, of the wall's at the start and later."""
    values = nominal(system)
    assert system.time is not None
    values[system.time.symbol] = sample(system.time.lower, values)
    wall = system.axes[condition.axis]
    lines = [
        np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), 7)[1:-1]
        if i != condition.axis
        else np.array([float(sample((wall.lower, wall.upper)[condition.side], values))])
        for i, a in enumerate(system.axes)
    ]
    places = np.array(list(product(*lines))).T
    values |= {a.symbol: places[i] for i, a in enumerate(system.axes)}
    count = places.shape[1]
    left = np.zeros(count)
    scale = 0.0
    for term in condition.terms:
        slope = sp.diff(initial, wall.symbol, term.order)
        part = np.broadcast_to(sample(term.coefficient * slope, values), (count,))
        left = left + part
        scale = max(scale, _magnitude(system, term.coefficient * slope, values))
    right = np.broadcast_to(sample(_started(system, condition.data, values), values), (count,))
    # Data that begin at 0 have the size that they come to.
    begin, end = (sample(e, values) for e in (system.time.lower, system.time.upper))
    later = values | {system.time.symbol: begin + LATER * (end - begin)}
    for known in (values, later):
        found = np.abs(sample(_started(system, condition.data, known), known))
        scale = max(scale, float(np.max(found[np.isfinite(found)], initial=0.0)))
    return left, right, scale
