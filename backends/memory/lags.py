"""What a convolution quadrature keeps of the past, and its sum: over all lags, or recent ones and modes.

The weights of BDF2 for an order α have branch cuts along [1, 3] and beyond, so that for later lags they are
decaying exponentials:

    ω_n = -sin(πα)/π ∫_0^(log 3) |δ(e^y)|^α e^(-ny) dy + O(3^(-n)),   δ(ζ) = (1 - ζ)(3 - ζ)/2.

A quadrature in y, with weights that are functions of α, makes a few dozen modes of them. (A. Schädler,
M. López-Fernández, C. Lubich, SIAM J. Sci. Comput. 28 (2006) 421, take contours instead of the cut.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.memory.exponentials import Quadrature, panels
from nablax.backends.memory.history import Order, weighted

POINTS = 12  # of an interval of rates
RECENT = {"float64": 32, "float32": 16}  # lags that are summed as they are: 3^(-32) is rounding


class Lags(Protocol):
    """Values u - u_0 - t u_0' of the steps before, those that lie before the start being 0."""

    def empty(self, like: Array) -> Array:
        """What is kept at the start."""
        ...

    def past(self, kept: Array, taken: Array, weights: Array, orders: Sequence[Order], h: Array) -> Array:
        """Σ ω v over the lags from 1 on, after `taken` steps; `weights` [lags] are Σ c τ^(-α) ω."""
        ...

    def last(self, kept: Array, taken: Array, lag: int) -> Array:
        """The value that lies `lag` steps back, a few at most."""
        ...

    def push(self, kept: Array, taken: Array, value: Array) -> Array:
        """Another step, whose value is this."""
        ...


@dataclass(frozen=True, slots=True)
class AllLags:
    """All values, [capacity + 1, *shape of the array]."""

    capacity: int

    def empty(self, like: Array) -> Array:
        return jnp.zeros((self.capacity, *like.shape), like.dtype)

    def past(self, kept: Array, taken: Array, weights: Array, orders: Sequence[Order], h: Array) -> Array:
        lags = taken - jnp.arange(len(kept), dtype=jnp.int32)
        return weighted(jnp.where(lags > 0, weights[jnp.maximum(lags, 0)], 0), kept)

    def last(self, kept: Array, taken: Array, lag: int) -> Array:
        return jnp.where(taken >= lag, kept[jnp.maximum(taken - lag, 0)], 0)

    def push(self, kept: Array, taken: Array, value: Array) -> Array:
        return kept.at[taken].set(value)


@dataclass(frozen=True, slots=True)
class RecentLags:
    """The last `recent` values in turn, then a mode per rate: [recent + rates, *shape of the array].

    A mode is Σ e^(-y lag) v over the lags from `recent` on, as the step before saw it.
    """

    recent: int
    rates: Quadrature

    def empty(self, like: Array) -> Array:
        return jnp.zeros((self.recent + len(self.rates.rates), *like.shape), like.dtype)

    def past(self, kept: Array, taken: Array, weights: Array, orders: Sequence[Order], h: Array) -> Array:
        slots = jnp.arange(self.recent, dtype=jnp.int32)
        lags = (taken - slots) % self.recent
        near = jnp.where(lags > 0, weights[lags], 0)
        total = jnp.zeros(len(self.rates.rates), h.dtype)
        for c, a in orders:
            total = total + c * h**-a * cut_weights(self.rates, a)
        return weighted(near, kept[: self.recent]) + weighted(total, self._moved(kept, taken))

    def last(self, kept: Array, taken: Array, lag: int) -> Array:
        return kept[(taken - lag) % self.recent]

    def push(self, kept: Array, taken: Array, value: Array) -> Array:
        return jnp.concatenate(
            [kept[: self.recent].at[taken % self.recent].set(value), self._moved(kept, taken)]
        )

    def _moved(self, kept: Array, taken: Array) -> Array:
        """The modes as the step after `taken` steps sees them: the value that gets too old joins them."""
        oldest = kept[taken % self.recent]
        columns = (-1,) + (1,) * oldest.ndim
        rates = jnp.asarray(self.rates.rates, oldest.real.dtype)
        decay, entry = (jnp.exp(-n * rates).astype(kept.dtype).reshape(columns) for n in (1, self.recent))
        return decay * kept[self.recent :] + entry * oldest[None]


def cut_weights(rates: Quadrature, order: Array) -> Array:
    """The weights of e^(-ny) in ω_n; differentiable in the order."""
    y = rates.rates
    slope = jnp.asarray(np.expm1(y) * (3 - np.exp(y)) / 2 / y, order.dtype)
    return -jnp.sin(jnp.pi * order) / jnp.pi * slope**order * rates.integrals(order + 1)


def recent_lags(steps: int, dtype: str, tolerance: float) -> RecentLags:
    """For so many steps at most."""
    recent = RECENT[dtype]
    highest = min(log(100 / tolerance) / recent, 0.98 * log(3))
    return RecentLags(recent, panels(1 / steps, highest, POINTS))
