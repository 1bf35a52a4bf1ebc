"""What the slopes of the past are weighted with: kernels by name, and their integrals.

`power` is t^(-α)/Γ(1-α), `exponential` e^(-rt)/(1-α) and `mittag-leffler` E_α(-r t^α)/(1-α), r = α/(1-α)
(A. Atangana, D. Baleanu, Therm. Sci. 20 (2016) 763, with their normalisation B(α) = 1). The last two are
bounded, so that a field which is piecewise linear between steps is followed with order 2.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gamma

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import gammaln

from nablax.backends.special import mittag_leffler
from nablax.fractional_calculus import contour
from nablax.fractional_calculus.operators import Kernel


@dataclass(frozen=True, slots=True)
class Rule:
    """Integrals of a kernel K of one order: `first(α, t)` is that from 0 to t, `between(α, lag, length)` that
    from lag - length to lag > length; `values(α, t)` is K itself, in NumPy."""

    first: Callable[[Array, Array], Array]
    between: Callable[[Array, Array, Array], Array]
    values: Callable[[float, np.ndarray], np.ndarray]


def _power_first(order: Array, t: Array) -> Array:
    return t ** (1 - order) / jnp.exp(gammaln(2 - order))


def _power_between(order: Array, lag: Array, length: Array) -> Array:
    # Differences of powers by expm1 and log1p: lags long against a step would cancel.
    share = jnp.minimum(length / lag, 1 - float(np.finfo(lag.dtype).eps))
    grown = jnp.expm1((1 - order) * jnp.log1p(-share))
    return -(lag ** (1 - order)) * grown / jnp.exp(gammaln(2 - order))


def _power_values(order: float, t: np.ndarray) -> np.ndarray:
    return np.asarray(t**-order / gamma(1 - order))


def _exponential_first(order: Array, t: Array) -> Array:
    return -jnp.expm1(-order / (1 - order) * t) / order


def _exponential_between(order: Array, lag: Array, length: Array) -> Array:
    return jnp.exp(-order / (1 - order) * (lag - length)) * _exponential_first(order, length)


def _exponential_values(order: float, t: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-order / (1 - order) * t) / (1 - order))


def _mittag_leffler_first(order: Array, t: Array) -> Array:
    z = -order / (1 - order) * t**order
    return t * mittag_leffler(order, jnp.full_like(order, 2), z) / (1 - order)


def _mittag_leffler_between(order: Array, lag: Array, length: Array) -> Array:
    # The kernel is bounded, and a difference of its integrals has an error of rounding only.
    later, earlier = _mittag_leffler_first(order, jnp.stack([lag, jnp.maximum(lag - length, 0)]))
    return jnp.asarray(later - earlier)


def _mittag_leffler_values(order: float, t: np.ndarray) -> np.ndarray:
    arguments = np.broadcast_arrays(order, 1.0, -order / (1 - order) * t**order, 1.0)
    return np.asarray(contour.mittag_leffler(np, *arguments) / (1 - order))


KERNELS: Mapping[Kernel, Rule] = {
    "power": Rule(_power_first, _power_between, _power_values),
    "exponential": Rule(_exponential_first, _exponential_between, _exponential_values),
    "mittag-leffler": Rule(_mittag_leffler_first, _mittag_leffler_between, _mittag_leffler_values),
}
