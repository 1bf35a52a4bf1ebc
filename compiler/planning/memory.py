"""How a system whose derivatives in time remember the past is stepped: the steps, and what keeps the past."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nablax.frontend.diagnostics import Report
from nablax.notation import text
from nablax.past import scale_of
from nablax.plan import PROPAGATED, Choice, Recall, StepperName, Stepping
from nablax.planning.engines import choose_engine
from nablax.planning.meshes import step_times
from nablax.planning.remembering import choose_stepper
from nablax.planning.scales import increments, shares_of
from nablax.planning.settings import Settings
from nablax.planning.spectrum import nominal
from nablax.planning.starts import check_rest, relative_rate, warn_bounded, warn_uniform
from nablax.planning.stepping import Situation
from nablax.sampling import sample
from nablax.system import System

STEPS = 512  # of a graded mesh that nothing else decides
FEWEST, MOST = 16, 50_000  # steps that a tolerance asks for
ERROR: Mapping[StepperName, float] = {"l1": 0.65, "l21sigma": 0.3, "cq": 0.1}
"""Of E_α(-t^α) up to t = 1 by n steps, times n to the power of the order: measured, the largest of some α
between 0.3 and 0.8 (graded: the largest in time; quadrature: at the end)."""
STEEPEST = 8.0  # grading: beyond, the first steps are lost in rounding
TOLERANCE = {"float64": 1e-9, "float32": 1e-6}  # of the sum of exponentials, relative to the kernel


def choose_memory(
    situation: Situation, times: Sequence[float], settings: Settings, choices: list[Choice], report: Report
) -> Stepping | None:
    """The stepper, its mesh and its engine; None and a located message where there is none."""
    system = situation.system
    remembering = [e for e in system.evolution if e.memory]
    values = nominal(system)
    if system.time is not None:
        values[system.time.symbol] = np.linspace(times[0], times[-1], 33)
    # The steps follow the start of the solution, where an order that varies has its first value.
    sampled = [[np.ravel(sample(m.strength, values)) for m in e.memory] for e in remembering]
    orders = [float(o.max()) for own in sampled for o in own]
    starts = [[float(o[0]) for o in own] for own in sampled]
    chosen = choose_stepper(situation, settings, max(orders), report)
    if chosen is None or not check_rest(system, report):
        return None
    warn_bounded(system, report)
    name, reason = chosen
    top = max(orders)
    choices.append(Choice("step", name, reason, settings.step is not None, settings.places.get("step")))
    if name in PROPAGATED:
        tolerance = TOLERANCE[settings.dtype or "float64"]
        recall = Recall("direct", 1, 1.0, len(times) - 1, 0.0, times[-1] - times[0], tolerance)
        return Stepping(name, 1, None, tolerance, 0.0, recall=recall)
    if settings.dt is not None and name != "cq":
        warn_uniform(system, settings.places["dt"], min(max(own) for own in starts), report)
    steps = _steps(system, name, orders, (times[0], times[-1]), settings, report)
    recall = _mesh(system, name, starts, steps, (times[0], times[-1]), settings, choices)
    mesh = step_times(recall, settings.dt, (times[0], times[-1]), times)
    lengths = np.concatenate([np.diff(m) for m in mesh])
    if name == "cq" and lengths.max() > lengths.min() * (1 + 1e-6):
        report.error(
            "P401",
            settings.places.get("step", remembering[0].memory[0].span),
            "`cq` takes equal steps, and these output times lie on none",
            notes=settings.origin("step"),
            help="use `step = l1`, or a `dt` and `every` that divide all times of output",
        )
        return None
    recall = replace(recall, capacity=len(lengths), shortest=_shortest(system, name, top, mesh))
    if settings.tol is not None and settings.dt is None:
        reason = f"the error of {recall.steps} steps in a mode that decays as fast as the initial data"
        choices.append(Choice("tol", f"{settings.tol:g}", reason, True, settings.places.get("tol")))
    engine = choose_engine(situation, name, settings, len(lengths), choices, report)
    if engine is None:
        return None
    order = 1 if name == "l1" else 2
    return Stepping(name, order, settings.dt, recall.tol, 0.0, recall=replace(recall, engine=engine))


def _steps(
    system: System,
    name: StepperName,
    orders: Sequence[float],
    ends: tuple[float, float],
    settings: Settings,
    report: Report,
) -> int:
    """How many steps a tolerance asks for: from the error that the scheme has in a decaying mode which
    changes as fast as the initial data."""
    if settings.tol is None or settings.dt is not None:
        return STEPS
    top = max(orders)
    order = 2 - _steepest(orders) if name == "l1" else 2.0
    rate = relative_rate(system) or 0.0
    change = max(1.0, rate * (ends[1] - ends[0]) ** top)
    wanted = (ERROR[name] * change / settings.tol) ** (1 / order)
    if wanted > MOST:
        others = " or ".join(f"`step = {s}`" for s in ("l21sigma", "cq") if s != name and top <= 1)
        report.warning(
            "P575",
            settings.places["tol"],
            f"this asks for {wanted:.2g} steps of order {order:.3g}, and {MOST:,} are taken",
            help=f"use {others}, of order 2" if order < 2 and others else "ask for less",
        )
    return int(np.clip(np.ceil(wanted), FEWEST, MOST))


def _mesh(
    system: System,
    name: StepperName,
    starts: Sequence[Sequence[float]],
    steps: int,
    ends: tuple[float, float],
    settings: Settings,
    choices: list[Choice],
) -> Recall:
    """The steps that are asked for, or those that suit the start of the solution."""
    tolerance = TOLERANCE[settings.dtype or "float64"]
    plain = Recall("direct", steps, 1.0, 0, 0.0, ends[1] - ends[0], tolerance)
    scale, time = scale_of(system), system.time
    if scale is not None and time is not None:
        shares, growth = shares_of(scale, time.symbol, nominal(system), *ends)
        plain = replace(plain, longest=growth, shares=shares)
    if settings.dt is not None:
        place = settings.places.get("dt")
        choices.append(Choice("dt", f"{settings.dt:g}", "asked for: equal steps", True, place))
        return plain
    if name == "cq":
        choices.append(Choice("mesh", f"{steps} equal steps", "the quadrature takes equal steps only"))
        return plain
    grading = min(max(_grading(own, name) for own in starts), _steepest_apart(steps, ends))
    reason = (
        f"solutions start like t^{min(map(_regularity, starts)):.3g}: steps grow like n^{grading - 1:.3g}"
        if grading > 1
        else "solutions are smooth enough at the start for equal steps"
    )
    measured = "" if scale is None else f" in {text(scale)}"
    choices.append(Choice("mesh", f"{steps} steps, graded {grading:.3g}{measured}", reason))
    return replace(plain, grading=grading)


def _regularity(orders: Sequence[float]) -> float:
    """σ of the solution's start u0 + t^σ (per derivative in front of the highest fractional one)."""
    top = max(orders)
    inner = [a for a in orders if a != int(a)]
    if not inner:
        return top  # classical derivatives only: parameters may make orders whole
    if top == int(top):
        return top - max(inner) + 1 if top == 1 else top - max(inner)
    return top - int(top)


def _steepest(orders: Sequence[float]) -> float:
    """The largest of the orders beyond whole numbers; 0 where all are whole."""
    return max(a - int(a) for a in orders)


def _grading(orders: Sequence[float], name: StepperName) -> float:
    """The exponent that gives the full order of the scheme (M. Stynes, E. O'Riordan, J. L. Gracia, SIAM J.
    Numer. Anal. 55 (2017) 1057; H. Liao, W. McLean, J. Zhang, SIAM J. Numer. Anal. 57 (2019) 218)."""
    if all(a == int(a) for a in orders):
        return 1.0
    full = 2.0 if name == "l21sigma" else 2 - _steepest(orders)
    return float(np.clip(full / _regularity(orders), 1.0, STEEPEST))


def _steepest_apart(steps: int, ends: tuple[float, float]) -> float:
    """The grading whose first step is still a few roundings of the time where it starts."""
    rounding = 16 * float(np.finfo(float).eps) * abs(ends[0])
    if rounding == 0:
        return STEEPEST
    return max(1.0, float(np.log((ends[1] - ends[0]) / rounding) / np.log(steps)))


def _shortest(system: System, name: StepperName, top: float, mesh: Sequence[np.ndarray]) -> float:
    """The shortest lag that a memory looks back, by the measure of its own."""
    scale, time = scale_of(system), system.time
    if scale is None or time is None:
        lengths = np.concatenate([np.diff(m) for m in mesh])
        return float(lengths.min()) * (1 - top / 2 if name == "l21sigma" else 1)
    begins, ends = (np.concatenate([m[part] for m in mesh]) for part in (slice(None, -1), slice(1, None)))
    return float(increments(scale, time.symbol, nominal(system), begins, ends).min())
