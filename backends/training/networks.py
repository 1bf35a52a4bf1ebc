"""The networks of a run: one for the fields, one for every unknown field."""

from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.residuals.field import Field, make_field
from nablax.backends.residuals.layout import Slot, layout
from nablax.problem import OptionCall, Problem

ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh, "sin": jnp.sin, "gelu": jax.nn.gelu, "silu": jax.nn.silu, "softplus": jax.nn.softplus,
}  # fmt: skip


class Scaled(eqx.Module):
    """A network on the box [low, high], whose coordinates it sees scaled to [-1, 1]."""

    net: eqx.nn.MLP
    low: tuple[float, ...] = eqx.field(static=True)
    high: tuple[float, ...] = eqx.field(static=True)

    def __call__(self, z: Array) -> Array:
        low, high = np.asarray(self.low, z.dtype), np.asarray(self.high, z.dtype)
        return self.net(2 * (z - low) / (high - low) - 1)


def build_field(problem: Problem, model: OptionCall, key: Array) -> Field:
    """Fresh networks; pure in `key`."""
    outputs = sum(2 if c.complex else 1 for c in problem.components)
    first, *rest = jax.random.split(key, 1 + len(problem.coefficients))
    slots = layout(problem)
    coefficients = {
        c.name: _network([s for s in slots if s.axis.symbol in c.value.args], model, 1, k)
        for c, k in zip(problem.coefficients, rest, strict=True)
    }
    return make_field(problem, _network(slots, model, outputs, first), None, coefficients)


def _network(slots: "tuple[Slot, ...] | list[Slot]", model: OptionCall, outputs: int, key: Array) -> Scaled:
    low = tuple(s.low for s in slots for _ in range(s.size))
    high = tuple(s.high for s in slots for _ in range(s.size))
    options = dict(model.options)
    width, depth = (_whole(options.get(k), d) for k, d in (("width", 64), ("depth", 4)))
    activation = ACTIVATIONS[str(options.get("act", "tanh"))]
    return Scaled(eqx.nn.MLP(len(low), outputs, width, depth, activation, key=key), low, high)


def _whole(value: object, default: int) -> int:
    return int(value) if isinstance(value, sp.Integer) else default
