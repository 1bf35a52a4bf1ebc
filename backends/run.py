"""One run from plan to files: solve, save, judge, draw."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from nablax.backends.breakdown import breakdown_diagnostic, standstill_diagnostic, wall_diagnostic
from nablax.backends.expectations import Judge, Verdict
from nablax.backends.frames import Frame, NumericalFailure, Progress, Unsolved
from nablax.backends.output import store
from nablax.backends.output.dataset import layout
from nablax.backends.output.drawings import Requests
from nablax.backends.output.paths import DATA_SUFFIXES, MOVIE_SUFFIXES, OutputError, claim, inside
from nablax.backends.output.restart import find_saved, replay
from nablax.backends.resolution import Resolution, ResolutionWatch
from nablax.frontend.diagnostics import Diagnostic, Report, Severity
from nablax.frontend.source import Span
from nablax.outline import Outline

if TYPE_CHECKING:
    from nablax.backends.artifact.program import Artifact
    from nablax.backends.artifact.steady import SteadyArtifact
    from nablax.backends.interface import State
    from nablax.plan import Plan
    from nablax.system import System

Status = Literal["done", "broken", "interrupted"]


class Stream(Protocol):
    """What a run asks of a solver."""

    @property
    def parameters(self) -> Mapping[str, object]: ...

    def stream(self) -> Iterator[Frame | Progress]: ...


class Restartable(Stream, Protocol):
    """A solver that goes on from a state."""

    def stream(self, params: None = None, initial: "State | None" = None) -> Iterator[Frame | Progress]: ...


class Watcher(Protocol):
    """Told of every event while the run goes on."""

    def saw(self, event: Frame | Progress) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run writes. `data` wins over the spec's `save`; without either it is `<stem>.zarr` in `here`.

    `folder` is the spec's: what the spec names stays in it. `plot` False leaves out picture and movie.
    """

    folder: Path
    here: Path
    stem: str
    data: Path | None = None
    plot: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left behind. `pictures` holds the picture and the movie, where they were made.

    `residuals` are those of a steady problem, by iteration.
    """

    status: Status
    data: Path | None
    pictures: tuple[Path, ...]
    frames: int
    t: float | None
    steps: int
    rejected: int
    seconds: float
    verdicts: tuple[Verdict, ...]
    diagnostics: tuple[Diagnostic, ...]
    residuals: tuple[float, ...] = ()

    @property
    def met(self) -> bool:
        """Whether every `expect` was met."""
        return all(v.passed for v in self.verdicts)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked request: nothing has been written yet. A compiled file has no `system`."""

    outline: Outline
    requests: Requests
    path: Path
    target: Target
    system: "System | None" = None


def prepare(plan: "Plan", target: Target, report: Report, members: int = 1) -> Prepared:
    """Check the needs of so many runs, and paths, before anything is compiled.

    Raises `SpecError` for what the spec asks and cannot have, `OutputError` for a path that the command
    line or the default names.
    """
    from nablax.backends.estimates import check_estimate
    from nablax.backends.output.requests import read_requests
    from nablax.outlining import check_expectations, outline_of

    check_expectations(plan.system.problem, report)
    requests = read_requests(plan.system.problem, target.folder, report)
    path = target.data or requests.save or target.here / f"{target.stem}.zarr"
    check_estimate(plan, _existing(path.parent), report, members)
    if target.data is None and requests.save is not None:
        _claim_for_spec(requests.save, requests.save_span, report)
    if requests.movie is not None and target.plot:
        _claim_for_spec(requests.movie, requests.movie_span, report)
    report.check()
    claim(path)
    return Prepared(outline_of(plan), requests, path, target, plan.system)


def prepare_artifact(artifact: "Artifact | SteadyArtifact", target: Target) -> Prepared:
    """The same for a compiled spec. Raises `OutputError`."""
    output = artifact.manifest.output
    save = None if output.save is None else _within(target.folder, output.save, DATA_SUFFIXES)
    movie = None if output.movie is None else _within(target.folder, output.movie, MOVIE_SUFFIXES)
    path = target.data or save or target.here / f"{target.stem}.zarr"
    claim(path)
    if movie is not None and target.plot:
        claim(movie)
    return Prepared(artifact.outline, Requests(save, movie, output.drawings), path, target)


def _within(folder: Path, name: str, suffixes: tuple[str, ...]) -> Path:
    path = inside(folder, name)
    if path.suffix not in suffixes:
        raise OutputError(f"`{name}` ends in neither {' nor '.join(f'`{s}`' for s in suffixes)}")
    return path


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _claim_for_spec(path: Path, span: Span | None, report: Report) -> None:
    assert span is not None
    try:
        claim(path)
    except OutputError as error:
        report.error("P552", span, str(error), help="name another file, or move that one away")


def run(prepared: Prepared, solver: Stream, watcher: Watcher) -> Outcome:
    """Solve to the end, to a breakdown or to an interrupt; whatever was computed is saved and judged.

    Raises `OutputError` if the disk refuses.
    """
    params = _numbers(solver)
    judge, resolution = Judge(prepared.outline, params), ResolutionWatch(prepared.outline)
    return _follow(prepared, solver.stream(), watcher, params, judge, resolution, None)


def restart(prepared: Prepared, solver: Restartable, watcher: Watcher) -> Outcome:
    """Go on with the run that lies at the prepared path; its frames are judged with the new ones.

    Raises `OutputError` where the plan cannot go on with it, or if the disk refuses.
    """
    outline, params = prepared.outline, _numbers(solver)
    saved = find_saved(prepared.path, outline, params)
    judge, resolution = Judge(outline, params), ResolutionWatch(outline)
    for frame in replay(saved, outline):
        judge.see(frame)
        resolution.see(frame)
    ahead = (
        event for event in solver.stream(initial=saved.state) if event.t > float(saved.state.t)
    )  # the frame of the state itself is there already
    writer = store.reopen(prepared.path, layout(outline, params), saved.frames)
    return _follow(prepared, ahead, watcher, params, judge, resolution, writer)


def _numbers(solver: Stream) -> dict[str, float]:
    return {name: float(np.real(np.asarray(value))) for name, value in solver.parameters.items()}


def _follow(
    prepared: Prepared,
    events: Iterator[Frame | Progress],
    watcher: Watcher,
    params: Mapping[str, float],
    judge: Judge,
    resolution: ResolutionWatch,
    writer: store.Writer | None,
) -> Outcome:
    outline = prepared.outline
    started = perf_counter()
    status: Status = "done"
    diagnostics: list[Diagnostic] = []
    t, steps, rejected = None, 0, 0
    residuals: tuple[float, ...] = ()
    try:
        for event in events:
            if isinstance(event, Frame):
                with uninterrupted():
                    if writer is None:
                        writer = store.create(prepared.path, layout(outline, params))
                    writer.append(event)
                judge.see(event)
                resolution.see(event)
                t, steps, rejected = event.t, steps + event.steps, rejected + event.rejected
                residuals = event.residuals
            watcher.saw(event)
    except NumericalFailure as failure:
        status = "broken"
        told = wall_diagnostic(prepared.system, params, failure.breakdown)
        diagnostics.append(told or breakdown_diagnostic(outline, failure.breakdown))
    except Unsolved as failure:
        status = "broken"
        diagnostics.append(standstill_diagnostic(outline, failure.standstill))
    except KeyboardInterrupt:
        status = "interrupted"
    if writer is not None:
        with uninterrupted():
            writer.close(complete=status == "done")
    diagnostics += [unresolved(outline, r) for r in resolution.worst().values() if not r.resolved]
    outcome = Outcome(
        status=status,
        data=None if writer is None else prepared.path,
        pictures=(),
        frames=0 if writer is None else writer.frames,
        t=t,
        steps=steps,
        rejected=rejected,
        seconds=perf_counter() - started,
        verdicts=judge.verdicts() if status == "done" else (),
        diagnostics=tuple(diagnostics),
        residuals=residuals,
    )
    if writer is None or status == "interrupted" or not prepared.target.plot:
        return outcome
    return _illustrated(prepared, outcome, params)


def _illustrated(prepared: Prepared, outcome: Outcome, params: Mapping[str, float]) -> Outcome:
    from nablax.backends.output.movies import draw_movie
    from nablax.backends.output.pictures import draw_run
    from nablax.backends.output.scene import PictureError

    pictures: list[Path] = []
    diagnostics = list(outcome.diagnostics)
    requests = prepared.requests
    wanted = [(prepared.path.with_suffix(".png"), "picture")]
    if requests.movie is not None:
        wanted.append((requests.movie, "movie"))
    for path, what in wanted:
        try:
            claim(path)
            if what == "picture":
                draw_run(prepared.outline, prepared.path, path, requests.drawings, params)
                pictures.append(path)
            else:
                pictures.append(draw_movie(prepared.path, path))
        except (OutputError, PictureError) as error:
            span = prepared.outline.span
            message = f"the {what} was not drawn: {error}"
            diagnostics.append(Diagnostic("P553", message, span, severity=Severity.WARNING))
        except KeyboardInterrupt:
            break
    return replace(outcome, pictures=tuple(pictures), diagnostics=tuple(diagnostics))


def unresolved(outline: Outline, reading: Resolution) -> Diagnostic:
    """R710: the grid does not carry the solution."""
    n = next(a.n for a in outline.grid if a.name == reading.axis)
    measure = (
        f"the top third of the modes holds {reading.indicator:.1e} of the energy of its variation"
        if reading.kind == "modes"
        else f"every second point predicts the others within {reading.indicator:.1%} only"
    )
    field = next(f for f in outline.fields if f.name == reading.field)
    when = "" if outline.time is None else f" at t = {reading.t:.6g}"
    return Diagnostic(
        "R710",
        f"`{reading.field}` is not resolved along {reading.axis}{when}",
        outline.n or field.span,
        label=f"{measure}",
        help=f"raise n above {n} along {reading.axis} and compare",
        severity=Severity.WARNING,
    )


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block is done: a frame is written whole or not at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        caught.append(number)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        raise KeyboardInterrupt
