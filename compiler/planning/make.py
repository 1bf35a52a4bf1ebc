"""System to plan: every numerical choice, with its reason."""

import numpy as np

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.plan import Choice, GridAxis, Method, Plan, StepperName, Stepping
from nablax.planning.method import Character, character, choose_method
from nablax.planning.settings import Settings, frame_times, read_settings
from nablax.planning.spectrum import (
    Linearisation,
    Symbol,
    eigenvalues,
    exact_symbol,
    linearise,
    nominal,
    unbounded_growth,
)
from nablax.planning.stability import POLYNOMIALS, largest_step
from nablax.sampling import sample
from nablax.stencils import centred_symbol, radius
from nablax.system import System

ORDERS = {
    "etdrk4": 4, "etdrk2": 2, "imex": 4, "implicit": 4, "euler": 1, "rk2": 2, "rk4": 4, "dopri5": 5,
}  # fmt: skip
POINTS = {1: 256, 2: 128, 3: 48}
STIFF = 5000  # explicit steps in a run above which an implicit stepper pays
SAFETY = 0.9


def make_plan(system: System, report: Report) -> Plan | None:
    """The plan, or None with located messages that say why there is none."""
    settings = read_settings(system.problem, report)
    if report.failed:
        return None
    nature = character(system)
    chosen = choose_method(system, nature, settings, report)
    if chosen is None or system.time is None:
        return None
    method, reason = chosen
    choices = [Choice("method", method, reason, settings.method is not None, settings.places.get("method"))]
    order = _order(method, settings, choices)
    grid = _grid(system, method, order, settings, nature, choices, report)
    if grid is None:
        return None
    _warn_growth(system, report)
    dealias = _dealias(method, settings, nature, len(grid), choices)
    values = nominal(system)
    start, end = (float(sample(e, values)) for e in (system.time.lower, system.time.upper))
    frames = frame_times(system.problem, start, end, settings.every, settings.places, report)
    stepping = _stepping(system, method, order, grid, dealias, settings, nature, end - start, choices, report)
    if stepping is None or report.failed:
        return None
    dtype = settings.dtype or "float64"
    choices.append(
        Choice("dtype", dtype, "asked for" if settings.dtype else "double precision", bool(settings.dtype))
    )
    return Plan(
        system, method, grid, order if method == "fd" else 0, dealias, stepping, frames, dtype, tuple(choices)
    )


def _order(method: Method, settings: Settings, choices: list[Choice]) -> int:
    if method == "spectral":
        return 0
    order = settings.order or 4
    reason = "asked for" if settings.order else "a good balance of accuracy and cost"
    choices.append(Choice("order", str(order), reason, bool(settings.order), settings.places.get("order")))
    return order


def _grid(
    system: System,
    method: Method,
    order: int,
    settings: Settings,
    nature: Character,
    choices: list[Choice],
    report: Report,
) -> tuple[GridAxis, ...] | None:
    values = nominal(system)
    counts = settings.n or (POINTS[len(system.axes)],) * len(system.axes)
    grid = tuple(
        GridAxis(a.name, float(sample(a.lower, values)), float(sample(a.upper, values)), n, a.periodic)
        for a, n in zip(system.axes, counts, strict=True)
    )
    highest = max(nature.constant, nature.variable, 1)
    # A one-sided closure reads highest + order points; a periodic stencil must not overlap itself.
    least = highest + order + 1 if method == "fd" else 4
    for axis in grid:
        if axis.n < max(least, 2 * radius(highest, order) + 1 if method == "fd" else 4):
            report.error(
                "P403",
                settings.places.get("n", system.problem.span),
                f"{axis.n} points along {axis.name} are too few for this method, which needs {least}",
                help=f"choose n of at least {least}" + (", or a lower order" if method == "fd" else ""),
            )
            return None
    shown = " x ".join(str(n) for n in counts)
    reason = "asked for" if settings.n else f"the default in {len(counts)}-D"
    choices.append(Choice("n", shown, reason, settings.n is not None, settings.places.get("n")))
    return grid


def _dealias(
    method: Method, settings: Settings, nature: Character, dimension: int, choices: list[Choice]
) -> tuple[float, ...]:
    if method != "spectral":
        return (1.0,) * dimension
    degree = nature.degree
    if settings.dealias is not None:
        kept, reason = settings.dealias, "asked for"
    elif degree == -1:
        kept, reason = 2 / 3, "the nonlinearity is no polynomial: products of two are kept exact"
    elif degree <= 1:
        kept, reason = 1.0, "the equations are linear: nothing aliases"
    else:
        kept, reason = (
            2 / (degree + 1),
            f"the nonlinearity has degree {degree}: 2/({degree} + 1) of the modes",
        )
    choices.append(
        Choice("dealias", f"{kept:.3g}", reason, settings.dealias is not None, settings.places.get("dealias"))
    )
    return (kept,) * dimension


def _warn_growth(system: System, report: Report) -> None:
    growth = unbounded_growth(system)
    if growth is None:
        return
    report.warning(
        "P306",
        growth.span,
        f"the problem is ill-posed forward in time: short waves grow like |k|^{growth.power:.2g}",
        label="this term feeds them",
        notes=(
            Note(f"a wave of length {growth.wavelength:g} grows by e in a time of {1 / growth.rate:.2g}"),
        ),
        help="check the sign of this term",
    )


def _fd_symbol(grid: tuple[GridAxis, ...], accuracy: int) -> Symbol:
    def symbol(axis: int, order: int, k: np.ndarray) -> np.ndarray:
        h = grid[axis].spacing
        return centred_symbol(order, accuracy, k * h) / h**order

    return symbol


def explicit_bound(
    system: System,
    frozen: Linearisation,
    method: Method,
    order: int,
    grid: tuple[GridAxis, ...],
    dealias: tuple[float, ...],
    stepper: StepperName,
) -> tuple[float, Span | None, bool]:
    """(largest stable dt, the term that limits it, whether damping rather than waves sets it)."""
    symbol = exact_symbol if method == "spectral" else _fd_symbol(grid, order)
    modes = []
    for axis, kept in zip(grid, dealias, strict=True):
        fractions = np.array([0, 0.25, 0.5, 0.6, 0.75, 1.0])
        top = np.pi / axis.spacing * (kept if method == "spectral" else 1.0)
        modes.append(np.concatenate([-top * fractions[:0:-1], top * fractions]))
    spectrum = eigenvalues(system, frozen, modes, symbol)
    bound = largest_step(stepper, spectrum)
    limiter = None
    if np.isfinite(bound):
        best = bound
        for span in sorted({e.span for e in frozen.entries}):
            without = largest_step(stepper, eigenvalues(system, frozen.without(span), modes, symbol))
            if without > best * 1.01:
                best, limiter = without, span
    largest = spectrum.ravel()[np.argmax(np.abs(spectrum.ravel()))] if spectrum.size else 0.0
    return bound, limiter, bool(abs(np.real(largest)) > abs(np.imag(largest)))


def _stepping(
    system: System,
    method: Method,
    order: int,
    grid: tuple[GridAxis, ...],
    dealias: tuple[float, ...],
    settings: Settings,
    nature: Character,
    duration: float,
    choices: list[Choice],
    report: Report,
) -> Stepping | None:
    frozen = linearise(system, {1: 24, 2: 8, 3: 4}[len(grid)])
    name = settings.step
    place = settings.places.get("step")
    if name in ("etdrk4", "etdrk2") and method == "fd" and place is not None:
        report.error(
            "P401",
            place,
            f"`{name}` integrates Fourier modes exactly and needs the spectral method",
            help="use `imex`, `implicit` or an explicit Runge-Kutta stepper",
        )
        return None
    if name is None:
        name, reason = _default_stepper(system, frozen, method, order, grid, dealias, nature, duration)
    else:
        reason = "asked for"
    choices.append(Choice("step", name, reason, settings.step is not None, place))
    bound: float | None = None
    limiter: Span | None = None
    if name in POLYNOMIALS:
        limit, limiter, _ = explicit_bound(system, frozen, method, order, grid, dealias, name)
        bound = limit if np.isfinite(limit) else None
        if limit == 0.0:
            report.warning(
                "P408",
                place or system.problem.span,
                f"no step is stable with `{name}`: the equations carry undamped waves",
                help="use `rk4` or `dopri5`",
            )
            bound = None
    tol = settings.tol or 1e-6
    if settings.dt is not None:
        _check_dt(settings, bound, name, limiter, report)
        choices.append(Choice("dt", f"{settings.dt:g}", "asked for", True, settings.places.get("dt")))
    elif bound is not None and name == "euler":
        choices.append(Choice("dt", f"{SAFETY * bound:.3g}", f"{SAFETY} of the stable step"))
    else:
        reason = f"adaptive, relative tolerance {tol:g}"
        if name in ("etdrk4", "etdrk2"):
            reason = f"chosen per frame and checked by halving it, relative tolerance {tol:g}"
        elif bound is not None:
            reason += f", at most the stable step {bound:.3g}"
        choices.append(Choice("dt", "adaptive", reason, settings.tol is not None))
    dt = settings.dt
    if dt is None and name in ("euler", "rk2", "rk4") and bound is not None:
        # These have no error estimate of their own: a fixed step inside the stable range.
        dt = min(SAFETY * bound, duration / 100)
    elif dt is None and name in ("euler", "rk2", "rk4"):
        dt = duration / 1000
    scale = max(_scale(system), 1e-300)
    return Stepping(name, ORDERS[name], dt, tol, tol * 1e-2 * scale, bound, limiter)


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


def _check_dt(
    settings: Settings, bound: float | None, name: StepperName, limiter: Span | None, report: Report
) -> None:
    if bound is None or settings.dt is None or settings.dt <= bound * 1.02:
        return
    notes = ()
    if limiter is not None:
        notes = (Note(f"line {report.source.position(limiter.start)[0]} limits the step", limiter),)
    report.warning(
        "P409",
        settings.places["dt"],
        f"dt = {settings.dt:g} is above the stable step of `{name}`, about {bound:.3g}",
        notes=notes,
        help=f"choose dt below {SAFETY * bound:.2g}, or remove `dt`",
    )


def _default_stepper(
    system: System,
    frozen: Linearisation,
    method: Method,
    order: int,
    grid: tuple[GridAxis, ...],
    dealias: tuple[float, ...],
    nature: Character,
    duration: float,
) -> tuple[StepperName, str]:
    if method == "spectral":
        return "etdrk4", "the linear part has a Fourier symbol: it is integrated exactly"
    bound, _, damped = explicit_bound(system, frozen, method, order, grid, dealias, "dopri5")
    steps = duration / bound if bound > 0 else float("inf")
    if steps <= STIFF or max(nature.constant, nature.variable) < 2:
        return "dopri5", f"not stiff: about {max(steps, 1):.0f} explicit steps are stable"
    if nature.variable >= 2 or not damped:
        return "implicit", f"stiff: an explicit stepper would need about {steps:.2g} steps"
    if nature.degree == 0:
        return "implicit", f"stiff and linear: an explicit stepper would need about {steps:.2g} steps"
    return "imex", f"stiff in its linear part: an explicit stepper would need about {steps:.2g} steps"
