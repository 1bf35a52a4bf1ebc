"""A sweep from plan to files: solve all members at once, save, judge each, draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from time import perf_counter
from types import MappingProxyType

import numpy as np

from nablax.backends.breakdown import breakdown_diagnostic, standstill_diagnostic, wall_diagnostic
from nablax.backends.expectations import Judge, Verdict
from nablax.backends.frames import Breakdown, Frame
from nablax.backends.members import Batch, Fallen, Members, stream
from nablax.backends.output import store
from nablax.backends.output.dataset import Lead, layout
from nablax.backends.output.paths import OutputError, claim
from nablax.backends.resolution import Resolution, ResolutionWatch
from nablax.backends.run import Prepared, Status, Watcher, uninterrupted, unresolved
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.frontend.diagnostics import Diagnostic, Note, Severity
from nablax.outline import Outline
from nablax.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class Point:
    """A member: its swept values, and what became of it. `reached` is the time of its last sound frame."""

    values: Mapping[str, float]
    status: Status
    reached: float | None
    verdicts: tuple[Verdict, ...]

    @property
    def met(self) -> bool:
        return all(v.passed for v in self.verdicts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sweep left behind; `remarks` say what its members shared."""

    status: Status
    data: Path | None
    pictures: tuple[Path, ...]
    frames: int
    seconds: float
    points: tuple[Point, ...]
    diagnostics: tuple[Diagnostic, ...]
    remarks: tuple[str, ...] = ()


def run_sweep(
    prepared: Prepared,
    solver: Solver | SteadySolver,
    sweep: Sweep,
    parameters: Sequence[Mapping[str, float]],
    watcher: Watcher,
) -> Outcome:
    """All members to the end; a member that breaks down is blank from there on, and the others go on.

    `parameters` holds every parameter of each member. Raises `OutputError` if the disk refuses.
    """
    outline = prepared.outline
    members = _members(parameters, sweep)
    leads = _leads(sweep, parameters)
    shape = tuple(lead.size for lead in leads)
    shared = {n: v for n, v in parameters[0].items() if n not in members.values}
    judges = [Judge(outline, p) for p in parameters]
    watches = [ResolutionWatch(outline) for _ in parameters]
    reached: list[float | None] = [None] * len(parameters)
    fallen: dict[int, Fallen] = {}
    status: Status = "done"
    writer: store.Writer | None = None
    started = perf_counter()
    try:
        for batch in stream(solver, members):
            fallen |= {f.member: f for f in batch.fallen}
            with uninterrupted():
                if writer is None:
                    writer = store.create(prepared.path, layout(outline, shared, leads))
                writer.append(_shaped(batch.frame, shape))
            for i in (i for i in range(len(parameters)) if i not in fallen):
                frame = _member(batch, i)
                judges[i].see(frame)
                watches[i].see(frame)
                reached[i] = frame.t
            watcher.saw(batch.frame)
    except KeyboardInterrupt:
        status = "interrupted"
    if fallen and status == "done":
        status = "broken"
    if writer is not None:
        with uninterrupted():
            writer.close(complete=status == "done")
    points = tuple(
        Point(
            {n: p[n] for n in sweep.names},
            "broken" if i in fallen else status if status == "interrupted" else "done",
            reached[i],
            () if i in fallen or status == "interrupted" else judges[i].verdicts(),
        )
        for i, p in enumerate(parameters)
    )
    diagnostics = [
        *_accounts(prepared, members, list(fallen.values())),
        *_unresolved(outline, watches, points),
    ]
    outcome = Outcome(
        status=status,
        data=None if writer is None else prepared.path,
        pictures=(),
        frames=0 if writer is None else writer.frames,
        seconds=perf_counter() - started,
        points=points,
        diagnostics=tuple(diagnostics),
    )
    drawn = writer is not None and status != "interrupted" and prepared.target.plot
    return _illustrated(prepared, outcome) if drawn and len(fallen) < len(parameters) else outcome


def named(values: Mapping[str, float]) -> str:
    """`nu = 0.1, D = 2`."""
    return ", ".join(f"{n} = {v:.6g}" for n, v in values.items())


def _members(parameters: Sequence[Mapping[str, float]], sweep: Sweep) -> Members:
    """Swept parameters, and those that follow from them."""
    first = parameters[0]
    varying = [n for n in first if n in sweep.names or len({p[n] for p in parameters}) > 1]
    return Members({n: np.array([p[n] for p in parameters]) for n in varying})


def _leads(sweep: Sweep, parameters: Sequence[Mapping[str, float]]) -> tuple[Lead, ...]:
    """The dimensions with the values along them."""
    found = []
    for k, dimension in enumerate(sweep.dimensions):
        stride = prod(sweep.shape[k + 1 :])
        along = [parameters[i * stride] for i in range(sweep.shape[k])]
        found.append(Lead({n: np.array([p[n] for p in along]) for n in dimension.names}))
    return tuple(found)


def _shaped(frame: Frame, shape: tuple[int, ...]) -> Frame:
    fields = {n: v.reshape(*shape, *v.shape[1:]) for n, v in frame.fields.items()}
    return replace(frame, fields=MappingProxyType(fields))


def _member(batch: Batch, i: int) -> Frame:
    return replace(batch.frame, fields={n: v[i] for n, v in batch.frame.fields.items()})


def _accounts(prepared: Prepared, members: Members, fallen: Sequence[Fallen]) -> list[Diagnostic]:
    """Why members fell: the first with a known cause, which names the others."""
    told = next((f for f in fallen if f.cause is not None), None)
    if told is None:
        return []
    cause = told.cause
    assert cause is not None
    outline = prepared.outline
    if isinstance(cause, Breakdown):
        found = wall_diagnostic(prepared.system, members.of(told.member), cause)
        made = found or breakdown_diagnostic(outline, cause)
    else:
        made = standstill_diagnostic(outline, cause)
    notes = [Note(f"this is the member with {named(members.of(told.member))}")]
    others = [named(members.of(f.member)) for f in fallen if f is not told]
    if others:
        listed = "; ".join(others[:8]) + ("; ..." if len(others) > 8 else "")
        notes.append(Note(f"{len(others)} more broke down: {listed}"))
    return [replace(made, notes=(*made.notes, *notes))]


def _unresolved(
    outline: Outline, watches: Sequence[ResolutionWatch], points: Sequence[Point]
) -> list[Diagnostic]:
    """R710 once a field, for the member it is worst in."""
    worst: dict[str, tuple[Resolution, int]] = {}
    counts: dict[str, int] = {}
    for i, watch in enumerate(watches):
        for name, reading in watch.worst().items():
            if reading.resolved:
                continue
            counts[name] = counts.get(name, 0) + 1
            if name not in worst or reading.indicator > worst[name][0].indicator:
                worst[name] = (reading, i)
    found = []
    for name, (reading, i) in worst.items():
        made = unresolved(outline, reading)
        note = Note(
            f"with {named(points[i].values)}; {counts[name]} of {len(points)} members are not resolved"
        )
        found.append(replace(made, notes=(*made.notes, note)))
    return found


def _illustrated(prepared: Prepared, outcome: Outcome) -> Outcome:
    from nablax.backends.output.pictures import draw_saved
    from nablax.backends.output.scene import PictureError

    path = prepared.path.with_suffix(".png")
    try:
        claim(path)
        draw_saved(prepared.path, path)
    except (OutputError, PictureError) as error:
        message = f"the picture was not drawn: {error}"
        warning = Diagnostic("P553", message, prepared.outline.span, severity=Severity.WARNING)
        return replace(outcome, diagnostics=(*outcome.diagnostics, warning))
    except KeyboardInterrupt:
        return outcome
    return replace(outcome, pictures=(path,))
