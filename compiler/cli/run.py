"""`nablax run`: solve, save, judge, draw."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.files import folder_of, read_spec, stem_of
from nablax.cli.messages import FileProblem, print_diagnostics
from nablax.cli.options import overrides, set_option, solve_option

if TYPE_CHECKING:
    from nablax.backends.run import Outcome, Prepared, Target
    from nablax.frontend.diagnostics import Diagnostic, Report
    from nablax.frontend.source import Source
    from nablax.plan import Plan

FAILED, MISSED, INTERRUPTED = 3, 4, 130


@click.command()
@click.argument("spec")
@click.option("-o", "output", metavar="PATH", help="Where to save: a `.zarr` folder or an `.nc` file.")
@set_option
@solve_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("--no-plot", is_flag=True, help="Draw no picture and no movie.")
def run(
    spec: str,
    output: str | None,
    parameters: tuple[str, ...],
    solve: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    no_plot: bool,
) -> int:
    """Solve a spec, save the frames, check what it expects and draw a picture."""
    from nablax.backends.run import Target
    from nablax.pipeline import compile_plan

    source = read_spec(spec)
    plan, report = compile_plan(source, overrides(parameters, solve))
    target = Target(
        folder=folder_of(spec),
        here=Path(),
        stem=stem_of(spec),
        data=None if output is None else Path(output),
        plot=not no_plot,
    )
    outcome = _run(plan, report, target, quiet or as_json)
    if not quiet:
        warnings = tuple(d for d in report.diagnostics)
        print_diagnostics(source, (*warnings, *outcome.diagnostics))
    elif outcome.status == "broken":
        print_diagnostics(source, outcome.diagnostics)
    if as_json:
        click.echo(json.dumps(_to_json(source, report.diagnostics, outcome), indent=2, ensure_ascii=False))
    elif not quiet:
        from nablax.cli.outcome import describe

        click.echo(describe(plan, outcome))
    return exit_code(outcome)


def exit_code(outcome: "Outcome") -> int:
    """130 interrupted, 3 broken, 4 an expectation missed, else 0."""
    if outcome.status == "interrupted":
        return INTERRUPTED
    if outcome.status == "broken":
        return FAILED
    return 0 if outcome.met else MISSED


def _run(plan: "Plan", report: "Report", target: "Target", silent: bool) -> "Outcome":
    from nablax.backends.output.paths import OutputError
    from nablax.backends.run import prepare
    from nablax.backends.run import run as run_plan
    from nablax.cli.progress import watching

    try:
        prepared: Prepared = prepare(plan, target, report)
        quiet_jax(plan.dtype == "float64")
        from nablax.backends.solver import build

        with watching(plan, silent) as watcher:
            return run_plan(prepared, build(plan), watcher)
    except OutputError as error:
        raise FileProblem(str(error)) from None


def quiet_jax(double: bool) -> None:
    """Set up JAX for this process: double precision if wanted, and no remarks about missing devices."""
    import logging
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("jax").setLevel(logging.ERROR)
    import jax

    jax.config.update("jax_enable_x64", double)  # type: ignore[no-untyped-call]


def _to_json(source: "Source", diagnostics: "list[Diagnostic]", outcome: "Outcome") -> dict[str, object]:
    from nablax.frontend.render import to_json

    messages = to_json(source, (*diagnostics, *outcome.diagnostics))["diagnostics"]
    return {
        "schema": 1,
        "source": source.name,
        "status": outcome.status,
        "exit_code": exit_code(outcome),
        "data": None if outcome.data is None else str(outcome.data),
        "pictures": [str(p) for p in outcome.pictures],
        "frames": outcome.frames,
        "t": outcome.t,
        "steps": outcome.steps,
        "rejected": outcome.rejected,
        "seconds": outcome.seconds,
        "expect": [
            {
                "text": v.text,
                "passed": v.passed,
                "measure": v.measure,
                "measured": _finite(v.measured),
                "bound": _finite(v.bound),
                "t": v.t,
                "reason": v.reason,
            }
            for v in outcome.verdicts
        ],
        "diagnostics": messages,
    }


def _finite(value: float | None) -> float | str | None:
    # JSON has no NaN and no infinity.
    if value is None or abs(value) < float("inf"):
        return value
    return str(value)
