"""A scheme in space with what its derivatives in time remember: a state that can be stepped on anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.interface import Parameters, Prepared, Split, Vector
from nablax.backends.lowering import evaluate
from nablax.backends.memory.exponentials import fitted, quadrature
from nablax.backends.memory.history import Clock, Direct, Engine, Exponentials, Order
from nablax.past import Line, Part, lines_of
from nablax.plan import Plan


class Past(NamedTuple):
    """`kept` has an entry per part that is remembered, `changes` the last change of every top unknown where a
    classical derivative needs it."""

    clock: Clock
    kept: Vector
    changes: Vector


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
    def parts(self) -> tuple[Part, ...]:
        """All that is kept."""
        return tuple(p for line in self.lines for p in line.parts)

    @cached_property
    def changing(self) -> tuple[int, ...]:
        """Top unknowns whose last change a classical derivative needs."""
        return tuple(line.top for line in self.lines if line.classical)

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        return tuple(_engine(self.plan, p) for p in self.parts)

    def split(self, y: Vector) -> tuple[Vector, Past]:
        fields, rest = y[: self.width], y[self.width :]
        count = len(self.parts)
        return fields, Past(Clock(*rest[:3]), rest[3 : 3 + count], rest[3 + count :])

    def joined(self, fields: Vector, past: Past) -> Vector:
        return (*fields, *past.clock, *past.kept, *past.changes)

    def with_room(self, y: Vector, steps: int) -> Vector:
        """The state with room for as many further steps."""
        recall = self.plan.stepping.recall
        assert recall is not None
        more = steps - recall.capacity
        if recall.engine != "direct" or more <= 0:
            return y
        fields, past = self.split(y)
        times = jnp.pad(past.clock.times, (0, more))
        kept = tuple(jnp.pad(k, [(0, more)] + [(0, 0)] * (k.ndim - 1)) for k in past.kept)
        return self.joined(fields, past._replace(clock=past.clock._replace(times=times), kept=kept))

    def orders(self, params: Parameters) -> tuple[tuple[Order, ...], ...]:
        """The numbers of every part's derivatives."""
        return tuple(
            tuple(
                Order(self.number(m.coefficient, params), self.number(m.order - p.less, params))
                for m in p.memory
            )
            for p in self.parts
        )

    def number(self, expression: sp.Expr, params: Parameters) -> Array:
        environment = {p.symbol: params[p.name] for p in self.plan.system.parameters}
        return jnp.asarray(evaluate([expression], environment)[0], self.plan.dtype)

    # --- what every scheme does ---

    def prepare(self, params: Parameters) -> Parameters:
        return self.inner.prepare(params) if isinstance(self.inner, Prepared) else params

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        y = self.inner.initial(params, fields)
        recall = self.plan.stepping.recall
        assert recall is not None
        count = recall.capacity + 1 if recall.engine == "direct" else 0
        zero = jnp.zeros((), self.plan.dtype)
        clock = Clock(zero, jnp.zeros(count, self.plan.dtype), zero)
        kept = tuple(e.empty(y[p.unknown]) for e, p in zip(self.engines, self.parts, strict=True))
        return self.joined(y, Past(clock, kept, tuple(jnp.zeros_like(y[i]) for i in self.changing)))

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
    if recall.engine == "direct":
        return Direct(recall.capacity)
    duration = plan.frames[-1] - plan.frames[0]
    fixed = not any(m.coefficient.free_symbols | m.order.free_symbols for m in part.memory)
    if fixed and all(m.coefficient > 0 for m in part.memory):
        terms = tuple((float(m.coefficient), float(m.order - part.less)) for m in part.memory)
        found = fitted(terms, recall.shortest, duration, recall.tol)
        return Exponentials(found.rates, lambda _: jnp.asarray(found.weights))
    made = quadrature(recall.shortest, duration, recall.tol)

    def weights(orders: Sequence[Order]) -> Array:
        total = jnp.zeros(len(made.rates), orders[0].order.dtype)
        for c, a in orders:
            total = total + c * made.weights(a)
        return total

    return Exponentials(made.rates, weights)
