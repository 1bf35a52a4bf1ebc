"""Messages on standard error."""

import sys
from collections.abc import Iterable

import click

from nablax.frontend.diagnostics import Diagnostic, Severity, SpecError
from nablax.frontend.source import Source


class FileProblem(click.ClickException):
    """A file that cannot be read or written, or holds no text: one line. Usage (2) or the spec (1)."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def colored() -> bool:
    """Whether standard error is a terminal that shows colours."""
    import os

    return sys.stderr.isatty() and "NO_COLOR" not in os.environ


def print_diagnostics(source: Source, diagnostics: Iterable[Diagnostic]) -> None:
    """All messages of a text, with the lines they speak of."""
    from nablax.frontend.render import render_all

    found = tuple(diagnostics)
    if found:
        click.echo(render_all(source, found, color=colored()), err=True, color=colored())


def print_spec_error(error: SpecError) -> None:
    print_diagnostics(error.source, error.diagnostics)
    count = sum(d.severity is Severity.ERROR for d in error.diagnostics)
    click.echo(f"\n{count} error{'s' if count != 1 else ''} in {error.source.name}", err=True)
