"""A training run as lines of text: live while it goes on, and at its end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.outcome import duration, verdict_lines

if TYPE_CHECKING:
    from rich.table import Table

    from nablax.backends.training.records import Reading, Trained
    from nablax.backends.training.run import Watcher
    from nablax.training.records import Training

EVERY = 2.0  # seconds between two plain lines


@contextmanager
def watching(training: "Training", silent: bool) -> "Iterator[Watcher]":
    """A watcher for one run: a live table on a terminal, plain lines on standard error elsewhere."""
    from nablax.backends.training.run import Silent

    if silent:
        yield Silent()
        return
    if not sys.stderr.isatty():
        yield _Lines(training)
        return
    from rich.console import Console
    from rich.live import Live

    panel = _Panel(training)
    with Live(
        get_renderable=panel.render, console=Console(stderr=True), refresh_per_second=4, transient=True
    ):
        yield panel


class _Lines:
    """One line per reading, at most one in two seconds."""

    def __init__(self, training: "Training") -> None:
        self._training = training
        self._last = float("-inf")

    def saw(self, reading: "Reading") -> None:
        steps = self._training.steps * self._training.windows
        if reading.seconds - self._last < EVERY and reading.step < steps:
            return
        self._last = reading.seconds
        terms = "  ".join(f"{name} {value:.2e}" for name, value in reading.losses.items())
        click.echo(
            f"{_window(self._training, reading)}step {reading.step} of {steps}  {duration(reading.seconds)}  "
            f"{reading.optimiser}  residual {reading.held:.2e}  {terms}",
            err=True,
        )


def _window(training: "Training", reading: "Reading") -> str:
    return f"window {reading.window + 1} of {training.windows}  " if training.windows > 1 else ""


class _Panel:
    def __init__(self, training: "Training") -> None:
        self._training = training
        self._reading: Reading | None = None

    def saw(self, reading: "Reading") -> None:
        self._reading = reading

    def render(self) -> "Table":
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        reading, steps = self._reading, self._training.steps * self._training.windows
        if reading is None:
            table.add_row("compiling", self._training.phases[0].optimiser)
            return table
        bar = ProgressBar(total=1.0, completed=reading.step / steps, width=40)
        table.add_row(
            bar,
            f"{_window(self._training, reading)}step {reading.step} of {steps}",
            duration(reading.seconds),
            reading.optimiser,
        )
        table.add_row("residual on points held out", f"{reading.held:.3e}")
        for name, value in reading.losses.items():
            table.add_row(f"loss {name}", f"{value:.3e}")
        return table


_ENDS = {
    "done": "all steps taken",
    "stopped": "stopped: the residual on points held out is below `stop`",
    "timed out": "stopped: the time is spent",
    "interrupted": "interrupted: the field is as far as it was trained, go on with --resume",
    "broken": "broken off",
}


def describe(trained: "Trained", folder: Path) -> str:
    """Where the files are, what was found, what became of the expectations, and what it took."""
    lines = [f"{folder}  checkpoints", *(str(f) for f in trained.files)]
    lines += [f"{name} = {value:.6g}" for name, value in trained.unknowns.items()]
    for s in trained.scores:
        lines.append(
            f"{s.field}: relative L2 error {s.error:.3g} against {s.how}; its own error is {s.reference:.1g}"
        )
    lines += verdict_lines(trained.verdicts, True)
    if trained.readings:
        last = trained.readings[-1]
        terms = ", ".join(f"{name} {value:.3g}" for name, value in last.losses.items())
        lines.append(f"losses at the last step: {terms}")
    lines += _kept(trained)
    lines.append(f"{_ENDS[trained.status]}: {trained.steps} steps in {duration(trained.seconds)}")
    return "\n".join(lines)


def _kept(trained: "Trained") -> list[str]:
    """Which states the field is made of."""
    lines = []
    for number, chosen in enumerate(trained.chosen, start=1):
        window = ""
        if len(trained.chosen) > 1 and chosen.ends is not None:
            low, high = chosen.ends
            window = f"window {number}, {low:.4g} to {high:.4g}: "
        which = f"the state after step {chosen.step} of {chosen.steps}"
        lines.append(f"{window}residual on points held out {chosen.held:.3g}, {which}")
    return lines
