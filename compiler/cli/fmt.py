"""`nablax fmt`: one layout for every spec."""

import sys
from pathlib import Path

import click

from nablax.cli.files import read_text, write_text
from nablax.frontend.source import read_source


@click.command(short_help="Format specs.")
@click.argument("specs", nargs=-1, required=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--unicode", is_flag=True, help="Write Greek letters and mathematical signs.")
def fmt(specs: tuple[str, ...], only_check: bool, unicode: bool) -> int:
    """Format specs in place; `-` formats standard input to standard output."""
    from nablax.frontend.formatter import format_text

    changed = 0
    for spec in specs:
        written = read_text(spec)
        source = read_source("<stdin>" if spec == "-" else spec, written)
        text = format_text(source, unicode=unicode)
        if spec == "-" and not only_check:
            sys.stdout.write(text)
        elif text != written:
            changed += 1
            if only_check:
                click.echo(f"{source.name} would change", err=True)
            else:
                write_text(Path(spec), text)
                click.echo(f"{source.name} changed", err=True)
    return 1 if only_check and changed else 0
