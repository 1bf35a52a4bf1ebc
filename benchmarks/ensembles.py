"""Members of an ensemble against runs of their own: `python -m benchmarks.ensembles`.

A chunk of Adam or Levenberg–Marquardt on Burgers' equation for 16 members, and its time over that of 16
single runs from the same parameters (how often Levenberg–Marquardt tries a step depends on them): minimum
over interleaved rounds, and CPU time beside it.
"""

import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

import nablax
from benchmarks.table import table
from nablax.backends.precision import precise
from nablax.backends.training.loop import Chunk, State, begin, programs_of
from nablax.backends.training.task import make_task
from nablax.plan import Dtype

MEMBERS, ROUNDS = 16, 5
SPEC = """
space { x in [-1, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = 0.01/pi*dxx(u) }
initial { u = -sin(pi*x) }
boundary { all: u = 0 }
"""
CASES = {
    "Adam, MLP 4×64, 2000 points, float32": (
        {"model": "mlp(width=64, depth=4)", "steps": "adam(100)", "points": "residual(2000)"}, 2),
    "Levenberg–Marquardt, MLP 3×20, 1000 points, float64": (
        {"model": "mlp(width=20, depth=3)", "steps": "lm(100)", "points": "residual(1000)"}, 1),
}  # fmt: skip


def _program(options: dict[str, str], members: int) -> tuple[Chunk, State, Dtype]:
    chosen = "; ".join(f"{name} = {value}" for name, value in {**options, "ensemble": members}.items())
    system, training, _ = nablax.parse(f"{SPEC}train {{ {chosen} }}").stages.demand_training()
    with precise(training.dtype):
        task = make_task(system, training)
        programs = programs_of(task)
        state, _ = begin(task, programs)
    return programs.chunks[0], state, training.dtype


def _runs(options: dict[str, str], steps: int) -> dict[str, Callable[[], None]]:
    """A chunk of all members, and one each of as many runs that begin where they do."""
    together, every, dtype = _program(options, MEMBERS)
    alone, single, _ = _program(options, 1)

    def own(i: int) -> State:
        params, optimiser, weights = jax.tree.map(lambda leaf: leaf[i], every[:3])
        return single._replace(params=params, optimiser=optimiser, weights=weights)

    starts = {"members": (together, [every]), "runs": (alone, [own(i) for i in range(MEMBERS)])}

    def run(name: str) -> None:
        chunk, states = starts[name]
        with precise(dtype):
            for state in states:
                jax.block_until_ready(chunk(state, jnp.int32(0), jnp.int32(steps)))

    return {name: partial(run, name) for name in starts}


def main() -> None:
    rows = []
    for name, (options, steps) in CASES.items():
        runs = _runs(options, steps)
        wall: dict[str, list[float]] = {m: [] for m in runs}
        work: dict[str, list[float]] = {m: [] for m in runs}
        for run in runs.values():
            run()
        for _ in range(ROUNDS):
            for members, run in runs.items():
                start, spent = time.perf_counter(), time.process_time()
                run()
                wall[members].append(time.perf_counter() - start)
                work[members].append(time.process_time() - spent)
        ratios = [min(t["members"]) / min(t["runs"]) for t in (wall, work)]
        each = min(wall["runs"]) / MEMBERS / steps
        rows.append([name, f"{1e3 * each:.0f} ms", *(f"{r:.2f}" for r in ratios)])
    print(table(["", "one step of one", f"{MEMBERS} members / {MEMBERS} runs", "CPU time"], rows))


if __name__ == "__main__":
    main()
