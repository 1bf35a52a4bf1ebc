"""Every benchmark, one table each.

python -m benchmarks.run [--quick] [--only WORD ...] [--below LOAD]
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from benchmarks import (
    artifact,
    cold,
    fractional_layer,
    gray_scott,
    heat,
    history,
    kuramoto_sivashinsky,
    large,
    members,
    poisson,
    programs,
    residuals,
    wave,
)
from benchmarks.case import NABLAX, Case, Contender, Fields, Program
from benchmarks.table import number, ranged, table, verdict
from benchmarks.timing import interleaved, ratio, spread

CASES: tuple[Callable[[], Case], ...] = (
    heat.periodic,
    heat.walled,
    gray_scott.gray_scott,
    wave.wave,
    large.plane,
    large.cube,
    kuramoto_sivashinsky.kuramoto_sivashinsky,
    poisson.poisson,
    members.members,
)


def main() -> None:
    asked = arguments()
    jax.config.update("jax_enable_x64", True)
    say(f"{os.cpu_count()} CPU cores, {platform.system()}, Python {platform.python_version()}")
    say(f"jax {jax.__version__} on {jax.devices()[0].platform}, load {load()}")
    for make in CASES:
        if wanted(make().title, asked.only):
            quiet(asked.below)
            compare(make(), 3 if asked.quick else asked.rounds, 10 if asked.quick else 1)
    if wanted("cold start", asked.only):
        quiet(asked.below)
        starts(2 if asked.quick else max(asked.rounds // 4, 2))
    if wanted("compile memory", asked.only):
        quiet(asked.below)
        costs(1 if asked.quick else max(asked.rounds // 4, 2))
    if wanted("fractional layer", asked.only):
        quiet(asked.below)
        steps, seeds = (20, 1) if asked.quick else (1500, 3)
        say(f"\n{fractional_layer.tables(asked.rounds, steps, seeds)}")
    if wanted("history of a fractional derivative", asked.only):
        quiet(asked.below)
        say(f"\n{history.tables(1 if asked.quick else max(asked.rounds // 4, 2))}\n\nload {load()}")
    if wanted("switch between memories", asked.only):
        quiet(asked.below)
        say(f"\n{history.choices(1 if asked.quick else max(asked.rounds // 4, 2))}\n\nload {load()}")
    if wanted("compiled file artifact", asked.only):
        quiet(asked.below)
        rows = artifact.shown(3 if asked.quick else asked.rounds, 10 if asked.quick else 1)
        say(f"\n{rows}\n\nload {load()}")
    if wanted("residuals of networks", asked.only):
        quiet(asked.below)
        residuals.main([], 0.3 if asked.quick else 1.0)
    say(f"\nload at the end: {load()}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions: does everything still run?")
    parser.add_argument("--rounds", type=int, default=21, help="repetitions of each comparison")
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD", help="tables with these words")
    parser.add_argument("--below", type=float, default=None, metavar="LOAD", help="wait for a quiet machine")
    return parser.parse_args()


def compare(case: Case, rounds: int, shorter: int) -> None:
    """All contenders to the same answer first, then against the clock."""
    steps = max(case.steps // shorter // 8, 1) * 8
    # Before our own work. With others on the cores, threads that spin lose more than threads that sleep.
    busy = os.getloadavg()[0] > (os.cpu_count() or 1) / 2
    ready: dict[str, Program] = {}
    ends: dict[str, Fields] = {}
    absent: dict[str, str] = {}
    for contender in case.contenders:
        started = start(contender, case.checked)
        if isinstance(started, str):
            absent[contender.name] = started
        else:
            ready[contender.name], ends[contender.name] = started
    apart = {name: distance(end, ends[NABLAX]) for name, end in ends.items()}
    for name, value in apart.items():
        if not value <= case.tolerance:
            sys.exit(f"{case.title}: {name} computes something else, {value:.1e} away")
    before = load()
    runs = {name: partial(program, steps) for name, program in ready.items()}
    interleaved(runs, 1)
    times = interleaved(runs, rounds)
    ours = times[NABLAX]
    unit = 1e9 / (steps * case.points)
    rows = []
    for contender in case.contenders:
        name = contender.name
        if name in absent:
            rows.append((name, absent[name], "", "", "", "", ""))
            continue
        this = times[name]
        share = ratio(ours.wall, this.wall)
        best = number(min(ours.wall) / min(this.wall))
        work = number(ratio(ours.cpu, this.cpu).middle)
        goal = verdict(share.middle, case.goals[name]) if name in case.goals else ""
        goal = f"{goal} (busy)" if goal and busy else goal
        own = spread(this.wall).scaled(unit)
        rows.append((name, ranged(own), f"{apart[name]:.0e}", ranged(share), best, work, goal))
    head = (case.title, "ns per point and step", "apart", "nablax / this", "of bests", "of CPU", "goal")
    say(f"\n{table(head, rows)}\n\n{rounds} rounds of {steps} steps, load {before} to {load()}")


def start(contender: Contender, steps: int) -> tuple[Program, Fields] | str:
    """A program and what it computes; for a peer that cannot be had, why not."""
    if not contender.installed:
        return "not installed"
    try:
        program = contender.build()
        return program, program(steps)
    except Exception as error:
        # A peer may be there without what it needs, a C compiler say. Our own programs must run.
        if contender.needs == "jax":
            raise
        return f"fails: {type(error).__name__}"


def starts(rounds: int) -> None:
    before = load()
    rows = []
    for name, found in cold.measure(rounds).items():
        if found is None:
            rows.append((name, "not installed", "", ""))
            continue
        goal = verdict(found.beyond.middle, cold.GOAL) if name.startswith(NABLAX) else ""
        rows.append((name, ranged(found.imports), ranged(found.beyond), goal))
    head = ("Cold start, Burgers on 512 points", "imports, s of CPU", "first result beyond, s of CPU", "goal")
    say(f"\n{table(head, rows)}\n\n{rounds} rounds, load {before} to {load()}")


def costs(rounds: int) -> None:
    before = load()
    specs = {
        "heat, periodic": heat.PERIODIC,
        "heat, walls": heat.WALLED,
        "Gray–Scott": gray_scott.SPEC,
        "Kuramoto–Sivashinsky": kuramoto_sivashinsky.SPEC,
        "heat2d.pde": programs.example("heat2d"),
        "stokes_layer.pde": programs.example("stokes_layer"),
        "burgers.pde": programs.example("burgers"),
    }
    rows = []
    for title, cost in programs.measure(specs, rounds).items():
        grid = " × ".join(str(n) for n in cost.grid)
        seconds = (number(s) for s in (cost.planning, cost.first, cost.refined))
        growth = number(cost.refined / cost.first)
        rows.append((title, grid, *seconds, growth, number(cost.copies)))
    head = (
        "Step program",
        "n",
        "text to plan, s of CPU",
        "compile at n, s of CPU",
        "at 4n",
        "4n / n",
        "copies of the state",
    )
    say(f"\n{table(head, rows)}\n\nmedians of {rounds} rounds, load {before} to {load()}")


def distance(found: Fields, expected: Fields) -> float:
    """Largest difference relative to the largest value."""
    largest = max(float(np.abs(b).max()) for b in expected)
    return max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True)) / largest


def wanted(title: str, words: list[str]) -> bool:
    return not words or any(word.lower() in title.lower() for word in words)


def load() -> str:
    return f"{os.getloadavg()[0]:.2f}"


def quiet(below: float | None) -> None:
    """Waits, for as long as it takes, until the load of the last minute is below."""
    while below is not None and os.getloadavg()[0] > below:
        time.sleep(2)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
