"""Training against the clock: `python -m benchmarks.training steps`, or `accuracy` with a number of seeds.

steps: one Adam step (MLP 4×64, tanh, float32, 2000 points) on this project's residual, and the ratio to it
of the same step with the equation written by hand over nested `jax.grad` and nested `jax.jvp`.
accuracy: what the examples in pde_examples/training reach with defaults, over seeds, by CPU seconds.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array

import nablax
from benchmarks.table import table
from nablax.backends.residuals.field import PyTree

POINTS, WIDTH, DEPTH, ROUNDS = 2000, 64, 4, 7
EXAMPLES = Path(__file__).parents[1] / "pde_examples" / "training"

Function = Callable[[Array], Array]
Residual = Callable[[Function, Array], Array]
"""(network of one point, point) to what an equation leaves there, by hand."""


@dataclass(frozen=True, slots=True)
class Case:
    """An equation as text, and by hand for a network of one point and derivatives along axes."""

    name: str
    text: str
    by_hand: Callable[[Callable[..., Array], Array, Callable[[int, int], Array]], Array]


def _spec(space: str, equation: str) -> str:
    blocks = {"space": space, "time": "t in [0, 1]", "fields": "u", "equations": equation, "initial": "u = 0"}
    return "\n".join(f"{name} {{ {inside} }}" for name, inside in blocks.items())


CASES = (
    Case("Burgers", _spec("x in [-1, 1] periodic", "dt(u) + u*dx(u) = 0.01*dxx(u)"),
         lambda u, z, d: d(1, 1) + u(z) * d(0, 1) - 0.01 * d(0, 2)),
    Case("Allen-Cahn", _spec("x in [-1, 1] periodic", "dt(u) = 1e-4*dxx(u) + 5*(u - u^3)"),
         lambda u, z, d: d(1, 1) - 1e-4 * d(0, 2) - 5 * (u(z) - u(z) ** 3)),
    Case("KdV", _spec("x in [-1, 1] periodic", "dt(u) + u*dx(u) + 0.0025*dxxx(u) = 0"),
         lambda u, z, d: d(1, 1) + u(z) * d(0, 1) + 0.0025 * d(0, 3)),
    Case("Kuramoto-Sivashinsky", _spec("x in [-1, 1] periodic", "dt(u) + u*dx(u) + dxx(u) + dxxxx(u) = 0"),
         lambda u, z, d: d(1, 1) + u(z) * d(0, 1) + d(0, 2) + d(0, 4)),
)  # fmt: skip


def _by_grad(u: Function, z: Array, axis: int, order: int) -> Array:
    along = u
    for _ in range(order):
        along = (lambda f: lambda p: jax.grad(f)(p)[axis])(along)
    return along(z)


def _by_jvp(u: Function, z: Array, axis: int, order: int) -> Array:
    direction = jnp.zeros_like(z).at[axis].set(1)
    along = u
    for _ in range(order):
        along = (lambda f: lambda p: jax.jvp(f, (p,), (direction,))[1])(along)
    return along(z)


def _hand_written(case: Case, how: Callable[[Function, Array, int, int], Array], net: eqx.nn.MLP) -> "Loss":
    def loss(params: PyTree, points: Array) -> Array:
        whole = eqx.combine(params, eqx.filter(net, eqx.is_inexact_array, inverse=True))

        def at(z: Array) -> Array:
            return case.by_hand(lambda p: whole(p)[0], z, lambda a, n: how(lambda p: whole(p)[0], z, a, n))

        return jnp.mean(jax.vmap(at)(points) ** 2)

    return loss


Loss = Callable[[PyTree, Array], Array]


def _ours(case: Case, net: eqx.nn.MLP) -> Loss:
    problem = nablax.parse(case.text)
    losses = problem.losses(nablax.field(problem, net))
    return lambda params, points: losses(params, {"equation": points})["equation/u"]


def _stepper(loss: Loss) -> Callable[[PyTree, PyTree, Array], tuple[PyTree, PyTree]]:
    rule = optax.adam(1e-3)

    def step(params: PyTree, state: PyTree, points: Array) -> tuple[PyTree, PyTree]:
        updates, state = rule.update(jax.grad(loss)(params, points), state, params)
        return optax.apply_updates(params, updates), state

    return jax.jit(step)


def steps() -> None:
    """Ratios of interleaved medians, and of the times to the first step."""
    rows = []
    for case in CASES:
        net = eqx.nn.MLP(2, 1, WIDTH, DEPTH, jnp.tanh, key=jax.random.key(0))
        params = eqx.filter(net, eqx.is_inexact_array)
        low, high = jnp.array([-1.0, 0.0]), jnp.array([1.0, 1.0])
        points = low + (high - low) * jax.random.uniform(jax.random.key(1), (POINTS, 2))
        losses = {
            "ours": _ours(case, net),
            "nested grad": _hand_written(case, _by_grad, net),
            "nested jvp": _hand_written(case, _by_jvp, net),
        }
        values = [float(jax.jit(loss)(params, points)) for loss in losses.values()]
        assert all(abs(v - values[0]) <= 1e-3 * abs(values[0]) for v in values), (case.name, values)
        first: dict[str, float] = {}
        found: dict[str, list[float]] = {name: [] for name in losses}
        runs = {}
        for name, loss in losses.items():
            step, state = _stepper(loss), optax.adam(1e-3).init(params)
            start = time.perf_counter()
            jax.block_until_ready(step(params, state, points))
            first[name] = time.perf_counter() - start
            runs[name] = (step, state)
        for _ in range(ROUNDS):
            for name, (step, state) in runs.items():
                start = time.perf_counter()
                jax.block_until_ready(step(params, state, points))
                found[name].append(time.perf_counter() - start)
        ours = median(found["ours"])
        rows.append([
            case.name, f"{1e3 * ours:.1f} ms",
            *(f"{median(found[n]) / ours:.2f}" for n in ("nested grad", "nested jvp")),
            f"{first['nested grad'] / first['ours']:.2f}",
        ])  # fmt: skip
    head = ["", "one step", "nested grad", "nested jvp", "first step, nested grad"]
    print(table(head, rows))


def accuracy(seeds: int) -> None:
    """What the training examples measure by `expect` with defaults, over seeds."""
    rows = []
    for path in sorted(EXAMPLES.glob("*.pde")):
        for seed in range(seeds):
            start = time.process_time()
            trained = nablax.train(nablax.load(path), {"seed": seed})
            spent = time.process_time() - start
            told = [f"{v.measure} {v.measured:.2g}" for v in trained.verdicts if v.measured is not None]
            told += [f"{s.field} {s.error:.2g} (reference {s.reference:.1g})" for s in trained.scores]
            told += [f"{name} = {value:.5g}" for name, value in trained.unknowns.items()]
            rows.append([path.stem, str(seed), f"{spent:.0f}", "; ".join(told)])
    print(table(["", "seed", "CPU s", "found"], rows))


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "steps"
    if what == "steps":
        steps()
    else:
        accuracy(int(sys.argv[2]) if len(sys.argv) > 2 else 3)
