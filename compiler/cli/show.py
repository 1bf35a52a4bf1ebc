"""`nablax show`: what the compiler made of a spec."""

from typing import Literal, get_args

import click

from nablax.cli.options import set_option, solve_option

Stage = Literal["syntax", "problem", "system", "plan", "jaxpr", "hlo"]


@click.command()
@click.argument("spec")
@click.option("--latex", "as_latex", is_flag=True, help="Print the problem as LaTeX.")
@click.option("--stage", type=click.Choice(get_args(Stage)), help="Print one stage of the compilation.")
@click.option("--json", "as_json", is_flag=True, help="Print it inside JSON.")
@set_option
@solve_option
def show(
    spec: str,
    as_latex: bool,
    stage: Stage | None,
    as_json: bool,
    parameters: tuple[str, ...],
    solve: tuple[str, ...],
) -> int:
    """Print the problem and every choice the compiler made, each with its reason."""

    return 0
