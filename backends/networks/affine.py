"""The affine map of a layer, whichever way it holds its matrix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array


class Weight(Protocol):
    def matrix(self) -> Array:
        """[out, in]."""
        ...


Draw: TypeAlias = Callable[[Array, int, int], Weight]
"""(key, inputs, outputs) to a weight."""


class Full(eqx.Module):
    """A matrix as it is. X. Glorot, Y. Bengio, AISTATS 2010: normal entries of variance 2/(in + out)."""

    value: Array

    def matrix(self) -> Array:
        return self.value


def full(key: Array, inputs: int, outputs: int) -> Full:
    return Full(jax.random.normal(key, (outputs, inputs)) * (2 / (inputs + outputs)) ** 0.5)


class Affine(eqx.Module):
    """W x + b for one vector x [in]; b is 0 at first."""

    weight: Weight
    bias: Array

    def __init__(self, draw: Draw, key: Array, inputs: int, outputs: int) -> None:
        self.weight = draw(key, inputs, outputs)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Array) -> Array:
        return self.weight.matrix() @ x + self.bias


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the hidden layers of a network have in common. `outer` draws the matrices of its first and last
    layer, `inner` those between hidden ones."""

    width: int
    depth: int
    activation: Callable[[Array], Array]
    outer: Draw = full
    inner: Draw = full
