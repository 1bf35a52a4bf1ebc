"""Whether data of a field that is determined up to a constant can belong to a solution at all.

An equation ∇·G + S = 0 whose fluxes are known on every wall says, integrated over the box, that sources and
walls cancel: ∮ G·n + ∫ S = 0 (R. Courant, D. Hilbert, "Methods of Mathematical Physics" I, chapter V §14).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.centre import has_centre
from nablax.continuity import may_jump
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.geometry import Geometry
from nablax.grid_functions import GridFunction
from nablax.integrals import INTEGRALS
from nablax.limits import TooLarge
from nablax.passes import jets
from nablax.passes.determination import relaxed
from nablax.passes.divergence import Law, balance_law, right_side
from nablax.planning.spectrum import nominal
from nablax.problem import Side, Summand
from nablax.reductions import Noise
from nablax.sampling import sample
from nablax.system import Evolution, System, Terms

NODES = 8  # of Gauss and Legendre, per panel
PANELS = {1: (17, 24), 2: (5, 7), 3: (2, 3)}  # per axis, coarse and fine
MIDPOINTS = {0: 1, 1: 1 << 17, 2: 1 << 9, 3: 1 << 6}  # per axis, before anything is said
AGREED = 0.1  # of a mismatch: as near as two rules have to come to each other
ERROR = 1e-2  # of the size of sources and walls: as large as what a solve refuses
WARNING = 1e-6
TIMES = (0.0, 0.37, 1.0)  # shares of the duration at which data that move are looked at

Verdict = Literal["compatible", "not compatible", "unknown"]


@dataclass(frozen=True, slots=True)
class _Data:
    """0 = ∫ source + Σ ∮ outflow: `source` per volume, `walls` per area as (axis, side, outflow)."""

    source: sp.Expr
    walls: tuple[tuple[int, Side, sp.Expr], ...]

    @property
    def parts(self) -> tuple[sp.Expr, ...]:
        return (self.source, *(flux for *_, flux in self.walls))


@dataclass(frozen=True, slots=True)
class _Sums:
    """The integrals at a share of the duration, the size of what they add up, and how far they may be off."""

    share: float
    source: complex
    walls: complex
    size: float
    error: float

    @property
    def mismatch(self) -> complex:
        return self.source + self.walls

    @property
    def clear(self) -> bool:
        return abs(self.mismatch) > WARNING * self.size + 10 * self.error

    @property
    def resolved(self) -> bool:
        return 10 * self.error <= WARNING * self.size


def check_solvable(system: System, free: Sequence[int], report: Report) -> dict[int, Verdict]:
    """What data of the unknowns `free`, determined up to a constant, are; says so where they do not fit.

    P325: an error where the mismatch holds no parameter, for no other value can mend it.
    """
    if not free:
        return {}
    moving = relaxed(system)
    equations = {e.unknown: e for e in moving.evolution}
    return {unknown: _verdict(moving, equations[unknown], report) for unknown in free}


def check_balanced(system: System, unknown: int, report: Report) -> None:
    """Whether sources and wall values let a constraint hold that is an equation for none of its fields.

    `unknown` is the one that the system names in its place. P325 again: no field inside changes the integral.
    """
    moving = relaxed(system)
    equation = next(e for e in moving.evolution if e.unknown == unknown)
    found = _judged(moving, equation)
    if isinstance(found, _Mismatch):
        found.report(
            equation.span,
            f"the values on the walls do not go with this constraint{found.where}: integrated over the box, "
            f"it is {_shown(found.sums.mismatch)}",
            "nothing inside the walls changes that",
            "let as much flow in as out",
            report,
        )


@dataclass(frozen=True, slots=True)
class _Mismatch:
    """Integrals that do not cancel; `depends` where a parameter may mend them."""

    sums: _Sums
    depends: bool
    walled: bool

    @property
    def where(self) -> str:
        return " at the given parameters" if self.depends else ""

    def report(self, span: Span, message: str, label: str, help: str, report: Report) -> None:
        """An error where the mismatch is clear and no parameter stands in it, a warning otherwise."""
        sums = self.sums
        fatal = abs(sums.mismatch) > ERROR * sums.size and not self.depends
        crossing = f", and what crosses the walls {_shown(sums.walls)}" if self.walled else ""
        note = Note(f"sources give {_shown(sums.source)}{crossing}")
        (report.error if fatal else report.warning)(
            "P325", span, message, label=label, notes=(note,), help=help
        )


def _verdict(system: System, equation: Evolution, report: Report) -> Verdict:
    found = _judged(system, equation)
    if not isinstance(found, _Mismatch):
        return found
    name = system.unknowns[equation.unknown].name
    found.report(
        equation.span,
        f"the data of `{name}` are not compatible{found.where}: "
        f"integrated over the box, sources and walls leave {_shown(found.sums.mismatch)}",
        f"only derivatives of `{name}` stand in it",
        "take what is too much from the source"
        + (f" or the conditions, or state a value of `{name}` on a wall" if found.walled else ""),
        report,
    )
    return "not compatible"


def _judged(system: System, equation: Evolution) -> Literal["compatible", "unknown"] | _Mismatch:
    data = _data(system, equation)
    if data is None or _jumps(system, data):
        return "unknown"
    checked = [_integrated(system, data, share) for share in (TIMES if system.time else TIMES[:1])]
    worst = max(checked, key=lambda s: abs(s.mismatch) / (s.size or 1))
    if not all(np.isfinite(s.size + s.error) for s in checked):
        return "unknown"
    if not worst.clear:
        return "compatible" if all(s.resolved for s in checked) else "unknown"
    source, walls, _ = _sums(system, data, worst.share, _midpoints)
    if not abs(source + walls - worst.mismatch) <= AGREED * abs(worst.mismatch):
        return "unknown"  # something is too narrow for the panels
    names = {p.symbol for p in system.parameters}
    ends = (end for a in system.axes for end in (a.lower, a.upper))
    depends = any(e.free_symbols & names for e in (*data.parts, *ends))
    return _Mismatch(worst, depends, any(not a.periodic for a in system.axes))


def _shown(value: complex) -> str:
    return f"{value.real:.4g}" if abs(value.imag) <= 1e-12 * abs(value) else f"{value:.4g}"


# -- the equation as a balance ------------------------------------------------------------------------


def _data(system: System, equation: Evolution) -> _Data | None:
    """What the equation integrates to; None where a field is left in it, or where it is no balance."""
    space = tuple(a.symbol for a in system.axes)
    volume = Geometry(system.problem.coordinates, space).volume
    weighted = tuple(Summand(s.value * volume, s.span) for s in right_side(equation, system))
    equation = replace(equation, terms=Terms(written=weighted))
    try:
        law = balance_law(replace(system, evolution=(equation,)))
    except TooLarge:
        return None
    if not isinstance(law, Law):
        return None
    source = law.sources[0]
    if not _known(source):
        return None
    walls: list[tuple[int, Side, sp.Expr]] = []
    for k, axis in enumerate(system.axes):
        flux = law.diffusion[k][0] - law.fluxes[k][0]
        if axis.periodic:
            names = jets.stand_ins(flux)
            frozen = flux.xreplace(names)
            if sp.expand(frozen.subs(axis.symbol, axis.upper) - frozen.subs(axis.symbol, axis.lower)) != 0:
                return None  # a coefficient does not close up
            continue
        sides: tuple[Side, Side] = (0, 1)
        for side in sides:
            if side == 0 and has_centre(system.problem, axis):
                # Fields and their derivatives are finite at a centre, where no area is left.
                if sp.expand(flux.xreplace(jets.stand_ins(flux))).subs(axis.symbol, 0) != 0:
                    return None
                continue
            at_wall = _on_wall(system, flux, k, side)
            if at_wall is None or not _known(at_wall):
                return None
            end = (axis.lower, axis.upper)[side]
            walls.append((k, side, (1 if side else -1) * at_wall.subs(axis.symbol, end)))
    return _Data(source, tuple(walls))


def _jumps(system: System, data: _Data) -> bool:
    """Whether something integrated may jump, which no rule with fixed places measures."""
    return any(may_jump(part, axis.symbol) for part in data.parts for axis in system.axes)


def _known(value: sp.Expr) -> bool:
    return not value.has(AppliedUndef, GridFunction, Noise, *INTEGRALS)


def _on_wall(system: System, flux: sp.Expr, axis: int, side: Side) -> sp.Expr | None:
    """The flux with what the conditions say of the fields there; None where a derivative is not known."""
    space = tuple(a.symbol for a in system.axes)
    index = {u.value: i for i, u in enumerate(system.unknowns)}
    found: dict[sp.Basic, sp.Expr] = {}
    for jet in jets.jets(flux):
        owner = index.get(jets.base(jet))
        orders = jets.orders_of(jet, space)
        for condition in system.boundary:
            (term, *others) = condition.terms
            if (condition.unknown, condition.axis, condition.side) != (owner, axis, side) or others:
                continue
            if term.order == orders[axis] and not condition.dynamic:
                value = condition.data / term.coefficient
                for k, order in enumerate(orders):
                    if k != axis and order:
                        value = sp.diff(value, (space[k], order))
                found[jet] = value
    return flux.xreplace(found)


# -- quadrature ---------------------------------------------------------------------------------------


Rule = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""The number of axes to the places and weights along each of them, on [0, 1]."""


def _gauss(panels: int) -> Rule:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    places = ((np.arange(panels)[:, None] + (nodes + 1) / 2) / panels).ravel()
    return lambda _: (places, np.tile(weights / (2 * panels), panels))


def _midpoints(axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Equidistant places: what lies between two of them is narrower than on any ordinary grid."""
    count = MIDPOINTS[axes]
    return (np.arange(count) + 0.5) / count, np.full(count, 1 / count)


def _integrated(system: System, data: _Data, share: float) -> _Sums:
    coarse, fine = (_sums(system, data, share, _gauss(panels)) for panels in PANELS[len(system.axes)])
    off = abs(coarse[0] - fine[0]) + abs(coarse[1] - fine[1])
    return _Sums(share, fine[0], fine[1], fine[2], off)


def _sums(system: System, data: _Data, share: float, rule: Rule) -> tuple[complex, complex, float]:
    """Source, walls, and the integral of their magnitudes."""
    values = dict(nominal(system))
    if system.time is not None:
        start, end = (float(sample(e, values)) for e in (system.time.lower, system.time.upper))
        values[system.time.symbol] = np.asarray(start + share * (end - start))
    source, size = _over(system, data.source, range(len(system.axes)), values, rule)
    walls = 0j
    for axis, _, flux in data.walls:
        others = [k for k in range(len(system.axes)) if k != axis]
        found, more = _over(system, flux, others, values, rule)
        walls, size = walls + found, size + more
    return source, walls, size


def _over(
    system: System, value: sp.Expr, along: Sequence[int], values: dict[sp.Basic, np.ndarray], rule: Rule
) -> tuple[complex, float]:
    """The integrals of a value and of its magnitude along some of the axes."""
    known = dict(values)
    points, weights = rule(len(along))
    lines, scales = [], []
    chosen = [system.axes[k] for k in along]
    for axis in chosen:
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        lines.append(low + (high - low) * points)
        scales.append((high - low) * weights)
    if chosen:
        grids = np.meshgrid(*lines, indexing="ij")
        known |= {a.symbol: g for a, g in zip(chosen, grids, strict=True)}
        scale = np.prod(np.meshgrid(*scales, indexing="ij"), axis=0)
    else:
        scale = np.ones(())
    found = sample(value, known)
    return complex(np.sum(scale * found)), float(np.sum(scale * np.abs(found)))
