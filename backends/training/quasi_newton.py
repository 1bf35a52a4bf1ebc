"""L-BFGS with a zoom line search, by optax."""

import jax
import optax
from jax import Array

from nablax.backends.residuals.field import PyTree
from nablax.backends.residuals.losses import Batch
from nablax.backends.training.first_order import sum_of
from nablax.backends.training.optimisers import Factors, Optimiser, usual_promotion
from nablax.backends.training.task import Task
from nablax.training.records import Phase


def quasi_newton(task: Task, phase: Phase) -> Optimiser:
    """L-BFGS on the weighted sum of the losses (Liu & Nocedal, 1989)."""
    rule = optax.lbfgs(memory_size=phase.history)

    def step(
        free: PyTree, state: PyTree, weights: Factors, batch: Batch, key: Array
    ) -> tuple[PyTree, PyTree, Factors]:
        del key

        def total(values: PyTree) -> Array:
            return sum_of(task.losses(task.bounds.bounded(values), batch, None, weights))

        # The points may have changed since the last step: its value and gradient are of no use.
        value, slope = jax.value_and_grad(total)(free)
        with usual_promotion():
            updates, state = rule.update(slope, state, free, value=value, grad=slope, value_fn=total)
            return optax.apply_updates(free, updates), state, weights

    return Optimiser(rule.init, step)
