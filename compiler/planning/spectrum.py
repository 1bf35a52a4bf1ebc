"""Eigenvalues of the frozen linearisation: what a step must be stable for, and whether time may run forward.

At a point and a state, the right-hand side is replaced by its linearisation with constant coefficients;
a Fourier mode then grows with the eigenvalues of its symbol. NumPy, at a handful of points and modes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import sympy as sp

from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Between, Fourier
from nablax.passes.jets import base, jets, orders_of
from nablax.plan import GridAxis
from nablax.planning.estimate import estimate
from nablax.planning.operators import symbol_of
from nablax.sampling import sample
from nablax.surrogates import smooth
from nablax.system import LinearTerm, Orders, System, wavenumbers

FEW = 3  # places along an axis at which coefficients are looked at for their sign
VANISHED = 1e-9  # of a coefficient, relative to its largest size in the course of time
MOMENTS = (
    0.0,
    0.25,
    0.5,
    0.75,
    1.0,
)  # shares of the time at which coefficients that depend on it are looked at
Symbol = Callable[[int, int, np.ndarray], np.ndarray]
"""(axis, derivative order, wavenumbers) to the factor that the derivative multiplies a mode by."""


def exact_symbol(axis: int, order: int, k: np.ndarray) -> np.ndarray:
    """(ik)^order, real or imaginary to the last digit: what is left over would pass for damping."""
    del axis
    return (1, 1j, -1, -1j)[order % 4] * np.asarray(k, dtype=float) ** order


@dataclass(frozen=True, slots=True)
class Entry:
    """One term of the linearised right-hand side: value(x) · D^orders · multiplier in row, column, or
    value(x) · operator."""

    row: int
    column: int
    orders: Orders
    multiplier: sp.Expr
    values: np.ndarray  # at the sample points
    span: Span
    operator: sp.Expr | None = None  # between walls
    given: bool = False  # the same at every state

    @property
    def moves(self) -> bool:
        """Whether the term is more than a multiple of its unknown."""
        return any(self.orders) or self.multiplier != 1 or self.operator is not None


@dataclass(frozen=True, slots=True)
class Linearisation:
    """All entries at the same sample points; rows and columns are the evolving unknowns.

    `places[axis]` are the coordinates of the points.
    """

    size: int
    points: int
    entries: tuple[Entry, ...]
    masses: tuple[Entry, ...]
    places: tuple[np.ndarray, ...] = ()

    @property
    def varying(self) -> bool:
        """Whether a coefficient depends on the place."""
        return any(np.ptp(e.values) > 0 for e in (*self.entries, *self.masses))

    def keeping(self, entries: Iterable[Entry]) -> "Linearisation":
        return replace(self, entries=tuple(entries))

    def without(self, span: Span) -> "Linearisation":
        return self.keeping(e for e in self.entries if e.span != span)


def nominal(system: System) -> dict[sp.Basic, np.ndarray]:
    return {p.symbol: np.asarray(float(p.value)) for p in system.parameters}


def linearise(
    system: System, points: int, grid: Sequence[GridAxis] = (), moment: float = 0.0
) -> Linearisation:
    """Freeze the coefficients at the initial data on `points` places per axis (walls included), those that
    depend on time after the share `moment` of it.

    With a grid, the node next to a centre is among them: angles are narrowest there.
    """
    space = tuple(a.symbol for a in system.axes)
    values = nominal(system)
    ends = [(float(sample(a.lower, values)), float(sample(a.upper, values))) for a in system.axes]
    # Irregular places: a symmetric choice would sit on the zeros of sines.
    places = [low + (high - low) * ((np.arange(points) + 0.37) / points) for low, high in ends]
    for k, axis in enumerate(grid):
        if axis.folded:
            places[k][0] = axis.first
    grids = np.meshgrid(*places, indexing="ij")
    values |= {s: g.ravel() for s, g in zip(space, grids, strict=True)}
    if system.time is not None:
        begin, end = (sample(e, values) for e in (system.time.lower, system.time.upper))
        values[system.time.symbol] = begin + moment * (end - begin) if moment else begin
    count = points ** len(space)
    moving = [i for i, u in enumerate(system.unknowns) if not u.algebraic]
    column = {i: c for c, i in enumerate(moving)}
    states = states_of(system)
    entries: list[Entry] = []
    masses: list[Entry] = []

    def add(into: list[Entry], row: int, term: LinearTerm) -> None:
        if term.unknown in column:
            value = np.broadcast_to(sample(term.coefficient, values), (count,))
            entry = Entry(row, column[term.unknown], term.orders, term.multiplier, value, term.span)
            into.append(replace(entry, operator=term.operator, given=True))

    for equation in system.evolution:
        row = column[equation.unknown]
        for term in equation.mass:
            add(masses, row, term)
        for term in equation.terms.linear:
            add(entries, row, term)
        for flux in equation.terms.nonlinear:
            for jet, slope in _slopes(flux.flux):
                if isinstance(jet, INTEGRALS):
                    continue  # bounded operators: they set no step
                owner = next(i for i, u in enumerate(system.unknowns) if u.value == base(jet))
                if owner in column and not isinstance(jet, Fourier):
                    value = np.broadcast_to(sample(at_start(slope, states, system, values), values), (count,))
                    orders = orders_of(jet, space)
                    operator = jet if isinstance(jet, Between) else None
                    entries.append(Entry(row, column[owner], orders, sp.S.One, value, flux.span, operator))
    located = tuple(g.ravel() for g in grids)
    return Linearisation(len(moving), count, tuple(entries), tuple(masses), located)


def states_of(system: System) -> dict[sp.Basic, sp.Expr]:
    """Initial values by unknown, 0 where an algebraic one has none."""
    return {
        u.value: sp.S.Zero if value is None else value
        for u, value in zip(system.unknowns, system.initial, strict=True)
    }


def _slopes(flux: sp.Expr) -> list[tuple[sp.Basic, sp.Expr]]:
    found = sorted(jets(flux), key=sp.default_sort_key)
    names = {jet: sp.Dummy(real=True) for jet in found}
    frozen = smooth(flux).xreplace(names).replace(sp.conjugate, lambda z: z)
    # A staircase is taken for the line along it.
    frozen = frozen.replace(sp.floor, lambda z: z).replace(sp.ceiling, lambda z: z)
    back = {name: jet for jet, name in names.items()}
    slopes: dict[sp.Dummy, list[sp.Expr]] = {name: [] for name in back}
    for term in sp.Add.make_args(frozen):
        for name in sorted(term.free_symbols & back.keys(), key=lambda n: int(n.dummy_index)):
            slopes[name].append(sp.diff(term, name))
    return [(jet, sp.Add(*slopes[name]).xreplace(back)) for jet, name in names.items()]


def at_start(
    slope: sp.Expr, states: dict[sp.Basic, sp.Expr], system: System, values: dict[sp.Basic, np.ndarray]
) -> sp.Expr:
    """The slope with every jet replaced by the derivative of the initial data."""
    replaced = {}
    for jet in jets(slope):
        if isinstance(jet, INTEGRALS):
            number = estimate(jet, states, system.axes, values)
            replaced[jet] = sp.S.One if number is sp.nan else number
            continue
        if isinstance(jet, Between):
            replaced[jet] = sp.S.One  # of the size of the data
            continue
        value = states[base(jet)]
        pairs = jet.variable_count if isinstance(jet, sp.Derivative) else ()
        for symbol, count in pairs:
            value = sp.diff(value, symbol, int(count))
        replaced[jet] = value
    return slope.xreplace(replaced)


def eigenvalues(
    system: System,
    frozen: Linearisation,
    modes: Sequence[np.ndarray],
    symbol: Symbol,
    spacing: Sequence[float] | None = None,
) -> np.ndarray:
    """Eigenvalues for every sample point and every combination of the wavenumbers given per axis.

    Shape (points, combinations, unknowns). With `spacing`, operators between walls are taken as they stand
    on a grid.
    """
    k = np.array(list(product(*modes))).T.reshape(len(modes), -1)
    matrix = symbols(system, frozen, k, symbol, spacing)
    matrix = np.where(np.isfinite(matrix), matrix, 0)
    if frozen.size == 1:
        return matrix[..., 0, 0][..., None]
    return np.linalg.eigvals(matrix)


def symbols(
    system: System,
    frozen: Linearisation,
    k: np.ndarray,
    symbol: Symbol,
    spacing: Sequence[float] | None = None,
) -> np.ndarray:
    """The matrices M^-1 L of the modes `k`, shape (axes, modes): (points, modes, unknowns, unknowns)."""
    matrix = _assemble(system, frozen.entries, frozen.size, frozen.points, k, symbol, spacing)
    mass = _assemble(system, frozen.masses, frozen.size, frozen.points, k, symbol, spacing)
    identity = np.eye(frozen.size)
    if np.allclose(mass, identity):
        return matrix
    return np.asarray(np.linalg.solve(mass + 1e-300 * identity, matrix))


def mass_determinants(
    system: System, frozen: Linearisation, modes: Sequence[np.ndarray], symbol: Symbol
) -> np.ndarray:
    """The determinant of the mass symbol at every combination of wavenumbers; shape (combinations,)."""
    k = np.stack([g.ravel() for g in np.meshgrid(*modes, indexing="ij")])
    return np.asarray(np.linalg.det(_assemble(system, frozen.masses, frozen.size, 1, k, symbol)[0]))


def _assemble(
    system: System,
    entries: Sequence[Entry],
    size: int,
    count: int,
    k: np.ndarray,
    symbol: Symbol,
    spacing: Sequence[float] | None = None,
) -> np.ndarray:
    matrix = np.zeros((count, k.shape[1], size, size), dtype=complex)
    names = wavenumbers(system)
    for entry in entries:
        factor = np.ones(k.shape[1], dtype=complex)
        for axis, order in enumerate(entry.orders):
            if order:
                factor = factor * symbol(axis, order, k[axis])
        if entry.multiplier != 1:
            values = nominal(system) | {n: k[a] for a, n in enumerate(names)}
            factor = factor * sample(entry.multiplier, values)
        if entry.operator is not None:
            factor = factor * symbol_of(entry.operator, system, k, spacing, nominal(system))
        matrix[:, :, entry.row, entry.column] += entry.values[:, None] * factor[None, :]
    return matrix


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth without bound in |k|: rate ~ |k|^power, with the rate at the wavelength given, after the share
    `moment` of the time."""

    power: float
    rate: float
    wavelength: float
    span: Span
    moment: float


def unbounded_growth(system: System) -> Growth | None:
    """Whether short waves grow ever faster, and the term without which they would not.

    Only terms with given coefficients are looked at, constant ones and those that depend on the place:
    they are what the equation does to every short wave, whatever the state is.
    """
    moments = MOMENTS if _varies_in_time(system) else (0.0,)
    course = [linearise(system, FEW, moment=moment) for moment in moments]
    # What is left of a coefficient where it vanishes is rounding, beside its size at other times.
    sizes = [
        max(float(np.max(np.abs(e.values))) for e in same)
        for same in zip(*(f.entries for f in course), strict=True)
    ]
    for moment, frozen in zip(moments, course, strict=True):
        given = frozen.keeping(
            replace(e, values=np.where(np.abs(e.values) > VANISHED * size, e.values, 0))
            for e, size in zip(frozen.entries, sizes, strict=True)
            if e.given
        )
        found = _growth(system, given)
        if found is not None:
            power, rate, wavelength = found
            spans = sorted({e.span for e in given.entries if e.moves})
            guilty = next((s for s in spans if _growth(system, given.without(s)) is None), spans[0])
            return Growth(power, rate, wavelength, guilty, moment)
    return None


def _varies_in_time(system: System) -> bool:
    if system.time is None:
        return False
    terms = (t for e in system.evolution for t in (*e.mass, *e.terms.linear))
    return any(system.time.symbol in t.coefficient.free_symbols for t in terms)


def _growth(system: System, frozen: Linearisation) -> tuple[float, float, float] | None:
    directions = np.array([d for d in product((0.0, 1.0, -1.0, 0.6), repeat=len(system.axes)) if any(d)])
    scale = 2 * np.pi
    rates = []
    sizes = []
    for radius in (1e3, 1e4):
        worst, size = 0.0, 0.0
        for direction in directions:
            modes = [np.array([scale * radius * c]) for c in direction / np.linalg.norm(direction)]
            values = eigenvalues(system, frozen, modes, exact_symbol)
            worst = max(worst, float(values.real.max(initial=0.0)))
            size = max(size, float(np.abs(values).max(initial=0.0)))
        rates.append(worst)
        sizes.append(size)
    if rates[1] <= 1e-9 * sizes[1] or rates[1] < 3 * rates[0] or rates[0] <= 0:
        return None
    power = float(np.log10(rates[1] / rates[0]))
    order = float(np.log10(sizes[1] / sizes[0]))
    if frozen.varying and power < order - 0.25:
        # Derivatives of a coefficient weigh as much as what its frozen value leaves out: c' u_xx beside
        # c u_xxx moves waves and lets none grow.
        return None
    return power, rates[0], 1e-3
