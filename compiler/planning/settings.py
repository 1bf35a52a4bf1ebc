"""The `solve` and `output` options of a spec, read and checked."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar, get_args

import sympy as sp

from nablax.frontend.diagnostics import Edit, Note, Report
from nablax.frontend.source import Span
from nablax.limits import AXIS_POINTS, FRAMES, GRID_POINTS
from nablax.meaning.options import number
from nablax.meaning.values import Fault, fault, outside
from nablax.plan import Dtype, Engine, StepperName
from nablax.problem import Option, Problem

T = TypeVar("T")
METHODS = ("spectral", "fd", "fv")
LATER_METHODS = ("network", "pinn", "fe")
MEMORY_STEPPERS: tuple[StepperName, ...] = ("l1", "l21sigma", "cq", "mittag_leffler")
_SAME = {"time": "step"}
STEPPERS: tuple[StepperName, ...] = tuple(s for s in get_args(StepperName) if s != "newton")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the spec asks for; None where it leaves the choice to the compiler.

    `places` maps an option's name to where it stands, `given` to the flag that brought it from outside.
    """

    method: str | None
    n: tuple[int, ...] | None
    order: int | None
    step: StepperName | None
    dt: float | None
    tol: float | None
    dtype: Dtype | None
    dealias: float | None
    every: float | None
    tune: bool | None
    memory: Engine | None
    places: dict[str, Span]
    given: dict[str, str]

    def origin(self, name: str) -> tuple[Note, ...]:
        """What a message about an option adds when the option does not stand in the text."""
        return (Note(f"`{self.given[name]}` asks for it"),) if name in self.given else ()


def read_settings(problem: Problem, report: Report) -> Settings:
    """Every option checked for its kind and range; what fails is in the report and left None."""
    given = {o.name: o for o in (*problem.solve, *problem.output)}

    def read(name: str, reader: Callable[[Option], T]) -> T | None:
        if name not in given:
            return None
        try:
            return reader(given[name])
        except Fault as error:
            option = given[name]
            (outside(option.given, error) if option.given else error).tell(report)
            return None

    if "time" in given and "step" in given:
        report.error(
            "P105",
            given["time"].span,
            "`time` and `step` name the same choice",
            help="keep `step`",
        )
    return Settings(
        method=read("method", _method),
        n=read("n", lambda o: _points(o, len(problem.axes))),
        order=read("order", _order),
        step=read("step", _step) or read("time", _memory_step),
        dt=read("dt", _positive),
        tol=read("tol", _positive),
        dtype=read("dtype", _dtype),
        dealias=read("dealias", _dealias),
        every=read("every", _positive),
        tune=read("tune", lambda o: _word(o, ("on", "off"), "setting of `tune`") == "on"),
        memory=read("memory", _memory),
        places={_SAME.get(name, name): o.span for name, o in given.items()},
        given={name: o.given for name, o in given.items() if o.given},
    )


def _word(option: Option, known: tuple[str, ...], what: str) -> str:
    value = option.value
    if isinstance(value, str) and value in known:
        return value
    shown = value if isinstance(value, str) else sp.sstr(value)
    similar = get_close_matches(shown, known, n=1)
    edits: tuple[Edit, ...] = ()
    if similar and not option.given:
        end = option.span.end
        edits = (Edit(Span(end - len(shown), end), similar[0]),)
    raise fault(
        "P406",
        option.span,
        f"`{shown}` is no {what}",
        f"did you mean `{similar[0]}`?" if similar else f"use one of {', '.join(known)}",
        edits=edits,
    )


def _method(option: Option) -> str:
    if option.value in LATER_METHODS:
        raise fault(
            "P402",
            option.span,
            f"the method `{option.value}` is not available yet",
            f"use one of {', '.join(METHODS)}, or leave the choice to the compiler",
        )
    return _word(option, METHODS, "method")


def _step(option: Option) -> StepperName:
    word = _word(option, STEPPERS, "time stepper")
    return next(s for s in STEPPERS if s == word)


def _memory_step(option: Option) -> StepperName:
    word = _word(option, MEMORY_STEPPERS, "scheme for derivatives that remember the past")
    return next(s for s in MEMORY_STEPPERS if s == word)


def _memory(option: Option) -> Engine:
    word = _word(option, ("direct", "sum_of_exponentials"), "way to remember the past")
    return "direct" if word == "direct" else "exponentials"


def _dtype(option: Option) -> Dtype:
    return "float32" if _word(option, ("float64", "float32"), "dtype") == "float32" else "float64"


def _points(option: Option, dimension: int) -> tuple[int, ...]:
    values = option.value if isinstance(option.value, tuple) else (option.value,) * dimension
    if len(values) != dimension:
        raise fault(
            "P403",
            option.span,
            f"`n` has {len(values)} entries, and the space has {dimension} "
            + ("axis" if dimension == 1 else "axes"),
            "give one number for all axes, or a list with one per axis",
        )
    found: list[int] = []
    for value in values:
        if not (isinstance(value, sp.Integer) and value > 0):
            raise fault(
                "P403", option.span, "the number of points is a positive whole number", "write `n = 256`"
            )
        found.append(int(min(value, AXIS_POINTS + 1)))
    total = 1
    for n in found:
        total *= n
    if max(found) > AXIS_POINTS or total > GRID_POINTS:
        raise fault(
            "P403",
            option.span,
            f"this grid has more than {AXIS_POINTS:,} points on an axis or {GRID_POINTS:,} in all",
            "choose a smaller `n`",
        )
    return tuple(found)


def _order(option: Option) -> int:
    if option.value in (2, 4, 5, 6, 8):
        return int(option.value)
    raise fault(
        "P403",
        option.span,
        "finite differences have order 2, 4, 6 or 8, and finite volumes 2 or 5",
        "choose one of these",
    )


def _positive(option: Option) -> float:
    value = number(option)
    if value <= 0:
        help = f"write `{option.name} = 0.01`"
        if option.name == "tol":
            help = "write `tol = 1e-6`: the error, relative to the fields, that steps or iterations aim at"
        raise fault("P405", option.span, f"`{option.name}` must be positive", help)
    return value


def _dealias(option: Option) -> float:
    if option.value in ("none", "off"):
        return 1.0
    value = number(option)
    if not 0 < value <= 1:
        raise fault(
            "P407",
            option.span,
            "`dealias` is the kept fraction of the modes, above 0 and at most 1",
            "write `dealias = 2/3`, or `dealias = none`",
        )
    return value


def frame_times(
    problem: Problem, start: float, end: float, settings: Settings, report: Report
) -> tuple[float, ...]:
    """Output times: both ends, every interval between them, and the times that expectations speak of.

    By default 100 intervals, and never more than steps of a `dt` that the spec fixes.
    """
    every, places = settings.every, settings.places
    _warn_fixed(settings, end - start, report)
    steps = 100.0 if settings.dt is None else max(1.0, float(round((end - start) / settings.dt)))
    intervals = min(100.0, steps)
    count = intervals if every is None else (end - start) / every
    if count > FRAMES:
        report.error(
            "P405",
            places["every"],
            f"this makes {count:.3g} frames, and the limit is {FRAMES:,}",
            help="write less often",
        )
        return (start, end)
    step = (end - start) / intervals if every is None else every
    times = [start + i * step for i in range(int(count + 1e-9) + 1)]
    near = 1e-9 * (end - start)
    nominal = {p.symbol: p.value for p in problem.parameters}
    extra = [float(e.at.subs(nominal)) for e in problem.expectations if e.at is not None]
    for time in (end, *extra):
        if all(abs(time - t) > near for t in times):
            times.append(time)
    ordered = sorted(min(t, end) for t in times)
    ordered[-1] = end
    return tuple(ordered)


def _warn_fixed(settings: Settings, duration: float, report: Report) -> None:
    """A fixed step that is longer than the run, or stands beside a tolerance that nothing follows then."""
    if settings.dt is None:
        return
    if settings.dt > duration * (1 + 1e-9):
        report.warning(
            "P405",
            settings.places["dt"],
            f"dt = {settings.dt:g} is longer than the whole time, {duration:g}",
            label="one shorter step is taken",
            notes=settings.origin("dt"),
            help=f"choose dt below {duration:g}",
        )
    if settings.tol is not None:
        report.warning(
            "P412",
            settings.places["tol"],
            "`dt` fixes the step, and `tol` has no say in it",
            notes=settings.origin("tol"),
            help="remove `tol`, or remove `dt` for steps that follow `tol`",
        )
