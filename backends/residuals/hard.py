"""`problem.hard(field)`: fields that meet declared conditions whatever the parameters of their network."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax
from scipy.special import bernoulli

from nablax.ansatz.derive import Ansatz, derive
from nablax.backends.lowering import evaluate
from nablax.backends.residuals import nested
from nablax.backends.residuals.environment import Environment, coordinates, parameters
from nablax.backends.residuals.field import Call, Field, Known, PyTree, outputs
from nablax.backends.residuals.layout import Slot, layout
from nablax.problem import Problem
from nablax.system import System

PointFunction = Callable[[Array], Array]


def hard_field(system: System, field: Field) -> Field:
    """The field with every condition built in that can be; `exact` and `left` say which.

    Periodicity is built into a network that is not periodic by itself, as those of `problem.network` are.
    """
    return with_ansatz(field, derive(system))


def with_ansatz(field: Field, ansatz: Ansatz) -> Field:
    """The field that an ansatz makes of a network."""
    slots = {s.axis: s for s in layout(field.problem)}
    open_axes = tuple((a, n) for a, n in ansatz.periodic if not _is_periodic(field, slots[a]))
    return replace(field, ansatz=replace(ansatz, periodic=open_axes))


def constrained(
    problem: Problem,
    ansatz: Ansatz,
    call: Call,
    net: PyTree,
    unknown: Mapping[str, PyTree],
    beyond: Known | None = None,
) -> PointFunction:
    """One point [axes] to the outputs of the whole: the network's own, where nothing is built in."""
    network: PointFunction = partial(call, net)
    slots = layout(problem)
    for axis, count in ansatz.periodic:
        slot = next(s for s in slots if s.axis == axis)
        network = _closed(network, slot, count)
    known = parameters(problem, unknown)
    starts = [next(s for s in slots if s.axis.symbol == x).start for x in problem.symbols]
    needed = tuple(dict.fromkeys(orders for _, orders in ansatz.derivatives.values()))

    def value(z: Array) -> Array:
        forms = [((orders, sp.S.One),) for orders in needed]
        found = dict(zip(needed, nested.derivatives(network, z, forms, starts), strict=True))
        by_orders = {
            orders: {c.value: v for c, v in outputs(problem.components, values).items()}
            for orders, values in found.items()
        }
        environment: Environment = {
            **known,
            **coordinates(problem, z),
            **(beyond.values(z) if beyond else {}),
        }
        for name, (component, orders) in ansatz.derivatives.items():
            environment[name] = by_orders[orders][component]
        fields = evaluate([ansatz.values[c.value] for c in problem.components], environment)
        like = next(iter(found.values()))
        return _encoded(problem, [jnp.asarray(f) for f in fields], like)

    return value


def _encoded(problem: Problem, fields: list[Array], like: Array) -> Array:
    """Components as outputs of the kind that the network has: complex, or two real ones for a complex one."""
    if jnp.iscomplexobj(like):
        return jnp.stack([f if jnp.iscomplexobj(f) else lax.complex(f, jnp.zeros_like(f)) for f in fields])
    found: list[Array] = []
    for component, f in zip(problem.components, fields, strict=True):
        found += [f.real, f.imag] if component.complex else [f]
    return jnp.stack(found)


def _closed(network: PointFunction, slot: Slot, count: int) -> PointFunction:
    """The network made periodic with its first `count` derivatives, the value among them.

    w - Σ_k L^k B_(k+1)(ξ)/(k+1)! [∂^k w] with the jumps [·] from end to end, the Bernoulli polynomials B and
    ξ = (x - low)/L: the k-th polynomial has a jump of 1 in its k-th derivative and in no other.
    """
    length = slot.high - slot.low
    numbers = bernoulli(count)
    numbers[1] = -0.5

    def polynomial(n: int, xi: Array) -> Array:
        total = jnp.zeros_like(xi)
        for k in range(n + 1):
            total = total * xi + math.comb(n, k) * float(numbers[k])
        return total

    def value(z: Array) -> Array:
        x = z[slot.start]
        turns = lax.stop_gradient(jnp.floor((x - slot.low) / length))
        inside = x - length * turns
        z = z.at[slot.start].set(inside)
        total = network(z)
        xi = (inside - slot.low) / length
        slope = network
        for k in range(count):
            jump = slope(z.at[slot.start].set(slot.high)) - slope(z.at[slot.start].set(slot.low))
            factor = polynomial(k + 1, xi) * (length**k / math.factorial(k + 1))
            total = total - factor.astype(total.dtype) * jump
            slope = nested.along(slope, slot.start)
        return total

    return value


def _is_periodic(field: Field, slot: Slot) -> bool:
    """Whether a network at its own, concrete, parameters agrees at both ends with its slope."""
    net = field.params
    if isinstance(net, Mapping) and set(net) == {"net", "eq"}:
        net = net["net"]
    leaves = jax.tree.leaves(net)
    if not leaves or any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
        return False
    slots = layout(field.problem)
    dtype = jnp.result_type(float)
    low = np.concatenate([np.full(s.size, 0.63 * s.low + 0.37 * s.high) for s in slots])
    high = low.copy()
    low[slot.start], high[slot.start] = slot.low, slot.high

    def both(z: Array) -> tuple[Array, Array]:
        direction = jnp.zeros_like(z).at[slot.start].set(1)
        value, slope = jax.jvp(lambda y: field.call(net, y), (z,), (direction,))
        return value, slope

    ends = [both(jnp.asarray(end, dtype)) for end in (low, high)]
    tolerance = 1e3 * float(np.finfo(dtype).eps)
    return all(
        bool(jnp.all(jnp.abs(a - b) <= tolerance * (1 + jnp.abs(a)))) for a, b in zip(*ends, strict=True)
    )
