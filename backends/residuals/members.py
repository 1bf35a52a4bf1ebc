"""Sums over the members of a family: every member, or a few drawn at random.

A drawn sum is an unbiased estimate of the whole one, whatever the body: each member counts with the same
probability (Shi, Hu, Lin, Kawaguchi, Stochastic Taylor Derivative Estimator, 2024). Laplacians may also be
estimated along random directions with entries ±1 (Hutchinson, 1990).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import factorial, prod

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.jets import jet_at
from nablax.backends.residuals.keys import POWERS
from nablax.backends.residuals.layout import Slot
from nablax.backends.residuals.networks import Part
from nablax.backends.residuals.tables import laplacian, series_along
from nablax.backends.taylor import propagate
from nablax.derivatives.algebra import directions as series
from nablax.derivatives.algebra import downset
from nablax.derivatives.needs import FamilyPower, MemberSum
from nablax.families import FamilySum, is_member

PointFunction = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Draw:
    """`count` members, or directions when `dense`, drawn with `key` for the sums with these stand-ins."""

    key: Array
    count: int
    dense: bool
    members: frozenset[sp.Dummy]


def member_sums(
    sums: Sequence[MemberSum],
    part: Part,
    slots: Mapping[sp.Symbol, Slot],
    z: Array,
    environment: Mapping[sp.Basic, Operand],
    draw: Draw | None,
) -> dict[sp.Basic, Operand]:
    """Values [points] of the sums that hold derivatives of the unknowns, by stand-in."""
    found: dict[sp.Basic, Operand] = {}
    for i, whole in enumerate(sums):
        slot = slots[whole.family]
        if draw is None or whole.stand_in not in draw.members:
            every = jnp.arange(slot.size)
            found[whole.stand_in] = _over(whole, part, slot, z, environment, every)
            continue
        key = jax.random.fold_in(draw.key, i)
        if draw.dense and whole.laplacian is not None:
            signs = jax.random.rademacher(key, (draw.count, slot.size), z.dtype)
            directions = jnp.zeros((draw.count, z.shape[1]), z.dtype).at[:, slot.columns].set(signs)
            total = laplacian(part, z, directions)
            found[whole.stand_in] = part.values(total)[whole.laplacian] / draw.count
            continue
        chosen = jax.random.choice(key, slot.size, (draw.count,), replace=False)
        found[whole.stand_in] = _over(whole, part, slot, z, environment, chosen)
    return found


def _over(
    whole: MemberSum,
    part: Part,
    slot: Slot,
    z: Array,
    environment: Mapping[sp.Basic, Operand],
    chosen: Array,
) -> Operand:
    """size / count · Σ body over the chosen members."""
    order = max(int(node.args[2]) for node, _ in whole.derivatives)
    directions = jax.nn.one_hot(slot.start + chosen, z.shape[1], dtype=z.dtype)
    scale = slot.size / len(chosen)
    if whole.laplacian is not None:
        return scale * part.values(laplacian(part, z, directions))[whole.laplacian]
    tables = [part.values(table) for table in series_along(part, z, directions, order)]
    values = lifted(environment) | {whole.bound: z[:, slot.start + chosen]}
    values |= {name: tables[int(d.args[2]) - 1][d.args[0]] for d, name in whole.derivatives}
    (body,) = evaluate((whole.body,), values)
    return jnp.sum(jnp.asarray(body), axis=1) * scale


def family_powers(
    powers: Sequence[FamilyPower],
    part: Part,
    slots: Mapping[sp.Symbol, Slot],
    z: Array,
    draw: Draw | None,
) -> dict[sp.Basic, Operand]:
    """Values [points] of repeated Laplacians along families, by stand-in.

    Each is a pass through the program of the one before. Drawn, they are even derivatives along normal
    vectors v, E (v·∇)^2p = (2p - 1)!! Δ^p: unbiased as well, and independent of how many members there are.
    """
    found: dict[sp.Basic, Operand] = {}
    for i, power in enumerate(powers):
        jet: PointFunction = partial(jet_at, part, power.jet)
        value = jet
        if draw is None or power.stand_in not in draw.members:
            for family, _ in power.along:
                value = _laplacian_of(value, slots[family], z)
        else:
            value = _along_normal_vectors(
                jet, power, slots, z, draw, jax.random.fold_in(draw.key, POWERS + i)
            )
        found[power.stand_in] = jax.vmap(value)(z)
    return found


def _laplacian_of(value: PointFunction, slot: Slot, z: Array) -> PointFunction:
    directions = jnp.eye(z.shape[1], dtype=z.dtype)[slot.columns]
    algebra = series(slot.size, 2, [2] * slot.size, stacked=True)
    return lambda point: propagate(value, point, (directions,), algebra)[-1]


def _along_normal_vectors(
    jet: PointFunction, power: FamilyPower, slots: Mapping[sp.Symbol, Slot], z: Array, draw: Draw, key: Array
) -> PointFunction:
    counts = {slots[family]: 0 for family, _ in power.along}
    for family, _ in power.along:
        counts[slots[family]] += 1
    algebra = downset([tuple(2 * p for p in counts.values())])
    # The last coefficient is divided by (2p)!, and (2p)! / (2p - 1)!! is 2^p p!.
    scale = prod(2**p * factorial(p) for p in counts.values())
    vectors = [
        jnp.zeros((draw.count, z.shape[1]), z.dtype)
        .at[:, slot.columns]
        .set(jax.random.normal(jax.random.fold_in(key, slot.start), (draw.count, slot.size), z.dtype))
        for slot in counts
    ]

    def mean(point: Array) -> Array:
        along = jax.vmap(lambda *v: propagate(jet, point, v, algebra)[-1])(*vectors)
        average: Array = scale * jnp.mean(along, axis=0)
        return average

    return mean


def sums_of_coordinates(
    values: Sequence[sp.Expr],
    slots: Mapping[sp.Symbol, Slot],
    z: Array,
    environment: Mapping[sp.Basic, Operand],
) -> dict[sp.Basic, Operand]:
    """Values [points] of the sums without unknowns and of the members that the text names by number."""
    known = dict(environment)
    for slot in slots.values():
        for symbol in {s for v in values for s in v.free_symbols if is_member(s, slot.axis.symbol)}:
            index = symbol.name.partition("[")[2][:-1]
            if index.isdigit():
                known[symbol] = z[:, slot.start + int(index) - slot.axis.first]
    nodes = {n for v in values for n in v.atoms(FamilySum)}
    for node in sorted(nodes, key=lambda n: (_depth(n), sp.default_sort_key(n))):
        body, bound, family, _ = node.args
        if not {n.args[1] for n in body.atoms(FamilySum)} & body.free_symbols:
            (inside,) = evaluate((body,), lifted(known) | {bound: z[:, slots[family].columns]})
            known[node] = jnp.sum(jnp.asarray(inside), axis=1)
    return known


def _depth(node: sp.Basic) -> int:
    """How many sums nest inside."""
    return max((1 + _depth(n) for a in node.args for n in a.atoms(FamilySum)), default=0)


def lifted(environment: Mapping[sp.Basic, Operand]) -> dict[sp.Basic, Operand]:
    """Values [points] as [points, 1], beside those of members [points, members]."""
    return {k: v[:, None] if isinstance(v, Array) and v.ndim == 1 else v for k, v in environment.items()}
