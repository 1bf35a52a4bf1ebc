"""The L2-1σ scheme: quadratic in time under the memory, the right-hand side at t_(n-1) + σ τ_n.

u is a parabola through t_(k-1), t_k, t_(k+1) on every interval but the last, and linear there; σ makes the
error of the last vanish to second order, 1 - α/2 for one derivative of order α. Order 2 where the solution is
smooth, and min(2, rα) on a mesh graded by r for one that starts like t^α (A. A. Alikhanov, J. Comput. Phys.
280 (2015) 424; several orders: G. Gao, A. A. Alikhanov, Z. Sun, J. Sci. Comput. 73 (2017) 93; any mesh:
H. Liao, W. McLean, J. Zhang, SIAM J. Numer. Anal. 57 (2019) 218).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaln
from numpy.polynomial.legendre import leggauss

from nablax.backends.interface import Parameters, Vector
from nablax.backends.memory.history import Clock, Direct, Engine, Exponentials, Order, weighted
from nablax.backends.memory.implicit import ImplicitStep
from nablax.backends.memory.scheme import Past, Remembering, ticked
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.vectors import scaled

ITERATIONS = 5  # of Newton's method for σ
NODES = 8  # of a first moment over an interval that is short against its lag
SMALL = 0.05  # rates times lengths below which a first moment is a series


class Step(NamedTuple):
    """A step from `begin`, of some length, looked at `lag` after its begin."""

    begin: Array
    length: Array
    lag: Array


class Share(NamedTuple):
    """What the step's own change counts in a derivative, and the rest of the derivative."""

    weight: Array
    rest: Array


@dataclass(frozen=True, slots=True)
class PiecewiseQuadratic:
    """A step over a `Remembering` scheme, whose anchors are the last changes of the fields."""

    scheme: Remembering
    implicit: ImplicitStep

    def attempt(self, t: Array, carry: Vector, h: Array, params: Parameters) -> Attempt[Vector, tuple[()]]:
        """The step from t (since the start) to t + h."""
        scheme = self.scheme
        y, past = scheme.split(carry)
        start = jnp.asarray(scheme.plan.frames[0], h.dtype)
        orders = scheme.orders(params, start + t)
        line = scheme.lines[0]  # all lines have the same derivatives: planning sees to it
        first = scheme.number(line.first, params, start + t)
        sigma = offset((*orders[0], Order(first, jnp.ones((), h.dtype))), h)
        step = Step(t, h, sigma * h)
        own = first / h
        for c, a in orders[0]:
            own = own + c * sigma ** (1 - a) * h**-a / jnp.exp(gammaln(2 - a))
        right, shift = list(y), sigma
        for k, part in enumerate(scheme.parts):
            share = _share(scheme.engines[k], past.kept[k], past, step, past.anchors[k], orders[k])
            shift = sigma / (own + share.weight)
            right[part.unknown] = y[part.unknown] - scaled(shift, share.rest)
        middle = start + t + step.lag
        found = self.implicit.solve(middle, shift, tuple(right), y, params)
        ahead = tuple(a + scaled(1 / sigma, b - a) for a, b in zip(y, found, strict=True))
        after = scheme.inner.finish(start + t + h, ahead, params)
        changes = tuple(b - a for a, b in zip(y, after, strict=True))
        kept = tuple(
            _pushed(engine, k, past, step, last, changes[p.unknown], own)
            for engine, k, last, p, own in zip(
                scheme.engines, past.kept, past.anchors, scheme.parts, orders, strict=True
            )
        )
        last = tuple(changes[i] for i in scheme.anchored)
        return Attempt(scheme.joined(after, Past(ticked(past.clock, t + h, h), kept, last)), (), None)


def offset(orders: Sequence[Order], step: Array) -> Array:
    """σ, the root of Σ c τ^(2-α) σ^(1-α) (σ - 1 + α/2)/Γ(3-α) between the values of 1 - α/2."""
    sigma = 1 - orders[0].order / 2
    for _, a in orders[1:]:
        sigma = jnp.where(a < 1, jnp.maximum(sigma, 1 - a / 2), sigma)
    for _ in range(ITERATIONS):
        value = slope = jnp.zeros((), step.dtype)
        for c, a in orders:
            scale = c * step ** (2 - a) / jnp.exp(gammaln(3 - a))
            value = value + scale * sigma ** (1 - a) * (sigma - 1 + a / 2)
            slope = slope + scale * sigma**-a * ((1 - a) * (sigma - 1 + a / 2) + sigma)
        sigma = sigma - value / slope
    return sigma


def _share(
    engine: Engine, kept: Array, past: Past, step: Step, last: Array, orders: Sequence[Order]
) -> Share:
    if isinstance(engine, Exponentials):
        own, rest = _curved(engine, kept, past.clock, step, last)
        seen = engine.weights(orders).astype(step.length.dtype)
        seen = seen * jnp.exp(-jnp.asarray(engine.rates, seen.dtype) * step.lag)
        return Share(seen @ own, weighted(seen, rest))
    assert isinstance(engine, Direct)
    slopes, own = _weights(past.clock, step, orders)
    return Share(own, weighted(slopes, kept))


def _pushed(
    engine: Engine,
    kept: Array,
    past: Past,
    step: Step,
    last: Array,
    change: Array,
    orders: Sequence[Order],
) -> Array:
    if isinstance(engine, Exponentials):
        own, rest = _curved(engine, kept, past.clock, step, last)
        return rest + _columns(own, change) * change[None]
    return engine.push(kept, past.clock, step.length, change, orders)


# --- all slopes ---


def _weights(clock: Clock, step: Step, orders: Sequence[Order]) -> tuple[Array, Array]:
    """The weights of the slopes before this step, and that of its own change beyond the last interval."""
    ends = clock.times[1:]
    there = jnp.arange(len(ends), dtype=ends.dtype) < clock.taken
    final = jnp.arange(len(ends), dtype=ends.dtype) == clock.taken - 1
    lengths = jnp.where(there, jnp.diff(clock.times), 1)
    lags = jnp.where(there, step.begin + step.lag - clock.times[:-1], 2)
    areas = moments = jnp.zeros_like(ends)
    for c, a in orders:
        area, moment = _moments(lengths, lags, a)
        areas, moments = areas + c * area, moments + c * moment
    following = jnp.where(final, step.length, jnp.append(lengths[1:], 1))
    bend = jnp.where(there, 2 * moments / (lengths + following), 0)
    own = jnp.sum(jnp.where(final, bend, 0)) / step.length
    before = jnp.concatenate([jnp.zeros(1, bend.dtype), bend[:-1]])
    return jnp.where(there, areas - bend + before, 0), own


def _moments(lengths: Array, lags: Array, order: Array) -> tuple[Array, Array]:
    """∫ ω and ∫ (s - middle) ω over intervals with those lags of their begins, ω(t) = t^(-α)/Γ(1-α)."""
    share = lengths / lags
    ratio = jnp.log1p(-share)
    area = -(lags ** (1 - order)) * jnp.expm1((1 - order) * ratio) / jnp.exp(gammaln(2 - order))
    middle = lags - lengths / 2
    far = jnp.zeros_like(lags)
    for x, w in zip(*leggauss(NODES), strict=True):
        far = far + (w / 4 * x) * jnp.exp(-order * jnp.log1p(-(x / 2) * lengths / middle))
    far = far * lengths**2 * middle**-order / jnp.exp(gammaln(1 - order))
    # Where the interval is long against its lag: the closed form, without the cancellation it has elsewhere.
    power = -jnp.expm1((2 - order) * ratio) * lags ** (2 - order) / (2 - order)
    near = middle * area - power / jnp.exp(gammaln(1 - order))
    return area, jnp.where(share > 0.5, near, far)


# --- exponentials ---


def _curved(engine: Exponentials, kept: Array, clock: Clock, step: Step, last: Array) -> tuple[Array, Array]:
    """∫ e^(-s (t_(n-1) - t')) u' dt' for every rate, from what is kept of it at t_(n-2): what the step's own
    change counts in it, and the rest."""
    dtype = step.length.dtype
    length = jnp.where(clock.pace > 0, 1 / jnp.where(clock.pace > 0, clock.pace, 1), 0)
    z = jnp.asarray(engine.rates, dtype) * length
    safe = jnp.where(z > SMALL, z, 1)
    decay, lost = jnp.exp(-z), -jnp.expm1(-z)
    gain = jnp.where(z > 0, lost / jnp.where(z > 0, z, 1), 1)
    series = z / 12 * (1 - z / 2 * (1 - 3 * z / 10 * (1 - 2 * z / 9 * (1 - 5 * z / 28))))
    moment = jnp.where(z > SMALL, lost / (2 * safe) - (lost - z * decay) / safe**2, series)
    bend = 2 * moment * length**2 / (length + step.length)
    own = bend / step.length
    rest = _columns(decay, last) * kept + _columns(gain - bend * clock.pace, last) * last[None]
    return own, rest


def _columns(values: Array, like: Array) -> Array:
    return values.astype(like.dtype).reshape(-1, *(1,) * like.ndim)
