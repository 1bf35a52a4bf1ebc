"""Whether a grid resolves the coefficients and sources of the equations: said before a run.

Along lines of the grid the values at places between the nodes are compared with the polynomial through the
nodes around them (trigonometric on periodic axes of the spectral method), of as many nodes as the scheme has
orders. A scheme that sees the nodes alone knows no more of a coefficient than that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import sympy as sp

from nablax.continuity import may_jump
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.nonlocal_operators import Outside
from nablax.passes.divergence import Law, balance_law
from nablax.passes.jets import frozen_at
from nablax.plan import GridAxis, Method
from nablax.planning.fluxes import divergences
from nablax.planning.spectrum import nominal
from nablax.reductions import Noise
from nablax.sampling import sample
from nablax.system import LinearTerm, System

SOURCE = "this source"
LIMIT = 0.1  # of the range, what may be missed between the nodes
SMALL = 1e-3  # of the largest value, what never matters
OPEN = 1e-2  # of the range, what both ends of a periodic axis may differ by
BETWEEN = (0.25, 0.5, 0.75)  # of a spacing, where it is looked at
LINES = {1: (0.5,), 2: (0.11, 0.5, 0.79), 3: (0.21, 0.5)}  # shares of the other axes that a line runs at
MOMENTS = (0.0, 0.37)  # shares of the time
JETS = (0.37, 0.731)  # starts of the numbers that stand for fields and derivatives
NODES = 2**14  # along a line: what such a grid does not resolve is left to the run
CENTRE = 8  # nodes next to the centre, where the metric itself is steep


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A coefficient or a source that lies between the nodes of an axis; `share` of its range is missed."""

    value: sp.Expr
    span: Span
    what: str
    axis: int
    share: float
    conserved: bool  # k of d_x(k d_x u)


def check_resolved(
    system: System, method: Method, order: int, grid: Sequence[GridAxis], place: Span | None, report: Report
) -> None:
    """P429 for every term whose coefficient or source changes more between the nodes than these tell.

    Volumes average over cells, and are left alone; so are jumps, which no grid resolves.
    """
    if method == "fv" or (method == "spectral" and not all(a.periodic for a in grid)):
        return  # between walls the nodes of a spectral method are where its fields are shown, and no more
    terms: dict[tuple[Span, int], list[Unresolved]] = {}
    for found in unresolved(system, method, order, grid):
        terms.setdefault((found.span, found.axis), []).append(found)
    for (span, along), missed in terms.items():
        axis, worst = grid[along], max(missed, key=lambda m: m.share)
        counts = [_enough(system, m, method, order, grid) for m in missed]
        enough = None if None in counts else max(c for c in counts if c is not None)
        remedies = [] if enough is None else [f"choose n of at least {enough} along {axis.name}"]
        if method == "fd" and order > 2 and all(m.conserved for m in missed):
            remedies.append("use `order = 2`, which takes fluxes between nodes")
        elif worst.what != SOURCE and system.time is not None and isinstance(balance_law(system), Law):
            remedies.append("use `method = fv`, which takes fluxes across cells")
        smooth = f"let it change over several spacings of {axis.spacing:.3g}"
        remedies.append(smooth if enough is not None else f"{smooth}: no n up to {NODES} resolves it")
        report.warning(
            "P429",
            span,
            f"the grid does not resolve {worst.what} along {axis.name}",
            label=f"between nodes it is off by {min(worst.share, 9.99):.0%} of its range",
            notes=() if place is None else (Note(f"a spacing is {axis.spacing:.3g} by this n", place),),
            help=", or ".join(remedies),
        )


def unresolved(system: System, method: Method, order: int, grid: Sequence[GridAxis]) -> Iterator[Unresolved]:
    """Every coefficient and source that the grid misses, along the axis where it misses most."""
    for value, span, what, divergence in _given(system):
        # At order 2 fluxes between nodes spoil a few cells at a thin layer, and no others.
        mean = method == "fd" and order == 2 and divergence is not None
        shares = [
            0.0 if mean and value != divergence else _missed(system, value, k, method, order, grid, mean=mean)
            for k in range(len(grid))
        ]
        worst = int(np.argmax(shares))
        if shares[worst] > LIMIT:
            yield Unresolved(value, span, what, worst, shares[worst], divergence is not None)


def _given(system: System) -> Iterator[tuple[sp.Expr, Span, str, sp.Expr | None]]:
    """Coefficients and sources with a number for every field and derivative; k where one comes of the
    divergence of a flux k d_x u alone."""
    for terms in system.right_sides:
        fluxes: dict[LinearTerm, sp.Expr] = {}
        for (_, k), (term, slope) in divergences(system, terms).items():
            fluxes[term] = term.coefficient
            if sp.expand(slope.coefficient - sp.diff(term.coefficient, system.axes[k].symbol)) == 0:
                fluxes[slope] = term.coefficient
        for term in terms.linear:
            yield term.coefficient, term.span, "the coefficient of this term", fluxes.get(term)
        for flux in terms.nonlinear:
            for start in JETS:
                yield frozen_at(flux.flux, start), flux.span, "a coefficient of this term", None
        for flux in terms.forcing:
            yield frozen_at(flux.flux, JETS[0]), flux.span, SOURCE, None


def _enough(
    system: System, found: Unresolved, method: Method, order: int, grid: Sequence[GridAxis]
) -> int | None:
    """The least n, up to a factor of two, that resolves it; None where no line of reasonable length does."""
    axis = grid[found.axis]
    n = 2 * axis.n
    while n <= NODES:
        finer = [replace(a, n=n) if k == found.axis else a for k, a in enumerate(grid)]
        if _missed(system, found.value, found.axis, method, order, finer) <= LIMIT:
            return n
        n *= 2
    return None


def _missed(
    system: System,
    value: sp.Expr,
    along: int,
    method: Method,
    order: int,
    grid: Sequence[GridAxis],
    mean: bool = False,
) -> float:
    """The largest (or mean) error between the nodes of a line along an axis, relative to the range there."""
    axis, symbol = grid[along], system.axes[along].symbol
    if symbol not in value.free_symbols or axis.n > NODES or value.has(Noise, Outside):
        return 0.0
    if may_jump(value, symbol):
        return 0.0
    skipped = min(CENTRE, axis.points // 2) if axis.folded else 0
    count = axis.points - skipped
    shifts = np.arange(count)[:, None] + np.array([0.0, *BETWEEN])
    places = axis.first + axis.spacing * (skipped + shifts)
    if not axis.periodic:
        places = np.minimum(places, axis.upper)
    worst = 0.0
    for values in _lines(system, along, grid):
        found = np.array(np.broadcast_to(sample(value, values | {symbol: places}), places.shape))
        if not np.isfinite(found).all():
            continue  # said elsewhere, or met at run time
        size, extent = float(np.abs(found).max()), _range(found)
        if extent <= SMALL * size:
            continue
        if axis.periodic and not _closes(value, axis, symbol, values, extent):
            continue  # P318 says so
        nodes, between = found[:, 0], found[:, 1:]
        if not axis.periodic:
            between = between[:-1]
        told = (
            _trigonometric(nodes)
            if method == "spectral"
            else _polynomials(nodes, max(order, 2), axis.periodic)
        )
        errors = np.abs(told - between)
        error = float(errors.mean() if mean else errors.max())
        if error > SMALL * size:
            worst = max(worst, error / extent)
    return worst


def _closes(
    value: sp.Expr, axis: GridAxis, symbol: sp.Symbol, values: dict[sp.Basic, np.ndarray], extent: float
) -> bool:
    """Whether it has one value at both ends of a periodic axis."""
    ends = (sample(value, values | {symbol: np.asarray(end)}) for end in (axis.lower, axis.upper))
    low, high = (complex(end) for end in ends)
    return abs(high - low) <= OPEN * extent


def _range(values: np.ndarray) -> float:
    return float(np.ptp(values.real) + (np.ptp(values.imag) if np.iscomplexobj(values) else 0.0))


def _lines(system: System, along: int, grid: Sequence[GridAxis]) -> Iterator[dict[sp.Basic, np.ndarray]]:
    """Parameters, the time and the other coordinates of each line."""
    known = nominal(system)
    others = [k for k in range(len(grid)) if k != along]
    moments = MOMENTS if system.time is not None else (0.0,)
    for moment, *shares in product(moments, *(LINES[len(grid)] for _ in others)):
        values = dict(known)
        if system.time is not None:
            begin, end = (sample(e, known) for e in (system.time.lower, system.time.upper))
            values[system.time.symbol] = np.asarray(begin + moment * (end - begin))
        for k, share in zip(others, shares, strict=True):
            values[system.axes[k].symbol] = np.asarray(grid[k].lower + share * grid[k].length)
        yield values


def _polynomials(nodes: np.ndarray, width: int, periodic: bool) -> np.ndarray:
    """What the polynomials through the `width` nodes around each spacing say between its ends; of shape
    (spacings, places)."""
    width = min(width, len(nodes))
    before = width // 2 - 1
    if periodic:
        nodes = np.concatenate([nodes[len(nodes) - before :] if before else nodes[:0], nodes, nodes[:width]])
        starts = np.arange(len(nodes) - width - before)
        offsets = np.full(len(starts), before)
    else:
        cells = np.arange(len(nodes) - 1)
        starts = np.clip(cells - before, 0, len(nodes) - width)
        offsets = cells - starts
    windows = nodes[starts[:, None] + np.arange(width)]
    told = np.empty((len(starts), len(BETWEEN)), windows.dtype)
    for offset in np.unique(offsets):
        weights = np.array([_lagrange(offset + share, width) for share in BETWEEN])
        chosen = offsets == offset
        told[chosen] = windows[chosen] @ weights.T
    return told


def _lagrange(place: float, width: int) -> np.ndarray:
    """Weights of the values at 0, 1, ... in the polynomial's value at a place."""
    nodes = np.arange(width)
    return np.array([np.prod([(place - m) / (k - m) for m in nodes if m != k]) for k in nodes])


def _trigonometric(nodes: np.ndarray) -> np.ndarray:
    """What the trigonometric polynomial through periodic values says between them; (spacings, places)."""
    n = len(nodes)
    modes = np.fft.fftfreq(n, 1 / n)
    hat = np.fft.fft(nodes)
    if n % 2 == 0:
        hat[n // 2] = 0.0
    waves = [np.fft.ifft(hat * np.exp(2j * np.pi * modes * share / n)) for share in BETWEEN]
    told = np.stack(waves, axis=1)
    return np.asarray(told if np.iscomplexobj(nodes) else told.real)
