"""`nablax new`: a spec to start from."""

from pathlib import Path

import click

from nablax.cli.files import write_text
from nablax.cli.messages import FileProblem


@click.command(short_help="Write a spec to start from.")
@click.argument("name", required=False)
@click.option("--kind", default="heat", show_default=True, help="Which problem to start from.")
def new(name: str | None, kind: str) -> int:
    """Write NAME.pde, a small complete spec; `-` writes it to standard output.

    Without a name, list the kinds there are.
    """
    from nablax.frontend.starters import PLANNED, kinds, starter

    if name is None:
        for known in kinds():
            click.echo(f"{known}  (can be stated, not solved yet)" if known in PLANNED else known)
        return 0
    if kind not in kinds():
        raise click.BadParameter(f"`{kind}` is none of {', '.join(kinds())}", param_hint="--kind")
    if name == "-":
        click.echo(starter(kind, kind), nl=False)
        return 0
    path = Path(name if name.endswith(".pde") else f"{name}.pde")
    if path.exists() or path.is_symlink():
        raise FileProblem(f"`{path}` exists")
    if not path.parent.is_dir():
        raise FileProblem(f"there is no folder `{path.parent}`")
    write_text(path, starter(kind, path.stem))
    click.echo(f"{path}")
    if kind in PLANNED:
        click.echo("not solved yet: `nablax check` says what is missing", err=True)
    else:
        click.echo(f"run it with `nablax run {path}`", err=True)
    return 0
