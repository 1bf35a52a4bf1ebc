"""A numerical failure told as a diagnostic: where it happened, and which term limits the step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nablax.backends.frames import Breakdown, Standstill
from nablax.frontend.diagnostics import Diagnostic, Note
from nablax.frontend.source import Span
from nablax.outline import Outline

if TYPE_CHECKING:
    from nablax.system import System


def breakdown_diagnostic(outline: Outline, breakdown: Breakdown) -> Diagnostic:
    """R701: the solution became infinite. R702: the error control drove the step to nothing."""
    where = "".join(f", {axis} = {value:.6g}" for axis, value in breakdown.where.items())
    notes = [_maximum(breakdown)]
    stepping = outline.stepping
    if stepping.bound is not None:
        compared = f"the last step was {breakdown.dt:.3g}; the stable step is about {stepping.bound:.3g}"
        limited = ", set by this term" if stepping.limiter is not None else ""
        notes.append(Note(compared + limited, stepping.limiter))
    else:
        notes.append(Note(f"the last step was {breakdown.dt:.3g}"))
        if stepping.limiter is not None:
            notes.append(Note("short waves grow without bound by this term", stepping.limiter))
    if breakdown.kind == "infinite":
        code, message = "R701", f"`{breakdown.field}` became infinite at t = {breakdown.t:.6g}{where}"
    else:
        code = "R702"
        message = f"the step for `{breakdown.field}` shrank to nothing at t = {breakdown.t:.6g}{where}"
    return Diagnostic(
        code,
        message,
        _equation(outline, breakdown.field),
        label="while this equation advanced",
        notes=tuple(notes),
        help=_remedy(outline, breakdown),
    )


def wall_diagnostic(
    system: "System | None", parameters: Mapping[str, float], breakdown: Breakdown
) -> Diagnostic | None:
    """R705: a condition on a wall had no value, or lost what it is solved for, where a run broke down.

    None where every condition had one, and for compiled files, which hold no conditions (`system` None).
    """
    if system is None:
        return None
    from nablax.planning.wall_values import fault_around

    found = fault_around(system, parameters, breakdown.last_t, breakdown.t)
    note = Note(f"`{breakdown.field}` broke down at t = {breakdown.t:.6g}")
    return None if found is None else found.diagnostic("R705", (note,))


def standstill_diagnostic(outline: Outline, standstill: Standstill) -> Diagnostic:
    """R703: the steady equations were not solved. R704: their data are not compatible."""
    span = _equation(outline, standstill.field)
    if standstill.kind == "data":
        return Diagnostic(
            "R704",
            f"no steady `{standstill.field}` exists: its sources and fluxes through the walls do not balance",
            span,
            label=f"they leave {standstill.defect:.3g} on average over the domain",
            notes=(Note(f"`{standstill.field}` is determined up to a constant, which nothing here fixes"),),
            help="make the sources balance, or fix a value on a wall",
        )
    course = ", ".join(f"{r:.2g}" for r in standstill.residuals[:8])
    more = ", ..." if len(standstill.residuals) > 8 else ""
    last = f"{standstill.residuals[-1]:.3g}" if standstill.residuals else "not a number"
    steps = max(len(standstill.residuals) - 1, 0)
    return Diagnostic(
        "R703",
        f"the steady equations were not solved: after {steps} iteration{'' if steps == 1 else 's'} the "
        f"residual is {last}",
        span,
        label="this equation and those beside it",
        notes=(Note(f"residual by iteration: {course}{more}"),),
        help="there may be no solution: linear equations may be singular or nearly so (a resonance), which "
        "other coefficients or conditions mend; nonlinear ones may want a first guess in an `initial` "
        "block, or hard parameters reached in steps by `--set`",
    )


def _maximum(breakdown: Breakdown) -> Note:
    return Note(
        f"the last finite maximum of |{breakdown.field}| was {breakdown.last_maximum:.3g}, "
        f"at t = {breakdown.last_t:.6g}"
    )


def _remedy(outline: Outline, breakdown: Breakdown) -> str:
    bound, dt = outline.stepping.bound, outline.stepping.dt
    if bound is None and outline.stepping.limiter is not None:
        return "check the sign of the term that feeds short waves: no step and no grid mends such growth"
    if dt is not None and bound is not None and dt > bound:
        return f"set `dt = {0.9 * bound:.2g}`, or leave `dt` out"
    if dt is not None:
        return f"set `dt = {dt / 4:.2g}`, or leave `dt` out; if it fails at the same time, raise n"
    if breakdown.kind == "step":
        return "raise n, or end the time before this moment: the solution may cease to exist there"
    return "raise n; if it fails at the same time, the solution itself may become infinite there"


def _equation(outline: Outline, field: str) -> Span:
    return dict(outline.equations).get(field, outline.span)
