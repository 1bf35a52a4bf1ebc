"""Functionals over named axes of which directions are drawn at random."""

from collections.abc import Sequence
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.residuals.keys import FORMS
from nablax.backends.residuals.members import Draw
from nablax.backends.residuals.networks import Part
from nablax.backends.residuals.tables import power_along, series_along
from nablax.derivatives.drawing import DrawnForm


def drawn_forms(
    forms: Sequence[DrawnForm], parts: Sequence[Part], z: Array, draw: Draw
) -> dict[sp.Basic, Array]:
    """Values [points] of the functionals, by stand-in: unbiased, each with a key of its own.

    Directions of a power sum count each with the same probability. In their place, for a power of the
    Laplacian, random vectors: entries ±1 (Hutchinson, 1990), or normal ones, E (v·∇)^2p = (2p - 1)!! Δ^p.
    """
    found: dict[sp.Basic, Array] = {}
    for i, form in enumerate(forms):
        value = form.functional.value
        part = next(p for p in parts if value in p.unknowns)
        key = jax.random.fold_in(draw.key, FORMS + i)
        some = _random_vectors if draw.dense and form.axes else _some_directions
        found[form.functional.stand_in] = part.values(some(form, part, z, key, draw.count))[value]
    return found


def _some_directions(form: DrawnForm, part: Part, z: Array, key: Array, count: int) -> Array:
    power = form.power
    total, degree = len(power.directions), power.degree
    factors = np.array([float(w) for w in power.weights]) * (total / count)
    vectors = np.zeros((total, len(part.columns)))
    vectors[:, list(part.starts)] = [[float(entry) for entry in v] for v in power.directions]
    chosen = jax.random.choice(key, total, (count,), replace=False)
    if degree % 2 or np.all(factors > 0) or np.all(factors < 0):
        # The factors go into the vectors, and all that is left is a sum.
        sign = 1 if degree % 2 or factors[0] > 0 else -1
        lengths = np.abs(factors) ** (1 / degree) * (np.sign(factors) if degree % 2 else 1)
        along = jnp.asarray(vectors * lengths[:, None], z.dtype)[chosen]
        return sign * power_along(part, z, along, degree)
    *_, highest = series_along(part, z, jnp.asarray(vectors, z.dtype)[chosen], degree)
    return jnp.einsum("r,prm->pm", jnp.asarray(factors, z.dtype)[chosen], highest)


def _random_vectors(form: DrawnForm, part: Part, z: Array, key: Array, count: int) -> Array:
    degree, functional = form.power.degree, form.functional
    starts = np.array([part.starts[i] for i in form.axes])
    make = jax.random.rademacher if degree == 2 else jax.random.normal
    along = jnp.zeros((count, len(part.columns)), z.dtype)
    along = along.at[:, starts].set(make(key, (count, len(starts)), z.dtype))
    pure = tuple(degree if i == form.axes[0] else 0 for i in range(len(part.starts)))
    scale = float(dict(functional.form)[pure]) / (count * prod(range(1, degree, 2)))
    return scale * power_along(part, z, along, degree)
