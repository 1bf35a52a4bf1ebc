"""How the past of derivatives in time is kept: every step of it, or decaying modes that stand for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from nablax.frontend.diagnostics import Note, Report
from nablax.past import lines_of, parts_of
from nablax.plan import Choice, Engine, StepperName
from nablax.planning.settings import Settings
from nablax.planning.stepping import Situation
from nablax.system import Memory, System

SWITCH = 64  # steps: the break-even of both engines, measured (docs/benchmarks.md)
SWITCH_QUADRATURE = 512  # of a convolution quadrature, measured: 400 for 1000 points, 600 for 100
LARGE = 2.0**30  # bytes of history worth a warning
NAMES: Mapping[Engine, str] = {"direct": "direct", "exponentials": "sum_of_exponentials"}


def choose_engine(
    situation: Situation,
    name: StepperName,
    settings: Settings,
    steps: int,
    choices: list[Choice],
    report: Report,
) -> Engine | None:
    """The engine for so many steps; None and a located message where the one asked for is impossible."""
    asked, place = settings.memory, settings.places.get("memory")
    unfit = _unfit(situation.system, name)
    if unfit is not None and asked == "exponentials":
        report.error(
            "P401",
            place or unfit.memory.span,
            unfit.fact,
            notes=(Note("this one", unfit.memory.span), *settings.origin("memory")),
            help=", or ".join([*unfit.remedies, "use `memory = direct`"]),
        )
        return None
    switch = SWITCH_QUADRATURE if name == "cq" else SWITCH
    engine: Engine
    if asked is not None:
        engine, reason = asked, "asked for"
    elif steps < switch:
        engine, reason = "direct", f"{steps} steps: fewer than {switch} are summed as they are"
    elif unfit is not None:
        engine, reason = "direct", f"{steps} steps: {unfit.fact}"
    else:
        modes = "decaying modes" if name == "cq" else "decaying modes with positive weights"
        engine, reason = "exponentials", f"{steps} steps: {modes} stand for all of them"
    choices.append(Choice("memory", NAMES[engine], reason, asked is not None, place))
    if engine == "direct":
        _warn_large(situation, name, settings, steps, unfit, report)
    return engine


@dataclass(frozen=True, slots=True)
class _Unfit:
    """Why decaying modes cannot stand for a memory, and what would let them."""

    memory: Memory
    fact: str
    remedies: tuple[str, ...]


def _unfit(system: System, name: StepperName) -> _Unfit | None:
    """The first memory that modes cannot stand for under this stepper."""
    remembered = [m for e in system.evolution for m in e.memory]
    for m in remembered:
        if name == "cq" and m.rate != 0:
            return _Unfit(m, "`cq` sums a tempered derivative over all steps", ("use `step = l1`",))
    clock = set() if system.time is None else {system.time.symbol}
    for m in remembered:
        if m.scale is not None and m.scale.free_symbols - clock:
            fact = "exponentials hold for lags known before the run, and this ψ(t) has parameters"
            return _Unfit(m, fact, ("write the parameters of ψ(t) as numbers",))
    for part in parts_of(lines_of(system), "l1"):
        if part.kernel == "mittag-leffler" and not part.known:
            numbers = all(m.coefficient.is_number and m.order.is_number for m in part.memory)
            what = "a negative coefficient" if numbers else "parameters"
            fact = f"exponentials need a fit, and this kernel of `abc` has {what}"
            return _Unfit(
                part.memory[0], fact, () if numbers else ("write the parameters of `abc` as numbers",)
            )
    return None


def _warn_large(
    situation: Situation,
    name: StepperName,
    settings: Settings,
    steps: int,
    unfit: _Unfit | None,
    report: Report,
) -> None:
    """Say that a history of all steps fills much memory, and what keeps less. A kernel that is an
    exponential has one array whatever is asked for."""
    parts = parts_of(lines_of(situation.system), name)
    summed = [situation.system.unknowns[p.unknown] for p in parts if p.kernel != "exponential"]
    width = sum(2 if u.complex else 1 for u in summed) * (4 if settings.dtype == "float32" else 8)
    size = float(steps * width * prod(a.points for a in situation.grid))
    if size <= LARGE:
        return
    if unfit is None:
        less = ["use `memory = sum_of_exponentials`"]
    else:
        less = [f"{r} and use `memory = sum_of_exponentials`" for r in unfit.remedies]
        less.append("take fewer steps")
    report.warning(
        "P422",
        settings.places.get("memory", situation.system.problem.span),
        f"the history of {steps} steps fills {size / LARGE:.3g} GiB",
        notes=() if unfit is None else (Note(unfit.fact, unfit.memory.span),),
        help=", or ".join(less),
    )
