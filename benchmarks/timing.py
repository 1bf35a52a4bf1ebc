"""Interleaved repetitions, medians and spreads; CPU seconds of a fresh process."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, process_time


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the quartiles around it."""

    low: float
    middle: float
    high: float

    def scaled(self, factor: float) -> "Spread":
        return Spread(self.low * factor, self.middle * factor, self.high * factor)


def spread(values: Sequence[float]) -> Spread:
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Spread(low, middle, high)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds round by round, on the wall and of CPU over all threads.

    CPU time is what a busy machine leaves comparable, between programs whose idle threads sleep: OpenMP's
    spin.
    """

    wall: list[float]
    cpu: list[float]


def interleaved(programs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """Every program runs once in a round: what disturbs the machine for longer than a round disturbs all."""
    times = {name: Times([], []) for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            wall, cpu = perf_counter(), process_time()
            program()
            times[name].wall.append(perf_counter() - wall)
            times[name].cpu.append(process_time() - cpu)
    return times


def ratio(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Of the times of the same round."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def first_call(program: Callable[[], object]) -> float:
    """Seconds of CPU that the first call takes over a later one: tracing, lowering and compiling."""
    first, *later = interleaved({"": program}, 4)[""].cpu
    return first - median(later)


def cpu_seconds(code: str) -> float:
    """User and system time of a fresh interpreter that runs `code`, its children's included.

    Raises RuntimeError with the last line of its messages where it fails.
    """
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        messages = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(messages.strip().splitlines()[-1] if messages.strip() else "it failed silently")
    return usage.ru_utime + usage.ru_stime
