"""A solver's frame program, lowered for other machines than this one."""

from collections.abc import Sequence

import jax
import numpy as np
from jax import Array, export

from nablax.backends.interface import Parameters, State
from nablax.backends.nodes import samples
from nablax.backends.precision import precise
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

PLATFORMS = ("cpu", "cuda", "tpu")


def export_program(solver: Solver | SteadySolver, platforms: Sequence[str] = PLATFORMS) -> export.Exported:
    """The program that takes a state to the next output time, for the platforms named.

    That of a steady solver takes parameters to fields.
    Its arguments are those of `Programs.frame`: (state, until, count, params), of which `count` is the
    number of equal steps (int32; read only where the plan fixes dt). Raises what `jax.export.export`
    raises for an operation that a platform does not have.
    """
    if isinstance(solver, SteadySolver):
        return _export_steady(solver, platforms)
    plan = solver.plan

    def frame(state: State, until: Array, count: Array, params: Parameters) -> tuple[State, dict[str, Array]]:
        return solver.programs.frame(state, until, count, solver.programs.prepare(params))

    with precise(plan.dtype):
        scalar = np.zeros((), plan.dtype)
        params = dict.fromkeys(solver.parameters, scalar)
        state = jax.eval_shape(solver.programs.initial, params, {}, samples(plan))
        count = np.zeros((), "int32")
        return export.export(jax.jit(frame), platforms=tuple(platforms))(state, scalar, count, params)


def _export_steady(solver: SteadySolver, platforms: Sequence[str]) -> export.Exported:
    def fields(params: Parameters) -> dict[str, Array]:
        return solver.compiled(params, {}, samples(solver.plan)).fields

    with precise(solver.plan.dtype):
        params = dict.fromkeys(solver.parameters, np.zeros((), solver.plan.dtype))
        return export.export(jax.jit(fields), platforms=tuple(platforms))(params)
