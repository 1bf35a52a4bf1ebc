"""`nablax check`: read a spec, say what is wrong with it, and mend what can be mended."""

import json
from pathlib import Path

import click

from nablax.cli.files import folder_of, read_spec, write_text
from nablax.cli.messages import print_diagnostics
from nablax.cli.options import overrides, set_option, solve_option
from nablax.frontend.diagnostics import Diagnostic, Severity
from nablax.frontend.source import Source
from nablax.overrides import Overrides

ROUNDS = 20  # of fixing: one mended error may uncover the next


@click.command(short_help="Check a spec without running it.")
@click.argument("spec")
@click.option("--fix", is_flag=True, help="Apply the edits that messages propose.")
@click.option("--json", "as_json", is_flag=True, help="Print the messages as JSON.")
@set_option
@solve_option
def check(spec: str, fix: bool, as_json: bool, parameters: tuple[str, ...], solve: tuple[str, ...]) -> int:
    """Check a spec without running it."""
    changes, folder = overrides(parameters, solve), folder_of(spec)
    source = read_spec(spec)
    diagnostics = examine(source, changes, folder)
    if fix:
        from nablax.frontend.fixes import apply_edits

        if spec == "-":
            raise click.UsageError("--fix needs a file: standard input cannot be mended")
        before = source
        for _ in range(ROUNDS):
            text = apply_edits(source, diagnostics)
            if text == source.text:
                break
            source = Source(source.name, text)
            diagnostics = examine(source, changes, folder)
        if source.text != before.text:
            write_text(Path(spec), source.text)
    failed = any(d.severity is Severity.ERROR for d in diagnostics)
    if as_json:
        _print_json(source, diagnostics)
    else:
        print_diagnostics(source, diagnostics)
        click.echo(_summary(source, diagnostics), err=failed)
    return 1 if failed else 0


def examine(source: Source, changes: Overrides, folder: Path) -> tuple[Diagnostic, ...]:
    """Everything there is to say about a spec before it runs, what it asks to be written included."""
    from nablax.backends.estimates import check_estimate
    from nablax.backends.output.requests import read_requests
    from nablax.outlining import check_expectations
    from nablax.pipeline import run_stages

    stages = run_stages(source, changes, folder)
    if stages.plan is not None:
        read_requests(stages.plan.system.problem, folder, stages.report)
        check_estimate(stages.plan, folder, stages.report)
        check_expectations(stages.plan.system.problem, stages.report)
    return tuple(stages.report.diagnostics)


def _print_json(source: Source, diagnostics: tuple[Diagnostic, ...]) -> None:
    from nablax.frontend.render import to_json

    click.echo(json.dumps(to_json(source, diagnostics), indent=2, ensure_ascii=False))


def _summary(source: Source, diagnostics: tuple[Diagnostic, ...]) -> str:
    errors = sum(d.severity is Severity.ERROR for d in diagnostics)
    warnings = len(diagnostics) - errors
    found = [f"{errors} error{'s' if errors > 1 else ''}"] if errors else []
    found += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    return f"{source.name}: {', '.join(found) or 'ok'}"
