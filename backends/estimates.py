"""What a run will ask of the machine, told before it starts."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.machine import machine_memory, size_text
from nablax.plan import Plan, StepperName

COPIES: Mapping[StepperName, int] = {
    "etdrk4": 16,  # state, stages, and the coefficient functions of every mode
    "etdrk2": 10,
    "imex": 16,
    "implicit": 14,
    "euler": 4,
    "rk2": 6,
    "ssprk3": 6,
    "rk4": 8,
    "dopri5": 12,
    "leapfrog": 4,
    "l1": 20,
    "l21sigma": 22,
    "cq": 12,
    "mittag_leffler": 16,
    "newton": 30,  # the basis of GMRES
}
STAGES: Mapping[StepperName, int] = {
    "etdrk4": 4,
    "etdrk2": 2,
    "imex": 6,
    "implicit": 20,
    "euler": 1,
    "rk2": 2,
    "ssprk3": 3,
    "rk4": 4,
    "dopri5": 6,
    "leapfrog": 1,
    "l1": 6,
    "l21sigma": 6,
    "cq": 6,
    "mittag_leffler": 8,
    "newton": 1,
}
RATE = 2e7  # unknowns a second through one stage, on one slow core: an estimate errs on the early side
LONG = 86400.0  # seconds


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes of working memory, bytes on disk, and seconds (None when the step is not known beforehand)."""

    memory: float
    disk: float
    seconds: float | None


def estimate(plan: Plan, members: int = 1) -> Estimate:
    """The needs of so many runs of this plan at once, each within a factor of a few."""
    real = 8 if plan.dtype == "float64" else 4
    width = sum((2 if u.complex else 1) for u in plan.system.unknowns)
    saved = sum((2 if c.complex else 1) for c in plan.system.problem.components)
    points = float(prod(plan.shape)) * members
    step = plan.stepping.dt if plan.stepping.dt is not None else plan.stepping.bound
    seconds = None
    if step and plan.frames:
        steps = (plan.frames[-1] - plan.frames[0]) / step
        seconds = steps * points * width * STAGES[plan.stepping.name] / RATE
    return Estimate(
        memory=points * width * real * COPIES[plan.stepping.name],
        disk=points * saved * real * len(plan.frames),
        seconds=seconds,
    )


def check_estimate(plan: Plan, folder: Path, report: Report, members: int = 1) -> None:
    """Report what goes beyond the machine: P450 memory, P451 disk (errors), P452 time (a warning)."""
    needs = estimate(plan, members)
    grid = " x ".join(str(p) for p in plan.shape)
    several = f", {members} members" if members > 1 else ""
    span = _span_of(plan, "n")
    memory = machine_memory()
    if memory is not None and needs.memory > memory:
        report.error(
            "P450",
            span,
            f"the run needs about {size_text(needs.memory)} of memory, "
            f"and the machine has {size_text(memory)}",
            label=f"a grid of {grid} points{several}",
            notes=[Note(f"{plan.stepping.name} keeps about {COPIES[plan.stepping.name]} arrays per unknown")],
            help="lower n" if members == 1 else "lower n, or sweep over fewer values at once",
        )
    try:
        usage = shutil.disk_usage(folder)
        free = float(usage.free) if usage.total else float("inf")  # no disk at all, such as /proc
    except OSError:
        free = float("inf")
    if needs.disk > free:
        report.error(
            "P451",
            _span_of(plan, "every"),
            f"the frames fill about {size_text(needs.disk)}, and the disk has {size_text(free)} free",
            label=f"{len(plan.frames)} frames of {grid} points{several}",
            help="save fewer frames (`every` in the output block), or write to another disk with -o",
        )
    if needs.seconds is not None and needs.seconds > LONG:
        report.warning(
            "P452",
            span,
            f"the run may take about {needs.seconds / 86400:.3g} days",
            label=f"a grid of {grid} points{several}",
            help="lower n, or shorten the time",
        )


def _span_of(plan: Plan, option: str) -> Span:
    problem = plan.system.problem
    for entry in (*problem.solve, *problem.output):
        if entry.name == option and entry.span.end <= len(problem.source.text):
            return entry.span
    first = problem.axes[0].span if problem.axes else problem.span
    return first
