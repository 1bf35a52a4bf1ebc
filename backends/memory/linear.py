"""The L1 scheme: piecewise linear in time under the memory, the right-hand side at the end of the step.

Order 2 - α where the solution is smooth and on meshes graded to its start; classical derivatives beside the
memory by the two-step backward formula. For 1 < α <= 2 the rate v = u_t has the memory of order α - 1, and
u_n = u_(n-1) + τ/2 (v_n + v_(n-1)): D^α u = D^(α-1) (v/ψ') in ψ, and that of e^(λt) u is the one of order
α - 1 of e^(λt) (v + λ u).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from nablax.backends.interface import Parameters, Vector
from nablax.backends.memory.implicit import ImplicitStep
from nablax.backends.memory.scheme import Past, Remembering, ticked
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.vectors import scaled
from nablax.past import Part

Share = tuple[Array, Array]
"""What the last change of an array counts in its derivative, and the rest of the derivative."""
Sums = dict[tuple[int | None, int], Share]
"""By array, and by what its orders are counted from."""


class TwoStep(NamedTuple):
    """The backward formula of two steps for d/dt, of one before there are two; `pace` is one over the length
    of the step before."""

    step: Array
    pace: Array

    def of(self, coefficient: Array, change: Array | None) -> Share | None:
        """The share of coefficient · d/dt, from the change over the step before."""
        if change is None:
            return None
        ratio = self.step * self.pace
        weight = coefficient * (1 + 2 * ratio) / (1 + ratio) / self.step
        return weight, scaled(-coefficient * ratio**2 / (1 + ratio) / self.step, change)


class Gauge(NamedTuple):
    """What is piecewise linear in a step: the array times `end` at its end and `begin` at its beginning, what
    is kept of the past being multiplied by `past`. Under e^(-λt) D^α e^(λt) it decays over the step; u'/ψ' is
    what has a derivative of order α - 1 in ψ."""

    end: Array
    begin: Array
    past: Array


@dataclass(frozen=True, slots=True)
class PiecewiseLinear:
    """A step over a `Remembering` scheme."""

    scheme: Remembering
    implicit: ImplicitStep

    def attempt(self, t: Array, carry: Vector, h: Array, params: Parameters) -> Attempt[Vector, tuple[()]]:
        """The step from t (since the start) to t + h."""
        scheme = self.scheme
        y, past = scheme.split(carry)
        after = t + h
        now = jnp.asarray(scheme.plan.frames[0], h.dtype) + after
        orders = scheme.orders(params, now)
        gauges = tuple(self._gauge(p, t, h, params) for p in scheme.parts)
        length = scheme.lapse(t, h, params)
        lapsed = after
        if scheme.scale is not None and past.clock.times.size:
            lapsed = past.clock.times[past.clock.taken.astype(jnp.int32)] + length
        sums: Sums = {}
        for k, (part, engine, own) in enumerate(zip(scheme.parts, scheme.engines, orders, strict=True)):
            gauge, key = gauges[k], (part.unknown, part.less)
            weight, seen = engine.own(length, own), engine.past(past.kept[k], past.clock, lapsed, length, own)
            if gauge is not None:
                seen = scaled(gauge.past, seen) + scaled(weight * (gauge.end - gauge.begin), y[part.unknown])
                weight = weight * gauge.end
            sums[key] = _added(weight, seen, sums.get(key), (weight, seen))
        found = self._solved(after, h, y, past, sums, params)
        changes = tuple(b - a for a, b in zip(y, found, strict=True))
        clock = ticked(past.clock, lapsed, h)
        pushed = []
        for k, (part, engine, gauge) in enumerate(zip(scheme.parts, scheme.engines, gauges, strict=True)):
            kept, change = past.kept[k], changes[part.unknown]
            if gauge is not None:
                kept = scaled(gauge.past, kept)
                change = scaled(gauge.end, found[part.unknown]) - scaled(gauge.begin, y[part.unknown])
            pushed.append(engine.push(kept, past.clock, length, change, orders[k]))
        new = Past(clock, tuple(pushed), tuple(changes[i] for i in scheme.anchored))
        return Attempt(scheme.joined(found, new), (), None)

    def _gauge(self, part: Part, t: Array, h: Array, params: Parameters) -> Gauge | None:
        """That of the step from t; None where the array itself is followed."""
        scheme = self.scheme
        begin = jnp.asarray(scheme.plan.frames[0], h.dtype) + t
        if part.rate != 0:
            decay = jnp.exp(-scheme.number(part.rate, params, begin + h) * h)
            return Gauge(jnp.ones_like(h), decay, decay)
        if part.less and scheme.scale is not None:
            return Gauge(
                1 / scheme.slope(begin + h, params), 1 / scheme.slope(begin, params), jnp.ones_like(h)
            )
        return None

    def _solved(
        self, after: Array, h: Array, y: Vector, past: Past, sums: Sums, params: Parameters
    ) -> Vector:
        scheme = self.scheme
        t = jnp.asarray(scheme.plan.frames[0], h.dtype) + after
        before = dict(zip(scheme.anchored, past.anchors, strict=True))
        known: dict[int, Array] = {}
        pulls = []
        for line in scheme.lines:
            two = TwoStep(h, past.clock.pace)
            slow, fast = sums.get((line.field, 0)), sums.get((line.rate, 1))
            first, second = (scheme.number(c, params, t) for c in (line.first, line.second))
            if line.rate is None:
                pull, rest = _added(h, y[line.field], slow, two.of(first, before.get(line.field)))
                known[line.field] = y[line.field] - _over(rest, pull)
            else:
                pull, rest = _added(h, y[line.rate], fast, two.of(second, before.get(line.rate)))
                weight, other = _added(h, y[line.field], slow)
                whole = pull + first + weight * h / 2
                v = y[line.rate]
                kept = scaled(pull - weight * h / 2, v) - rest - other
                known[line.rate] = _over(kept, whole)
                known[line.field] = y[line.field] + scaled(h / 2, v)
                pull = whole
            pulls.append(pull)
        pull = pulls[0]  # where there are rates all lines have the same derivatives: planning sees to it
        right = tuple(known[i] for i in range(len(y)))
        rates = [n.rate for n in scheme.lines if n.rate is not None]
        if not rates:
            shift = tuple(1 / p for p in pulls) if scheme.is_uneven else 1 / pull
            return self._finished(t, self.implicit.solve(t, shift, right, y, params), params)
        # u = a + τ/2 v and v = b + r/K become u = a + s v' and v' = θ b + s r with v' = θ v.
        shift = jnp.sqrt(h / (2 * pull))
        theta = h / (2 * shift)
        found = self.implicit.solve(
            t, shift, _stretched(right, rates, theta), _stretched(y, rates, theta), params
        )
        return self._finished(t, _stretched(found, rates, 1 / theta), params)

    def _finished(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return self.scheme.inner.finish(t, y, params)


def _added(weight: Array, like: Array, *shares: Share | None) -> Share:
    """The sum, of the types of a weight and of an array where there is nothing to add."""
    there = [s for s in shares if s is not None]
    if not there:
        return jnp.zeros((), weight.dtype), jnp.zeros((), like.dtype)
    weight, rest = there[0]
    for w, r in there[1:]:
        weight, rest = weight + w, rest + r
    return weight, rest


def _over(a: Array, b: Array) -> Array:
    return a / b.astype(a.dtype)


def _stretched(y: Vector, rates: list[int], by: Array) -> Vector:
    return tuple(scaled(by, a) if i in rates else a for i, a in enumerate(y))
