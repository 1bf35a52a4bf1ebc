"""Equations without a time derivative on a box: 0 = F(y), solved for the unknowns they determine."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends import krylov, newton
from nablax.backends.differences import dense, modal
from nablax.backends.differences.bases import DENSE
from nablax.backends.differences.equations import RightSide
from nablax.backends.differences.halo import Scalars
from nablax.backends.differences.implicit import Entry, entry, mean
from nablax.backends.differences.layout import nominal
from nablax.backends.differences.linearisation import implicit_groups, jacobian
from nablax.backends.differences.modes import Group, carried, matrices
from nablax.backends.differences.nodes import Nodes
from nablax.backends.interface import Parameters, Unsupported, Vector
from nablax.backends.lowering import Operand
from nablax.backends.quadrature import weights
from nablax.passes.jets import bases
from nablax.plan import Plan

TITLE = "elliptic"


class Solved(NamedTuple):
    """Nodal arrays by unknown, the course of the iteration, and what is left over per free constant.

    `defects[u]` is what the data lack to be compatible: the constant that had to be taken from the
    equation of `u` for a solution to exist.
    """

    arrays: dict[int, Array]
    residuals: Array
    converged: Array
    defects: dict[int, Array]


class _Data(NamedTuple):
    """What the equations depend on: the nodal arrays of other unknowns, scalars by position, and tables."""

    others: dict[int, Array]
    scalars: tuple[Operand, ...]
    tables: Parameters


@dataclass(frozen=True)
class Elliptic:
    """The equations of `members`, in a plan whose system has them as evolution equations.

    `sides[u]` is the right-hand side of unknown u. `free` are the members determined up to a constant:
    their mean is zero. `dense`: corrections are preconditioned with the inverse of the whole matrix, where
    modes of averaged coefficients come nowhere near it (transport from wall to wall).
    """

    plan: Plan
    nodes: Nodes
    sides: tuple[RightSide, ...]
    members: tuple[int, ...]
    free: tuple[int, ...]
    tolerance: float
    dense: bool = False

    @cached_property
    def kind(self) -> newton.Kind:
        """Whether the members stand linearly, and whether one modal solve inverts them."""
        unknown = {self.plan.system.unknowns[u].value for u in self.members}
        linear = not any(
            atom.node.atoms(sp.Function) & unknown for e in self._entries for atom in e.coefficient.atoms
        )
        moving = {
            a.symbol for a, g in zip(self.plan.system.axes, self.plan.grid, strict=True) if not g.folded
        }
        plain = all(
            not e.coefficient.atoms and not e.coefficient.expression.free_symbols & moving
            for e in self._entries
        )
        walls = [
            w for u in self.members for pair in self.nodes.places[u].walls if pair is not None for w in pair
        ]
        traces = {value for w in walls for c in w.conditions for value in bases(c.data)}
        linear = linear and not (traces & unknown or self.nodes.integrals)
        if self.dense:
            return newton.Kind(linear, linear, not self.free)
        direct = linear and plain and all(g.exact for g in self._groups)
        return newton.Kind(linear, direct, not self.free)

    @cached_property
    def _entries(self) -> tuple[Entry, ...]:
        return tuple(
            entry(self.nodes, c, e)
            for c, e in jacobian(self.plan, self.nodes.operators)
            if c.equation in self.members and c.unknown in self.members
        )

    @cached_property
    def _groups(self) -> tuple[Group, ...]:
        dense = modal.DENSE_ONCE if self.plan.system.time is None else DENSE
        couplings = [e.coupling for e in self._entries]
        found = implicit_groups(self.plan, self.nodes.places, couplings, dense)
        mine = tuple(g for g in found if set(g.members) <= set(self.members))
        for u in self.free:
            group = next(g for g in mine if u in g.members)
            flat = [
                a.name
                for a, b in zip(self.plan.grid, group.bases, strict=True)
                if not (b.transformed or a.folded)
            ]
            if flat:
                name = self.plan.system.unknowns[u].name
                raise Unsupported(
                    f"`{name}` is determined up to a function of {', '.join(flat)} only",
                    self.plan.system.unknowns[u].span,
                )
        return mine

    @property
    def tables(self) -> Mapping[str, np.ndarray]:
        """The eigenvectors that a solve takes: see `nablax.backends.interface.Tabled`."""
        return {} if self.dense else matrices(self._groups, TITLE)

    def solve(
        self, guess: Mapping[int, Array], others: Mapping[int, Array], scalars: Scalars, params: Parameters
    ) -> Solved:
        """The members from `guess`, given the other unknowns; nodal arrays throughout.

        NaN where the iteration does not converge. Differentiable in `others` and `scalars`.
        """
        names = tuple(scalars)
        tables = {n: params[n] for n in self.tables if n in params}
        data = _Data(dict(others), tuple(scalars[n] for n in names), tables)

        def equations(data: _Data) -> newton.Equations:
            known = dict(zip(names, data.scalars, strict=True))
            return newton.Equations(
                lambda x: self._anchored(x, self._residual(x, data.others, known)),
                lambda x: self._precondition(x, data.others, known, data.tables),
            )

        start = tuple(self.nodes.inside(guess[u], u) for u in self.members)
        found = newton.root(equations, data, start, self.kind, self.tolerance)
        centred = tuple(
            a - self._mean(a, u).astype(a.dtype) if u in self.free else a
            for u, a in zip(self.members, found.x, strict=True)
        )
        left = self._residual(centred, data.others, scalars) if self.free else ()
        defects = {u: jnp.mean(r) for u, r in zip(self.members, left, strict=bool(left)) if u in self.free}
        return Solved(self._whole(centred, scalars), found.residuals, found.converged, defects)

    # -- the equations ------------------------------------------------------------------------------

    def _whole(self, x: Vector, scalars: Scalars) -> dict[int, Array]:
        """Nodal arrays from evolving nodes: the walls take their Dirichlet values."""
        result = {}
        for u, array in zip(self.members, x, strict=True):
            walls = {w: w.pinned for w in self.nodes.places[u].held if w.pinned is not None}
            result[u] = self.nodes.surround(array, u, walls, scalars)
        return result

    def _padded(
        self, x: Vector, others: Mapping[int, Array], scalars: Scalars
    ) -> tuple[dict[int, Array], Scalars]:
        """Nodal arrays with ghosts, and the scalars with the values of integral terms."""
        arrays = {**others, **self._whole(x, scalars)}
        scalars = self.nodes.valued(scalars, arrays)
        return self.nodes.padded(arrays, scalars, homogeneous=False), scalars

    def _residual(self, x: Vector, others: Mapping[int, Array], scalars: Scalars) -> Vector:
        padded, scalars = self._padded(x, others, scalars)
        return tuple(self.nodes.inner(self.sides[u], u, padded, scalars) for u in self.members)

    def _anchored(self, x: Vector, residual: Vector) -> Vector:
        """The residual, with a multiple of the mean added for every free constant.

        A constant c that the data lack then shows up as the mean -c / anchor instead of making the
        equations unsolvable, and goes away with it.
        """
        return tuple(
            r + (self._anchors[u] * jnp.mean(a)).astype(r.dtype) if u in self.free else r
            for u, a, r in zip(self.members, x, residual, strict=True)
        )

    @cached_property
    def _anchors(self) -> dict[int, float]:
        """A number of the size of the operator on its longest wave, with the operator's sign."""
        found = {}
        for u in self.free:
            total = 0.0
            for e in self._entries:
                if e.coupling.equation == e.coupling.unknown == u and not e.coefficient.atoms:
                    length = np.prod(
                        [a.length**m for a, m in zip(self.plan.grid, e.coupling.orders, strict=True)]
                    )
                    turn = (-1) ** (sum(e.coupling.orders) // 2)
                    total += turn * nominal(e.coefficient.expression, self.plan).real / float(length)
            found[u] = total if np.isfinite(total) and total != 0 else -1.0
        return found

    def _mean(self, array: Array, unknown: int) -> Array:
        """The mean over the box, of a member whose walls are not pinned."""
        for k, axis in reversed(list(enumerate(self.plan.grid))):
            w = jnp.asarray(weights(axis, self.plan.order) / axis.length, array.real.dtype)
            array = jnp.tensordot(array, w.astype(array.dtype), axes=((k,), (0,)), precision="highest")
        return array

    def _precondition(
        self, x: Vector, others: Mapping[int, Array], scalars: Scalars, tables: Parameters
    ) -> krylov.Operator:
        """The inverse of the derivative at x, or the modal one with coefficients averaged over the grid."""
        if self.dense:
            _, slope = jax.linearize(lambda y: self._anchored(y, self._residual(y, others, scalars)), x)
            return dense.inverse(slope, x)
        integral = bool(self.nodes.integrals or self.nodes.operators)
        varying = any(e.coefficient.atoms for e in self._entries) or integral
        padded, scalars = self._padded(x, others, scalars) if varying else ({}, scalars)
        values = [(e.coupling, mean(e, self.nodes, scalars, padded)) for e in self._entries]
        dtype = jnp.dtype(self.plan.dtype)
        groups = carried(self._groups, TITLE, tables)
        inverses = []
        for group in groups:
            mine = [(c, v) for c, v in values if {c.equation, c.unknown} <= set(group.members)]
            anchors = {u: self._anchors[u] for u in group.members if u in self.free}
            real = not any(self.nodes.places[u].complex for u in group.members)
            inverses.append(modal.inverse(group, mine, dtype, real, anchors=anchors))

        def invert(vector: Vector) -> Vector:
            arrays = dict(zip(self.members, vector, strict=True))
            for group, inverse in zip(groups, inverses, strict=True):
                part = inverse(tuple(arrays[u] for u in group.members))
                arrays |= {u: self.nodes.cast(a, u) for u, a in zip(group.members, part, strict=True)}
            return tuple(arrays[u] for u in self.members)

        return invert
