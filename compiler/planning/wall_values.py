"""Conditions on walls without a value, or without what they are solved for, at some parameters and times.

`k*u = 1` says nothing for k = 0, `a*dn(u) + b*u = 1` no longer gives the derivative for a = 0, and `u = 1/t`
has no value at t = 0. The normal form keeps parameters as symbols: it takes numbers to see this.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import sympy as sp

from nablax.frontend.diagnostics import Diagnostic, Note, Report
from nablax.frontend.source import Span
from nablax.meaning.values import shown
from nablax.nonlocal_operators import Outside
from nablax.passes.jets import frozen_at, jets
from nablax.planning.spectrum import nominal
from nablax.sampling import sample
from nablax.system import Boundary, System

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the time, looked at before a run
MOMENTS = 257  # looked at around a breakdown
POINTS = {1: 1, 2: 65, 3: 17}  # along every other axis
STARTS = (0.37, -0.731)  # of the numbers that stand for fields and derivatives
GONE = 1e-14  # of the largest size of a condition's coefficients: nothing
SOON = 1e-2  # of the time
HALVINGS = 40
VANISHED = 1e-6  # of a divisor after so many halvings, beside its size around: it has no jump there


@dataclass(frozen=True, slots=True)
class WallFault:
    """What is wrong with a condition, said of its place in the text."""

    span: Span
    message: str
    label: str
    help: str

    def diagnostic(self, code: str, notes: tuple[Note, ...] = ()) -> Diagnostic:
        return Diagnostic(code, self.message, self.span, self.label, notes, self.help)


def check_wall_values(system: System, report: Report) -> None:
    """P321 for conditions without a value, P323 for those that lose what they are solved for."""
    values = nominal(system)
    moments = None
    if system.time is not None:
        begin, end = (float(sample(e, values)) for e in (system.time.lower, system.time.upper))
        moments = [begin + share * (end - begin) for share in SHARES]
    trained = {p.symbol for p in system.parameters if p.unknown}
    for condition in _stated(system):
        if any(t.coefficient.free_symbols & trained for t in condition.terms):
            continue  # where it starts, it need not stay
        found = _lost(system, condition, values, moments)
        if found is not None:
            report.add(found.diagnostic("P323"))
            continue
        found = _valueless(system, condition, values, moments)
        if found is not None:
            report.add(found.diagnostic("P321"))


def fault_around(
    system: System, parameters: Mapping[str, float], begin: float, end: float
) -> WallFault | None:
    """The first condition that goes wrong between two moments of a run with these parameters, or soon after:
    the error control stops short of a pole."""
    values = nominal(system)
    for p in system.parameters:
        if p.name in parameters:
            values[p.symbol] = np.asarray(parameters[p.name])
    moments = None
    if system.time is not None:
        low, high = (float(sample(e, values)) for e in (system.time.lower, system.time.upper))
        moments = list(np.linspace(begin, min(high, end + SOON * (high - low)), MOMENTS))
    for condition in _stated(system):
        found = _lost(system, condition, values, moments) or _valueless(
            system, condition, values, moments, True
        )
        if found is not None:
            return found
    return None


def _stated(system: System) -> Iterable[Boundary]:
    return (b for b in system.boundary if not b.derived)


def _sampled(
    system: System,
    condition: Boundary,
    values: Mapping[sp.Basic, np.ndarray],
    moments: Sequence[float] | None,
) -> list[dict[sp.Basic, np.ndarray]]:
    """The coordinates of places along the wall, and the time, one record a moment. At a corner the axis that
    is declared first wins: its places end beside the others' walls."""
    count = POINTS[len(system.axes)]
    lines = []
    for k, axis in enumerate(system.axes):
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        if k == condition.axis:
            lines.append(np.asarray([(low, high)[condition.side]]))
        else:
            line = np.linspace(low, high, count)
            lines.append(line if k > condition.axis or axis.periodic else line[1:-1])
    grids = [g.ravel() for g in np.meshgrid(*lines, indexing="ij")]
    known = dict(values) | {a.symbol: g for a, g in zip(system.axes, grids, strict=True)}
    if moments is None or system.time is None:
        return [known]
    return [known | {system.time.symbol: np.asarray(t)} for t in moments]


def _lost(
    system: System,
    condition: Boundary,
    values: Mapping[sp.Basic, np.ndarray],
    moments: Sequence[float] | None,
) -> WallFault | None:
    """Where the coefficient of the highest derivative vanishes."""
    if all(t.coefficient.is_number for t in condition.terms):
        return None
    records = _sampled(system, condition, values, moments)
    sizes = [
        np.array([np.abs(sample(t.coefficient, r)) * np.ones(_places(system, r)) for t in condition.terms])
        for r in records
    ]
    largest = max(float(np.max(s, where=np.isfinite(s), initial=0.0)) for s in sizes)
    for record, size in zip(records, sizes, strict=True):
        gone = size <= GONE * largest
        bad = np.flatnonzero(gone[-1])
        if not len(bad):
            continue
        where = _where(system, condition, record, int(bad[0]), [t.coefficient for t in condition.terms])
        wall = _wall(system, condition)
        name = system.unknowns[condition.unknown].name
        if gone[:, bad[0]].all() and not jets(condition.data):
            message = f"this condition says nothing of `{name}` at {wall}{where}"
            label = "nothing but data is left of it"
        else:
            axis = system.axes[condition.axis].name
            top = condition.terms[-1].order
            message = f"this condition does not give d{axis * top}({name}) at {wall}{where}"
            label = f"the coefficient of d{axis * top}({name}) is 0"
        help = "give its coefficients other values, or state the condition that is meant there"
        return WallFault(condition.span, message, label, help)
    return None


def _valueless(
    system: System,
    condition: Boundary,
    values: Mapping[sp.Basic, np.ndarray],
    moments: Sequence[float] | None,
    poles: bool = False,
) -> WallFault | None:
    """Where coefficients or data are infinite, no number, or not real if they have to be."""
    real = not any(u.complex for u in system.unknowns)
    parts = [condition.data, *(t.coefficient for t in condition.terms)]
    records = _sampled(system, condition, values, moments)
    for part in parts:
        bare = part.xreplace(dict.fromkeys(part.atoms(Outside), sp.S.One))
        if bare.is_number and bare.is_finite:
            continue
        held = bool(jets(bare))
        for record in records:
            found = [
                np.broadcast_to(sample(frozen_at(bare, start), record), (_places(system, record),))
                for start in (STARTS if held else STARTS[:1])
            ]
            # What is so for any values of the fields is so by the coefficients: a division by 0.
            infinite = np.all([np.isinf(f) if held else ~np.isfinite(f) for f in found], axis=0)
            imaginary = np.abs(np.imag(found[0])) > 1e-6 * np.abs(found[0])
            bad = np.flatnonzero(infinite | imaginary if real and not held else infinite)
            if len(bad):
                where = _where(system, condition, record, int(bad[0]), parts)
                what = "finite" if infinite[bad[0]] else "real"
                return _no_value(system, condition, what, where)
        near = _pole(system, condition, bare, records) if poles and not held else None
        if near is not None:
            return _no_value(system, condition, "finite", _where(system, condition, near, 0, parts))
    return None


def _pole(
    system: System, condition: Boundary, part: sp.Expr, records: Sequence[Mapping[sp.Basic, np.ndarray]]
) -> dict[sp.Basic, np.ndarray] | None:
    """The moment between two others at which something that data divide by passes through 0."""
    if system.time is None:
        return None
    time = system.time.symbol
    divisors = [p.base for p in part.atoms(sp.Pow) if p.exp.is_negative]
    for divisor in (*divisors, *(sp.cos(f.args[0]) for f in part.atoms(sp.tan))):
        if time not in divisor.free_symbols:
            continue
        found = [np.real(sample(divisor, r)) * np.ones(_places(system, r)) for r in records]
        for (low, high), (first, last) in zip(pairwise(records), pairwise(found), strict=True):
            turned = np.flatnonzero(first * last <= 0)
            if not len(turned):
                continue
            begin, end, place = float(low[time]), float(high[time]), int(turned[0])
            for _ in range(HALVINGS):
                middle = (begin + end) / 2
                here = dict(low) | {time: np.asarray(middle)}
                value = (np.real(sample(divisor, here)) * np.ones(_places(system, here)))[place]
                begin, end = (middle, end) if value * first[place] > 0 else (begin, middle)
            if abs(value) <= VANISHED * max(abs(first[place]), abs(last[place])):
                return here
    return None


def _no_value(system: System, condition: Boundary, what: str, where: str) -> WallFault:
    message = f"this condition has no {what} value at {_wall(system, condition)}{where}"
    return WallFault(
        condition.span, message, "", "change the expression, its parameters or the interval of time"
    )


def _places(system: System, record: Mapping[sp.Basic, np.ndarray]) -> int:
    return len(record[system.axes[0].symbol])


def _wall(system: System, condition: Boundary) -> str:
    axis = system.axes[condition.axis]
    return f"{axis.name} = {shown((axis.lower, axis.upper)[condition.side])}"


def _where(
    system: System,
    condition: Boundary,
    record: Mapping[sp.Basic, np.ndarray],
    at: int,
    parts: Sequence[sp.Expr],
) -> str:
    """The other coordinates, the time and the parameters that stand in the condition, with their values."""
    held = set().union(*(p.xreplace(dict.fromkeys(jets(p), sp.S.One)).free_symbols for p in parts))
    names = [
        (a.name, record[a.symbol][at])
        for k, a in enumerate(system.axes)
        if k != condition.axis and a.symbol in held
    ]
    if system.time is not None and system.time.symbol in held:
        names.append((system.time.name, record[system.time.symbol]))
    place = "".join(f", {name} = {float(value):.4g}" for name, value in names)
    given = [(p.name, record[p.symbol]) for p in system.parameters if p.symbol in held]
    return place + (" for " + ", ".join(f"{n} = {float(v):.4g}" for n, v in given) if given else "")
