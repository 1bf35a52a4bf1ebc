"""One training run: begin or go on, watch, keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import jax.numpy as jnp
import numpy as np

from nablax.backends.output.paths import OutputError, reason
from nablax.backends.residuals.field import PyTree
from nablax.backends.run import uninterrupted
from nablax.backends.training import checkpoint
from nablax.backends.training.loop import Event, Position, Programs, State, begin, run, start_of
from nablax.backends.training.records import Reading, Status, Trained
from nablax.backends.training.task import Task
from nablax.frontend.diagnostics import Diagnostic


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
    """Train to the end of the steps, to the budget or the tolerance, or to an interrupt.

    With a `folder`, checkpoints go there, and `resume` goes on with the newest. What comes back is not
    judged yet. Raises `OutputError`.
    """
    if folder is not None and not resume:
        prepare_folder(folder)
    state, position = begin(task, programs)
    readings: list[Reading] = []
    if resume:
        assert folder is not None
        templates = [start_of(task, programs, state, phase) for phase in range(len(task.training.phases))]
        found = checkpoint.load(folder, task, templates)
        state, position, readings = found.state, found.position, list(found.readings)
        prepare_folder(folder)
    return _follow(task, programs, state, position, readings, folder, watcher)


def _follow(
    task: Task,
    programs: Programs,
    state: State,
    position: Position,
    readings: list[Reading],
    folder: Path | None,
    watcher: Watcher,
) -> Trained:
    training = task.training
    status: Status = "done"
    kept = position.step if readings else -1
    diagnostics: tuple[Diagnostic, ...] = ()
    try:
        for event in run(task, programs, state, position):
            if not event.finite:
                status, diagnostics = "broken", (_diverged(task, event),)
                break
            reading = Reading(
                event.position.step, event.position.seconds, event.optimiser, event.losses, event.held
            )
            with uninterrupted():
                state, position = event.state, event.position
                readings.append(reading)
                if event.boundary and folder is not None:
                    checkpoint.save(folder, task, state, position, readings)
                    kept = position.step
            watcher.saw(reading)
            if 0 < event.held < training.stop:
                status = "stopped"
                break
            if training.seconds is not None and position.seconds > training.seconds:
                status = "timed out"
                break
    except KeyboardInterrupt:
        status = "interrupted"
    if folder is not None and position.step != kept:
        with uninterrupted():
            checkpoint.save(folder, task, state, position, readings)
    params = task.bounds.bounded(state.params)
    return Trained(
        status=status,
        field=task.field,
        params=params,
        readings=tuple(readings),
        unknowns=unknowns(task, params),
        verdicts=(),
        scores=(),
        diagnostics=diagnostics,
        steps=position.step,
        seconds=position.seconds,
    )


def unknowns(task: Task, params: PyTree) -> Mapping[str, float]:
    """The recovered scalars; means over the members of an ensemble."""
    names = [p.name for p in task.system.problem.parameters if p.unknown]
    if not names:
        return {}
    assert isinstance(params, dict)
    return {name: float(jnp.mean(params["eq"][name])) for name in names}


def _diverged(task: Task, event: Event) -> Diagnostic:
    """R720: a loss became infinite."""
    bad = next((n for n, v in event.losses.items() if not np.isfinite(v)), "the residual")
    phase = task.training.phases[event.position.phase]
    return Diagnostic(
        "R720",
        f"the loss `{bad}` became infinite before step {event.position.step}",
        phase.span or task.system.problem.span,
        help="lower the learning rate, or begin with a warmup; the checkpoints before it are as they were",
    )
