"""The past of a fractional derivative: summed over all steps, and by decaying exponentials.

D^α u = -λ u at many points at once, each with its own λ, by the implicit L1 scheme on equal steps.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.table import number, ranged, table
from benchmarks.timing import interleaved, ratio, spread
from nablax.backends.memory.exponentials import fitted
from nablax.backends.memory.history import Clock, Direct, Engine, Exponentials, Order, local_weight
from nablax.backends.memory.scheme import ticked

ALPHA = 0.5
RUNS = ((64, 1000), (150, 1000), (1000, 1000), (10_000, 100))  # steps, points
GOALS = {1000: 5.0, 10_000: 50.0}
TOLERANCE = 1e-9


def stepped(engine: Engine, steps: int, points: int) -> Callable[[], Array]:
    """u at t = 1 after as many equal steps."""
    h = 1.0 / steps
    orders = [Order(jnp.asarray(1.0), jnp.asarray(ALPHA))]
    rates = jnp.linspace(0.1, 10.0, points)

    @jax.jit
    def run(start: Array) -> Array:
        step = jnp.asarray(h)
        pull = local_weight(orders, step)

        def one(state: tuple[Array, Clock, Array], i: Array) -> tuple[tuple[Array, Clock, Array], None]:
            u, clock, kept = state
            after = (i + 1) * step
            past = engine.past(kept, clock, after, step, orders)
            new = (pull * u - past) / (pull + rates)
            kept = engine.push(kept, clock, step, new - u)
            return (new, ticked(clock, after, step), kept), None

        times = jnp.zeros(steps + 1 if isinstance(engine, Direct) else 0)
        first = start, Clock(jnp.zeros(()), times, jnp.zeros(())), engine.empty(start)
        (u, _, _), _ = jax.lax.scan(one, first, jnp.arange(steps, dtype=float))
        return u

    return partial(run, jnp.ones(points))


def tables(rounds: int) -> str:
    """One row a run: both engines, what they keep, how far they are apart."""
    rows = []
    for steps, points in RUNS:
        made = fitted(((1.0, ALPHA),), 1.0 / steps, 1.0, TOLERANCE)
        weights = made.weights
        short = Exponentials(made.rates, lambda _, w=weights: jnp.asarray(w))
        programs = {
            "direct": stepped(Direct(steps), steps, points),
            "exponentials": stepped(short, steps, points),
        }
        ends = {name: np.asarray(program()) for name, program in programs.items()}
        apart = float(np.abs(ends["direct"] - ends["exponentials"]).max())
        times = interleaved({n: partial(_done, p) for n, p in programs.items()}, rounds)
        gain = ratio(times["direct"].wall, times["exponentials"].wall)
        milliseconds = [ranged(spread(t.wall).scaled(1e3)) for t in times.values()]
        wanted = GOALS.get(steps)
        met = "met" if wanted is not None and gain.middle >= wanted else "missed"
        goal = "" if wanted is None else f"≥ {wanted:g}: {met}"
        kept = f"{steps} / {len(made.rates)}"
        rows.append((f"{steps} x {points}", *milliseconds, ranged(gain), kept, number(apart), goal))
    head = ("history: steps x points", "direct ms", "exponentials ms", "ratio", "kept", "apart", "goal")
    return table(head, rows)


def _done(program: Callable[[], Array]) -> object:
    return program().block_until_ready()
