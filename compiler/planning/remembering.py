"""Which stepper takes derivatives in time that remember the past, and what none of them takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.past import nominal_order, scale_of, signature
from nablax.plan import PROPAGATED, StepperName
from nablax.planning.propagation import REASON, Obstacle, obstacle
from nablax.planning.settings import MEMORY_STEPPERS, Settings
from nablax.planning.stepping import Situation
from nablax.system import Evolution, Memory, System, root_of

Chosen = tuple[StepperName, str]
"""A stepper and the reason for it."""


def choose_stepper(situation: Situation, settings: Settings, top: float, report: Report) -> Chosen | None:
    """The stepper for orders up to `top`; None and a located message where there is none."""
    system = situation.system
    remembered = _remembered(system)
    apart = obstacle(system, situation.method, situation.grid)
    chosen = _named(system, settings, top, apart, report)
    if chosen is None:
        return None
    if chosen[0] in PROPAGATED:
        unfit = _meeting(settings, remembered[0], apart)
        if unfit is not None:
            _refuse(unfit, settings, report)
            return None
    classical = _whole_by_value(system)
    if classical is not None and nominal_order(classical, system) > 1:
        report.error(
            "P401",
            classical.span,
            "parameters make this order 2, and steppers that remember the past take orders below",
            help="write the order as a number: that is the classical derivative",
        )
        return None
    if classical is not None and chosen[0] == "cq" and settings.step is None:
        chosen = "l1", "the parameters make an order whole: its derivative is the classical one"
    unfit = _unfit(system, chosen[0], top, classical)
    if unfit is not None:
        _refuse(unfit, settings, report)
        return None
    return chosen if _possible(system, top, report) else None


@dataclass(frozen=True, slots=True)
class _Unfit:
    """Why a stepper does not take a derivative, and what does."""

    reason: str
    memory: Memory
    help: str


def _refuse(unfit: _Unfit, settings: Settings, report: Report) -> None:
    report.error(
        "P401",
        settings.places.get("step", unfit.memory.span),
        unfit.reason,
        notes=(Note("this one", unfit.memory.span), *settings.origin("step")),
        help=unfit.help,
    )


def _remembered(system: System) -> list[Memory]:
    return [m for e in system.evolution for m in e.memory]


def _named(
    system: System, settings: Settings, top: float, apart: Obstacle | None, report: Report
) -> Chosen | None:
    """The stepper that is asked for, or that suits the highest order."""
    name, first = settings.step, _remembered(system)[0]
    if name is None and apart is None and not _asks_for_steps(settings):
        return "mittag_leffler", REASON
    if name is None and top > 1 and scale_of(system) is None:
        return "cq", "corrected convolution quadrature: order 2 however the solution starts"
    if name is None:
        return "l1", _reason(first, top)
    if name in MEMORY_STEPPERS:
        return name, "asked for"
    others = ", ".join(MEMORY_STEPPERS)
    reason = f"`{name}` forgets the past, and a derivative in time remembers it"
    _refuse(
        _Unfit(reason, first, f"use one of {others}, or leave the choice to the compiler"), settings, report
    )
    return None


def _asks_for_steps(settings: Settings) -> bool:
    return settings.dt is not None or settings.memory is not None


def _meeting(settings: Settings, first: Memory, apart: Obstacle | None) -> _Unfit | None:
    """Why modes are not propagated."""
    if apart is not None:
        reason = f"`mittag_leffler` takes linear equations that fall apart into modes: here is {apart.what}"
        return _Unfit(reason, replace(first, span=apart.span), "use `step = l1` or `step = cq`")
    if _asks_for_steps(settings):
        what = "dt" if settings.dt is not None else "memory"
        return _Unfit(
            f"`mittag_leffler` goes to any time at once, and `{what}` is for steps",
            first,
            f"remove `{what}`, or use `step = l1`",
        )
    return None


def _reason(first: Memory, top: float) -> str:
    if first.kernel != "power":
        return "piecewise linear in time under the memory, implicit: order 2 under a bounded kernel"
    order = "2 - α" if top <= 1 else "3 - α"
    return f"piecewise linear in time under the memory, implicit: order {order} on a graded mesh"


def _unfit(system: System, name: StepperName, top: float, classical: Memory | None) -> _Unfit | None:
    """What this stepper does not take."""
    if name == "l1" or name in PROPAGATED:
        return None
    remembered = _remembered(system)
    if classical is not None:
        return _Unfit(
            f"`{name}` has no start for an order that its parameters make whole",
            classical,
            "use `step = l1`, or write the order as a number",
        )
    time = system.time
    varying = next((m for m in remembered if time is not None and m.order.has(time.symbol)), None)
    if varying is not None:
        return _Unfit(f"`{name}` has no weights for an order that varies", varying, "use `step = l1`")
    bounded = next((m for m in remembered if m.kernel != "power"), None)
    if bounded is not None:
        return _Unfit(
            f"`{name}` has no weights for a bounded kernel", bounded, "use `step = l1`, of order 2 here"
        )
    scaled = next((m for m in remembered if m.scale is not None), None)
    if scaled is not None:
        return _Unfit(f"`{name}` measures the past by the time itself", scaled, "use `step = l1`")
    if name != "l21sigma":
        return None
    if top > 1:
        reason = "`l21sigma` takes derivatives of orders up to 1"
        return _Unfit(reason, remembered[0], "use `step = cq`, of order 2 as well")
    tempered = next((m for m in remembered if m.rate != 0), None)
    if tempered is not None:
        reason = "`l21sigma` has no weights for a tempered derivative"
        return _Unfit(reason, tempered, "use `step = l1`, or `step = cq` of order 2")
    if len({signature(e.memory) for e in system.evolution if _is_top(system, e)}) > 1:
        return _Unfit(
            "`l21sigma` looks at all equations at one moment, and their derivatives in time ask for others",
            remembered[0],
            "use `step = l1` or `step = cq`",
        )
    return None


def _whole_by_value(system: System) -> Memory | None:
    """The first derivative whose order is a whole number at the parameters' values only."""
    time = system.time
    fixed = (
        m
        for m in _remembered(system)
        if not m.order.is_number and not (time is not None and m.order.has(time.symbol))
    )
    return next((m for m in fixed if nominal_order(m, system).is_integer), None)


def _possible(system: System, top: float, report: Report) -> bool:
    """What no stepper with memory takes."""
    remembering = next(e for e in system.evolution if e.memory)
    obstacles = [("a constraint", c.span) for c in system.constraints]
    obstacles += [
        ("a wall that moves by an equation of its own", b.span) for b in system.boundary if b.dynamic
    ]
    obstacles += [
        ("a space derivative of a time derivative", e.span)
        for e in system.evolution
        if any(any(m.orders) or m.multiplier != 1 for m in e.mass)
    ]
    obstacles += [
        ("a second-order equation in time without memory", e.span)
        for e in system.evolution
        if not e.memory and root_of(e.unknown, system.unknowns) != e.unknown
    ]
    partial = [m for m in _remembered(system) if not nominal_order(m, system).is_integer]
    obstacles += [
        ("a memory that measures the time by another function", m.span)
        for m in partial
        if m.scale != partial[0].scale
    ]
    if top > 1:
        obstacles += [
            ("another derivative in time, one of both above order 1,", e.span)
            for e in system.evolution
            if _is_top(system, e) and signature(e.memory) != signature(remembering.memory)
        ]
    return not obstacles or _unavailable(obstacles, remembering, report)


def _unavailable(obstacles: Sequence[tuple[str, Span]], remembering: Evolution, report: Report) -> bool:
    what, span = obstacles[0]
    report.error(
        "P402",
        span,
        f"{what} beside a derivative in time that remembers the past is not available yet",
        notes=(Note("this one", remembering.memory[0].span),),
        help="use the residual of a network: `problem.residual(field)`",
    )
    return False


def _is_top(system: System, equation: Evolution) -> bool:
    return all(u.rate_of != equation.unknown for u in system.unknowns)
