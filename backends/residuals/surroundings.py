"""Fractional operators of a field that look all around: values of what stands for them, at points."""

from collections.abc import Mapping, Sequence

import jax
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand
from nablax.backends.residuals.field import FieldError
from nablax.backends.residuals.keys import RAYS
from nablax.backends.residuals.lattices import lattice_sum
from nablax.backends.residuals.layout import layout
from nablax.backends.residuals.networks import Part
from nablax.backends.residuals.rays import ray_sum
from nablax.derivatives.evaluation import Evaluation
from nablax.passes.jets import base
from nablax.problem import Problem


def surroundings(
    problem: Problem,
    evaluation: Evaluation,
    parts: Sequence[Part],
    z: Array,
    environment: Mapping[sp.Basic, Operand],
    key: Array | None,
) -> dict[sp.Basic, Operand]:
    """Values [points] of the sums over rays and lattices, at points z [points, axes]."""
    wanted, slots = evaluation.needs.surroundings, layout(problem)
    found: dict[sp.Basic, Operand] = {}
    for i, rays in enumerate(wanted.rays):
        part = next(p for p in parts if base(rays.jet) in p.unknowns)
        own = None
        if rays.drawn:
            if key is None:
                raise FieldError(
                    f"{rays.drawn} directions are drawn for each point: give a key, "
                    "residual(params, points, key)"
                )
            own = jax.random.fold_in(key, RAYS + i)
        found[rays.stand_in] = ray_sum(rays, part, slots, z, environment, own)
    for lattice in wanted.lattices:
        part = next(p for p in parts if base(lattice.jet) in p.unknowns)
        found[lattice.stand_in] = lattice_sum(lattice, part, slots, z, environment)
    return found
