"""Members of an ensemble against runs of their own: `python -m benchmarks.ensembles`.

A chunk of Adam or Levenberg–Marquardt on Burgers' equation for 16 members, and the ratio of its time to 16
times that of a single run: minimum over interleaved rounds, and CPU time beside it.
"""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

import nablax
from benchmarks.table import table
from nablax.backends.precision import precise
from nablax.backends.training.loop import begin, programs_of
from nablax.backends.training.task import make_task

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


def _chunk(options: dict[str, str], members: int, steps: int) -> Callable[[], None]:
    chosen = "; ".join(f"{name} = {value}" for name, value in {**options, "ensemble": members}.items())
    system, training, _ = nablax.parse(f"{SPEC}train {{ {chosen} }}").stages.demand_training()
    with precise(training.dtype):
        task = make_task(system, training)
        programs = programs_of(task)
        state, _ = begin(task, programs)

    def run() -> None:
        with precise(training.dtype):
            jax.block_until_ready(programs.chunks[0](state, jnp.int32(0), jnp.int32(steps)))

    run()
    return run


def main() -> None:
    rows = []
    for name, (options, steps) in CASES.items():
        runs = {m: _chunk(options, m, steps) for m in (1, MEMBERS)}
        wall: dict[int, list[float]] = {m: [] for m in runs}
        work: dict[int, list[float]] = {m: [] for m in runs}
        for _ in range(ROUNDS):
            for members, run in runs.items():
                for _ in range(MEMBERS // members):
                    start, spent = time.perf_counter(), time.process_time()
                    run()
                    wall[members].append(time.perf_counter() - start)
                    work[members].append(time.process_time() - spent)
        ratios = [min(t[MEMBERS]) / (MEMBERS * min(t[1])) for t in (wall, work)]
        rows.append([name, f"{1e3 * min(wall[1]) / steps:.0f} ms", *(f"{r:.2f}" for r in ratios)])
    print(table(["", "one step of one", f"{MEMBERS} members / {MEMBERS} runs", "CPU time"], rows))


if __name__ == "__main__":
    main()
