"""Progress of a run on a terminal; nothing where standard error is none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Group

    from nablax.backends.frames import Frame, Progress
    from nablax.backends.run import Watcher
    from nablax.outline import Outline


class Silent:
    """Watches and says nothing."""

    def saw(self, event: "Frame | Progress") -> None:
        return


@contextmanager
def watching(outline: "Outline", silent: bool) -> "Iterator[Watcher]":
    """A watcher for one run; the terminal is left clean afterwards."""
    if silent or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.live import Live

    panel = _Panel(outline)
    with Live(
        get_renderable=panel.render, console=Console(stderr=True), refresh_per_second=8, transient=True
    ):
        yield panel


class _Panel:
    def __init__(self, outline: "Outline") -> None:
        self._outline = outline
        self._t = outline.frames[0]
        self._steps = 0
        self._before = 0  # steps up to the last frame
        self._frame: Frame | None = None
        self._started: float | None = None

    def saw(self, event: "Frame | Progress") -> None:
        from nablax.backends.frames import Frame

        if self._started is None:
            self._started = perf_counter()
        self._t = event.t
        if isinstance(event, Frame):
            self._before += event.steps
            self._steps = max(self._steps, self._before)
            self._frame = event
        else:
            self._steps = event.steps

    def render(self) -> "Group":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        first, last = self._outline.frames[0], self._outline.frames[-1]
        span = (last - first) or 1.0
        table = Table.grid(padding=(0, 2))
        if self._started is None:
            table.add_row("compiling", f"{self._outline.method}, {self._outline.stepping.name}")
            return Group(table)
        if self._t >= last:
            table.add_row("drawing", f"{self._steps} steps taken")
            return Group(table)
        bar = ProgressBar(total=1.0, completed=(self._t - first) / span, width=40)
        elapsed = perf_counter() - self._started
        done = (self._t - first) / span
        remaining = f"{elapsed * (1 - done) / done:.0f} s left" if 0.02 < done < 1 else ""
        table.add_row(bar, f"t = {self._t:.4g} of {last:g}", remaining)
        numbers = Table.grid(padding=(0, 2))
        dt = f"dt {self._frame.dt:.3g}" if self._frame and self._frame.dt else ""
        rate = f"{self._steps / elapsed:.0f} steps/s" if elapsed > 0.5 else ""
        numbers.add_row(f"{self._steps} steps", dt, rate, *self._maxima())
        return Group(table, numbers)

    def _maxima(self) -> list[str]:
        if self._frame is None:
            return []
        import numpy as np

        shown = list(self._frame.fields.items())[:4]
        return [f"max |{name}| {float(np.max(np.abs(values))):.4g}" for name, values in shown]
