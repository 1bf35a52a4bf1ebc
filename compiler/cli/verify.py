"""`nablax verify`: measured orders beside claimed ones."""

import json
from typing import TYPE_CHECKING

import click

from nablax.cli.files import folder_of, read_spec
from nablax.cli.messages import print_diagnostics
from nablax.cli.options import overrides, set_option, solve_option
from nablax.frontend.diagnostics import SpecError

if TYPE_CHECKING:
    from rich.table import Table

    from nablax.backends.verification import Study, Verification

SCHEMA = 1
MISSED, UNFINISHED = 4, 5


@click.command(short_help="Measure the orders of a spec's method and stepper.")
@click.argument("spec")
@set_option
@solve_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option(
    "--limit",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds of computing after which a grid or step is the last of its study.",
)
def verify(
    spec: str, parameters: tuple[str, ...], solve: tuple[str, ...], as_json: bool, limit: float
) -> int:
    """Put a manufactured solution into a spec, refine grid and step, and compare the measured orders with
    the claimed ones. Exit code 4 when one falls short, 5 when the limit of time left one open."""
    from nablax.backends.verification import Course
    from nablax.backends.verification import verify as measure
    from nablax.cli.run import build_solver, quiet_jax
    from nablax.frontend.render import to_json
    from nablax.pipeline import run_stages

    source = read_spec(spec)
    stages = run_stages(source, overrides(parameters, solve), folder_of(spec))
    report = stages.report
    try:
        plan, report = stages.demand()
        assert stages.problem is not None
        quiet_jax(True)
        course = Course(lambda line: click.echo(line, err=True), limit)
        found = measure(stages.problem, plan, report, lambda finer: build_solver(finer, report), course)
    except SpecError as error:
        if not as_json:
            raise
        click.echo(_dump({"exit_code": 1, **to_json(source, error.diagnostics)}))
        return 1
    code = 0 if found.passed else MISSED if found.missed else UNFINISHED
    if as_json:
        click.echo(_dump({"exit_code": code, **_facts(found), **to_json(source, report.diagnostics)}))
        return code
    print_diagnostics(source, report.diagnostics)
    _print(found)
    if stages.training is not None and stages.training.hard and stages.system is not None:
        from nablax.show import built_in

        click.echo(
            "\n".join(
                [
                    "",
                    "Built into the network",
                    *(f"  {line}" for line in built_in(stages.system, stages.training.windows)),
                ]
            )
        )
    return code


def _print(found: "Verification") -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    for name, text in found.solution.items():
        console.print(escape(f"{name} = {text}"))
    for study in found.studies:
        console.print()
        console.print(_table(study))
        mark = "✓" if study.passed else "✗" if study.finished else "?"
        unfinished = "" if study.finished else "not finished"
        measured = "" if study.measured is None else f"measured {study.measured:.2f}"
        said = ", ".join(part for part in (unfinished, measured, study.reason) if part)
        console.print(escape(f"{mark} {study.kind}: claimed {_claimed(study)}; {said}"))


def _table(study: "Study") -> "Table":
    from rich.table import Table

    table = Table(title=f"{study.kind}: {study.method}", title_justify="left")
    table.add_column("n", justify="right")
    if study.kind == "time":
        table.add_column("steps", justify="right")
    table.add_column("difference to half the step" if study.kind == "time" else "error", justify="right")
    table.add_column("measured order", justify="right")
    table.add_column("claimed", justify="right")
    for level in study.levels:
        steps = [f"{level.steps}"] if study.kind == "time" else []
        order = "rounding" if level.rounded else "" if level.order is None else f"{level.order:.2f}"
        table.add_row(" x ".join(map(str, level.n)), *steps, f"{level.error:.3e}", order, _claimed(study))
    return table


def _claimed(study: "Study") -> str:
    return "exponential" if study.claimed is None else f"{study.claimed:g}"


def _facts(found: "Verification") -> dict[str, object]:
    return {
        "passed": found.passed,
        "solution": dict(found.solution),
        "studies": [
            {
                "kind": s.kind,
                "method": s.method,
                "claimed": s.claimed,
                "measured": s.measured,
                "passed": s.passed,
                "finished": s.finished,
                "reason": s.reason,
                "levels": [
                    {
                        "n": list(level.n),
                        "steps": level.steps,
                        # JSON has no infinity.
                        "error": level.error if level.error < float("inf") else None,
                        "order": level.order,
                        "rounded": level.rounded,
                    }
                    for level in s.levels
                ],
            }
            for s in found.studies
        ],
    }


def _dump(answer: dict[str, object]) -> str:
    return json.dumps({"schema": SCHEMA, **answer}, indent=2, ensure_ascii=False)
