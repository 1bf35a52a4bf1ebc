"""A trained field as a function of points alone."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.residuals.evaluate import values_at
from nablax.backends.residuals.field import Field, PyTree
from nablax.derivatives.evaluation import make_evaluation
from nablax.derivatives.statements import INSIDE, Statement

Evaluate = Callable[[Array], dict[str, Array]]
"""Points [n, axes], space axes in declared order, then time, to each component [n] by name, then to
each unknown field."""
AT_ONCE = 1 << 16  # points


def evaluate_of(field: Field, params: PyTree, members: int) -> Evaluate:
    """The components and unknown fields at points; of an ensemble the mean over its members. Pure."""
    problem = field.problem
    found = [Statement(c.name, INSIDE, (c.value,), False, c.span) for c in problem.components]
    found += [Statement(c.name, INSIDE, (c.value,), False, c.span) for c in problem.coefficients]
    evaluation = make_evaluation(problem, found, "exact")

    def at(own: PyTree, point: Array) -> dict[str, Array]:
        return {name: v[0] for name, v in values_at(field, evaluation, own, point[None], {}).items()}

    def mean(z: Array) -> dict[str, Array]:
        if members == 1:
            alone: dict[str, Array] = jax.vmap(lambda point: at(params, point))(z)
            return alone
        each = jax.vmap(lambda own: jax.vmap(lambda point: at(own, point))(z))(params)
        return {name: jnp.mean(values, axis=0) for name, values in each.items()}

    return mean


def on_host(evaluate: Evaluate, points: np.ndarray, dtype: str) -> dict[str, np.ndarray]:
    """The same for as many points as there are, piece by piece: [..., axes] to [...]."""
    flat = points.reshape(-1, points.shape[-1])
    program = jax.jit(evaluate)
    pieces = []
    for first in range(0, len(flat), AT_ONCE):
        piece = flat[first : first + AT_ONCE]
        padded = np.pad(piece, ((0, min(AT_ONCE, len(flat)) - len(piece)), (0, 0)), mode="edge")
        found = program(jnp.asarray(padded, dtype))
        pieces.append({name: np.asarray(v)[: len(piece)] for name, v in found.items()})
    shape = points.shape[:-1]
    return {name: np.concatenate([p[name] for p in pieces]).reshape(shape) for name in pieces[0]}
