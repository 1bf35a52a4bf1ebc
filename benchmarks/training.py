"""Training against the clock.

python -m benchmarks.training steps [CASE ...]: one step of training against other ways to it.
python -m benchmarks.training accuracy [SEEDS [EXAMPLE ...]]: what the examples in pde_examples/training reach
with defaults, over seeds, and the CPU seconds that training took.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import nablax
from benchmarks import steps
from benchmarks.table import table
from nablax.backends.training.records import Reading

EXAMPLES = Path(__file__).parents[1] / "pde_examples" / "training"


class Clock:
    """CPU seconds of this process from the first step's compilation to the last reading."""

    def __init__(self) -> None:
        self.start = self.last = process_time()

    def saw(self, reading: Reading) -> None:
        self.last = process_time()


def accuracy(seeds: int, names: Sequence[str]) -> None:
    """What the examples measure by `expect`, or against the solver's solution with its own error beside."""
    for path in sorted(EXAMPLES.glob("*.pde")):
        if names and path.stem not in names:
            continue
        rows = []
        for seed in range(seeds):
            clock = Clock()
            trained = nablax.train(nablax.load(path), {"seed": seed}, watcher=clock)
            told = [f"{s.field} {s.error:.2g} (reference {s.reference:.1g})" for s in trained.scores]
            told += [f"{name} = {value:.5g}" for name, value in trained.unknowns.items()]
            told += [f"{v.measure} {v.measured:.2g}" for v in trained.verdicts if v.measured is not None]
            met = "met" if trained.met else "missed"
            spent = clock.last - clock.start
            rows.append([path.stem, str(seed), str(trained.steps), f"{spent:.0f}", "; ".join(told), met])
            print(table(["", "seed", "steps", "CPU s", "found", "expect"], rows[-1:]), flush=True)


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["steps"]
    if what == "steps":
        steps.report(rest)
    else:
        accuracy(int(rest[0]) if rest else 3, rest[1:])
