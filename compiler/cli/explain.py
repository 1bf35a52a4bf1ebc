"""`nablax explain`: the page of a message code."""

import json

import click

from nablax.cli.messages import FileProblem


@click.command(short_help="Explain a message code.")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it inside JSON.")
def explain(code: str | None, as_json: bool) -> int:
    """Explain a message code with a bad and a good example; without a code, list them all."""
    from nablax.frontend.explain import codes, page, read_page

    if code is None:
        titles = {c: parts.title if (parts := read_page(c)) else "" for c in codes()}
        if as_json:
            click.echo(json.dumps({"schema": 1, "codes": titles}, indent=2, ensure_ascii=False))
        else:
            click.echo("\n".join(f"{c}  {title}" for c, title in titles.items()))
        return 0
    text = page(code)
    if text is None:
        raise FileProblem(f"there is no message `{code}`; `nablax explain` lists them all")
    if as_json:
        click.echo(json.dumps({"schema": 1, "code": code.strip().upper(), "page": text}, ensure_ascii=False))
    else:
        click.echo(text.rstrip("\n"))
    return 0
