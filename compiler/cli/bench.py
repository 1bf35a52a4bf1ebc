"""`nablax bench`: the ways to a residual's derivatives, timed on this device."""

import click

from nablax.cli.files import folder_of, read_spec
from nablax.cli.options import overrides, set_option


@click.command(short_help="Time the ways to a residual's derivatives.")
@click.argument("spec")
@click.option("--derivatives", is_flag=True, required=True, help="Time the derivatives of a network.")
@click.option("--points", type=click.IntRange(1), default=1024, show_default=True)
@click.option("--width", type=click.IntRange(1), default=128, show_default=True)
@click.option("--depth", type=click.IntRange(1), default=4, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=20, show_default=True)
@set_option
def bench(
    spec: str,
    derivatives: bool,
    points: int,
    width: int,
    depth: int,
    rounds: int,
    parameters: tuple[str, ...],
) -> int:
    """Time every candidate of the planner for the residual of an MLP; the chosen one is marked."""
    del derivatives  # the one thing there is to time
    from nablax.pipeline import run_stages

    stages = run_stages(read_spec(spec), overrides(parameters, ()), folder_of(spec))
    if stages.system is None:
        stages.report.check()
        return 1
    from nablax.backends.residuals.bench import time_candidates
    from nablax.cli.run import quiet_jax
    from nablax.derivatives.available import check_available
    from nablax.derivatives.statements import INSIDE, places, statements

    check_available(stages.system, places(statements(stages.system))[INSIDE])
    quiet_jax(False)
    click.echo(f"{'':24}{'vectors':>9}{'value, ms':>12}{'gradient, ms':>15}")
    for timing in time_candidates(stages.system, points, width, depth, rounds):
        mark = " *" if timing.chosen else ""
        name = f"{timing.name}{mark}"
        click.echo(f"{name:<24}{timing.vectors:>9}{timing.value:>12.2f}{timing.gradient:>15.2f}")
    return 0
