"""Sixteen members of one ensemble by `jax.vmap` over initial states, against the same one by one."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks import kuramoto_sivashinsky
from benchmarks.by_nablax import compiled
from benchmarks.case import NABLAX, Case, Contender, Program

MEMBERS = 16
ONE_BY_ONE = "nablax, one by one"


def members() -> Case:
    contenders = (Contender(NABLAX, lambda: program(True)), Contender(ONE_BY_ONE, lambda: program(False)))
    return Case(
        f"Kuramoto–Sivashinsky, {MEMBERS} members by vmap, 1024 points, float64, ETDRK4",
        kuramoto_sivashinsky.SPEC, contenders, MEMBERS * kuramoto_sivashinsky.POINTS, 200, 100, 1e-8,
        {ONE_BY_ONE: 0.5},
    )  # fmt: skip


def program(together: bool) -> Program:
    """The pure function of the solver, jitted by a host program: all members in one call, or in turn."""
    solver = compiled(kuramoto_sivashinsky.SPEC)
    one = kuramoto_sivashinsky.start()
    starts = jnp.asarray(np.stack([(1 + m / MEMBERS) * one for m in range(MEMBERS)]))

    def ends(steps: int) -> Callable[[Array], Array]:
        until = [steps * kuramoto_sivashinsky.DT]
        return lambda u: solver.solve(initial=solver.initial(fields={"u": u}), save_at=until).fields["u"][-1]

    ready: dict[int, Callable[[Array], Array]] = {}

    def run(steps: int) -> tuple[np.ndarray, ...]:
        if steps not in ready:
            ready[steps] = jax.jit(jax.vmap(ends(steps)) if together else ends(steps))
        if together:
            return (np.asarray(ready[steps](starts)),)
        return (np.stack([np.asarray(ready[steps](u)) for u in starts]),)

    return run
