"""What the step programs take to compile, and the memory that they run in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

from benchmarks.by_nablax import StepProgram, compiled, step_program
from benchmarks.timing import first_call

FACTOR = 4  # by which every axis is refined


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU, and copies of the state.

    `planning` is from the text to a solver, nothing compiled; `first` what the first step takes over a
    later one; `refined` the same with `FACTOR` times as many points along every axis. `copies` is the
    peak of the program: arguments, results and temporaries.
    """

    grid: tuple[int, ...]
    planning: float
    first: float
    refined: float
    copies: float


def example(name: str) -> str:
    folder = Path(__file__).resolve().parent.parent / "pde_examples"
    return (folder / f"{name}.pde").read_text(encoding="utf-8")


def measure(specs: Mapping[str, str], rounds: int) -> dict[str, Cost]:
    return {title: cost(spec, rounds) for title, spec in specs.items()}


def cost(spec: str, rounds: int) -> Cost:
    """Medians over fresh solvers, the two grids in turn."""
    grid = tuple(a.n for a in compiled(spec).plan.grid)
    finer = tuple(FACTOR * n for n in grid)
    planning: list[float] = []
    firsts: dict[tuple[int, ...], list[float]] = {grid: [], finer: []}
    for _ in range(rounds):
        for n, seconds in firsts.items():
            before = process_time()
            solver = compiled(spec, n)
            planning.append(process_time() - before)
            program = step_program(solver)
            seconds.append(first_call(program))
    return Cost(
        grid,
        median(planning[::2]),
        median(firsts[grid]),
        median(firsts[finer]),
        copies(step_program(compiled(spec))),
    )


def copies(program: StepProgram) -> float:
    """Peak memory over the size of the state."""
    analysis = program.function.lower(*program.arguments).compile().memory_analysis()
    assert analysis is not None
    sizes: Sequence[int] = (
        analysis.argument_size_in_bytes,
        analysis.output_size_in_bytes,
        analysis.temp_size_in_bytes,
        -analysis.alias_size_in_bytes,
    )
    return sum(sizes) / program.state_bytes
