"""`nablax show`: what the compiler made of a spec."""

import json
from typing import TYPE_CHECKING, Literal, get_args

import click

from nablax.cli.files import folder_of, read_spec
from nablax.cli.messages import print_diagnostics
from nablax.cli.options import overrides, set_option, solve_option
from nablax.frontend.diagnostics import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from nablax.plan import Plan

Stage = Literal["syntax", "problem", "system", "plan", "jaxpr", "hlo"]


@click.command(short_help="Show what the compiler made of a spec.")
@click.argument("spec")
@click.option("--latex", "as_latex", is_flag=True, help="Print the equations as LaTeX.")
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
    from nablax import show as shown
    from nablax.frontend.render import to_json
    from nablax.pipeline import run_stages

    if as_latex and stage is not None:
        raise click.UsageError("--latex and --stage exclude each other")
    source = read_spec(spec)
    stages = run_stages(source, overrides(parameters, solve), folder_of(spec))
    print_diagnostics(source, stages.report.diagnostics)
    text = ""
    if as_latex:
        text = "" if stages.problem is None else shown.latex(stages.problem)
    elif stage is None:
        text = shown.show(stages)
        if stages.plan is not None and stages.plan.tune and not stages.report.failed:
            text += tuned(stages.plan, stages.report)
    elif stage in ("jaxpr", "hlo"):
        text = "" if stages.plan is None else program(stages.plan, stages.report, stage)
    else:
        text = shown.stage(stage, stages)
    if as_json:
        answer = {**to_json(source, stages.report.diagnostics), "stage": stage, "text": text}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    elif text.strip():
        click.echo(text, nl=not text.endswith("\n"))
    return 1 if stages.report.failed else 0


def tuned(plan: "Plan", report: Report) -> str:
    """What `tune` keeps on this device, measured now where it was not before."""
    from nablax.cli.run import build_solver, quiet_jax

    quiet_jax(plan.dtype == "float64")
    from nablax.backends.solver import Solver

    solver = build_solver(plan, report)
    bundle = solver.programs.bundle if isinstance(solver, Solver) else None
    kept = (
        "ghosts attached at every step"
        if bundle is None
        else f"ghosts attached once for {bundle.steps} steps"
    )
    return f"\nTuned on this device\n  {kept}\n"


def program(plan: "Plan", report: Report, stage: Literal["jaxpr", "hlo"]) -> str:
    """One step of the solver (the whole solve where nothing moves) as a JAX program or as StableHLO."""
    from nablax.cli.run import build_solver, quiet_jax

    quiet_jax(plan.dtype == "float64")
    from nablax.backends.steady import SteadySolver

    solver = build_solver(plan, report)
    params = dict(solver.parameters)
    if isinstance(solver, SteadySolver):
        return _written(stage, lambda params: solver.solve(params).fields, params)
    return _written(stage, solver.step, solver.initial(params), params)


def _written(stage: Literal["jaxpr", "hlo"], function: "Callable[..., object]", *arguments: object) -> str:
    import jax

    if stage == "jaxpr":
        return str(jax.make_jaxpr(function)(*arguments))
    return jax.jit(function).lower(*arguments).as_text()
