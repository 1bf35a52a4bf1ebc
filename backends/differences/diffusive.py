"""Powers of -div(a grad u) between walls of every kind, by sums of shifted solves.

L^s = L L^(-β), β = 1 - s, and L^(-β) ≈ c_0 + Σ c_j (L + p_j)^(-1) on the spectrum of L (`nablax.rational`).
L is the flux form of second order, symmetric in the scalar product of the trapezoidal rule, so that the
shifted systems are solved by conjugate gradients; their preconditioner is the same system with a averaged,
by modes. Between walls that hold no value the flattest mode, whose eigenvalue may be as small as the walls
leak little, is taken by itself: the poles serve the others, and no shifted solve meets it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax
from numpy.typing import NDArray

from nablax.backends.differences.bases import bounded_basis
from nablax.backends.differences.flattest import Flattest, solve_shifted
from nablax.backends.differences.kernels import times
from nablax.backends.differences.layout import Place, slab
from nablax.backends.differences.modes import Basis, Group, backward, forward, halved
from nablax.backends.differences.walls import Wall
from nablax.backends.lowering import Operand, evaluate
from nablax.plan import GridAxis
from nablax.rational import Poles, inverse_powers

ERROR = 1e-10  # relative, of the sum of poles on the spectrum
EVERY = (0.03, 0.3, 0.6, 0.97)  # powers that share their poles where the order is a parameter
PASSES = 4  # of the iteration for the flattest mode: each gains the ratio of the two least eigenvalues
SLACK = 16.0  # by which parameters may lower the spectrum's ratio without harm
Scalars = Mapping[sp.Basic, Operand]
Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DiffusivePower:
    """(-div(a grad))^s on the evolving nodes of an unknown; a holds coordinates and parameters.

    `symbols` are the coordinates; `nominal` are the values of the parameters that the spectrum's bounds are
    taken at; `near` are the modes of the same operator with a = 1, as implicit solves know them.
    """

    node: sp.Expr
    unknown: int
    key: sp.Symbol
    grid: tuple[GridAxis, ...]
    place: Place
    symbols: tuple[sp.Symbol, ...]
    nominal: Scalars
    near: Group
    dtype: jnp.dtype
    diagonal: bool = False

    @property
    def axes(self) -> tuple[int, ...]:
        return tuple(range(len(self.grid)))

    def kernel(self, scalars: Scalars) -> Array:
        """A bound of the spectrum, and the coefficients of the sum for the spectrum scaled by it."""
        bound = self._bound(scalars)
        order = self.node.args[1]
        if order.is_number:
            numbers = self._poles.coefficients(1 - float(order)) if order != 1 else np.ones(1)
            found = jnp.asarray(numbers, self.dtype)
        else:
            s = jnp.asarray(evaluate([order], scalars)[0], self.dtype)
            places = jnp.asarray(np.log(self._poles.places), self.dtype)
            # Residues are large and cancel: the sum over the places keeps all its digits.
            residues = jnp.asarray(self._poles.residues, self.dtype)
            found = jnp.matmul(residues, jnp.exp((s - 0.5) * places), precision=lax.Precision.HIGHEST)
        if self._closed or self._flat:
            return jnp.concatenate([bound[None], found])
        return jnp.concatenate([bound[None], found, self._flattest_mode(scalars, bound)])

    def apply(self, array: Array, scalars: Scalars) -> Array:
        if jnp.iscomplexobj(array):
            return lax.complex(*(self.apply(part, scalars) for part in (jnp.real(array), jnp.imag(array))))
        region = self.place.evolving
        inner = array
        for k, (a, b) in enumerate(region):
            inner = slab(inner, k, a, b)
        kernel = jnp.asarray(scalars[self.key])
        shifts = jnp.asarray(self._poles.shifts, self.dtype)
        bound, constant, factors = kernel[0], kernel[1], kernel[2 : 2 + len(shifts)]
        order = jnp.asarray(evaluate([self.node.args[1]], scalars)[0], self.dtype)
        right = inner * self._root
        near = self._symbol(scalars, bound)
        flattest = self._flattest(kernel[2 + len(shifts) :], inner.shape, scalars, bound)
        amount, pulls = jnp.zeros((), self.dtype), jnp.zeros_like(shifts)
        if flattest is not None:
            amount = jnp.sum(flattest.mode * right)
            right = flattest.without(right)
            pulls = 1 / (flattest.value + shifts)

        def act(v: Array) -> Array:
            return self._root * self._flux_form(v / self._root, scalars) / bound

        def solved(shift: Array, pull: Array) -> Array:
            forced = right if flattest is None else right - amount * pull * flattest.slope
            inverse = partial(self._by_modes, symbol=1 / (near + shift))
            return solve_shifted(act, shift, inverse, forced, flattest, pull)

        parts = jax.vmap(solved)(shifts, pulls) if len(shifts) else jnp.zeros((0, *right.shape), self.dtype)
        powered = act(constant * right + jnp.tensordot(factors, parts, 1))
        if flattest is not None:
            # λ^s for the mode itself, not the poles' sum, and what the mode and the others give each other.
            value, mode, slope = flattest.value, flattest.mode, flattest.slope
            own = jnp.where(value == 0, 0, jnp.where(value == 0, 1, value) ** order)
            backs = factors * pulls * jnp.tensordot(parts, slope, slope.ndim)
            share = amount * (constant + jnp.sum(factors * pulls)) - jnp.sum(backs)
            powered = powered + share * slope + (own * amount - value * jnp.sum(backs)) * mode
        powered = powered / self._root * bound**order
        widths = [(a, n - b) for (a, b), n in zip(region, array.shape, strict=True)]
        return jnp.pad(powered, widths).astype(array.dtype)

    def modes(self, scalars: Scalars) -> Array:
        """The power of the operator with a averaged: what implicit solves are preconditioned with."""
        total = _summed(self.near.bases)
        order = jnp.asarray(evaluate([self.node.args[1]], scalars)[0], self.dtype)
        positive = self._mean(scalars) * jnp.asarray(np.where(total > 0, total, 1.0), self.dtype)
        return jnp.where(jnp.asarray(total > 0), positive**order, 0)

    # -- the flattest mode ---------------------------------------------------------------------------

    def _flattest(
        self, known: Array, shape: tuple[int, ...], scalars: Scalars, bound: Array
    ) -> Flattest | None:
        """None where a wall holds the field; `known` is what `_flattest_mode` found."""
        if self._closed:
            return None
        if self._flat:
            size = float(np.sqrt(np.sum(self._mass)))
            return Flattest(jnp.zeros((), self.dtype), self._root / size, jnp.zeros(shape, self.dtype))
        value, inner = known[0], known[1:].reshape(shape)
        mode = self._root * inner
        return Flattest(value, mode, self._root * self._flux_form(inner, scalars) / bound - value * mode)

    def _flattest_mode(self, scalars: Scalars, bound: Array) -> Array:
        """The least eigenvalue λ of the scaled operator, and its mode 1 + q, q of mean zero, of norm 1 in the
        masses: (C - λ) q = -b, C the operator among such fields and b what it makes of 1.

        Inverse iteration, accurate for λ below the poles' interval, which is where it is needed, and that
        however small λ: C has no small eigenvalue.
        """
        size = float(np.sqrt(np.sum(self._mass)))
        even = self._root / size
        # Of the constant itself, whose differences are zero and not rounding.
        slope = even * self._flux_form(jnp.ones(even.shape, self.dtype), scalars) / bound
        level = jnp.sum(even * slope)
        slope = slope - level * even
        none = jnp.zeros((), self.dtype)
        apart = Flattest(none, even, jnp.zeros_like(even))
        near = 1 / (self._symbol(scalars, bound) + self._lowest)

        def act(v: Array) -> Array:
            return self._root * self._flux_form(v / self._root, scalars) / bound

        def inverse(v: Array) -> Array:
            return self._by_modes(v, near)

        def closer(found: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
            value, q = found
            q = apart.without(solve_shifted(act, none, inverse, value * q - slope, apart, none))
            return (level + jnp.sum(slope * q), q), None

        (_, q), _ = lax.scan(closer, (none, jnp.zeros_like(even)), length=PASSES)
        norm = 1 + jnp.sum(q * q)
        value = (level + 2 * jnp.sum(slope * q) + jnp.sum(q * act(q))) / norm
        return jnp.append(value, (1 / size + q / self._root) / jnp.sqrt(norm))

    # -- the operator itself ----------------------------------------------------------------------

    def _flux_form(self, inner: Array, scalars: Scalars) -> Array:
        """-div(a grad u) on the evolving nodes, with the conditions on the walls."""
        total = jnp.zeros_like(inner)
        for k, axis in enumerate(self.grid):
            total = total + self._along(inner, k, axis, scalars)
        return total

    def _along(self, inner: Array, k: int, axis: GridAxis, scalars: Scalars) -> Array:
        h, pair = axis.spacing, self.place.walls[k]
        a = self._diffusivity(scalars, k)
        if pair is None:
            flux = a * (jnp.roll(inner, -1, k) - inner) / h
            return (jnp.roll(flux, 1, k) - flux) / h
        start, stop = self.place.evolving[k]
        whole = _padded(inner, k, start, axis.points - stop)
        flux = a * jnp.diff(whole, axis=k) / h
        # Half a cell at a wall that evolves: no flux through it, or what a Robin condition lets through.
        spread = -jnp.diff(_padded(flux, k, 1, 1), axis=k) / h
        result = slab(spread * _shaped(_half_cells(axis, self.dtype), k, whole.ndim), k, start, stop)
        for wall in pair:
            if not wall.leaks:
                continue
            end = 0 if wall.side == 0 else axis.points - 1
            there = slab(self._diffusivity(scalars), k, end, end + 1) * slab(whole, k, end, end + 1)
            loss = 2 / h * _leak(wall, scalars, self.dtype) * there
            room = stop - start - 1
            result = result + _padded(loss, k, *((0, room) if wall.side == 0 else (room, 0)))
        return result

    def _diffusivity(self, scalars: Scalars, midway: int | None = None) -> Array:
        """a at the evolving nodes of other axes and all nodes of axis `midway`, there between the nodes."""
        places: dict[sp.Basic, Operand] = {}
        shape = []
        for k, (axis, symbol) in enumerate(zip(self.grid, self.symbols, strict=True)):
            start, stop = (0, axis.points) if midway in (k, None) else self.place.evolving[k]
            ahead = 0.5 if midway == k else 0.0
            if midway == k and not axis.periodic:
                stop -= 1
            index = jnp.arange(start, stop, dtype=self.dtype) + ahead
            places[symbol] = _shaped(axis.lower + axis.spacing * index, k, len(self.grid))
            shape.append(stop - start)
        value = evaluate([self.node.args[2]], {**scalars, **places})[0]
        return jnp.broadcast_to(jnp.asarray(value, self.dtype), shape)

    # -- bounds and modes -------------------------------------------------------------------------

    def _bound(self, scalars: Scalars) -> Array:
        """Gershgorin's bound of the spectrum."""
        most = jnp.max(self._diffusivity(scalars))
        bound = most * float(sum(4 / axis.spacing**2 for axis in self.grid))
        for axis, pair in zip(self.grid, self.place.walls, strict=True):
            for wall in pair or ():
                if wall.leaks:
                    bound = bound + 2 / axis.spacing * _leak(wall, scalars, self.dtype) * most
        return bound

    def _mean(self, scalars: Scalars) -> Array:
        return jnp.mean(self._diffusivity(scalars))

    @cached_property
    def _poles(self) -> Poles:
        order = self.node.args[1]
        if order == 1:
            return Poles(np.zeros(0), np.ones(1), np.ones((1, 1)))
        powers = (1 - float(order),) if order.is_number else EVERY
        return inverse_powers(powers, self._lowest, ERROR)

    @cached_property
    def _lowest(self) -> float:
        """Below the scaled spectrum, without its flattest mode where no wall holds the field."""
        with jax.ensure_compile_time_eval():
            least = float(jnp.min(self._diffusivity(self.nominal)))
            bound = float(self._bound(self.nominal))
        lines = [np.sort(np.append(-np.real(b.spectra[2]), np.inf)) for b in self._modes.bases]
        start = sum(line[0] for line in lines) if self._closed else min(line[1] for line in lines)
        # Rounded, so that problems alike share their poles.
        return float(4.0 ** np.floor(np.log(least * float(start) / bound / SLACK) / np.log(4.0)))

    @property
    def _closed(self) -> bool:
        """Whether a wall holds the field, so that no mode is nearly constant."""
        return any(wall.held for pair in self.place.walls for wall in pair or ())

    @property
    def _flat(self) -> bool:
        """Whether constants meet the conditions on all walls."""
        return not any(wall.held or wall.leaks for pair in self.place.walls for wall in pair or ())

    @cached_property
    def _mass(self) -> Real:
        """The trapezoidal weights at the evolving nodes, in cells."""
        total = np.ones((1,) * len(self.grid))
        for k, (axis, pair) in enumerate(zip(self.grid, self.place.walls, strict=True)):
            weights = np.ones(axis.points)
            if pair is not None:
                weights[[0, -1]] = 0.5
            shape = [-1 if j == k else 1 for j in range(len(self.grid))]
            total = total * weights[slice(*self.place.evolving[k])].reshape(shape)
        return total

    @property
    def _root(self) -> Array:
        return jnp.asarray(np.sqrt(self._mass), self.dtype)

    @cached_property
    def _modes(self) -> Group:
        """The modes of the flux form with a = 1."""
        bases = []
        for k, (axis, pair, basis) in enumerate(
            zip(self.grid, self.place.walls, self.near.bases, strict=True)
        ):
            if pair is not None and any(wall.leaks for wall in pair):
                bases.append(bounded_basis({2: -self._line(k, axis, pair)}))
                continue
            wave = -basis.spectra[2]
            angle = np.sqrt(np.real(wave)) * axis.spacing
            spectrum = -((2 * np.sin(angle / 2) / axis.spacing) ** 2)
            bases.append(Basis(basis.periodic, True, None, None, {2: spectrum}, True, basis.waves))
        return Group((self.unknown,), self.place.evolving, tuple(bases), True)

    def _line(self, k: int, axis: GridAxis, pair: tuple[Wall, Wall]) -> Real:
        """-d²/dx² along one axis at the nominal parameters, as a matrix on its evolving nodes."""
        n, h = axis.points, axis.spacing
        matrix = (2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) / h**2
        matrix[0, 1] = matrix[-1, -2] = -2 / h**2
        for wall, end in zip(pair, (0, -1), strict=True):
            if wall.leaks:
                with jax.ensure_compile_time_eval():
                    matrix[end, end] += 2 / h * float(_leak(wall, self.nominal, jnp.dtype(float)))
        inner = slice(*self.place.evolving[k])
        return np.asarray(matrix[inner, inner])

    @cached_property
    def _near_symbol(self) -> Array:
        with jax.ensure_compile_time_eval():
            return halved(self._modes, jnp.asarray(_summed(self._modes.bases), self.dtype), True)

    def _symbol(self, scalars: Scalars, bound: Array) -> Array:
        """The eigenvalues of the scaled operator with a averaged."""
        return self._near_symbol * self._mean(scalars) / bound

    def _by_modes(self, v: Array, symbol: Array) -> Array:
        hat = forward(self._modes, v / self._root, True, self.dtype)
        product = jnp.asarray(times(hat, symbol))
        return self._root * backward(self._modes, product, v.shape, True, self.dtype, True)


def _leak(wall: Wall, scalars: Scalars, dtype: jnp.dtype) -> Array:
    """κ of dn(u) + κ u = 0 on a Robin wall."""
    (condition,) = wall.conditions
    value = sp.Add(*(t.coefficient for t in condition.terms if t.order == 0))
    slope = sp.Add(*(t.coefficient for t in condition.terms if t.order == 1))
    kappa = value / slope * (-1 if wall.side == 0 else 1)
    return jnp.asarray(evaluate([kappa], scalars)[0], dtype)


def _half_cells(axis: GridAxis, dtype: jnp.dtype) -> Array:
    weights = np.ones(axis.points)
    weights[[0, -1]] = 2.0
    return jnp.asarray(weights, dtype)


def _summed(bases: tuple[Basis, ...]) -> Real:
    """The eigenvalues of -Δ over all modes."""
    total = np.zeros((1,) * len(bases))
    for k, basis in enumerate(bases):
        shape = [-1 if j == k else 1 for j in range(len(bases))]
        total = total - np.real(basis.spectra[2]).reshape(shape)
    return total


def _padded(array: Array, axis: int, before: int, after: int) -> Array:
    return jnp.pad(array, [(before, after) if j == axis else (0, 0) for j in range(array.ndim)])


def _shaped(line: Array, axis: int, dimensions: int) -> Array:
    return line.reshape([-1 if j == axis else 1 for j in range(dimensions)])
