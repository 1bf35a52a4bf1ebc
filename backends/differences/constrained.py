"""Elliptic constraints beside evolution equations: 0 = F(φ, u) solved inside every evaluation of du/dt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.differences import implicit
from nablax.backends.differences.elliptic import Elliptic
from nablax.backends.differences.halo import Scalars
from nablax.backends.differences.implicit import Entry, entry
from nablax.backends.differences.linearisation import implicit_groups, jacobian
from nablax.backends.differences.modes import Group, carried, matrices
from nablax.backends.differences.scheme import FiniteDifferences
from nablax.backends.differences.scheme import build as build_scheme
from nablax.backends.differences.steady import refuse_traces
from nablax.backends.interface import Inverse, Parameters, Vector
from nablax.passes.determination import free_constants, relaxed
from nablax.plan import Plan

TOLERANCE = {"float64": 1e-11, "float32": 1e-5}  # of what a nonlinear constraint determines


@dataclass(frozen=True)
class ConstrainedDifferences:
    """Meets `Split` and `Linearised`. y holds the evolving unknowns, the carry all of them with ghosts.

    `scheme` knows every unknown as evolving; its linear part holds no term of or for a determined one.
    """

    plan: Plan
    scheme: FiniteDifferences
    elliptic: Elliptic
    evolving: tuple[int, ...]

    def prepare(self, params: Parameters) -> Parameters:
        """See `FiniteDifferences.prepare`."""
        return self.scheme.prepare(params)

    def tables(self, inverse: Inverse | None) -> Mapping[str, np.ndarray]:
        """The eigenvectors that the constraints take, and those that an inverse takes."""
        own = self.elliptic.tables
        if inverse == "jacobian":
            return {**own, **matrices(self._jacobian[1], inverse)}
        return {**own, **self.scheme.tables(inverse)}

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        """y at the start of time; see `FiniteDifferences.initial`."""
        everything = self.scheme.initial(params, fields)
        return tuple(everything[u] for u in self.evolving)

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """y and what the constraints determine, with their ghost nodes."""
        return self.scheme.embed(t, self._all(t, y, params), params)

    def core(self, carry: Vector) -> Vector:
        """The nodes of the evolving unknowns."""
        everything = self.scheme.core(carry)
        return tuple(everything[u] for u in self.evolving)

    def rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """dy/dt; on a Dirichlet wall the time derivative of its data."""
        return self._evolving(self.scheme.rate(t, carry, params))

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """Dirichlet walls whose data depend on time, or on the fields, are set to them."""
        whole = self._all(t, y, params) if self.scheme.traced else self._completed(y)
        return self._evolving(self.scheme.finish(t, whole, params))

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        """Nodal arrays by component name, those that constraints determine included."""
        return self.scheme.fields(t, self._all(t, y, params), params)

    def linear(self, y: Vector, params: Parameters) -> Vector:
        """L y: the stiff terms of evolving unknowns."""
        return self._evolving(self.scheme.linear(self._completed(y), params))

    def explicit_rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """rate - L y."""
        return self._evolving(self.scheme.explicit_rate(t, carry, params))

    def solve(self, shift: Array, right: Vector, params: Parameters) -> Vector:
        """The y with y - shift · L y = right."""
        return self._evolving(self.scheme.solve(shift, self._completed(right), params))

    @property
    def iterated(self) -> bool:
        """Whether a stage iterates, to step an unknown or to meet a constraint."""
        return self.scheme.iterated or not self.elliptic.kind.direct

    def solve_linearised(
        self, shift: Array, t: Array, y: Vector, right: Vector, params: Parameters
    ) -> Vector:
        """The z with z - shift · J z = right, J the derivative of `rate` with the constraints kept.

        Preconditioned without them: what acts through a constraint is of lower order, or iterated on.
        """
        whole = self._all(t, y, params)
        scalars = self.scheme.nodes.valued(self._scalars(t, params), dict(enumerate(whole)))
        entries, groups = self._jacobian

        def rate(arrays: Vector) -> Vector:
            inner = self._evolving(arrays)
            return self._completed(self.rate(t, self.embed(t, inner, params), params))

        found = implicit.solve_linearised(
            self.scheme.nodes,
            entries,
            carried(groups, "jacobian", params),
            rate,
            jnp.asarray(shift, self.plan.dtype),
            whole,
            self._completed(right),
            scalars,
            coupled=bool(self.scheme.traced),
        )
        return self._evolving(found)

    # -- parts ------------------------------------------------------------------------------------

    def _scalars(self, t: Array, params: Parameters) -> Scalars:
        return self.scheme.nodes.scalars(t, params)

    def _evolving(self, whole: Vector) -> Vector:
        return tuple(whole[u] for u in self.evolving)

    def _completed(self, y: Vector) -> Vector:
        """Zeros for what the constraints determine."""
        arrays = dict(zip(self.evolving, y, strict=True))
        nodes, shape = self.scheme.nodes, self.plan.shape
        return tuple(
            arrays[u] if u in arrays else jnp.zeros(shape, nodes.dtype(u)) for u in range(len(nodes.places))
        )

    def _all(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """y completed by what the constraints determine; NaN where they were not solved."""
        guess = dict(enumerate(self._completed(y)))
        others = dict(zip(self.evolving, y, strict=True))
        found = self.elliptic.solve(
            {u: guess[u] for u in self.elliptic.members}, others, self._scalars(t, params), params
        )
        return tuple(
            others[u] if u in others else jnp.where(found.converged, found.arrays[u], jnp.nan)
            for u in range(len(guess))
        )

    @cached_property
    def _jacobian(self) -> tuple[tuple[Entry, ...], tuple[Group, ...]]:
        nodes = self.scheme.nodes
        entries = tuple(
            entry(nodes, c, e)
            for c, e in jacobian(self.scheme.plan, self.scheme.nodes.operators)
            if c.equation in self.evolving and c.unknown in self.evolving
        )
        return entries, implicit_groups(self.scheme.plan, nodes.places, [e.coupling for e in entries])


def build_constrained(plan: Plan) -> ConstrainedDifferences:
    """The scheme of a plan with `method == "fd"` and constraints that determine unknowns.

    Raises Unsupported like `scheme.build`, and for a multiplier.
    """
    system = plan.system
    members = tuple(c.unknown for c in system.constraints if c.unknown is not None)
    moving = replace(plan, system=relaxed(system))
    scheme = build_scheme(moving, frozenset(members))
    refuse_traces(scheme, members)
    free = free_constants(system)
    elliptic = Elliptic(
        moving, scheme.nodes, scheme.sides, tuple(sorted(members)), free, TOLERANCE[plan.dtype]
    )
    evolving = tuple(u for u in range(len(system.unknowns)) if u not in members)
    return ConstrainedDifferences(plan, scheme, elliptic, evolving)
