"""The candidates of a plan against the clock, on this device."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.residuals.evaluate import values_at
from nablax.backends.residuals.field import Field, PyTree, make_field
from nablax.backends.residuals.layout import columns
from nablax.backends.residuals.sampling import sample
from nablax.derivatives.evaluation import Evaluation, Group, make_evaluation
from nablax.derivatives.plans import DerivativePlan
from nablax.derivatives.statements import INSIDE, places, statements
from nablax.system import System


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of the residual at all points, and of the gradient of its mean square; medians."""

    name: str
    chosen: bool
    vectors: int
    value: float
    gradient: float


def time_candidates(system: System, points: int, width: int, depth: int, rounds: int) -> Iterator[Timing]:
    """Each candidate for the first network's derivatives in the equations, on an MLP in single precision."""
    problem = system.problem
    evaluation = make_evaluation(problem, places(statements(system))[INSIDE], "exact")
    outputs = sum(2 if c.complex else 1 for c in problem.components)
    net = eqx.nn.MLP(columns(problem), outputs, width, depth, jnp.tanh, key=jax.random.key(0))
    scalar = {
        c.name: eqx.nn.MLP(len(c.value.args), "scalar", width, depth, jnp.tanh, key=jax.random.key(1))
        for c in problem.coefficients
    }
    field = make_field(problem, net, None, scalar)
    batch = sample(problem, (INSIDE,), jax.random.key(2), {INSIDE: points}, "uniform")
    z = jnp.concatenate(
        [c if c.ndim == 2 else c[:, None] for c in batch[INSIDE].values()], axis=1, dtype=jnp.float32
    )
    first, *others = evaluation.groups
    for candidate in first.plan.candidates:
        only = Group(first.unknowns, DerivativePlan(first.plan.forms, (candidate,)))
        tried = replace(evaluation, groups=(only, *others))
        value, gradient = _time(field, tried, z, rounds)
        yield Timing(candidate.name, candidate is first.plan.chosen, candidate.vectors, value, gradient)


def _time(field: Field, evaluation: Evaluation, z: Array, rounds: int) -> tuple[float, float]:
    def residual(params: PyTree, points: Array) -> dict[str, Array]:
        return values_at(field, evaluation, params, points, {})

    def loss(params: PyTree, points: Array) -> Array:
        parts = residual(params, points).values()
        return jnp.sum(jnp.stack([jnp.mean(jnp.abs(r) ** 2) for r in parts]))

    found = []
    for function in (residual, jax.grad(loss)):
        program = jax.jit(function)
        _finish(program(field.params, z))
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            _finish(program(field.params, z))
            times.append(time.perf_counter() - start)
        found.append(1e3 * float(np.median(times)))
    return found[0], found[1]


def _finish(result: PyTree) -> None:
    for leaf in jax.tree.leaves(result):
        leaf.block_until_ready()
