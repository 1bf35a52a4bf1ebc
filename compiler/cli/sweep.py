"""`nablax run --sweep`: one program over all values, and the outcome of each as a line of text."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.messages import FileProblem, print_diagnostics
from nablax.cli.outcome import duration
from nablax.frontend.diagnostics import Diagnostic, Note, Report, Severity
from nablax.frontend.source import Source
from nablax.overrides import Overrides
from nablax.sweeps import Sweep, SweepError, parse_sweep

if TYPE_CHECKING:
    from nablax.backends.run import Target
    from nablax.backends.sweep import Outcome, Point
    from nablax.plan import Plan

MOST_LINES = 20  # members with their verdicts, in print


def read_sweep(texts: Sequence[str]) -> Sweep:
    """What `--sweep` asks for. Raises `click.BadParameter`."""
    try:
        return parse_sweep(texts)
    except SweepError as error:
        raise click.BadParameter(str(error), param_hint="--sweep") from None


def plan_members(
    source: Source, sweep: Sweep, changes: Overrides, folder: Path
) -> "tuple[Plan, Report, list[dict[str, float]], tuple[str, ...]]":
    """One plan for all, warnings of every member once, each one's parameters, and remarks on what they share.
    Raises `SpecError`."""
    from nablax.pipeline import compile_plan
    from nablax.planning.members import common_plan, shared_mesh

    plans = []
    told = Report(source)
    for values in sweep.members:
        member = Overrides({**changes.parameters, **values}, changes.solve, swept=frozenset(values))
        plan, report = compile_plan(source, member, folder)
        plans.append(plan)
        known = {(d.code, d.span) for d in told.diagnostics}
        first = Note(f"first for the member with {', '.join(f'{n} = {v}' for n, v in values.items())}")
        told.diagnostics.extend(
            replace(d, notes=(*d.notes, first)) for d in report.diagnostics if (d.code, d.span) not in known
        )
    common = common_plan(plans, sweep.names, told)
    told.check()
    assert common is not None
    parameters = [{p.name: float(p.value) for p in plan.system.parameters} for plan in plans]
    return common, told, parameters, shared_mesh(plans, common)


def run_members(
    source: Source,
    sweep: Sweep,
    changes: Overrides,
    target: "Target",
    silent: bool,
) -> "tuple[Outcome, Report]":
    """Solve, save, judge and draw. Raises `SpecError` and `FileProblem`."""
    from nablax.backends.output.paths import OutputError
    from nablax.backends.run import prepare
    from nablax.backends.sweep import run_sweep
    from nablax.cli.progress import watching
    from nablax.cli.run import build_solver, quiet_jax

    plan, report, parameters, remarks = plan_members(source, sweep, changes, target.folder)
    try:
        prepared = prepare(plan, target, report, len(parameters))
        quiet_jax(plan.dtype == "float64")
        solver = build_solver(plan, report)
        with watching(prepared.outline, silent) as watcher:
            outcome = run_sweep(prepared, solver, sweep, parameters, watcher)
        return replace(outcome, remarks=remarks), report
    except OutputError as error:
        raise FileProblem(str(error)) from None


def describe(outcome: "Outcome") -> str:
    """Where the files are, and what became of each member."""
    lines = []
    count = len(outcome.points)
    if outcome.data is not None:
        lines.append(f"{outcome.data}  {outcome.frames} frames of {count} members")
    lines += [str(p) for p in outcome.pictures]
    # Those that failed first, where there are too many for a screen.
    order = sorted(outcome.points, key=lambda p: p.met and p.status == "done") if count > MOST_LINES else None
    shown = (order or outcome.points)[:MOST_LINES]
    lines += [line for point in shown for line in _point(point)]
    if count > MOST_LINES:
        good = sum(p.met and p.status == "done" for p in outcome.points)
        lines.append(f"... and {count - MOST_LINES} more; {good} of {count} members are as expected")
    lines += outcome.remarks
    lines.append(f"{count} members in {duration(outcome.seconds)}")
    if outcome.status == "interrupted":
        lines.append("interrupted: the dataset holds the frames up to here")
    return "\n".join(lines)


def _point(point: "Point") -> list[str]:
    from nablax.backends.sweep import named
    from nablax.cli.outcome import measured

    name = named(point.values)
    if point.status == "broken":
        reached = "" if point.reached is None else f", sound up to {point.reached:g}"
        return [f"✗ {name}  broke down{reached}"]
    if not point.verdicts:
        return [f"  {name}"]
    return [f"{'✓' if v.passed else '✗'} {name}  {v.text}  {measured(v, True)}" for v in point.verdicts]


def tell_members(source: Source, outcome: "Outcome", before: Sequence[Diagnostic], quiet: bool) -> None:
    """Print what became of a sweep, with the messages from before it."""
    shown = (*before, *outcome.diagnostics)
    print_diagnostics(source, [d for d in shown if not quiet or d.severity is Severity.ERROR])
    if not quiet:
        click.echo(describe(outcome))


def exit_code(outcome: "Outcome") -> int:
    """130 interrupted, 3 a member broke down, 4 an expectation missed, else 0."""
    if outcome.status == "interrupted":
        return 130
    if outcome.status == "broken":
        return 3
    return 0 if all(p.met for p in outcome.points) else 4


def facts(outcome: "Outcome") -> dict[str, object]:
    """The outcome as JSON holds it."""
    from nablax.cli.run import verdict_facts

    return {
        "status": outcome.status,
        "exit_code": exit_code(outcome),
        "data": None if outcome.data is None else str(outcome.data),
        "pictures": [str(p) for p in outcome.pictures],
        "frames": outcome.frames,
        "seconds": outcome.seconds,
        "remarks": list(outcome.remarks),
        "members": [
            {
                "parameters": dict(p.values),
                "status": p.status,
                "reached": p.reached,
                "expect": [verdict_facts(v) for v in p.verdicts],
            }
            for p in outcome.points
        ],
    }
