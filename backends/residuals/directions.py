"""Unit vectors and how far a region reaches along them: rules for means over all directions."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

TINY = 1e-30


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rays from points: unit vectors [points or 1, rays, dimensions] and their weights [points or 1, rays],
    which add up to 1."""

    vectors: Array
    weights: Array


def round_rule(dimensions: int, planar: int, polar: int) -> tuple[np.ndarray, np.ndarray]:
    """A rule for the mean over the sphere that is symmetric in x and -x: vectors [rays, dimensions], weights.

    Both directions of a line; equal angles in the plane; Gauss and Legendre in the cosine of the polar angle
    times equal angles in space (K. Atkinson, J. Austral. Math. Soc. B 23 (1982) 332).
    """
    if dimensions == 1:
        return np.array([[1.0], [-1.0]]), np.array([0.5, 0.5])
    if dimensions == 2:
        count = 2 * ((planar + 1) // 2)
        angle = 2 * np.pi * (np.arange(count) + 0.5) / count
        return np.stack([np.cos(angle), np.sin(angle)], axis=1), np.full(count, 1 / count)
    height, share = np.polynomial.legendre.leggauss(polar)
    angle = np.pi * (np.arange(2 * polar) + 0.5) / polar
    ring = np.sqrt(1 - height**2)
    vectors = np.stack(
        [
            ring[:, None] * np.cos(angle),
            ring[:, None] * np.sin(angle),
            np.broadcast_to(height[:, None], (polar, 2 * polar)),
        ],
        axis=-1,
    )
    weights = np.broadcast_to(share[:, None] / (4 * polar), (polar, 2 * polar))
    return vectors.reshape(-1, 3), weights.reshape(-1)


def turned(vectors: np.ndarray, weights: np.ndarray, towards: Array) -> Bundle:
    """A rule in space with its poles turned to points [points, 3], seen from the origin: the distance to a
    sphere then depends on the polar angle alone."""
    pole = jnp.asarray([0.0, 0.0, 1.0], towards.dtype)
    size = jnp.linalg.norm(towards, axis=-1, keepdims=True)
    unit = jnp.where(size > 0, towards / jnp.maximum(size, TINY), pole[None])
    # The mirror between the pole and the point, of the two poles the one farther off.
    normal = unit + jnp.where(unit[:, 2:] >= 0, 1, -1) * pole[None]
    normal = normal / jnp.linalg.norm(normal, axis=-1, keepdims=True)
    fixed = jnp.asarray(vectors, towards.dtype)
    along = jnp.einsum("rk,pk->pr", fixed, normal)
    return Bundle(
        fixed[None] - 2 * along[..., None] * normal[:, None], jnp.asarray(weights, towards.dtype)[None]
    )


def to_faces(below: Array, above: Array, counts: tuple[int, int]) -> tuple[Bundle, Array]:
    """Rays from points in a box to its faces, Gauss and Legendre in angles on each: rays and their lengths
    [points, rays]. `below` and `above` [points, dimensions] are the distances to the lower and upper faces.

    A face at distance δ is seen under the angles φ and ψ with p = δ tan φ and q = (δ/cos φ) tan ψ along it;
    the solid angle is cos ψ dφ dψ.
    """
    dimensions = below.shape[1]
    places, shares = (jnp.asarray(a, below.dtype) for a in np.polynomial.legendre.leggauss(max(counts)))
    if dimensions != 1:
        count = counts[dimensions - 2]
        places, shares = (jnp.asarray(a, below.dtype) for a in np.polynomial.legendre.leggauss(count))
    vectors, lengths, weights = [], [], []
    for axis in range(dimensions):
        others = [k for k in range(dimensions) if k != axis]
        for sign, distance in ((-1, below[:, axis]), (1, above[:, axis])):
            if dimensions == 1:
                ones = jnp.ones_like(distance)[:, None]
                parts, length, weight = {axis: sign * ones}, distance[:, None], ones
            else:
                phi, share = _angles(below[:, others[0]], above[:, others[0]], distance, places, shares)
                first = distance[:, None] / jnp.cos(phi)
                parts = {axis: sign * jnp.cos(phi), others[0]: jnp.sin(phi)}
                length, weight = first, share
                if dimensions == 3:
                    low, high = (
                        jnp.broadcast_to(e[:, others[1], None], first.shape).reshape(-1)
                        for e in (below, above)
                    )
                    psi, second = (
                        a.reshape(*first.shape, -1)
                        for a in _angles(low, high, first.reshape(-1), places, shares)
                    )
                    weight = (share[..., None] * second * jnp.cos(psi)).reshape(len(distance), -1)
                    length = (first[..., None] / jnp.cos(psi)).reshape(len(distance), -1)
                    parts = {k: v[..., None] * jnp.cos(psi) for k, v in parts.items()}
                    parts[others[1]] = jnp.sin(psi)
                    parts = {k: v.reshape(len(distance), -1) for k, v in parts.items()}
            vectors.append(jnp.stack([parts[k] for k in range(dimensions)], axis=-1))
            lengths.append(length)
            weights.append(weight)
    whole = 2 if dimensions == 1 else 2 * np.pi if dimensions == 2 else 4 * np.pi
    bundle = Bundle(jnp.concatenate(vectors, axis=1), jnp.concatenate(weights, axis=1) / whole)
    return bundle, jnp.concatenate(lengths, axis=1)


def _angles(below: Array, above: Array, distance: Array, places: Array, shares: Array) -> tuple[Array, Array]:
    """Nodes and weights [points, nodes] over the angles from -arctan(below/δ) to arctan(above/δ)."""
    low, high = -jnp.arctan2(below, distance), jnp.arctan2(above, distance)
    half = (high - low) / 2
    return (high + low)[:, None] / 2 + half[:, None] * places[None], half[:, None] * shares[None]


def drawn(key: Array, points: int, count: int, dimensions: int, dtype: jnp.dtype) -> Bundle:
    """Independent random directions for every point, each with its opposite."""
    half = jax.random.normal(key, (points, (count + 1) // 2, dimensions), dtype)
    half = half / jnp.linalg.norm(half, axis=-1, keepdims=True)
    vectors = jnp.concatenate([half, -half], axis=1)
    return Bundle(vectors, jnp.full((1, vectors.shape[1]), 1 / vectors.shape[1], dtype))


def reach_of_box(below: Array, above: Array, vectors: Array) -> Array:
    """Distances [points, rays] along unit vectors to the walls of a box."""
    side = jnp.where(vectors > 0, above[:, None], below[:, None])
    return jnp.min(side / jnp.maximum(jnp.abs(vectors), TINY), axis=-1)


def reach_of_ball(centred: Array, radius: float, vectors: Array) -> Array:
    """Distances [points, rays] along unit vectors from points, seen from the centre, to a sphere."""
    along = jnp.einsum("prk,pk->pr", jnp.broadcast_to(vectors, (len(centred), *vectors.shape[1:])), centred)
    inside = jnp.maximum(radius**2 - jnp.sum(centred**2, axis=-1), 0)[:, None]
    root = jnp.sqrt(along**2 + inside)
    # Of the two forms of the root the one without cancellation.
    return jnp.where(along > 0, inside / jnp.maximum(along + root, TINY), root - along)
