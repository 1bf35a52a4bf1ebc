"""Statements of a problem evaluated on a field at points."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals import nested
from nablax.backends.residuals.field import Field, PyTree, check_network, outputs, parts
from nablax.derivatives.needs import Needs
from nablax.derivatives.statements import Statement


def values_at(
    field: Field, wanted: Needs, params: PyTree, z: Array, extra: Mapping[sp.Basic, Array]
) -> dict[str, Array]:
    """The statements' values at points z [..., axes], by name; `extra`: values [points] of further atoms."""
    net, unknown = parts(field, params)
    check_network(field, net, z.dtype)
    flat = z.reshape(-1, z.shape[-1])
    environment = coordinates(field, flat) | parameters(field, unknown) | dict(extra)
    environment |= _functionals(field, wanted, net, flat)
    return {s.name: _statement(s, environment, z.shape[:-1]) for s in wanted.statements}


def coordinates(field: Field, z: Array) -> dict[sp.Basic, Operand]:
    return {symbol: z[:, i] for i, symbol in enumerate(field.problem.symbols)}


def parameters(field: Field, unknown: Mapping[str, Array]) -> dict[sp.Basic, Operand]:
    """Values of all parameters: unknown ones as given, those defined from them by their formula."""
    values: dict[sp.Basic, Operand] = {}
    for parameter in field.problem.parameters:
        if parameter.name in unknown:
            values[parameter.symbol] = unknown[parameter.name]
        elif parameter.formula is not None:
            (values[parameter.symbol],) = evaluate((parameter.formula,), values)
        else:
            values[parameter.symbol] = float(parameter.value)
    return values


def _functionals(field: Field, wanted: Needs, net: PyTree, z: Array) -> dict[sp.Basic, Operand]:
    forms = tuple(dict.fromkeys(f.form for f in wanted.functionals))
    tables = jax.vmap(lambda point: nested.derivatives(lambda p: field.call(net, p), point, forms))(z)
    components = {c.value: c for c in field.problem.components}
    by_form = dict(zip(forms, (outputs(field.problem.components, table) for table in tables), strict=True))
    return {f.stand_in: by_form[f.form][components[f.value]] for f in wanted.functionals}


def _statement(
    statement: Statement, environment: Mapping[sp.Basic, Operand], shape: tuple[int, ...]
) -> Array:
    values = [
        jnp.broadcast_to(jnp.asarray(v), shape) if jnp.ndim(v) == 0 else jnp.reshape(v, shape)
        for v in evaluate(statement.values, environment)
    ]
    return jnp.stack(values, axis=-1) if statement.vector else values[0]
