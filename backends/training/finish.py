"""What a finished run leaves beside its checkpoints: scores, the field in a file, a picture."""

from dataclasses import replace
from pathlib import Path

from nablax.backends.artifact.fields import FieldAxis, pack_field
from nablax.backends.output.paths import OutputError, claim
from nablax.backends.residuals.layout import layout
from nablax.backends.training.checkpoint import write_whole
from nablax.backends.training.cole_hopf import reference
from nablax.backends.training.judge import judge
from nablax.backends.training.records import Trained
from nablax.backends.training.reference import Planner, score
from nablax.backends.training.task import Task
from nablax.backends.training.values import evaluate_of
from nablax.frontend.diagnostics import Diagnostic, Severity
from nablax.plan import Plan
from nablax.training.burgers import read_burgers


def judged(task: Task, trained: Trained) -> Trained:
    """With what became of the expectations."""
    if trained.status in ("interrupted", "broken"):
        return trained
    training = task.training
    return replace(trained, verdicts=judge(trained.field, trained.params, training.ensemble, training.dtype))


def scored(task: Task, trained: Trained, plan: Plan | None, planner: Planner) -> Trained:
    """With distances from a solution in closed form or the solver's, where `expect` has no exact one."""
    problem = trained.field.problem
    exact = any(v.measure == "relative L2 error" and v.measured is not None for v in trained.verdicts)
    unknown = bool(trained.unknowns) or bool(problem.coefficients)
    if exact or unknown or trained.status in ("interrupted", "broken"):
        return trained
    evaluate = evaluate_of(trained.field, trained.params, task.training.ensemble)
    burgers = read_burgers(replace(task.system, problem=problem))
    known = None if burgers is None else reference(burgers)
    if burgers is not None and known is not None:
        return replace(trained, scores=(known.score(evaluate, task.training.dtype, burgers.component),))
    found = () if plan is None else score(evaluate, task.training.dtype, plan, planner)
    return replace(trained, scores=found)


def exported(task: Task, trained: Trained) -> bytes:
    """The trained field as the bytes of an `.nbx` file."""
    problem = trained.field.problem
    axes = [FieldAxis(s.axis.name, s.low, s.high, s.size, s.axis.periodic) for s in layout(problem)]
    evaluate = evaluate_of(trained.field, trained.params, task.training.ensemble)
    return pack_field(
        evaluate, problem.source.text, task.training.dtype, axes, trained.unknowns, trained.steps
    )


def written(task: Task, trained: Trained, folder: Path, stem: str, plot: bool) -> Trained:
    """The field as far as it is trained and, of a run that was not interrupted, the picture, if wanted, in
    the run's folder. Raises `OutputError`."""
    if not trained.readings or trained.status == "broken":
        return trained
    path = folder / f"{stem}.nbx"
    write_whole(path, exported(task, trained))
    files = [path]
    diagnostics = trained.diagnostics
    if plot and trained.status != "interrupted":
        from nablax.backends.training.pictures import draw

        picture = folder / f"{stem}.png"
        try:
            claim(picture)
            draw(task, trained, picture)
            files.append(picture)
        except OutputError as error:
            message = f"the picture was not drawn: {error}"
            span = task.system.problem.span
            diagnostics = (*diagnostics, Diagnostic("P553", message, span, severity=Severity.WARNING))
    return replace(trained, files=tuple(files), diagnostics=diagnostics)
