"""The transform: every coefficient of an algebra, of every output of a function, in one pass."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from nablax.backends.taylor.derivation import fallback
from nablax.backends.taylor.element import Element
from nablax.backends.taylor.interpreter import Scope, interpret, shaped, zeros
from nablax.backends.taylor.table import RULES
from nablax.derivatives.algebra import Algebra

Point = TypeVar("Point")
Output = TypeVar("Output")


def propagate(
    function: Callable[[Point], Output], point: Point, directions: Sequence[object], algebra: Algebra
) -> tuple[Output, ...]:
    """(P_k f)(point) for every operator P_k of the algebra, each like f(point) in structure and dtypes.

    `point` is a pytree of arrays of any shape; `directions` has one pytree like it per generator, None
    for a leaf that does not move. Where the algebra has lanes, all generators come as one pytree whose
    leaves have a leading axis of that length, and so do the coefficients that have lanes.

    `function` may be anything JAX can trace and differentiate forwards; parameters it closes over are
    differentiated by `jax.grad` outside. For a batch, `jax.vmap` this over the points, or
    hand it a batched function and directions of the batch's shape.

    Raises ValueError where the directions do not fit the generators or the point.
    """
    leaves, tree = jax.tree.flatten(point)
    leaves = [jnp.asarray(leaf) for leaf in leaves]
    seeds = _seeds(leaves, _columns(directions, tree, algebra), algebra)
    structure: list[jax.tree_util.PyTreeDef] = []

    def flat(*values: jax.Array) -> list[jax.Array]:
        outputs, shape = jax.tree.flatten(function(jax.tree.unflatten(tree, values)))
        structure.append(shape)
        return outputs

    program = jax.make_jaxpr(flat)(*leaves)
    scope = Scope(algebra, RULES, fallback)
    outputs = interpret(scope, program.jaxpr, program.consts, seeds)
    avals = [shaped(atom) for atom in program.jaxpr.outvars]
    return tuple(
        jax.tree.unflatten(
            structure[0],
            [_coefficient(algebra, x, k, aval) for x, aval in zip(outputs, avals, strict=True)],
        )
        for k in range(algebra.size)
    )


def _columns(
    directions: Sequence[object], tree: jax.tree_util.PyTreeDef, algebra: Algebra
) -> list[list[jax.Array | None]]:
    """The leaves of every direction."""
    expected = 1 if algebra.lanes else algebra.generators
    if len(directions) != expected:
        raise ValueError(f"{len(directions)} directions for {expected} generators")
    columns = []
    for direction in directions:
        leaves, shape = jax.tree.flatten(direction, is_leaf=lambda leaf: leaf is None)
        if len(leaves) != tree.num_leaves:
            raise ValueError(f"a direction of structure {shape} at a point of structure {tree}")
        columns.append([None if leaf is None else jnp.asarray(leaf) for leaf in leaves])
    return columns


def _seeds(
    leaves: Sequence[jax.Array], columns: Sequence[Sequence[jax.Array | None]], algebra: Algebra
) -> list[Element]:
    """The coefficients of the point itself: linear functions know first derivatives only."""
    seeds: list[Element] = []
    for n, leaf in enumerate(leaves):
        coefficients: list[jax.Array | None] = [leaf]
        for k in range(1, algebra.size):
            coefficient: jax.Array | None = None
            for word, weight in algebra.operators[k].items():
                direction = columns[word[0]][n] if len(word) == 1 else None
                if direction is None:
                    continue
                lanes = (algebra.lanes,) if algebra.has_lanes(k) else ()
                term = jnp.broadcast_to(direction, (*lanes, *leaf.shape)).astype(leaf.dtype)
                term = term if weight == 1 else term * float(weight)
                if not algebra.lanes:
                    # Batched as the point is: under vmap, the reverse pass of a seed common to all
                    # points would sum over the batch once per product. XLA drops the choice.
                    term = lax.select(leaf == leaf, term, term)
                coefficient = term if coefficient is None else coefficient + term
            coefficients.append(coefficient)
        seeds.append(tuple(coefficients))
    return seeds


def _coefficient(algebra: Algebra, x: Element, k: int, aval: jax.core.ShapedArray) -> jax.Array:
    value = x[k] if k < len(x) else None
    if value is not None:
        return value
    lanes = (algebra.lanes,) if algebra.has_lanes(k) else ()
    return zeros(aval, lanes)
