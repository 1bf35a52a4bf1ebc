"""Fractional operators of a field at points: its values at other points, and weighted sums of them."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.layout import layout
from nablax.backends.residuals.members import lifted
from nablax.backends.residuals.networks import Part
from nablax.backends.residuals.tables import tables
from nablax.derivatives import birkhoff, quadrature
from nablax.derivatives.evaluation import Evaluation, RemoteGroup
from nablax.derivatives.lines import REST, TAU, Moment
from nablax.passes.jets import base, own_orders
from nablax.problem import Problem

ROUNDING = 16  # units in the last place
Environment = Mapping[sp.Basic, Operand]


def histories(
    problem: Problem, evaluation: Evaluation, parts: Sequence[Part], z: Array, environment: Environment
) -> dict[sp.Basic, Operand]:
    """Values [points] of what stands for fractional operators, at points z [points, axes].

    Nodes are a second axis [points, nodes] while they last.
    """
    starts = {s.axis.symbol: s.start for s in layout(problem)}
    known = dict(environment)
    for group in evaluation.remote:
        part = next(p for p in parts if base(group.remotes[0].jet) in p.unknowns)
        known |= _remote(group, part, starts[group.place.axis], z, environment)
    found: dict[sp.Basic, Operand] = dict(known)
    for moment in evaluation.needs.histories.moments:
        found[moment.stand_in] = _moment(moment, known, z)
    return found


def _remote(
    group: RemoteGroup, part: Part, column: int, z: Array, environment: Environment
) -> dict[sp.Basic, Operand]:
    """Jets at the points that have another coordinate in one column: [points], or [points, nodes]."""
    place = group.place
    if place.nodes is not None:
        (coordinate,) = evaluate((place.coordinate,), lifted(environment) | _along(place.nodes, z))
        shape: tuple[int, ...] = (z.shape[0], len(place.nodes.places))
    else:
        (coordinate,) = evaluate((place.coordinate,), environment)
        shape = (z.shape[0],)
    moved = jnp.broadcast_to(z if place.nodes is None else z[:, None], (*shape, z.shape[1]))
    moved = moved.at[..., column].set(jnp.broadcast_to(jnp.asarray(coordinate, z.dtype), shape))
    values = tables(part, group.plan, moved.reshape(-1, z.shape[1]))
    by_form = dict(zip(group.plan.forms, (part.values(v) for v in values), strict=True))
    return {
        r.stand_in: by_form[((own_orders(r.jet), sp.S.One),)][base(r.jet)].reshape(shape)
        for r in group.remotes
    }


def _along(nodes: quadrature.Nodes, z: Array) -> dict[sp.Basic, Operand]:
    """τ and 1 - τ [1, nodes]; no τ is so near to 1 that rounding moves its point onto the wall."""
    furthest = 1 - ROUNDING * 2.0 ** (-52 if z.dtype.itemsize >= 8 else -23)
    shares = jnp.asarray(np.minimum(nodes.shares, furthest), z.dtype)
    return {TAU: shares[None, :], REST: jnp.asarray(nodes.rest, z.dtype)[None, :]}


def _moment(moment: Moment, known: Environment, z: Array) -> Array:
    """Σ_j w_j inside(τ_j); the weights are numbers where the exponent is one."""
    (inside,) = evaluate((moment.inside,), lifted(known) | _along(moment.nodes, z))
    if moment.nodes.below:
        weights = _of_lengths(moment, known, z)
    elif moment.exponent.is_number:
        weights = jnp.asarray(quadrature.weights(moment.nodes, float(moment.exponent)), z.dtype)
    else:
        (exponent,) = evaluate((moment.exponent,), known)
        weights = _weights(moment.nodes, jnp.asarray(exponent, z.dtype))
    shape = (z.shape[0], len(moment.nodes.places))
    weights = weights if weights.ndim == 2 else weights[None, :]
    return jnp.sum(jnp.broadcast_to(inside, shape) * jnp.broadcast_to(weights, shape), axis=1)


def _of_lengths(moment: Moment, known: Environment, z: Array) -> Array:
    """The weights [points, nodes] of one antiderivative, by the length of the way back."""
    exponent, share = evaluate((moment.exponent, moment.share), known)
    places = moment.nodes.places
    if moment.exponent.is_number:
        table = jnp.asarray(birkhoff.weights(places, moment.nodes.below, float(moment.exponent)), z.dtype)
    else:
        found = quadrature.moments(birkhoff.DEGREES, jnp.asarray(exponent, z.dtype))
        matrix = jnp.asarray(birkhoff.from_moments(places, moment.nodes.below), z.dtype)
        table = jnp.einsum("ldjk,k->ldj", matrix, jnp.stack(found))
    halvings = jnp.broadcast_to(-jnp.log2(jnp.asarray(share, z.dtype)), z.shape[:1])
    level = jnp.clip(jnp.floor(jax.lax.stop_gradient(halvings)), 0, birkhoff.LEVELS).astype(int)
    return table[level, moment.depth]


def _weights(nodes: quadrature.Nodes, exponent: Array) -> Array:
    """The weights [..., nodes] for exponents [...]: see `nablax.derivatives.quadrature`."""
    found = quadrature.moments(len(nodes.places), exponent)
    matrix = jnp.asarray(quadrature.from_moments(nodes.places), exponent.dtype)
    weights = jnp.einsum("...k,jk->...j", jnp.stack(found, axis=-1), matrix)
    if nodes.grade == 1:
        return weights
    share, slope = (jnp.asarray(a, exponent.dtype) for a in nodes.stretch)
    shape = (1,) * exponent.ndim + share.shape
    return weights * share.reshape(shape) ** exponent[..., None] * slope.reshape(shape)
