"""Unknown parameters within their intervals, as numbers without bounds."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.residuals.field import PyTree
from nablax.problem import Parameter, Problem

DECADES = (
    10.0  # an interval of positive numbers this many times as long as its lower end is taken in logarithms
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smooth maps between numbers without bounds and the unknown scalars of a problem, by name.

    Both ways they take a field's `{"net": ..., "eq": {"D": ...}}` or the unknowns alone, `{"D": ...}`.
    """

    low: dict[str, float]
    high: dict[str, float]
    logarithmic: frozenset[str]

    def bounded(self, free: PyTree) -> PyTree:
        """The parameters as residuals want them."""
        return self._mapped(free, self._bounded)

    def free(self, params: PyTree) -> PyTree:
        """The inverse: what an optimiser moves."""
        return self._mapped(params, self._free)

    def _mapped(self, params: PyTree, function: Callable[[str, Array], Array]) -> PyTree:
        if not self.low:
            return params
        assert isinstance(params, dict)
        joint = set(params) == {"net", "eq"}
        given = params["eq"] if joint else params
        unknown = {n: function(n, jnp.asarray(v)) if n in self.low else v for n, v in given.items()}
        return {"net": params["net"], "eq": unknown} if joint else unknown

    def _ends(self, name: str, dtype: jnp.dtype) -> tuple[Array, Array]:
        low, high = jnp.asarray(self.low[name], dtype), jnp.asarray(self.high[name], dtype)
        return (jnp.log(low), jnp.log(high)) if name in self.logarithmic else (low, high)

    def _bounded(self, name: str, z: Array) -> Array:
        low, high = self._ends(name, z.dtype)
        value = low + (high - low) * jax.nn.sigmoid(z)
        return jnp.exp(value) if name in self.logarithmic else value

    def _free(self, name: str, value: Array) -> Array:
        low, high = self._ends(name, value.dtype)
        at = jnp.log(value) if name in self.logarithmic else value
        share = jnp.clip((at - low) / (high - low), 1e-3, 1 - 1e-3)
        return jnp.log(share / (1 - share))


def bounds_of(problem: Problem) -> Bounds:
    """The intervals of the unknown parameters that have one."""
    found = {p.name: _interval(p) for p in problem.parameters if p.unknown and p.interval is not None}
    low = {name: ends[0] for name, ends in found.items()}
    high = {name: ends[1] for name, ends in found.items()}
    wide = frozenset(n for n in low if low[n] > 0 and high[n] > DECADES * low[n])
    return Bounds(low, high, wide)


def _interval(parameter: Parameter) -> tuple[float, float]:
    assert parameter.interval is not None
    return float(parameter.interval[0]), float(parameter.interval[1])
