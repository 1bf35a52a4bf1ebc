"""`nablax train`: fit networks to what a spec states, keep checkpoints, judge the result."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.files import folder_of, read_spec, stem_of
from nablax.cli.messages import FileProblem, print_diagnostics
from nablax.cli.options import overrides, set_option, train_option
from nablax.cli.run import FAILED, INTERRUPTED, MISSED, quiet_jax
from nablax.frontend.diagnostics import Diagnostic, Severity, SpecError
from nablax.frontend.render import to_json
from nablax.frontend.source import Span

if TYPE_CHECKING:
    from nablax.backends.training.records import Trained
    from nablax.backends.training.reference import Planner
    from nablax.backends.training.task import Task
    from nablax.pipeline import Stages
    from nablax.plan import Plan

SCHEMA = 1
FOREIGN = (
    "give what it was trained with (the steps of the last phase may change, but for a cosine schedule), or "
    "leave out `--resume` to begin anew"
)


@click.command(short_help="Train networks on a spec, keep checkpoints, judge the result.")
@click.argument("spec")
@click.option(
    "-o", "output", metavar="DIR", help="Where to keep the run; by default SPEC's name and `.train`."
)
@click.option("--resume", is_flag=True, help="Go on from the newest checkpoint there.")
@set_option
@train_option
@click.option("--seed", type=int, metavar="N", help="Short for `--train seed=N`.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("--no-plot", is_flag=True, help="Draw no picture.")
def train(
    spec: str,
    output: str | None,
    resume: bool,
    parameters: tuple[str, ...],
    train: tuple[str, ...],
    seed: int | None,
    as_json: bool,
    quiet: bool,
    no_plot: bool,
) -> int:
    """Train networks on a spec's equations, conditions and data, as its `train` block says."""
    from nablax.pipeline import plan_on, run_stages

    source = read_spec(spec)
    changes = overrides(parameters, (), (*train, *(() if seed is None else (f"seed={seed}",))))
    folder = Path(f"{stem_of(spec)}.train" if output is None else output)
    place = folder_of(spec)
    try:
        stages = run_stages(source, changes, place)
        task = _task(stages)
        trained = _trained(task, folder, resume, quiet or as_json)
        planner = partial(plan_on, source, changes, place)
        trained = _written(task, trained, folder / stem_of(spec), not no_plot)
        trained = _judged(task, trained, stages.plan, planner, quiet or as_json)
    except SpecError as error:
        if not as_json:
            raise
        answer = {"status": "refused", "exit_code": 1, **to_json(source, error.diagnostics)}
        click.echo(_dump(answer))
        return 1
    before = stages.demand_training()[2].diagnostics
    diagnostics = (*before, *trained.diagnostics)
    if as_json:
        click.echo(_dump({**_facts(trained, folder), **to_json(source, diagnostics)}))
        return exit_code(trained)
    print_diagnostics(source, [d for d in diagnostics if not quiet or d.severity is Severity.ERROR])
    if not quiet:
        from nablax.cli.training import describe

        click.echo(describe(trained, folder))
    return exit_code(trained)


def exit_code(trained: "Trained") -> int:
    """130 interrupted, 3 broken, 4 an expectation missed, else 0."""
    if trained.status == "interrupted":
        return INTERRUPTED
    if trained.status == "broken":
        return FAILED
    return 0 if trained.met else MISSED


def _task(stages: "Stages") -> "Task":
    system, training, _ = stages.demand_training()
    quiet_jax(training.dtype == "float64")
    from nablax.backends.training.task import make_task

    return make_task(system, training)


def _trained(task: "Task", folder: Path, resume: bool, silent: bool) -> "Trained":
    from nablax.backends.output.paths import OutputError
    from nablax.backends.training.checkpoint import ForeignCheckpoint
    from nablax.backends.training.loop import programs_of
    from nablax.backends.training.run import train as train_task
    from nablax.cli.training import watching

    try:
        with watching(task.training, silent) as watcher:
            return train_task(task, programs_of(task), folder, resume, watcher)
    except ForeignCheckpoint as error:
        said = Diagnostic("R740", str(error), Span(0, 0), help=FOREIGN, given="--resume")
        raise SpecError(task.system.problem.source, (said,)) from None
    except OutputError as error:
        raise FileProblem(str(error)) from None


def _written(task: "Task", trained: "Trained", path: Path, plot: bool) -> "Trained":
    from nablax.backends.output.paths import OutputError
    from nablax.backends.training.finish import written

    try:
        return written(task, trained, path.parent, path.name, plot)
    except OutputError as error:
        raise FileProblem(str(error)) from None


def _judged(
    task: "Task", trained: "Trained", plan: "Plan | None", planner: "Planner", silent: bool
) -> "Trained":
    """Told of beforehand: it may take as long as a solver's run on a fine grid."""
    from nablax.backends.training.finish import judged, scored

    if not silent and trained.status not in ("interrupted", "broken"):
        click.echo("judging the trained field", err=True)
    return scored(task, judged(task, trained), plan, planner)


def _facts(trained: "Trained", folder: Path) -> dict[str, object]:
    from nablax.cli.run import verdict_facts

    last = trained.readings[-1] if trained.readings else None
    return {
        "status": trained.status,
        "exit_code": exit_code(trained),
        "folder": str(folder),
        "files": [str(f) for f in trained.files],
        "steps": trained.steps,
        "seconds": trained.seconds,
        "losses": {} if last is None else dict(last.losses),
        "held_out_residual": trained.chosen[-1].held if trained.chosen else None,
        "windows": [
            {"time": c.ends, "step": c.step, "steps": c.steps, "held_out_residual": c.held}
            for c in trained.chosen
        ],
        "unknowns": dict(trained.unknowns),
        "scores": [
            {"field": s.field, "error": s.error, "reference_error": s.reference, "how": s.how}
            for s in trained.scores
        ],
        "expect": [verdict_facts(v) for v in trained.verdicts],
    }


def _dump(answer: dict[str, object]) -> str:
    return json.dumps({"schema": SCHEMA, **answer}, indent=2, ensure_ascii=False)
