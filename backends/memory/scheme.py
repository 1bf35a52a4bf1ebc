"""A scheme in space with what its derivatives in time remember: a state that can be stepped on anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from numpy.polynomial.legendre import leggauss

from nablax.backends.interface import Inverse, Parameters, Prepared, Split, Tabled, Truncating, Vector
from nablax.backends.lowering import evaluate
from nablax.backends.memory.coefficients import convolution_weights
from nablax.backends.memory.exponentials import fitted, quadrature
from nablax.backends.memory.history import Clock, Decaying, Direct, Engine, Exponentials, Order
from nablax.backends.memory.lags import RECENT, AllLags, Lags, recent_lags
from nablax.backends.memory.march import check_room
from nablax.past import Line, Part, anchors_of, lines_of, nominal_order, parts_of, scale_of, signature
from nablax.plan import ANCHORED, Plan
from nablax.planning.scales import EVEN, NODES
from nablax.system import Memory

HAIR = 1e-5  # beyond a whole number, where an order that varies with the time reaches it


class Past(NamedTuple):
    """`kept` has an entry per part that is remembered; `anchors` are the last changes of unknowns, or the
    start values of an anchored scheme (`nablax.past.anchors_of`)."""

    clock: Clock
    kept: Vector
    anchors: Vector


def ticked(clock: Clock, after: Array, step: Array) -> Clock:
    """The clock after another step."""
    place = clock.taken.astype(jnp.int32) + 1
    times = clock.times.at[place].set(after) if clock.times.size else clock.times
    return Clock(clock.taken + 1, times, 1 / step)


@dataclass(frozen=True)
class Remembering:
    """A `Semidiscretisation`: y is that of `inner`, then the leaves of its `Past`."""

    inner: Split[Vector]
    lines: tuple[Line, ...]

    @property
    def plan(self) -> Plan:
        return self.inner.plan

    @property
    def width(self) -> int:
        """Evolving unknowns: the arrays of y that are no memory."""
        return len(self.plan.system.evolution)

    @cached_property
    def is_anchored(self) -> bool:
        return self.plan.stepping.name in ANCHORED

    @cached_property
    def is_uneven(self) -> bool:
        """Whether fields have different derivatives in time."""
        return len({signature(n.whole) for n in self.lines}) > 1

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All that is kept."""
        return parts_of(self.lines, self.plan.stepping.name)

    @cached_property
    def anchored(self) -> tuple[int, ...]:
        """The unknowns of `Past.anchors`."""
        return anchors_of(self.lines, self.plan.stepping.name)

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        return tuple(_engine(self.plan, p) for p in self.parts)

    @cached_property
    def sloping(self) -> tuple[frozenset[int], ...]:
        """Per part of an anchored scheme, the derivatives of orders up to 1 beside higher ones."""
        return tuple(
            frozenset(
                i
                for i, m in enumerate(line.whole)
                if line.rate is not None and nominal_order(m, self.plan.system) <= 1
            )
            for line in self.lines
        )

    @cached_property
    def lags(self) -> Lags:
        """What an anchored scheme keeps of every part."""
        recall = self.plan.stepping.recall
        assert recall is not None
        if recall.engine == "direct":
            return AllLags(recall.capacity + 1)
        return recent_lags(recall.capacity, self.plan.dtype, recall.tol)

    def split(self, y: Vector) -> tuple[Vector, Past]:
        fields, rest = y[: self.width], y[self.width :]
        count = len(self.parts)
        return fields, Past(Clock(*rest[:3]), rest[3 : 3 + count], rest[3 + count :])

    def joined(self, fields: Vector, past: Past) -> Vector:
        return (*fields, *past.clock, *past.kept, *past.anchors)

    def with_room(self, y: Vector, mesh: Sequence[np.ndarray]) -> Vector:
        """The state with room for the steps of a mesh. Raises ValueError where a method cannot take them."""
        recall = self.plan.stepping.recall
        assert recall is not None
        if not self.parts:
            return y
        more = sum(len(m) - 1 for m in mesh) - recall.capacity
        if self.is_anchored:
            check_room(self.plan.stepping, mesh)
        if recall.engine != "direct" or more <= 0:
            return y
        fields, past = self.split(y)
        times = jnp.pad(past.clock.times, (0, more))
        kept = tuple(jnp.pad(k, [(0, more)] + [(0, 0)] * (k.ndim - 1)) for k in past.kept)
        return self.joined(fields, past._replace(clock=past.clock._replace(times=times), kept=kept))

    def orders(self, params: Parameters, t: Array) -> tuple[tuple[Order, ...], ...]:
        """The numbers of every part's derivatives, those that vary as they are at t."""
        return tuple(
            tuple(
                Order(self.number(m.coefficient, params, t), self.order(m, params, t) - p.less)
                for m in p.memory
            )
            for p in self.parts
        )

    def order(self, memory: Memory, params: Parameters, t: Array) -> Array:
        """Not a number where parameters carry it across a whole number, and the equation is another."""
        found = self.number(memory.order, params, t)
        if memory.order.free_symbols:
            low = int(sp.floor(nominal_order(memory, self.plan.system)))
            time = self.plan.system.time
            if time is not None and memory.order.has(time.symbol):
                # One that varies may end at the whole number: what rounding adds is taken off.
                found = jnp.where(found < low + 1 + HAIR, jnp.minimum(found, low + 1), jnp.nan)
                found = jnp.where(found > low, found, jnp.nan)
            else:
                found = jnp.where((found > low) & (found < low + 1), found, jnp.nan)
        return found

    def number(self, expression: sp.Expr, params: Parameters, t: Array) -> Array:
        environment: dict[sp.Basic, Array] = {p.symbol: params[p.name] for p in self.plan.system.parameters}
        if self.plan.system.time is not None:
            environment[self.plan.system.time.symbol] = t
        return jnp.asarray(evaluate([expression], environment)[0], self.plan.dtype)

    @cached_property
    def scale(self) -> sp.Expr | None:
        """ψ(t), which the past is measured by; None for t."""
        return scale_of(self.plan.system)

    def lapse(self, t: Array, h: Array, params: Parameters) -> Array:
        """ψ(t + h) - ψ(t), t counted from the start; by Gauss's rule for ψ' where it would cancel."""
        time, scale = self.plan.system.time, self.scale
        if scale is None or time is None:
            return h
        known: dict[sp.Basic, Array] = {p.symbol: params[p.name] for p in self.plan.system.parameters}
        nodes, weights = leggauss(NODES)
        start = self.plan.frames[0] + t

        def at(expression: sp.Expr, shares: np.ndarray) -> Array:
            places = start + h * jnp.asarray(shares, h.dtype)
            found = jnp.asarray(evaluate([expression], known | {time.symbol: places})[0], h.dtype)
            return jnp.broadcast_to(found, places.shape)

        slopes = at(sp.diff(scale, time.symbol), (nodes + 1) / 2)
        first, last = at(scale, np.array([0.0, 1.0]))
        smooth = h / 2 * (slopes @ jnp.asarray(weights, h.dtype))
        return jnp.where(slopes.max() < EVEN * slopes.min(), smooth, last - first)

    def slope(self, t: Array, params: Parameters) -> Array:
        """ψ'(t)."""
        time, scale = self.plan.system.time, self.scale
        assert time is not None
        assert scale is not None
        return self.number(sp.diff(scale, time.symbol), params, t)

    # --- what every scheme does ---

    def prepare(self, params: Parameters) -> Parameters:
        """What the scheme in space computes once, and under `memory/part/derivative` convolution weights."""
        ready = dict(self.inner.prepare(params) if isinstance(self.inner, Prepared) else params)
        recall = self.plan.stepping.recall
        if self.is_anchored and recall is not None:
            start = jnp.asarray(self.plan.frames[0], self.plan.dtype)
            for k, orders in enumerate(self.orders(params, start)):
                whole = recall.engine == "direct" or self.sloping[k]
                count = recall.capacity + 1 if whole else RECENT[self.plan.dtype]
                for i, one in enumerate(orders):
                    ready[f"memory/{k}/{i}"] = convolution_weights(one.order, count)
        return ready

    def tables(self, inverse: Inverse | None) -> Mapping[str, np.ndarray]:
        return self.inner.tables(inverse) if isinstance(self.inner, Tabled) else {}

    def given(self, params: Parameters, fields: Mapping[str, Array]) -> dict[str, Array]:
        return self.inner.given(params, fields) if isinstance(self.inner, Truncating) else {}

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        y = self.inner.initial(params, fields)
        recall = self.plan.stepping.recall
        assert recall is not None
        count = recall.capacity + 1 if recall.engine == "direct" and self.parts else 0
        zero = jnp.zeros((), self.plan.dtype)
        clock = Clock(zero, jnp.zeros(count, self.plan.dtype), zero)
        if self.is_anchored:
            kept = tuple(self.lags.empty(y[p.unknown]) for p in self.parts)
        else:
            kept = tuple(e.empty(y[p.unknown]) for e, p in zip(self.engines, self.parts, strict=True))
        anchors = tuple(y[i] if self.is_anchored else jnp.zeros_like(y[i]) for i in self.anchored)
        return self.joined(y, Past(clock, kept, anchors))

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return y

    def core(self, carry: Vector) -> Vector:
        return carry

    def rate(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """The right-hand side, which the derivatives with memory equal: no rate of change."""
        fields = y[: self.width]
        return self.inner.rate(t, self.inner.embed(t, fields, params), params)

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return (*self.inner.finish(t, y[: self.width], params), *y[self.width :])

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        return self.inner.fields(t, y[: self.width], params)


def build_remembering(inner: Split[Vector]) -> Remembering:
    """The scheme around one in space whose system has memory."""
    return Remembering(inner, lines_of(inner.plan.system))


def _engine(plan: Plan, part: Part) -> Engine:
    recall = plan.stepping.recall
    assert recall is not None
    if part.kernel == "exponential":
        return Decaying(len(part.memory))
    if recall.engine == "direct":
        return Direct(recall.capacity, part.kernel)
    if part.known:
        terms = tuple((float(m.coefficient), float(m.order - part.less)) for m in part.memory)
        found = fitted(terms, recall.shortest, recall.longest, recall.tol, part.kernel)
        return Exponentials(found.rates, lambda _: jnp.asarray(found.weights), part.kernel)
    made = quadrature(recall.shortest, recall.longest, recall.tol)

    def weights(orders: Sequence[Order]) -> Array:
        total = jnp.zeros(len(made.rates), orders[0].order.dtype)
        for c, a in orders:
            total = total + c * made.weights(a)
        return total

    return Exponentials(made.rates, weights)
