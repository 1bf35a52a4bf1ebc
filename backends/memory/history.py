"""What a derivative with memory keeps of the past, and the sum over it that a step needs.

For u piecewise linear between steps, D^α u(t_n) = w (u_n - u_(n-1)) + past (the L1 scheme: Z. Sun, X. Wu,
Appl. Numer. Math. 56 (2006) 193; Y. Lin, C. Xu, J. Comput. Phys. 225 (2007) 1533), w the mean of the kernel
over the step, τ_n^(-α)/Γ(2-α) where it is t^(-α)/Γ(1-α), and the past an integral of the slopes before
t_(n-1) with the kernel. `Direct` keeps all slopes; `Exponentials` keeps ∫ e^(-s (t-t')) u'(t') dt' for a few
rates s, which decay and grow by themselves from step to step (S. Jiang et al., Commun. Comput. Phys. 21
(2017) 650), and `Decaying` the one rate that a kernel which is an exponential has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.memory.kernels import KERNELS
from nablax.fractional_calculus.operators import Kernel


class Order(NamedTuple):
    """coefficient · D^order, 0 < order < 1: numbers of a run."""

    coefficient: Array
    order: Array


class Clock(NamedTuple):
    """Steps so far, the times since the start at which they ended by the measure of the memory (none where no
    engine looks at them), and one over the length of the last (0 before the first)."""

    taken: Array
    times: Array
    pace: Array


class Engine(Protocol):
    """The past of one array under Σ coefficient · D^order."""

    def empty(self, like: Array) -> Array:
        """What is kept at the start."""
        ...

    def own(self, step: Array, orders: Sequence[Order]) -> Array:
        """What the change over the last step, of length `step`, counts in Σ c D^α at its end."""
        ...

    def past(self, kept: Array, clock: Clock, now: Array, step: Array, orders: Sequence[Order]) -> Array:
        """The part of Σ c D^α at the time `now` that the steps before the last one, of length `step`,
        make."""
        ...

    def push(self, kept: Array, clock: Clock, step: Array, change: Array, orders: Sequence[Order]) -> Array:
        """Another step, of length `step`, over which the array changed by `change`."""
        ...


def local_weight(kernel: Kernel, orders: Sequence[Order], step: Array) -> Array:
    """The mean of Σ c K over the last step."""
    total = jnp.zeros((), step.dtype)
    for c, a in orders:
        total = total + c * KERNELS[kernel].first(a, step) / step
    return total


@dataclass(frozen=True, slots=True)
class Direct:
    """All slopes, [capacity or more, *shape of the array]."""

    capacity: int
    kernel: Kernel = "power"

    def empty(self, like: Array) -> Array:
        return jnp.zeros((self.capacity, *like.shape), like.dtype)

    def own(self, step: Array, orders: Sequence[Order]) -> Array:
        return local_weight(self.kernel, orders, step)

    def past(self, kept: Array, clock: Clock, now: Array, step: Array, orders: Sequence[Order]) -> Array:
        ends = clock.times[1:]
        there = jnp.arange(len(ends), dtype=ends.dtype) < clock.taken
        lengths = jnp.where(there, jnp.diff(clock.times), 0.5)
        lags = jnp.where(there, now - clock.times[:-1], 1)
        weights = jnp.zeros_like(ends)
        for c, a in orders:
            weights = weights + c * KERNELS[self.kernel].between(a, lags, lengths)
        return weighted(jnp.where(there, weights, 0), kept)

    def push(self, kept: Array, clock: Clock, step: Array, change: Array, orders: Sequence[Order]) -> Array:
        return kept.at[clock.taken.astype(jnp.int32)].set(change / step.astype(change.dtype))


@dataclass(frozen=True, slots=True)
class Exponentials:
    """∫ e^(-s (t-t')) u'(t') dt' for every rate s, [rates, *shape of the array].

    `weights` makes the weights of the rates in the kernel of the run's orders.
    """

    rates: np.ndarray
    weights: Callable[[Sequence[Order]], Array]
    kernel: Kernel = "power"

    def empty(self, like: Array) -> Array:
        return jnp.zeros((len(self.rates), *like.shape), like.dtype)

    def own(self, step: Array, orders: Sequence[Order]) -> Array:
        return local_weight(self.kernel, orders, step)

    def past(self, kept: Array, clock: Clock, now: Array, step: Array, orders: Sequence[Order]) -> Array:
        decay = jnp.exp(-jnp.asarray(self.rates, step.dtype) * step)
        return weighted(self.weights(orders).astype(step.dtype) * decay, kept)

    def push(self, kept: Array, clock: Clock, step: Array, change: Array, orders: Sequence[Order]) -> Array:
        return grown(jnp.asarray(self.rates, step.dtype) * step, kept, change)


@dataclass(frozen=True, slots=True)
class Decaying:
    """The exponential kernel: one array for each of `count` orders, exact for every step."""

    count: int

    def empty(self, like: Array) -> Array:
        return jnp.zeros((self.count, *like.shape), like.dtype)

    def own(self, step: Array, orders: Sequence[Order]) -> Array:
        return local_weight("exponential", orders, step)

    def past(self, kept: Array, clock: Clock, now: Array, step: Array, orders: Sequence[Order]) -> Array:
        weights = [c / (1 - a) * jnp.exp(-a / (1 - a) * step) for c, a in orders]
        return weighted(jnp.stack(weights), kept)

    def push(self, kept: Array, clock: Clock, step: Array, change: Array, orders: Sequence[Order]) -> Array:
        return grown(jnp.stack([a / (1 - a) * step for _, a in orders]), kept, change)


def grown(z: Array, kept: Array, change: Array) -> Array:
    """∫ e^(-s (t-t')) u' dt' after another step; `z` [rates] are the rates times its length."""
    # (1 - e^(-z))/z, 1 at 0.
    gain = jnp.where(z > 0, -jnp.expm1(-z) / jnp.where(z > 0, z, 1), 1).astype(kept.dtype)
    shape = (len(z),) + (1,) * change.ndim
    decay = jnp.exp(-z).astype(kept.dtype)
    return decay.reshape(shape) * kept + gain.reshape(shape) * change[None]


def weighted(weights: Array, kept: Array) -> Array:
    """Σ weights · kept along the first axis."""
    flat = kept.reshape(kept.shape[0], -1)
    return (weights.astype(kept.dtype) @ flat).reshape(kept.shape[1:])
