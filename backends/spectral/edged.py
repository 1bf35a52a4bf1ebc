"""Eigenfunctions of the integral fractional Laplacian on an interval or in a ball, by Rayleigh and Ritz.

In the space of the edges' factor times polynomials (`nablax.backends.spectral.polynomials`) the energy is
diagonal, and the eigenfunctions of the whole are those of one matrix of means (B. Dyda, A. Kuznetsov, M.
Kwaśnicki, J. London Math. Soc. 95 (2017) 500). Means are over the domain, of a rule whose nodes
gather at the edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.spectral.polynomials import Shape, edged, jacobi

MODES = {"float64": 64, "float32": 32}  # at most; single precision loses the sign of what more would add
NODES = 8  # for every mode: enough for the product of two, gathered
NEAREST = 6  # nodes of the grid that a place is interpolated from


class Basis(NamedTuple):
    """`eigenvalues` [modes], positive and rising, in the units of the grid.

    `inside` [places, modes] and `shown` [points, modes] take amplitudes to values at the quadrature's
    places and at the nodes of the grid; `means` [modes, places] takes values to amplitudes. Eigenfunctions
    have mean square 1.
    """

    eigenvalues: Array
    inside: Array
    shown: Array
    means: Array


@dataclass(frozen=True, slots=True)
class Places:
    """Where a domain is looked at: `arguments` of the polynomials, what the edges' factor is a power of,
    weights of means, all [places]; the same at the nodes of the grid, [points], without weights. `units` is
    the length of the radius or of half the interval. `modes` is how many eigenfunctions there are."""

    shape: Shape
    units: float
    modes: int
    arguments: np.ndarray
    edges: np.ndarray
    weights: np.ndarray
    shown_arguments: np.ndarray
    shown_edges: np.ndarray


def places_of(shape: Shape, units: float, points: int, dtype: str) -> Places:
    """For a grid of so many nodes, walls (and a centre) included."""
    modes = min(points - 1, MODES[dtype])
    arguments, edges, weights = shape.nodes(NODES * modes)
    shown = shape.places(points)
    return Places(shape, units, modes, arguments, edges, weights, shown, np.maximum(shape.edges(shown), 0))


def basis_of(places: Places, s: Array, density: Array | None) -> Basis:
    """The eigenfunctions of density · (-Δ)^s; `density` [places], positive, is 1 everywhere for None.

    Differentiable in the order and the density.
    """
    shape, dtype = places.shape, s.dtype
    n = jnp.arange(places.modes, dtype=dtype)
    second = shape.second(s)
    weights = jnp.asarray(places.weights, dtype)
    values = jacobi(s, second, jnp.asarray(places.arguments, dtype), places.modes)
    factor = edged(places.edges, s)
    logarithms = shape.logarithms(s, n) - 2 * s * float(np.log(places.units))
    # Scaled so that every function has the energy 1.
    energy = jnp.sqrt((weights * factor) @ values**2) * jnp.exp(logarithms / 2)
    scaled = factor[:, None] * values / energy[None]
    heavy = weights if density is None else weights / density
    squares, turns = jnp.linalg.eigh(scaled.T @ (heavy[:, None] * scaled))
    squares, turns = squares[::-1], turns[:, ::-1]
    turned = turns / jnp.sqrt(squares)[None]
    inside = scaled @ turned
    there = jacobi(s, second, jnp.asarray(places.shown_arguments, dtype), places.modes)
    shown = (edged(places.shown_edges, s)[:, None] * there / energy[None]) @ turned
    return Basis(1 / squares, inside, shown, (heavy[:, None] * inside).T)


def interpolation(places: Places, mirrored: bool) -> np.ndarray:
    """[places, points]: values divided by the edges' factor, from the grid's inner nodes to the
    quadrature's places.

    By the polynomial through the nearest nodes; a centre is no edge, and values are even through it
    (`mirrored`).
    """
    points = len(places.shown_arguments)
    if mirrored:
        spots = np.sqrt(np.maximum((1 + places.arguments) / 2, 0)) * (points - 1)
        first, last = -(points - 2), points - 2
    else:
        spots = (1 + places.arguments) / 2 * (points - 1)
        first, last = 1, points - 2
    count = min(NEAREST, last - first + 1)
    matrix = np.zeros((len(spots), points))
    for row, spot in zip(matrix, spots, strict=True):
        begin = int(np.clip(np.floor(spot) - count // 2 + 1, first, last - count + 1))
        near = np.arange(begin, begin + count)
        for i in near:
            others = near[near != i]
            row[abs(i)] += float(np.prod((spot - others) / (i - others)))
    return matrix


def named(basis: Basis, name: str) -> Mapping[str, Array]:
    """Its arrays, to travel among the parameters."""
    return {f"{name}/{field}": value for field, value in basis._asdict().items()}


def given(params: Mapping[str, Array], name: str) -> Basis | None:
    """The basis that travels among the parameters."""
    if f"{name}/eigenvalues" not in params:
        return None
    return Basis(*(params[f"{name}/{field}"] for field in Basis._fields))
