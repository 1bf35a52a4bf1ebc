"""`nablax check`: read a spec, say what is wrong with it, and mend what can be mended."""

import json
from pathlib import Path

import click

from nablax.cli.files import folder_of, read_spec, write_text
from nablax.cli.messages import print_diagnostics
from nablax.cli.options import overrides, set_option, solve_option
from nablax.frontend.diagnostics import Diagnostic, Severity
from nablax.frontend.source import Source

ROUNDS = 20  # of fixing: one mended error may uncover the next


@click.command()
@click.argument("spec")
@click.option("--fix", is_flag=True, help="Apply the edits that messages propose.")
@click.option("--json", "as_json", is_flag=True, help="Print the messages as JSON.")
@set_option
@solve_option
def check(spec: str, fix: bool, as_json: bool, parameters: tuple[str, ...], solve: tuple[str, ...]) -> int:
    """Check a spec without running it."""
    from nablax.pipeline import check as check_source

    changes = overrides(parameters, solve)
    source = read_spec(spec)
    diagnostics = tuple(check_source(source, changes, folder_of(spec)).diagnostics)
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
            diagnostics = tuple(check_source(source, changes, folder_of(spec)).diagnostics)
        if source.text != before.text:
            write_text(Path(spec), source.text)
    failed = any(d.severity is Severity.ERROR for d in diagnostics)
    if as_json:
        _print_json(source, diagnostics)
    else:
        print_diagnostics(source, diagnostics)
        click.echo(_summary(source, diagnostics), err=failed)
    return 1 if failed else 0


def _print_json(source: Source, diagnostics: tuple[Diagnostic, ...]) -> None:
    from nablax.frontend.render import to_json

    click.echo(json.dumps(to_json(source, diagnostics), indent=2, ensure_ascii=False))


def _summary(source: Source, diagnostics: tuple[Diagnostic, ...]) -> str:
    errors = sum(d.severity is Severity.ERROR for d in diagnostics)
    warnings = len(diagnostics) - errors
    found = [f"{errors} error{'s' if errors > 1 else ''}"] if errors else []
    found += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    return f"{source.name}: {', '.join(found) or 'ok'}"
