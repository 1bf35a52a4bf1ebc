"""Optimisers of a run behind one small record: a start, and one pure step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import jax
from jax import Array

from nablax.backends.residuals.field import PyTree
from nablax.backends.residuals.losses import Batch

Factors: TypeAlias = dict[str, Array]
"""Weights of the terms by name of statement, and of points by place."""

Step: TypeAlias = Callable[[PyTree, PyTree, Factors, Batch, Array], tuple[PyTree, PyTree, Factors]]
"""(free parameters, optimiser's state, weights, points, key) to the next three."""


@contextmanager
def usual_promotion() -> Iterator[None]:
    """A scope in which arrays of different kinds mix as JAX does by default: optax counts on it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@dataclass(frozen=True, slots=True)
class Optimiser:
    """`init` makes the state for parameters; `step` is pure and goes through jit, vmap and sharding."""

    init: Callable[[PyTree], PyTree]
    step: Step
