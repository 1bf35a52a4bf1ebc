"""Which stepper advances a system, its tolerance, and the step that stability allows."""

from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.passes.jets import jets
from nablax.plan import Choice, GridAxis, Method, StepperName, Stepping
from nablax.planning.method import Character
from nablax.planning.projection import projected, uneven_friction
from nablax.planning.settings import MEMORY_STEPPERS, Settings
from nablax.planning.spectrum import Linearisation, Symbol, eigenvalues, exact_symbol, nominal
from nablax.planning.stability import POLYNOMIALS, largest_step
from nablax.sampling import sample
from nablax.stencils import centred_symbol
from nablax.system import System
from nablax.traces import has_time

ORDERS = {
    "etdrk4": 4, "etdrk2": 2, "imex": 4, "implicit": 4,
    "euler": 1, "rk2": 2, "ssprk3": 3, "rk4": 4, "dopri5": 5,
    "leapfrog": 2,
}  # fmt: skip
STIFF = 5000  # explicit steps in a run above which an implicit stepper pays
DEARER = 20  # explicit steps of a flow between walls in the time of an implicit one, about
SAFETY = 0.9
ABOVE = 1.02  # times the bound, which is an estimate: from there on a step is said to be above it
PECLET = 7.0  # cell Péclet number up to which the closures of order 8 were found stable


@dataclass(frozen=True, slots=True)
class Situation:
    """What the choice of a stepper looks at; `duration` is the length of the run."""

    system: System
    method: Method
    order: int
    grid: tuple[GridAxis, ...]
    dealias: tuple[float, ...]
    frozen: Linearisation
    nature: Character
    duration: float


@dataclass(frozen=True, slots=True)
class Bound:
    """The largest stable step (inf: none, 0: no step is stable), the term that sets it, and whether
    damping rather than waves does."""

    step: float
    limiter: Span | None
    damped: bool


def explicit_bound(situation: Situation, stepper: StepperName) -> Bound:
    """The stability limit of an explicit stepper for the frozen linearisation on this grid."""
    system, grid = situation.system, situation.grid
    spectral = situation.method == "spectral"
    symbol = exact_symbol if spectral else _stencil_symbol(grid, situation.order)
    fractions = np.array([0, 0.25, 0.5, 0.6, 0.75, 1.0])
    modes = []
    for axis, kept in zip(grid, situation.dealias, strict=True):
        top = np.pi / axis.spacing * (kept if spectral else 1.0)
        modes.append(np.concatenate([-top * fractions[:0:-1], top * fractions]))
    spacing = None if spectral else [a.spacing for a in grid]
    spectrum = eigenvalues(system, situation.frozen, modes, symbol, spacing)
    step = largest_step(stepper, spectrum) / _wall_factor(situation)
    limiter = None
    if np.isfinite(step):
        longest = step
        for span in sorted({e.span for e in situation.frozen.entries} - _definitions(system)):
            without = eigenvalues(system, situation.frozen.without(span), modes, symbol, spacing)
            relaxed = largest_step(stepper, without) / _wall_factor(situation)
            if relaxed > longest * 1.01:
                longest, limiter = relaxed, span
    flat = spectrum.ravel()
    largest = flat[np.argmax(np.abs(flat))] if flat.size else 0.0
    return Bound(step, limiter, bool(abs(np.real(largest)) > abs(np.imag(largest))))


def _definitions(system: System) -> set[Span]:
    """Of the equations that only say which unknown is the rate of which: nobody wrote them."""
    rates = {u.rate_of for u in system.unknowns}
    return {t.span for e in system.evolution if e.unknown in rates for t in e.terms.linear}


def _wall_factor(situation: Situation) -> float:
    """How far closures at walls other than Dirichlet reach beyond the spectrum of the centred stencil.

    The largest factors measured on the closures in `backends/differences/walls.py`: for second derivatives
    by order of accuracy, for fourth derivatives at free and sliding ends.
    """
    system = situation.system
    if situation.method == "spectral" or all(b.dirichlet for b in system.boundary):
        return 1.0
    if max(situation.nature.constant, situation.nature.variable) > 2:
        return 2.2
    return {2: 1.02, 4: 1.5, 6: 1.85, 8: 2.05}[situation.order]


def _stencil_symbol(grid: tuple[GridAxis, ...], accuracy: int) -> Symbol:
    def symbol(axis: int, order: int, k: np.ndarray) -> np.ndarray:
        h = grid[axis].spacing
        return centred_symbol(order, accuracy, k * h) / h**order

    return symbol


def choose_stepping(
    situation: Situation, settings: Settings, choices: list[Choice], report: Report
) -> Stepping | None:
    """The stepper with its tolerances and bound; None where the one asked for cannot take the method."""
    name = settings.step
    place = settings.places.get("step")
    if name is not None and place is not None and (refusal := _refusal(situation, name)) is not None:
        code, message, help = refusal
        report.error(code, place, message, notes=settings.origin("step"), help=help)
        return None
    if name == "imex" and situation.method == "fd" and place is not None:
        moving = _moving_wall(situation.system)
        if moving is not None:
            report.error(
                "P401",
                place,
                "`imex` needs conditions whose coefficients do not depend on time",
                notes=(Note("this condition has one that does", moving),),
                help="use `implicit`, or an explicit stepper",
            )
            return None
    if name in ("imex", "implicit") and place is not None and _keeps(situation):
        uneven = uneven_friction(situation.system)
        if uneven is not None:
            report.error(
                "P402",
                place,
                f"`{name}` with a constraint between walls is available for constant viscosities only",
                notes=(Note("this term has one that is not", uneven), *settings.origin("step")),
                help="use `dopri5`, or leave the choice to the compiler",
            )
            return None
    reference = explicit_bound(situation, "dopri5")
    reason = "asked for"
    if name is None:
        name, reason = _default_stepper(situation, reference, settings.dt)
    choices.append(Choice("step", name, reason, settings.step is not None, place))
    step: float | None = None
    limiter: Span | None = None
    if name in POLYNOMIALS or name == "leapfrog":
        bound = reference if name == "dopri5" else explicit_bound(situation, name)
        limiter = bound.limiter
        step = bound.step if np.isfinite(bound.step) and bound.step > 0 else None
        if bound.step == 0.0:
            report.warning(
                "P408",
                place or situation.system.problem.span,
                f"no step is stable with `{name}`: the equations carry undamped waves",
                notes=settings.origin("step"),
                help="use `rk4` or `dopri5`",
            )
    _warn_walls(situation, settings, report)
    tol, accuracy = _tolerance(settings, report)
    if settings.dt is not None:
        check_dt(settings, step, name, limiter, report)
        choices.append(Choice("dt", f"{settings.dt:g}", "asked for", True, settings.places.get("dt")))
    else:
        embedded = name in ("imex", "implicit", "dopri5")
        how = "from the error of each step" if embedded else "chosen per frame and checked by halving it"
        cap = "" if step is None else f", at most the stable step {step:.3g}"
        choices.append(Choice("dt", "adaptive", f"{how}{cap}"))
        choices.append(Choice("tol", f"{tol:g}", accuracy, settings.tol is not None))
    scale = _scale(situation.system)
    longest = situation.duration / 100 if depends_on_time(situation.system) else None
    return Stepping(name, ORDERS[name], settings.dt, tol, tol * 1e-2 * scale, step, limiter, longest)


def _refusal(situation: Situation, name: StepperName) -> tuple[str, str, str] | None:
    """Code, message and help where a stepper cannot take the equations by their method; None where it can."""
    if name in ("etdrk4", "etdrk2") and situation.method == "fd":
        return (
            "P401",
            f"`{name}` integrates Fourier modes exactly and needs the spectral method",
            "use `imex`, `implicit` or an explicit Runge-Kutta stepper",
        )
    walled = any(not a.periodic for a in situation.grid)
    if situation.method == "spectral" and walled and (name in POLYNOMIALS or name == "leapfrog"):
        return (
            "P401",
            f"`{name}` is explicit, and the eigenvalues between walls grow too fast for it",
            "use `etdrk4`, which integrates the eigenfunctions exactly, or `imex`",
        )
    if name in MEMORY_STEPPERS:
        return (
            "P401",
            f"`{name}` is for derivatives that remember the past, and these equations have none",
            "leave the choice to the compiler, or use `imex`, `implicit` or `dopri5`",
        )
    if name == "implicit" and situation.method == "spectral" and situation.nature.degree != 0:
        return (
            "P401",
            "`implicit` would have to solve nonlinear equations for all Fourier modes at once",
            "use `imex` or `etdrk4`, which take the linear part implicitly or exactly",
        )
    if name == "leapfrog" and not _undamped(situation.system):
        return (
            "P401",
            "`leapfrog` needs equations of second order in time in which no first time derivative stands",
            "use `rk4` or `dopri5`",
        )
    return None


def _undamped(system: System) -> bool:
    """Whether every field is of second order in time, and no right side or wall reads a rate."""
    rates = {i: u.rate_of for i, u in enumerate(system.unknowns) if u.rate_of is not None}
    if system.constraints or len(system.unknowns) != 2 * len(rates):
        return False
    values = [system.unknowns[i].value for i in rates]
    if any(b.dynamic or b.data.has(*values) for b in system.boundary):
        return False
    for evolution in system.evolution:
        if evolution.unknown not in rates:
            continue
        terms = evolution.terms
        fluxes = (*terms.nonlinear, *terms.forcing)
        if any(t.unknown in rates for t in terms.linear) or any(f.flux.has(*values) for f in fluxes):
            return False
    return True


def depends_on_time(system: System) -> bool:
    """Whether a coefficient, a source or boundary data hold the time."""
    t = system.time.symbol if system.time else None
    if t is None:
        return False
    for terms in system.right_sides:
        bare = (f.flux.xreplace(dict.fromkeys(jets(f.flux), sp.S.One)) for f in terms.nonlinear)
        held = (*(term.coefficient for term in terms.linear), *bare, *(f.flux for f in terms.forcing))
        if any(e.has(t) for e in held):
            return True
    return any(has_time(b.data, t) for b in system.boundary)


def _moving_wall(system: System) -> Span | None:
    """A boundary condition with a coefficient that depends on time."""
    t = system.time.symbol if system.time else None
    return next(
        (b.span for b in system.boundary if t is not None and any(c.coefficient.has(t) for c in b.terms)),
        None,
    )


def _tolerance(settings: Settings, report: Report) -> tuple[float, str]:
    """The relative tolerance of one step, never below what the dtype can tell."""
    single = settings.dtype == "float32"
    floor = 5e-6 if single else 1e-13
    if settings.tol is None:
        return (1e-5, "what single precision allows") if single else (1e-6, "the default")
    if settings.tol >= floor:
        return settings.tol, "asked for"
    report.warning(
        "P412",
        settings.places["tol"],
        f"tol = {settings.tol:g} is below what {settings.dtype or 'float64'} can tell: {floor:g} is used",
        help="raise tol" + (", or use `dtype = float64`" if single else ""),
    )
    return floor, "as tight as the dtype allows"


def _default_stepper(situation: Situation, bound: Bound, dt: float | None) -> tuple[StepperName, str]:
    """The stepper and why; one that is stable with the step `dt` where that is fixed, if there is any."""
    if situation.method == "spectral":
        modes = "eigenfunctions" if any(not a.periodic for a in situation.grid) else "a Fourier symbol"
        return "etdrk4", f"the linear part has {modes}: it is integrated exactly"
    if _keeps(situation):
        return _flow_stepper(situation, bound)
    nature = situation.nature
    steps = situation.duration / bound.step if bound.step > 0 else float("inf")
    why = f"an explicit stepper would need about {steps:.2g} steps"
    if dt is not None and 0 < bound.step < dt / ABOVE:
        why = f"the dt asked for is above the stable step of an explicit stepper, about {bound.step:.3g}"
        if max(nature.constant, nature.variable) < 2:
            return "implicit", why
    elif steps <= STIFF or max(nature.constant, nature.variable) < 2:
        return "dopri5", f"not stiff: {_count(steps)}"
    if nature.variable >= 2 or not bound.damped:
        return "implicit", f"stiff: {why}"
    if nature.degree == 0:
        return "implicit", f"stiff and linear: {why}"
    if _moving_wall(situation.system) is not None:
        return "implicit", "stiff, with a boundary coefficient that depends on time"
    return "imex", f"stiff in its linear part: {why}"


def _count(steps: float) -> str:
    return f"about {steps:.0f} explicit steps are stable" if steps >= 1.5 else "one explicit step is stable"


def _keeps(situation: Situation) -> bool:
    """Whether a projection between walls keeps a constraint."""
    return situation.method == "fd" and projected(situation.system)


def _flow_stepper(situation: Situation, bound: Bound) -> tuple[StepperName, str]:
    """Implicit where friction alone makes explicit steps short: a step costs DEARER explicit ones or so."""
    steps = situation.duration / bound.step if bound.step > 0 else float("inf")
    kept = "the projection keeps the constraint in every stage"
    if steps <= STIFF:
        return "dopri5", f"not stiff: about {max(steps, 1):.0f} explicit steps are stable; {kept}"
    if uneven_friction(situation.system) is not None:
        return "dopri5", f"explicit: the viscosity is not constant; {kept}"
    others = situation.frozen.keeping(e for e in situation.frozen.entries if sum(e.orders) < 2)
    if explicit_bound(replace(situation, frozen=others), "dopri5").step < DEARER * bound.step:
        return "dopri5", f"explicit: more than friction bounds the step; {kept}"
    reason = f"friction alone would need about {steps:.2g} explicit steps"
    each = "each stage solves a Stokes problem"
    if situation.nature.degree == 0:
        return "implicit", f"stiff and linear: {reason}; {each}"
    if depends_on_time(situation.system):
        # In the explicit half moving walls are of the lowest order in a stage, and friction sees the error.
        return "implicit", f"stiff, with data that depend on time: {reason}; {each} and more"
    return "imex", f"stiff in its friction: {reason}; {each}"


def _scale(system: System) -> float:
    """A typical magnitude of the initial data: 1 where it is all zero."""
    values = nominal(system)
    grids = np.meshgrid(
        *(
            np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), 9)[:-1] + 0.013
            for a in system.axes
        ),
        indexing="ij",
    )
    values |= {a.symbol: g for a, g in zip(system.axes, grids, strict=True)}
    largest = 0.0
    for value in system.initial:
        if value is not None:
            found = np.abs(sample(value, values))
            largest = max(largest, float(np.max(found[np.isfinite(found)], initial=0.0)))
    return largest or 1.0


def check_dt(
    settings: Settings, bound: float | None, name: StepperName, limiter: Span | None, report: Report
) -> None:
    if bound is None or settings.dt is None or settings.dt <= bound * ABOVE:
        return
    notes: tuple[Note, ...] = ()
    if limiter is not None:
        notes = (Note(f"line {report.source.position(limiter.start)[0]} limits the step", limiter),)
    report.warning(
        "P409",
        settings.places["dt"],
        f"dt = {settings.dt:g} is above the stable step of `{name}`, about {bound:.3g}",
        notes=(*notes, *settings.origin("dt")),
        help=f"choose dt below {SAFETY * bound:.2g}, or remove `dt`",
    )


def _warn_walls(situation: Situation, settings: Settings, report: Report) -> None:
    """What is known to go wrong beside walls: order 8 under strong advection."""
    if situation.method != "fd":
        return
    for i, axis in enumerate(situation.grid):
        if axis.periodic:
            continue
        if situation.order == 8 and (peclet := _cell_peclet(situation, i)) > PECLET:
            report.warning(
                "P410",
                settings.places.get("order", situation.system.axes[i].span),
                f"order 8 beside walls is stable up to a cell Péclet number of about {PECLET:g}, "
                f"and along {axis.name} it is {peclet:.3g}",
                help=f"raise n along {axis.name}, or choose order 4",
            )


def _cell_peclet(situation: Situation, axis: int) -> float:
    """Largest |a| h / D along an axis, for u_t = a u_x + D u_xx; 0 without advection or without diffusion."""
    speeds: dict[int, float] = {}
    spreads: dict[int, float] = {}
    for entry in situation.frozen.entries:
        if entry.row != entry.column or sum(entry.orders) != entry.orders[axis]:
            continue
        values = np.abs(entry.values[np.isfinite(entry.values)])
        if entry.orders[axis] == 1:
            speeds[entry.row] = speeds.get(entry.row, 0.0) + float(values.max(initial=0.0))
        elif entry.orders[axis] == 2:
            spreads[entry.row] = spreads.get(entry.row, 0.0) + float(values.min(initial=np.inf))
    ratios = [a / spreads[row] for row, a in speeds.items() if spreads.get(row)]
    return max(ratios, default=0.0) * situation.grid[axis].spacing
