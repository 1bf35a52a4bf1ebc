"""Fractional operators of a field at points: its values at other points, and weighted sums of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.interpolation import Interpolation, interpolation
from nablax.backends.residuals.layout import layout
from nablax.backends.residuals.members import lifted
from nablax.backends.residuals.networks import Part
from nablax.backends.residuals.tables import tables
from nablax.derivatives import birkhoff, quadrature
from nablax.derivatives.evaluation import Evaluation, RemoteGroup
from nablax.derivatives.lines import REST, TAU, Moment
from nablax.derivatives.needs import Form
from nablax.passes.jets import base, own_orders
from nablax.problem import Problem

ROUNDING = 16  # units in the last place
WORTH = 2  # how many places for each shared one make it worth to interpolate
Environment = Mapping[sp.Basic, Operand]


def histories(
    problem: Problem, evaluation: Evaluation, parts: Sequence[Part], z: Array, environment: Environment
) -> dict[sp.Basic, Operand]:
    """Values [points] of what stands for fractional operators, at points z [points, axes].

    Nodes are a second axis [points, nodes] while they last.
    """
    starts = {s.axis.symbol: s.start for s in layout(problem)}
    visits = []
    for group in evaluation.remote:
        part = next(p for p in parts if base(group.remotes[0].jet) in p.unknowns)
        visits.append(_visit(group, part, starts[group.place.axis], z, environment))
    known = {**environment, **_together(visits)}
    found: dict[sp.Basic, Operand] = dict(known)
    for moment in evaluation.needs.histories.moments:
        found[moment.stand_in] = _moment(moment, known, z)
    return found


@dataclass(frozen=True, slots=True)
class _Visit:
    """A group's network at points [n, axes]: `shape` of what is wanted, had from the values there by
    `between` where that is not None."""

    group: RemoteGroup
    part: Part
    points: Array
    shape: tuple[int, ...]
    between: Interpolation | None

    @property
    def along(self) -> tuple[Form, ...]:
        return self.group.plan.forms

    def read(self, found: Mapping[Form, Array]) -> dict[sp.Basic, Operand]:
        """Every jet's values, from outputs [n, outputs] by form."""
        read: dict[sp.Basic, Operand] = {}
        for remote in self.group.remotes:
            values = found[(own_orders(remote.jet), sp.S.One),]
            if self.between is not None:
                values = self.between(values)
            jet = self.part.values(values)[base(remote.jet)]
            read[remote.stand_in] = (
                jnp.broadcast_to(jet, self.shape) if jet.size == 1 else jet.reshape(self.shape)
            )
        return read


def _visit(group: RemoteGroup, part: Part, column: int, z: Array, environment: Environment) -> _Visit:
    """Points that have another coordinate in one column; what is wanted is [points], or [points, nodes]."""
    place = group.place
    if place.nodes is not None:
        (coordinate,) = evaluate((place.coordinate,), lifted(environment) | _along(place.nodes, z))
        shape: tuple[int, ...] = (z.shape[0], len(place.nodes.places))
    else:
        (coordinate,) = evaluate((place.coordinate,), environment)
        shape = (z.shape[0],)
    where = jnp.asarray(coordinate, z.dtype)
    if group.shared and prod(shape) > WORTH * group.shared:
        between = interpolation(jnp.broadcast_to(where, shape).reshape(-1), group.shared)
        moved = jnp.zeros((group.shared, z.shape[1]), z.dtype).at[:, column].set(between.nodes)
        return _Visit(group, part, moved, shape, between)
    if place.nodes is None and where.ndim == 0 and part.columns == (column,):
        return _Visit(group, part, z[:1].at[:, column].set(where), shape, None)
    moved = jnp.broadcast_to(z if place.nodes is None else z[:, None], (*shape, z.shape[1]))
    moved = moved.at[..., column].set(jnp.broadcast_to(where, shape))
    return _Visit(group, part, moved.reshape(-1, z.shape[1]), shape, None)


def _together(visits: Sequence[_Visit]) -> dict[sp.Basic, Operand]:
    """All that is wanted at other points. Visits to one network for the same are one pass through it, and a
    visit to a single point goes along with one for more."""
    found: dict[sp.Basic, Operand] = {}
    passes: list[list[_Visit]] = []
    for visit in sorted(visits, key=lambda v: -len(v.along)):
        for members in passes:
            first = members[0]
            single = len(visit.points) == 1 and set(visit.along) <= set(first.along)
            if visit.part is first.part and (visit.along == first.along or single):
                members.append(visit)
                break
        else:
            passes.append([visit])
    for members in passes:
        part, plan = members[0].part, members[0].group.plan
        values = tables(part, plan, jnp.concatenate([v.points for v in members]))
        ends = np.cumsum([len(v.points) for v in members])
        split = [jnp.split(v, ends[:-1]) for v in values]
        for i, visit in enumerate(members):
            found |= visit.read({form: v[i] for form, v in zip(plan.forms, split, strict=True)})
    return found


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
