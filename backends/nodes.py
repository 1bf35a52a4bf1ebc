"""Nodal coordinates, what is known at the nodes, and initial data that hold noise."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.interface import Parameters
from nablax.backends.lowering import Operand, evaluate
from nablax.backends.noise import noise
from nablax.grid_functions import GridData
from nablax.plan import Plan
from nablax.planning.tables import reads_files
from nablax.reductions import Noise


def coordinates(plan: Plan) -> dict[sp.Basic, Operand]:
    """Each space symbol's nodal values, of a shape that broadcasts to `plan.shape`."""
    found: dict[sp.Basic, Operand] = {}
    with placed(plan):
        for i, (axis, grid) in enumerate(zip(plan.system.axes, plan.grid, strict=True)):
            shape = tuple(grid.points if j == i else 1 for j in range(len(plan.grid)))
            index = jnp.arange(grid.points, dtype=plan.dtype).reshape(shape)
            found[axis.symbol] = grid.first + grid.spacing * index
    return found


def known(plan: Plan, params: Parameters) -> dict[sp.Basic, Operand]:
    """Values of the parameters in `params` by symbol, and of every coefficient function on its grid.

    Coefficients that `params` does not hold follow their definition.
    """
    dtype = jnp.dtype(plan.dtype)
    found: dict[sp.Basic, Operand] = {
        p.symbol: jnp.asarray(params[p.name], dtype) for p in plan.system.parameters if p.name in params
    }
    for data in plan.arrays:
        given = params.get(data.name)
        found[data] = _defined(data, plan, found) if given is None else jnp.asarray(given, dtype)
    return found


def _defined(data: GridData, plan: Plan, values: Mapping[sp.Basic, Operand]) -> Array:
    """The definition at the nodes, of shape `data.shape`."""
    places: dict[sp.Basic, Operand] = {}
    with placed(plan):
        for k, (symbol, axis) in enumerate(zip(data.arguments, data.grid, strict=True)):
            shape = tuple(axis.points if j == k else 1 for j in range(len(data.grid)))
            index = jnp.arange(axis.points, dtype=plan.dtype).reshape(shape)
            places[symbol] = axis.first + axis.spacing * index
    (found,) = evaluate((data.definition,), {**values, **places})
    return jnp.broadcast_to(jnp.asarray(found, plan.dtype), data.shape)


def placed(plan: Plan) -> AbstractContextManager[object]:
    """Where coordinates are made: as numbers while a program is traced, if the system reads files.

    What a file gives at known places is then looked up once, on the host, and not in every step.
    """
    return jax.ensure_compile_time_eval() if reads_files(plan.system) else nullcontext()


def samples(plan: Plan) -> dict[str, np.ndarray]:
    """Values of every `noise(seed)` in the initial data, by the call's text; drawn on the host.

    They are handed to the traced program as arguments: as constants they would be compiled in.
    """
    calls = {call for data in plan.system.initial if data is not None for call in data.atoms(Noise)}
    return {str(call): noise(int(call.args[0]), plan.shape).astype(plan.dtype) for call in calls}


def noisy_fields(plan: Plan, params: Parameters, drawn: Mapping[str, Array]) -> dict[str, Array]:
    """Initial nodal values of the unknowns whose data hold noise, by the unknown's name."""
    system = plan.system
    noisy = [i for i, data in enumerate(system.initial) if data is not None and data.has(Noise)]
    return {system.unknowns[i].name: initial_values(plan, i, params, drawn) for i in noisy}


def initial_values(plan: Plan, unknown: int, params: Parameters, drawn: Mapping[str, Array]) -> Array:
    """Initial nodal values of an unknown by the spec's data, of a shape that broadcasts to the grid.

    `drawn` holds the noise in them, see `samples`.
    """
    system = plan.system
    data = system.initial[unknown]
    assert data is not None
    values = coordinates(plan) | known(plan, params)
    if system.time is not None:
        values[system.time.symbol] = jnp.asarray(plan.frames[0], plan.dtype)
    # As symbols: SymPy takes noise(7) for a number.
    names = {call: sp.Symbol(str(call), real=True) for call in data.atoms(Noise)}
    values |= {symbol: jnp.asarray(drawn[symbol.name]) for symbol in names.values()}
    (found,) = evaluate((data.xreplace(names),), values)
    return jnp.asarray(found)
