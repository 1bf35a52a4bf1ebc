"""SOAP: Adam in the eigenbasis of Shampoo's preconditioners (Vyas et al., arXiv:2409.11321, algorithm 3)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from nablax.backends.residuals.field import PyTree

LARGEST = 2048  # sides of a matrix above which it is left in its own basis


class SoapState(NamedTuple):
    """Moments in the eigenbasis, and for each matrix (left, right) preconditioners and their bases."""

    steps: Array
    mean: PyTree
    square: PyTree
    sides: list[tuple[tuple[Array, Array], ...]]


def scale_by_soap(
    b1: float = 0.95, b2: float = 0.95, eps: float = 1e-8, every: int = 10
) -> optax.GradientTransformation:
    """The update before its learning rate. `every`: steps between new bases, by one step of power iteration
    and a QR decomposition; vectors and scalars are Adam's."""

    def init(params: PyTree) -> SoapState:
        zeros = jax.tree.map(jnp.zeros_like, params)
        sides = [tuple((jnp.zeros((n, n), p.dtype), jnp.eye(n, dtype=p.dtype)) for n in _sides(p))
                 for p in jax.tree.leaves(params)]  # fmt: skip
        return SoapState(jnp.zeros((), jnp.int32), zeros, zeros, sides)

    def update(slopes: PyTree, state: SoapState, params: PyTree | None = None) -> tuple[PyTree, SoapState]:
        del params
        leaves, tree = jax.tree.flatten(slopes)
        means, squares = jax.tree.leaves(state.mean), jax.tree.leaves(state.square)
        steps_taken = state.steps + 1
        found = [
            _leaf(g, m, v, s, state.steps, (b1, b2, eps, every))
            for g, m, v, s in zip(leaves, means, squares, state.sides, strict=True)
        ]
        steps, means, squares, sides = (list(part) for part in zip(*found, strict=True))
        put = jax.tree.unflatten
        return put(tree, steps), SoapState(steps_taken, put(tree, means), put(tree, squares), sides)

    return optax.GradientTransformation(init, update)


def _sides(leaf: Array) -> tuple[int, ...]:
    return leaf.shape if leaf.ndim == 2 and max(leaf.shape) <= LARGEST else ()


def _leaf(
    slope: Array,
    mean: Array,
    square: Array,
    sides: tuple[tuple[Array, Array], ...],
    count: Array,
    settings: tuple[float, float, float, int],
) -> tuple[Array, Array, Array, tuple[tuple[Array, Array], ...]]:
    """(step, mean, mean square in the eigenbasis, sides) of one array."""
    b1, b2, eps, every = settings
    mean = b1 * mean + (1 - b1) * slope
    bases = [basis for _, basis in sides]
    square = b2 * square + (1 - b2) * _turned(slope, bases) ** 2
    grown = count + 1
    unbiased = _turned(mean, bases) / (1 - b1**grown)
    scaled = unbiased / (jnp.sqrt(square / (1 - b2**grown)) + eps)
    step = _turned(scaled, [basis.T for basis in bases])
    outer = (slope @ slope.T, slope.T @ slope) if sides else ()
    renewed = []
    for (factor, basis), product in zip(sides, outer, strict=True):
        factor = b2 * factor + (1 - b2) * product
        basis = jax.lax.cond(
            count == 0,
            lambda f, _: jnp.linalg.eigh(f)[1],
            lambda f, q: jax.lax.cond(
                count % every == 0, lambda f, q: jnp.linalg.qr(f @ q)[0], lambda _, q: q, f, q
            ),
            factor,
            basis,
        )
        renewed.append((factor, basis))
    return step, mean, square, tuple(renewed)


def _turned(matrix: Array, bases: list[Array]) -> Array:
    """QLᵀ · matrix · QR."""
    return bases[0].T @ matrix @ bases[1] if bases else matrix
