"""Steady problems on a box with walls, or with coefficients that vary, by finite differences."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.differences.elliptic import Elliptic
from nablax.backends.differences.scheme import FiniteDifferences, build
from nablax.backends.interface import Inverse, Parameters, Rest, Unsupported
from nablax.passes.carried import carried_alone
from nablax.passes.determination import free_constants, relaxed
from nablax.plan import Plan

LINE = 2048  # values on one axis up to which a matrix that modes do not invert is decomposed


@dataclass(frozen=True, slots=True)
class SteadyDifferences:
    """All unknowns of a steady plan at once; meets `Equilibrium`."""

    plan: Plan
    scheme: FiniteDifferences
    elliptic: Elliptic

    def tables(self, inverse: Inverse | None) -> Mapping[str, np.ndarray]:
        """The eigenvectors that a solve takes: nothing is inverted beside it."""
        del inverse
        return self.elliptic.tables

    def solve(self, params: Parameters, fields: Mapping[str, Array]) -> Rest:
        """The fields at rest; `fields` replaces where the iteration begins."""
        nodes, unknowns = self.scheme.nodes, self.plan.system.unknowns
        start = dict(enumerate(self.scheme.initial(params, fields)))
        found = self.elliptic.solve(start, {}, nodes.scalars(None, params), params)
        return Rest(
            {u.name: jnp.where(found.converged, found.arrays[i], jnp.nan) for i, u in enumerate(unknowns)},
            found.residuals,
            found.converged,
            {unknowns[u].name: jnp.abs(d) for u, d in found.defects.items()},
        )


def build_steady(plan: Plan) -> SteadyDifferences:
    """The scheme of a steady plan with `method == "fd"`. Raises Unsupported like `scheme.build`."""
    moving = replace(plan, system=relaxed(plan.system))
    scheme = build(moving)
    members = tuple(range(len(plan.system.unknowns)))
    refuse_traces(scheme, members)
    free = free_constants(plan.system)
    transported = carried_alone(plan.system) is not None
    elliptic = Elliptic(moving, scheme.nodes, scheme.sides, members, free, plan.stepping.rtol, transported)
    line = len(plan.grid) == 1 and plan.shape[0] * len(members) <= LINE
    if line and not elliptic.kind.direct:
        elliptic = replace(elliptic, dense=True)
    return SteadyDifferences(plan, scheme, elliptic)


def refuse_traces(scheme: FiniteDifferences, members: tuple[int, ...]) -> None:
    """Raises Unsupported for a member whose value on a wall depends on the fields."""
    for held in scheme.traced:
        if held.unknown in members:
            unknown = scheme.plan.system.unknowns[held.unknown]
            raise Unsupported(
                f"a value of `{unknown.name}` on a wall that depends on the fields, in an equation without a "
                "time derivative",
                unknown.span,
            )
