"""Nonlocal operators between walls: what they do to nodal arrays, and to the modes of a fast solve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.differences import trigonometric
from nablax.backends.differences.bases import DENSE, leaky_basis
from nablax.backends.differences.diffusive import DiffusivePower
from nablax.backends.differences.kernels import times
from nablax.backends.differences.lattice import LatticePower
from nablax.backends.differences.layout import Place, nominal_condition, slab
from nablax.backends.differences.modes import Basis, Group, backward, forward, halved
from nablax.backends.differences.one_axis import CentredDifference, FourierPower, ShiftedDifference
from nablax.backends.differences.toeplitz import dense_product
from nablax.backends.differences.walls import has_leak
from nablax.backends.lowering import Operand, evaluate
from nablax.backends.nodes import known
from nablax.nonlocal_operators import Between, IntegralLaplacian, OneSided, SpectralLaplacian
from nablax.passes.jets import jets
from nablax.plan import Plan

Scalars = Mapping[sp.Basic, Operand]


class Operator(Protocol):
    """A linear operator on the nodal array of one unknown, its conditions on the walls taken for zero.

    `node` is the applied operator as it stands in the normal form; `key` names its kernel, which depends on
    the parameters alone. `axes` are those it acts along.
    """

    @property
    def node(self) -> sp.Expr: ...

    @property
    def unknown(self) -> int: ...

    @property
    def key(self) -> sp.Symbol: ...

    @property
    def axes(self) -> tuple[int, ...]: ...

    @property
    def diagonal(self) -> bool:
        """Whether `modes` is the operator itself, and not what comes close to it."""
        ...

    def kernel(self, scalars: Scalars) -> Array:
        """What `apply` reads under `key`, from the values of parameters."""
        ...

    def apply(self, array: Array, scalars: Scalars) -> Array:
        """The operator on a nodal array; what it says of nodes that a wall holds is not read."""
        ...

    def modes(self, scalars: Scalars) -> Array:
        """Its eigenvalues in the sines, cosines and Fourier modes of its axes, size 1 along others."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class SpectralPower:
    """(-Δ)^s by the eigenfunctions: sines, cosines and Fourier modes with their exact eigenvalues."""

    node: sp.Expr
    unknown: int
    key: sp.Symbol
    axes: tuple[int, ...]
    group: Group
    dtype: jnp.dtype
    diagonal: bool = True

    def kernel(self, scalars: Scalars) -> Array:
        """λ^s, [modes...]."""
        total = np.zeros((1,) * len(self.group.bases))
        for k, basis in enumerate(self.group.bases):
            shape = [-1 if j == k else 1 for j in range(len(self.group.bases))]
            total = total - np.real(basis.spectra[2]).reshape(shape)
        order = jnp.asarray(evaluate([self.node.args[1]], scalars)[0], self.dtype)
        # A constant mode stays away from 0^s, whose derivative in s has no value.
        positive = jnp.asarray(np.where(total > 0, total, 1.0), self.dtype)
        return jnp.where(jnp.asarray(total > 0), positive**order, 0)

    def apply(self, array: Array, scalars: Scalars) -> Array:
        inner = array
        for k, (a, b) in enumerate(self.group.region):
            inner = slab(inner, k, a, b)
        real = not jnp.iscomplexobj(array)
        hat = forward(self.group, inner, real, self.dtype)
        symbol = halved(self.group, jnp.asarray(scalars[self.key]), real)
        found = backward(self.group, jnp.asarray(times(hat, symbol)), inner.shape, real, self.dtype, real)
        widths = [(a, n - b) for (a, b), n in zip(self.group.region, array.shape, strict=True)]
        return jnp.pad(found, widths).astype(array.dtype)

    def modes(self, scalars: Scalars) -> Array:
        return jnp.asarray(scalars[self.key])


def operators(plan: Plan, places: Sequence[Place]) -> tuple[Operator, ...]:
    """One per operator that the equations of a plan hold."""
    found: dict[sp.Expr, None] = {}
    for terms in plan.system.right_sides:
        found |= {t.operator: None for t in terms.linear if t.operator is not None}
        for flux in terms.nonlinear:
            found |= {
                j: None for j in sorted(jets(flux.flux), key=sp.default_sort_key) if isinstance(j, Between)
            }
    values = [u.value for u in plan.system.unknowns]
    result: list[Operator] = []
    for i, node in enumerate(found):
        unknown = values.index(node.args[0])
        key = sp.Symbol(f"kernel of operator {i}")
        place = places[unknown]
        if isinstance(node, SpectralLaplacian):
            result.append(_spectral(node, unknown, key, plan, place))
        elif isinstance(node, IntegralLaplacian) and len(plan.grid) > 1:
            result.append(_lattice(node, unknown, key, plan, place))
        else:
            result.append(_along_axis(node, unknown, key, plan, place))
    return tuple(result)


def _spectral(node: sp.Expr, unknown: int, key: sp.Symbol, plan: Plan, place: Place) -> Operator:
    bases = tuple(_eigenbasis(k, plan, place) for k in range(len(plan.grid)))
    group = Group((unknown,), place.evolving, bases, True)
    dtype = jnp.dtype(plan.dtype)
    leaky = [k for k, walls in enumerate(place.walls) if has_leak(walls)]
    open_ = any(not wall.numeric for k in leaky for wall in place.walls[k] or () if wall.leaks)
    if node.args[2] != 1 or open_ or any(plan.grid[k].n > DENSE for k in leaky):
        params = {p.name: jnp.asarray(float(p.value)) for p in plan.system.parameters}
        symbols = tuple(a.symbol for a in plan.system.axes)
        return DiffusivePower(
            node, unknown, key, plan.grid, place, symbols, known(plan, params), group, dtype
        )
    return SpectralPower(node, unknown, key, tuple(range(len(bases))), group, dtype, not leaky)


def _eigenbasis(k: int, plan: Plan, place: Place) -> Basis:
    """The eigenfunctions of the second derivative along an axis, with exact eigenvalues where they are waves
    and with those of the differences at Robin walls."""
    axis, walls = plan.grid[k], place.walls[k]
    if walls is None:
        wave = 2 * np.pi * np.fft.fftfreq(axis.n) / axis.spacing
        return Basis(True, True, None, None, {2: -(wave**2)}, True)
    kind = trigonometric.kind_of((walls[0].held, walls[1].held))
    if has_leak(walls) and axis.n <= DENSE:
        numbers = [[nominal_condition(c, plan) for c in wall.conditions] for wall in walls]
        return leaky_basis(plan.order, axis, walls, numbers, slice(*place.evolving[k]))
    wave = trigonometric.angles(kind, axis.n) / axis.spacing
    return Basis(False, True, None, None, {2: -(wave**2)}, True, kind)


def _lattice(node: sp.Expr, unknown: int, key: sp.Symbol, plan: Plan, place: Place) -> LatticePower:
    walls = [pair for pair in place.walls if pair is not None]
    waves = tuple(trigonometric.kind_of((lower.held, upper.held)) for lower, upper in walls)
    return LatticePower(node, unknown, key, plan.grid, waves, jnp.dtype(plan.dtype))


def _along_axis(node: sp.Expr, unknown: int, key: sp.Symbol, plan: Plan, place: Place) -> Operator:
    symbols = [a.symbol for a in plan.system.axes]
    k = 0 if isinstance(node, IntegralLaplacian) else symbols.index(node.args[1])
    grid, walls, dtype = plan.grid[k], place.walls[k], jnp.dtype(plan.dtype)
    order = 2 * node.args[1] if isinstance(node, IntegralLaplacian) else node.args[2]
    if walls is None:
        return FourierPower(node, unknown, key, k, len(plan.grid), grid, order, dtype)
    waves = trigonometric.kind_of((walls[0].held, walls[1].held))
    dense = dense_product(grid.points, prod(plan.shape) // grid.points, dtype)
    common = (node, unknown, key, k, len(plan.grid), grid, order)
    if isinstance(node, OneSided):
        side, ceiling, caputo, rate = node.args[3:]
        return ShiftedDifference(*common, int(ceiling), int(side), caputo == 1, rate, waves, dense, dtype)
    sign = 1 if isinstance(node, IntegralLaplacian) else -1
    return CentredDifference(*common, sign, waves, dense, dtype)
