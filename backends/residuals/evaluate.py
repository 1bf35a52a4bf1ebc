"""Statements of a problem evaluated on a field at points."""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.drawn import drawn_forms
from nablax.backends.residuals.environment import Environment, coordinates, parameters
from nablax.backends.residuals.field import Field, FieldError, PyTree, check_network, parts
from nablax.backends.residuals.histories import histories
from nablax.backends.residuals.integrals import integral
from nablax.backends.residuals.layout import layout
from nablax.backends.residuals.members import Draw, family_powers, member_sums, sums_of_coordinates
from nablax.backends.residuals.networks import Part, networks
from nablax.backends.residuals.surroundings import surroundings
from nablax.backends.residuals.tables import tables
from nablax.derivatives.evaluation import Evaluation, Group
from nablax.derivatives.needs import Needs
from nablax.derivatives.statements import Statement

DOUBLE = 8  # bytes of a number in double precision


def values_at(
    field: Field,
    evaluation: Evaluation,
    params: PyTree,
    z: Array,
    extra: Mapping[sp.Basic, Array],
    key: Array | None = None,
) -> dict[str, Array]:
    """The statements' values at points z [..., axes], by name.

    `extra` are values [points] of further atoms. Sampled evaluations draw with `key`. One program for a field
    and an evaluation: outside of a transformation too, the hundreds of operations are compiled as one.
    """
    found: dict[str, Array] = _values(field, evaluation, tuple(extra), params, z, tuple(extra.values()), key)
    return found


@partial(jax.jit, static_argnums=(0, 1, 2))
def _values(
    field: Field,
    evaluation: Evaluation,
    atoms: tuple[sp.Basic, ...],
    params: PyTree,
    z: Array,
    values: tuple[Array, ...],
    key: Array | None,
) -> dict[str, Array]:
    if evaluation.single is not None and z.dtype.itemsize < DOUBLE:
        evaluation = evaluation.single
    net, unknown = parts(field, params)
    flat = z.reshape(-1, z.shape[-1])
    environment = _environment(
        field, evaluation, net, unknown, flat, dict(zip(atoms, values, strict=True)), key
    )
    return {s.name: _statement(s, environment, z.shape[:-1]) for s in evaluation.needs.statements}


def _environment(
    field: Field,
    evaluation: Evaluation,
    net: PyTree,
    unknown: Mapping[str, PyTree],
    flat: Array,
    extra: Mapping[sp.Basic, Operand],
    key: Array | None,
) -> Environment:
    """All that the statements are written in, at points [points, axes]."""
    wanted = evaluation.needs
    check_network(field, net, flat.dtype, wanted.order)
    environment = {
        **coordinates(field.problem, flat),
        **parameters(field.problem, unknown, flat.dtype),
        **extra,
    }
    environment |= _beyond(field, wanted, flat)
    all_parts = networks(field, net, unknown)
    for term, inside in evaluation.integrals:

        def integrand(z: Array, more: Mapping[sp.Basic, Operand], inside: Evaluation = inside) -> Array:
            found = _environment(field, inside, net, unknown, z, more, None)
            return _statement(inside.needs.statements[0], found, z.shape[:-1])

        environment[term.stand_in] = integral(term, field.problem, environment, flat, integrand)
    for group in evaluation.groups:
        part = next(p for p in all_parts if group.unknowns[0] in p.unknowns)
        environment |= _functionals(part, group, wanted, flat)
    draw = _draw(evaluation, key)
    if evaluation.draws is not None and draw is not None:
        environment |= drawn_forms(evaluation.draws.forms, all_parts, flat, draw)
    environment |= histories(field.problem, evaluation, all_parts, flat, environment)
    environment |= surroundings(field.problem, evaluation, all_parts, flat, environment, key)
    if field.problem.families:
        slots = {s.axis.symbol: s for s in layout(field.problem)}
        environment |= member_sums(wanted.sums, all_parts[0], slots, flat, environment, draw)
        environment |= family_powers(wanted.powers, all_parts[0], slots, flat, draw)
        expressions = [v for s in wanted.statements for v in s.values]
        environment |= sums_of_coordinates(expressions, slots, flat, environment)
    return environment


def _beyond(field: Field, wanted: Needs, z: Array) -> Environment:
    """Values [points] of what the statements hold of the state before; nothing is evaluated in vain."""
    held = {a for s in wanted.statements for v in s.values for a in v.free_symbols}
    if field.known is None or held.isdisjoint(field.known.symbols):
        return {}
    return dict(zip(field.known.symbols, jax.vmap(field.known.at)(z), strict=True))


def _draw(evaluation: Evaluation, key: Array | None) -> Draw | None:
    draws = evaluation.draws
    if draws is None:
        return None
    sampling = draws.sampling
    if key is None:
        raise FieldError(
            f"{sampling.count} directions are drawn for each evaluation: give a key, "
            "residual(params, points, key)"
        )
    return Draw(key, sampling.count, sampling.dense, draws.members)


def _functionals(part: Part, group: Group, wanted: Needs, z: Array) -> Environment:
    """Values [points] of the functionals of one network's unknowns."""
    found = tables(part, group.plan, z)
    by_form = {form: part.values(table) for form, table in zip(group.plan.forms, found, strict=True)}
    mine = [f for f in wanted.functionals if f.value in part.unknowns and f.form in by_form]
    return {f.stand_in: by_form[f.form][f.value] for f in mine}


def _statement(
    statement: Statement, environment: Mapping[sp.Basic, Operand], shape: tuple[int, ...]
) -> Array:
    values = [
        jnp.broadcast_to(jnp.asarray(v), shape) if jnp.ndim(v) == 0 else jnp.reshape(v, shape)
        for v in evaluate(statement.values, environment)
    ]
    return jnp.stack(values, axis=-1) if statement.vector else values[0]
