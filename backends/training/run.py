"""One training run: begin or go on, watch, keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import jax.numpy as jnp
import numpy as np

from nablax.backends.output.paths import OutputError, reason
from nablax.backends.residuals.field import PyTree
from nablax.backends.residuals.layout import layout
from nablax.backends.run import uninterrupted
from nablax.backends.training import checkpoint
from nablax.backends.training.loop import Event, Programs, State, begin, programs_of, run, start_of
from nablax.backends.training.marching import whole_field
from nablax.backends.training.progress import Kept, Progress, opened, params_of
from nablax.backends.training.records import Chosen, Reading, Status, Trained
from nablax.backends.training.task import Task, task_of
from nablax.frontend.diagnostics import Diagnostic, Severity
from nablax.training.windows import Window


class Watcher(Protocol):
    """Told of every reading while the run goes on."""

    def saw(self, reading: Reading) -> None: ...


@dataclass(frozen=True, slots=True)
class Silent:
    """Watches and says nothing."""

    def saw(self, reading: Reading) -> None:
        return


def prepare_folder(folder: Path) -> None:
    """Make the folder of a run, and make sure that it can be written. Raises `OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OutputError(f"`{folder}` cannot be written ({reason(error)})") from None


def train(task: Task, programs: Programs, folder: Path | None, resume: bool, watcher: Watcher) -> Trained:
    """Train window after window to the end of the steps, to the budget or the tolerance, or to an interrupt.

    With a `folder`, checkpoints go there, and `resume` goes on with the newest. What comes back is not
    judged yet: the states with the least losses on points held out. Raises `OutputError`.
    """
    if folder is not None and not resume:
        prepare_folder(folder)
    progress = opened(begin(task, programs)[0])
    if resume:
        assert folder is not None
        progress = checkpoint.load(folder, task, progress, partial(_templates, task))
        prepare_folder(folder)
        if progress.finished:
            task, programs = _prepared(task, progress.finished)
    while True:
        progress, status, diagnostics = _follow(task, programs, progress, folder, watcher)
        last = task.window + 1 == len(task.course)
        if last or status not in ("done", "stopped"):
            break
        try:
            task, programs = _prepared(task, progress.done)
            progress = opened(begin(task, programs)[0], progress)
        except KeyboardInterrupt:
            status = "interrupted"
            break
    return _trained(task, progress, status, (*diagnostics, *_untrained(task, progress, status)))


def _prepared(task: Task, finished: Sequence[Kept]) -> tuple[Task, Programs]:
    """The window after those that are done."""
    following = task_of(task.course, task.training, params_of(finished))
    return following, programs_of(following)


def _templates(task: Task, finished: Sequence[Kept], phase: int) -> State:
    """A state of the kind that the window after these has in a phase."""
    own, programs = _prepared(task, finished)
    return start_of(own, programs, begin(own, programs)[0], phase)


def _follow(
    task: Task, programs: Programs, progress: Progress, folder: Path | None, watcher: Watcher
) -> tuple[Progress, Status, tuple[Diagnostic, ...]]:
    """One window, to its end or to what ends the run."""
    training = task.training
    status: Status = "done"
    diagnostics: tuple[Diagnostic, ...] = ()
    last = progress.last()
    saved = -1 if last is None else progress.position.step
    if last is not None and 0 < last.held < training.stop:
        return progress, "stopped", diagnostics
    try:
        for event in run(task, programs, progress.state, progress.position):
            if not event.finite:
                status, diagnostics = "broken", (_diverged(task, event),)
                break
            with uninterrupted():
                progress = progress.after(event)
                if event.boundary and folder is not None:
                    checkpoint.save(folder, task, progress)
                    saved = event.position.step
            watcher.saw(progress.readings[-1])
            if 0 < event.held < training.stop:
                status = "stopped"
                break
            if training.seconds is not None and event.position.seconds > training.seconds:
                status = "timed out"
                break
    except KeyboardInterrupt:
        status = "interrupted"
    if folder is not None and progress.position.step != saved:
        with uninterrupted():
            checkpoint.save(folder, task, progress)
    return progress, status, diagnostics


def _trained(task: Task, progress: Progress, status: Status, diagnostics: tuple[Diagnostic, ...]) -> Trained:
    course, kept = task.course, progress.done
    if len(course) == 1:
        field, params = task.field, task.bounds.bounded(kept[0].params)
    else:
        params = params_of(kept)
        field = whole_field(course, task.training.model, params)
    return Trained(
        status=status,
        field=field,
        params=params,
        readings=progress.readings,
        chosen=tuple(c for w, k in zip(course, kept, strict=False) if (c := _chosen(w, k)) is not None),
        unknowns=unknowns(task, params),
        verdicts=(),
        scores=(),
        diagnostics=diagnostics,
        steps=progress.position.total,
        seconds=progress.position.seconds,
    )


def _chosen(window: Window, kept: Kept) -> Chosen | None:
    """None where a window is as it began."""
    if kept.held is None:
        return None
    problem = window.system.problem
    slot = layout(problem)[-1]
    return Chosen(kept.step, kept.steps, kept.held, None if problem.time is None else (slot.low, slot.high))


def unknowns(task: Task, params: PyTree) -> Mapping[str, float]:
    """The recovered scalars; means over the members of an ensemble."""
    names = [p.name for p in task.system.problem.parameters if p.unknown]
    if not names:
        return {}
    assert isinstance(params, dict)
    return {name: float(jnp.mean(params["eq"][name])) for name in names}


def _untrained(task: Task, progress: Progress, status: Status) -> tuple[Diagnostic, ...]:
    """R721: windows of time without a step behind them, of which the field does not speak."""
    count, done = len(task.course), len(progress.done)
    if done == count or status == "broken":
        return ()
    which = f"window {count}" if done + 1 == count else f"windows {done + 1} to {count}"
    slot = layout(task.course[done].system.problem)[-1]
    option = next(o for o in task.system.problem.train if o.name == "windows")
    return (
        Diagnostic(
            "R721",
            f"{which} of {count} were never trained: the field, scores and expectations speak for times up "
            f"to {slot.low:.6g} alone",
            option.span,
            severity=Severity.WARNING,
            given=option.given,
            help="go on with `--resume`" + (" and a longer `time`" if status == "timed out" else ""),
        ),
    )


def _diverged(task: Task, event: Event) -> Diagnostic:
    """R720: a loss became infinite."""
    bad = next((n for n, v in event.losses.items() if not np.isfinite(v)), "the residual")
    phase = task.training.phases[event.position.phase]
    return Diagnostic(
        "R720",
        f"the loss `{bad}` became infinite before step {event.position.total}",
        phase.span or task.system.problem.span,
        help="lower the learning rate, or begin with a warmup; the checkpoints before it are as they were",
    )
