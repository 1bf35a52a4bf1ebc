"""Statements of a problem evaluated on a field at points."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals import nested
from nablax.backends.residuals.field import Field, PyTree, check_network, parts
from nablax.backends.residuals.layout import layout
from nablax.backends.residuals.members import Draw, member_sums, sums_of_coordinates
from nablax.backends.residuals.networks import Part, networks
from nablax.derivatives.needs import Form, Needs
from nablax.derivatives.statements import Statement

Environment = dict[sp.Basic, Operand]


def values_at(
    field: Field,
    wanted: Needs,
    params: PyTree,
    z: Array,
    extra: Mapping[sp.Basic, Array],
    draw: Draw | None = None,
) -> dict[str, Array]:
    """The statements' values at points z [..., axes], by name.

    `extra` are values [points] of further atoms; `draw` samples the members of families, else all are taken.
    """
    net, unknown = parts(field, params)
    check_network(field, net, z.dtype)
    flat = z.reshape(-1, z.shape[-1])
    environment = coordinates(field, flat) | parameters(field, unknown) | dict(extra)
    main, *others = networks(field, net, unknown)
    for part in (main, *others):
        environment |= _functionals(part, wanted, flat)
    if field.problem.families:
        slots = {s.axis.symbol: s for s in layout(field.problem)}
        environment |= member_sums(wanted.sums, main, slots, flat, environment, draw)
        values = [v for s in wanted.statements for v in s.values]
        environment |= sums_of_coordinates(values, slots, flat, environment)
    return {s.name: _statement(s, environment, z.shape[:-1]) for s in wanted.statements}


def coordinates(field: Field, z: Array) -> Environment:
    """Values [points] of the coordinates, and of the members of families that the text names by number."""
    found: Environment = {}
    for slot in layout(field.problem):
        if slot.axis.size is None:
            found[slot.axis.symbol] = z[:, slot.start]
    return found


def parameters(field: Field, unknown: Mapping[str, PyTree]) -> Environment:
    """Values of all parameters: unknown ones as given, those defined from them by their formula."""
    values: Environment = {}
    for parameter in field.problem.parameters:
        if parameter.name in unknown:
            values[parameter.symbol] = jnp.asarray(unknown[parameter.name])
        elif parameter.formula is not None:
            (values[parameter.symbol],) = evaluate((parameter.formula,), values)
        else:
            values[parameter.symbol] = float(parameter.value)
    return values


def _functionals(part: Part, wanted: Needs, z: Array) -> Environment:
    """Values [points] of the functionals of one network's unknowns."""
    mine = [f for f in wanted.functionals if f.value in part.unknowns]
    if not mine:
        return {}
    forms = tuple(dict.fromkeys(f.form for f in mine))
    tables = tables_of(part, forms, z)
    by_form = {form: part.values(table) for form, table in zip(forms, tables, strict=True)}
    return {f.stand_in: by_form[f.form][f.value] for f in mine}


def tables_of(part: Part, forms: Sequence[Form], z: Array) -> tuple[Array, ...]:
    """Values [points, outputs] of each form of a network's outputs."""
    own = z[:, np.array(part.columns)]
    return jax.vmap(lambda point: nested.derivatives(part.call, point, forms, part.starts))(own)


def _statement(
    statement: Statement, environment: Mapping[sp.Basic, Operand], shape: tuple[int, ...]
) -> Array:
    values = [
        jnp.broadcast_to(jnp.asarray(v), shape) if jnp.ndim(v) == 0 else jnp.reshape(v, shape)
        for v in evaluate(statement.values, environment)
    ]
    return jnp.stack(values, axis=-1) if statement.vector else values[0]
