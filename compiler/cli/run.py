"""`nablax run`: solve, save, judge, draw."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.files import folder_of, read_spec, stem_of
from nablax.cli.messages import FileProblem, print_diagnostics
from nablax.cli.options import overrides, set_option, solve_option
from nablax.frontend.diagnostics import Diagnostic, Report, Severity, SpecError
from nablax.frontend.source import Source
from nablax.overrides import Overrides

if TYPE_CHECKING:
    from nablax.backends.expectations import Verdict
    from nablax.backends.run import Outcome, Prepared, Stream, Target
    from nablax.backends.solver import Solver
    from nablax.backends.steady import SteadySolver
    from nablax.outline import Outline
    from nablax.plan import Plan

SCHEMA = 1
FAILED, MISSED, INTERRUPTED = 3, 4, 130


@click.command(short_help="Solve a spec, save, judge and draw it.")
@click.argument("spec")
@click.option("-o", "output", metavar="PATH", help="Where to save: a `.zarr` folder or an `.nc` file.")
@set_option
@solve_option
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="NAME=VALUES",
    help="Run all values at once: `nu=0.1:1:10`, `nu=0.01:1:5:log`, `nu=1,2,3`.",
)
@click.option("--restart", "saved", metavar="OUT", help="Go on from a saved run, in place.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("--no-plot", is_flag=True, help="Draw no picture and no movie.")
def run(
    spec: str,
    output: str | None,
    parameters: tuple[str, ...],
    solve: tuple[str, ...],
    sweeps: tuple[str, ...],
    saved: str | None,
    as_json: bool,
    quiet: bool,
    no_plot: bool,
) -> int:
    """Solve a spec, save the frames, check what it expects and draw a picture.

    SPEC may be an `.nbx` file that `nablax compile` wrote.
    """
    from nablax.backends.run import Target

    if saved is not None and output is not None:
        raise click.UsageError("--restart goes on in the saved run itself: leave out -o")
    output = saved or output
    changes = overrides(parameters, solve)
    target = Target(
        folder=folder_of(spec),
        here=Path(),
        stem=stem_of(spec),
        data=None if output is None else Path(output),
        plot=not no_plot,
    )
    if sweeps and saved is not None:
        raise click.UsageError("--restart goes on with one run, not with a sweep")
    swept = {pair.partition("=")[0].strip() for text in sweeps for pair in text.split(";")}
    if twice := sorted(swept & set(changes.parameters)):
        raise click.UsageError(f"`{twice[0]}` is given by --set and by --sweep")
    if spec.endswith(".nbx") and sweeps:
        raise click.UsageError("--sweep needs the spec: exported programs take one member at a time")
    if spec.endswith(".nbx") and saved is not None:
        raise click.UsageError("--restart needs the spec: a compiled one begins at the beginning")
    if spec.endswith(".nbx"):
        from nablax.cli.artifact import run_artifact

        return run_artifact(Path(spec), changes, target, as_json, quiet)
    from nablax.pipeline import compile_plan

    source = read_spec(spec)
    try:
        if sweeps:
            return _sweep(source, sweeps, changes, target, as_json, quiet)
        plan, report = compile_plan(source, changes, folder_of(spec))
        prepared = _prepared(plan, target, report)
        quiet_jax(plan.dtype == "float64")
        outcome = execute(prepared, build_solver(plan, report), quiet or as_json, saved is not None)
    except SpecError as error:
        if not as_json:
            raise
        click.echo(_dump({"status": "refused", "exit_code": 1, **_messages(source, error.diagnostics)}))
        return 1
    return tell(prepared.outline, outcome, report.diagnostics, as_json, quiet)


def _sweep(
    source: Source,
    sweeps: tuple[str, ...],
    changes: Overrides,
    target: "Target",
    as_json: bool,
    quiet: bool,
) -> int:
    from nablax.cli.sweep import exit_code, facts, read_sweep, run_members, tell_members

    outcome, report = run_members(source, read_sweep(sweeps), changes, target, quiet or as_json)
    if as_json:
        diagnostics = (*report.diagnostics, *outcome.diagnostics)
        click.echo(_dump({**facts(outcome), **_messages(source, diagnostics)}))
    else:
        tell_members(source, outcome, report.diagnostics, quiet)
    return exit_code(outcome)


def tell(
    outline: "Outline", outcome: "Outcome", before: Sequence[Diagnostic], as_json: bool, quiet: bool
) -> int:
    """Print what became of a run, with the messages from before it; returns the exit code."""
    source = outline.source
    diagnostics = (*before, *outcome.diagnostics)
    if as_json:
        click.echo(_dump({**_facts(outcome), **_messages(source, diagnostics)}))
        return exit_code(outcome)
    print_diagnostics(source, [d for d in diagnostics if not quiet or d.severity is Severity.ERROR])
    if not quiet:
        from nablax.cli.outcome import describe

        click.echo(describe(outline, outcome))
    return exit_code(outcome)


def exit_code(outcome: "Outcome") -> int:
    """130 interrupted, 3 broken, 4 an expectation missed, else 0."""
    if outcome.status == "interrupted":
        return INTERRUPTED
    if outcome.status == "broken":
        return FAILED
    return 0 if outcome.met else MISSED


def _prepared(plan: "Plan", target: "Target", report: Report) -> "Prepared":
    from nablax.backends.output.paths import OutputError
    from nablax.backends.run import prepare

    try:
        return prepare(plan, target, report)
    except OutputError as error:
        raise FileProblem(str(error)) from None


def execute(prepared: "Prepared", solver: "Stream", silent: bool, onward: bool = False) -> "Outcome":
    """Run what is prepared, or go on with it, with progress on a terminal unless `silent`.

    Raises `FileProblem`.
    """
    from nablax.backends.output.paths import OutputError
    from nablax.backends.run import restart
    from nablax.backends.run import run as run_prepared
    from nablax.cli.progress import watching

    try:
        with watching(prepared.outline, silent) as watcher:
            if onward:
                from nablax.backends.solver import Solver

                if not isinstance(solver, Solver):
                    raise OutputError("a steady problem has no time to go on from")
                return restart(prepared, solver, watcher)
            return run_prepared(prepared, solver, watcher)
    except OutputError as error:
        raise FileProblem(str(error)) from None


def build_solver(plan: "Plan", report: Report) -> "Solver | SteadySolver":
    """The solver of a plan. Raises `SpecError` with P402 for a plan that no backend can build."""
    from nablax.backends.build import build
    from nablax.backends.interface import Unsupported

    try:
        return build(plan)
    except Unsupported as error:
        span = error.span or plan.system.problem.span
        help = "choose another method, step or order in the solve block"
        report.error("P402", span, f"{error}: there is no program for this yet", help=help)
        report.check()
        raise


def quiet_jax(double: bool) -> None:
    """Set up JAX for this process: double precision if wanted, and no remarks about missing devices."""
    import logging
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("jax").setLevel(logging.ERROR)
    import jax

    jax.config.update("jax_enable_x64", double)  # type: ignore[no-untyped-call]


def _messages(source: Source, diagnostics: Sequence[Diagnostic]) -> dict[str, object]:
    from nablax.frontend.render import to_json

    return to_json(source, diagnostics)


def _dump(answer: dict[str, object]) -> str:
    return json.dumps({"schema": SCHEMA, **answer}, indent=2, ensure_ascii=False)


def _facts(outcome: "Outcome") -> dict[str, object]:
    return {
        "status": outcome.status,
        "exit_code": exit_code(outcome),
        "data": None if outcome.data is None else str(outcome.data),
        "pictures": [str(p) for p in outcome.pictures],
        "frames": outcome.frames,
        "t": outcome.t,
        "steps": outcome.steps,
        "rejected": outcome.rejected,
        "seconds": outcome.seconds,
        "residuals": list(outcome.residuals),
        "expect": [verdict_facts(v) for v in outcome.verdicts],
    }


def verdict_facts(verdict: "Verdict") -> dict[str, object]:
    """What became of one statement of `expect`, as JSON holds it."""
    return {
        "text": verdict.text,
        "passed": verdict.passed,
        "measure": verdict.measure,
        "measured": _finite(verdict.measured),
        "bound": _finite(verdict.bound),
        "t": verdict.t,
        "reason": verdict.reason,
    }


def _finite(value: float | None) -> float | str | None:
    # JSON has no NaN and no infinity.
    if value is None or abs(value) < float("inf"):
        return value
    return str(value)
