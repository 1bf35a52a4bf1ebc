"""A linear layer with a fractional gradient beside the ordinary one, and the experiment it was proposed for.

The experiment (X. Zhou et al., arXiv:2506.07408: forecasting with a multilayer perceptron, 192 points in,
its layers replaced) runs on series made here: a few sines with drifting phases and autoregressive noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, TypeAlias, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from benchmarks.table import number, ranged, table, verdict
from benchmarks.timing import Spread, interleaved, ratio
from nablax.backends.fractional_gradients.layer import MODES
from nablax.fractional import FLinear, with_fractional_layers

SHAPES = ((256, 64, 64), (1024, 256, 256), (4096, 512, 512))
GOAL = 1.35
WINDOW, AHEAD = 192, 96
ORDERS = (1.0, 0.9, 0.8, 0.7, 0.6)

Layer: TypeAlias = Callable[[Array], Array]
"""An equinox module that is called."""


@dataclass(frozen=True, slots=True)
class Trained:
    """Mean squared error on the last fifth of the series over the seeds, seconds a step, bytes of a step."""

    error: Spread
    step: float
    temporaries: int


def layers(rounds: int) -> dict[tuple[int, int, int], dict[str, Spread]]:
    """Forward and backward of one layer, float32, over that of `equinox.nn.Linear`, by (batch, in, out)."""
    found: dict[tuple[int, int, int], dict[str, Spread]] = {}
    for batch, inputs, outputs in SHAPES:
        key = jax.random.key(0)
        x = jax.random.normal(key, (batch, inputs), "float32")
        linear = eqx.nn.Linear(inputs, outputs, dtype="float32", key=key)
        models: dict[str, Layer] = {"linear": linear}
        models |= {m: cast(Layer, with_fractional_layers(linear, 0.9, m)) for m in MODES}
        programs = {name: partial(_call, _gradient(model, x)) for name, model in models.items()}
        interleaved(programs, 3)
        times = interleaved(programs, rounds)
        found[batch, inputs, outputs] = {
            name: ratio(times[name].wall, times["linear"].wall) for name in MODES
        }
    return found


def _gradient(model: Layer, x: Array) -> Callable[[], object]:
    def loss(parts: tuple[Layer, Array]) -> Array:
        layer, points = parts
        y = layer(points) if isinstance(layer, FLinear) else jax.vmap(layer)(points)
        return jnp.sum(y**2)

    step = jax.jit(jax.grad(loss))
    return lambda: step((model, x))


def _call(program: Callable[[], object]) -> None:
    jax.block_until_ready(program())


def series(length: int = 4000) -> np.ndarray:
    """Seven channels [length, 7]."""
    rng = np.random.default_rng(42)
    t = np.arange(length)
    channels = []
    for _ in range(7):
        wave = sum(
            rng.uniform(0.3, 1) * np.sin(2 * np.pi * t / period + np.cumsum(rng.normal(0, 0.01, length)))
            for period in (24, 24 * 7, rng.uniform(40, 90))
        )
        noise = np.zeros(length)
        for k in range(1, length):
            noise[k] = 0.8 * noise[k - 1] + rng.normal(0, 0.15)
        channels.append(wave + noise)
    values = np.stack(channels, 1)
    return np.asarray((values - values.mean(0)) / values.std(0))


def forecasts(steps: int, seeds: int) -> dict[float, Trained]:
    """192 points of a channel to the next 96 through 256 and 128 units, Adam at 1e-3, batches of 256."""
    values = series()
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW + AHEAD, axis=0)
    cut = int(0.8 * len(windows))

    def pick(part: np.ndarray) -> Array:
        return jnp.asarray(part.reshape(-1, WINDOW + AHEAD), "float32")

    train, test = pick(windows[: cut - WINDOW - AHEAD]), pick(windows[cut:])
    return {order: _trained(order, train, test, steps, seeds) for order in ORDERS}


def _trained(order: float, train: Array, test: Array, steps: int, seeds: int) -> Trained:
    optimiser = optax.chain(optax.clip_by_global_norm(50.0), optax.adam(1e-3))

    def loss(model: Layer, batch: Array) -> Array:
        return jnp.mean((jax.vmap(model)(batch[:, :WINDOW]) - batch[:, WINDOW:]) ** 2)

    def advanced(model: Layer, state: optax.OptState, batch: Array) -> tuple[Layer, optax.OptState]:
        updates, state = optimiser.update(eqx.filter_grad(loss)(model, batch), state)
        return eqx.apply_updates(model, updates), state

    step: Any = eqx.filter_jit(advanced)  # its type says nothing of `lower`
    errors = []
    for seed in range(seeds):
        key, rows = jax.random.split(jax.random.key(seed))
        plain = eqx.nn.MLP(WINDOW, AHEAD, 256, 2, activation=jax.nn.leaky_relu, dtype="float32", key=key)
        model: Layer = plain
        if order != 1:
            model = cast(Layer, with_fractional_layers(plain, order, "exact", clip=1.0))
        state = optimiser.init(eqx.filter(model, eqx.is_inexact_array))
        for chosen in jax.random.randint(rows, (steps, 256), 0, len(train)):
            model, state = step(model, state, train[chosen])
        errors.append(float(loss(model, test)))
    batch = train[:256]
    times = interleaved({"": partial(_call, lambda: step(model, state, batch)[1])}, 21)[""].wall
    memory = step.lower(model, state, batch).compile().compiled.memory_analysis().temp_size_in_bytes
    return Trained(Spread(min(errors), median(errors), max(errors)), median(times), memory)


def tables(rounds: int, steps: int, seeds: int) -> str:
    """Both parts as Markdown."""
    rows = [
        (f"{batch} × {inputs} → {outputs}", *(ranged(found[m]) for m in MODES),
         verdict(found["exact"].middle, GOAL))
        for (batch, inputs, outputs), found in layers(rounds).items()
    ]  # fmt: skip
    head = ("Fractional layer, forward and backward", *(f"{m} / linear" for m in MODES), "goal")
    trained = forecasts(steps, seeds)
    lines = [
        (
            str(order),
            f"{t.error.middle:.4f} ({t.error.low:.4f} to {t.error.high:.4f})",
            number(t.step / trained[1.0].step),
            number(t.temporaries / trained[1.0].temporaries),
        )
        for order, t in trained.items()
    ]
    second = (f"Forecast after {steps} steps, order", f"error over {seeds} seeds", "time", "temporaries")
    return f"{table(head, rows)}\n\n{table(second, lines)}"
