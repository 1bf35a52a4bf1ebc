"""Where a run is, and all that it goes on from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nablax.backends.residuals.field import PyTree
from nablax.backends.training.loop import Event, Position, State
from nablax.backends.training.records import Reading


@dataclass(frozen=True, slots=True)
class Kept:
    """The best state of a window so far: its parameters, free of bounds, after `step` of its `steps`.

    `loss` is the sum of all losses on points held out (None for the start, and where there is none to go by),
    `held` the root mean square of the residual there (None for the start).
    """

    params: PyTree
    step: int = 0
    steps: int = 0
    loss: float | None = None
    held: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """`finished` are the windows that are done, `kept` is the best of the one under way."""

    state: State
    position: Position
    kept: Kept
    finished: tuple[Kept, ...]
    readings: tuple[Reading, ...]

    @property
    def done(self) -> tuple[Kept, ...]:
        """Every window that has steps behind it."""
        return (*self.finished, self.kept) if self.kept.step or not self.finished else self.finished

    def after(self, event: Event) -> "Progress":
        position = event.position
        reading = Reading(
            position.total, position.seconds, event.optimiser, event.losses, event.held, position.window
        )
        return Progress(
            event.state, position, better(self.kept, event), self.finished, (*self.readings, reading)
        )

    def last(self) -> Reading | None:
        """The last reading of the window under way."""
        return next((r for r in self.readings[-1:] if r.window == self.position.window), None)


def better(kept: Kept, event: Event) -> Kept:
    """The new state where it is better on points held out, or nothing tells."""
    step = event.position.step
    if event.unseen is None or kept.loss is None or event.unseen < kept.loss:
        return Kept(event.state.params, step, step, event.unseen, event.held)
    return replace(kept, steps=step)


def opened(state: State, before: "Progress | None" = None) -> Progress:
    """Before the first step of a window, after those that are done."""
    if before is None:
        return Progress(state, Position(0, 0, 0, 0.0), Kept(state.params), (), ())
    at = before.position
    position = Position(0, 0, 0, at.seconds, at.window + 1, at.total)
    return Progress(state, position, Kept(state.params), (*before.finished, before.kept), before.readings)


def params_of(kept: Sequence[Kept]) -> tuple[PyTree, ...]:
    """The parameters of windows, free of bounds, in order: what the windows after them begin with."""
    return tuple(k.params for k in kept)
