"""How waves of ever shorter wavelength grow, decay and oscillate under the frozen linearisation.

A Fourier mode moves with the eigenvalues λ(k) of the symbol, and what an equation is called follows from
their powers of |k|: -Re λ is the damping, |Im λ| the frequency. Eigenvalues carry rounding of the size of the
largest one, so that a real part counts only where it exceeds what the rounding E of that matrix A, of n rows,
allows: by the theorem of Bauer and Fike (Numer. Math. 2 (1960) 137) cond(V)·‖E‖ with the eigenvectors V, and
at most ‖A‖·(‖E‖/‖A‖)^(1/n), by which a Jordan block spreads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.sparse.csgraph import connected_components

from nablax.geometry import Geometry
from nablax.nonlocal_operators import total_order
from nablax.passes.jets import base, jets, orders_of
from nablax.planning.spectrum import Entry, Linearisation, exact_symbol, linearise, nominal, symbols
from nablax.sampling import sample
from nablax.system import System, Terms

PLACES = {1: 9, 2: 5, 3: 3}  # along each axis, by their number
RADII = (1.0, 1e2, 1e3, 1e4, 1e5, 1e6)  # waves in a length of the box
ROUNDING = 1024 * float(np.finfo(float).eps)
SWEEPS = 30  # of balancing
FLAT = 0.02  # of a power of |k|: what lies below is a constant
SMALL = 1e-4  # of the largest frequency: no wave
SPREAD = 1e-4  # of the size of a matrix: eigenvalues that rounding may have taken apart
LOST = 1e-2  # of it: what another eigenvector would make 0


@dataclass(frozen=True, slots=True)
class Power:
    """size · |k|^exponent."""

    exponent: float
    size: float

    @property
    def unbounded(self) -> bool:
        return self.exponent > FLAT


@dataclass(frozen=True, slots=True)
class ShortWaves:
    """Laws of the eigenvalues as |k| grows, over places and directions; None where nothing exceeds rounding.

    `damped` is the fastest decay, `slowest` the slowest. `speeds`, where frequencies go like |k|, are the
    least and the largest of all that travel, `sampled` says that other directions or places may have
    others, and `longer` that longer waves have. `defective`: waves of one speed feed each other. `state`:
    what decides follows the fields or the time, and was looked at as they start.
    """

    grows: Power | None
    damped: Power | None
    slowest: Power | None
    oscillates: Power | None
    speeds: tuple[float, float] | None
    sampled: bool
    longer: bool
    defective: bool
    state: bool


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Of the eigenvalues at one |k|, 0 where nothing exceeds rounding: the largest and the smallest -Re, the
    largest Re, the largest |Im| and the least that is not 0."""

    fastest: float
    slowest: float
    growth: float
    frequency: float
    least: float


def short_waves(system: System) -> ShortWaves | None:
    """None where there is nothing to say: memory (modes are no exponentials of time), no derivative in space,
    or constraints through which derivatives of evolving fields come back."""
    if system.has_memory or not system.evolution or _come_back(system):
        return None
    frozen = _physical(system, linearise(system, PLACES[len(system.axes)]))
    if not frozen.points or not any(e.moves for e in frozen.entries):
        return None
    values = nominal(system)
    longest = max(float(sample(a.upper - a.lower, values)) for a in system.axes)
    radii = [2 * np.pi / longest * r for r in RADII]
    choices = np.array([d for d in product((0.0, 1.0, -1.0, 0.6), repeat=len(system.axes)) if any(d)])
    directions = np.unique(np.round(choices / np.linalg.norm(choices, axis=1)[:, None], 12), axis=0).T
    found = [_sizes(system, frozen, directions * k) for k in radii]
    grows = _power(radii, [s.growth for s in found], last=True)
    damped = _power(radii, [s.fastest for s in found])
    frequency = _power(radii, [s.frequency for s in found], last=True)
    grows = None if grows is None or _left_out(frozen, grows) else grows
    damped = None if damped is None or _left_out(frozen, damped) else damped
    speeds, longer = None, False
    if frequency is not None and abs(frequency.exponent - 1) < FLAT:
        speeds = (found[-1].least / radii[-1], found[-1].frequency / radii[-1])
        low, high = found[0].least / radii[0], found[0].frequency / radii[0]
        longer = max(abs(low - speeds[0]), abs(high - speeds[1])) > 1e-3 * speeds[1]
    decisive = damped if damped is not None and damped.unbounded else frequency
    return ShortWaves(
        grows if grows is not None and grows.exponent > 0.25 else None,
        damped if damped is not None and damped.exponent > -FLAT else None,
        _power(radii, [s.slowest for s in found]),
        frequency if frequency is not None and frequency.unbounded else None,
        speeds,
        frozen.varying or len(system.axes) > 1,
        longer,
        speeds is not None and _defective(system, frozen, directions),
        _follows(system, frozen, decisive.exponent - FLAT if decisive is not None else 0.0),
    )


def _come_back(system: System) -> bool:
    """Whether derivatives of evolving fields stand in an equation through an algebraic unknown."""
    space = tuple(a.symbol for a in system.axes)
    index = {u.value: i for i, u in enumerate(system.unknowns)}

    def orders(terms: Terms, of: int) -> list[int]:
        linear = [sum(t.orders) + total_order(t.operator, space) for t in terms.linear if t.unknown == of]
        held = (j for f in terms.nonlinear for j in jets(f.flux) if index.get(base(j)) == of)
        return [*linear, *(sum(orders_of(j, space)) for j in held)]

    for constraint in system.constraints:
        own = constraint.unknown
        if own is None:
            continue
        inverted = max(orders(constraint.terms, own), default=0)
        rest = [n for i in index.values() if i != own for n in orders(constraint.terms, i)]
        outer = [n for e in system.evolution for n in orders(e.terms, own)]
        if outer and rest and max(outer) + max(rest) > inverted:
            return True
    return False


def _physical(system: System, frozen: Linearisation) -> Linearisation:
    """At the points where every value is finite, with derivatives by arc length."""
    symbols_of = tuple(a.symbol for a in system.axes)
    scales = Geometry(system.problem.coordinates, symbols_of).scales
    known = nominal(system) | dict(zip(symbols_of, frozen.places, strict=True))
    lengths = [np.broadcast_to(sample(h, known), (frozen.points,)) for h in scales]
    finite = np.ones(frozen.points, dtype=bool)
    for entry in (*frozen.entries, *frozen.masses):
        finite &= np.isfinite(entry.values)
    if finite.all() and not frozen.varying:
        finite[1:] = False  # one place is like another, at centres of curved coordinates too

    def by_arc(entries: Sequence[Entry]) -> tuple[Entry, ...]:
        return tuple(replace(e, values=(e.values * _product(lengths, e.orders))[finite]) for e in entries)

    return replace(
        frozen, points=int(finite.sum()), entries=by_arc(frozen.entries), masses=by_arc(frozen.masses)
    )


def _product(lengths: Sequence[np.ndarray], orders: Sequence[int]) -> np.ndarray:
    total = np.ones_like(lengths[0], dtype=float)
    for length, order in zip(lengths, orders, strict=True):
        total = total * length**order
    return total


def _sizes(system: System, frozen: Linearisation, k: np.ndarray) -> _Sizes:
    matrices = symbols(system, frozen, k, exact_symbol)
    matrices = matrices.reshape(-1, *matrices.shape[2:])
    decay, frequency = _reliable(matrices)
    return _Sizes(
        fastest=float(decay.max(initial=0.0)),
        slowest=float(decay.min(initial=np.inf)) if decay.size and decay.min() > 0 else 0.0,
        growth=float((-decay).max(initial=0.0)),
        frequency=float(frequency.max(initial=0.0)),
        least=float(frequency.min(initial=np.inf, where=frequency > SMALL * frequency.max(initial=0.0))),
    )


def _left_out(frozen: Linearisation, law: Power) -> bool:
    """Whether derivatives of a coefficient weigh as much as a law: c' u_xx beside c u_xxx, which frozen
    values leave out, moves waves, and neither damps them nor lets them grow. A constant rate that follows the
    state is none of the equation's own."""
    if not law.unbounded and any(not e.given and np.any(e.values) for e in frozen.entries):
        return True
    return any(np.ptp(e.values) > 0 and sum(e.orders) > law.exponent + 0.5 for e in frozen.entries)


def _reliable(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """-Re and |Im| of the eigenvalues, shape (matrices, unknowns), 0 where they are rounding.

    Unknowns that do not act on each other both ways have eigenvalues of their own, and one alone is exact.
    """
    linked = (matrices != 0).any(axis=0)
    _, labels = connected_components(linked, directed=True, connection="strong")
    values, bounds = [], []
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        block = matrices[:, members[:, None], members[None, :]]
        if len(members) == 1:
            values.append(block[:, :, 0])
            bounds.append(np.zeros(block.shape[:2]))
            continue
        block = _balanced(block)
        found, vectors = np.linalg.eig(block)
        norm = np.linalg.norm(block, axis=(1, 2))
        spread = np.minimum(ROUNDING * np.linalg.cond(vectors), ROUNDING ** (1 / len(members)))
        values.append(found)
        bounds.append(np.repeat((norm * spread)[:, None], len(members), axis=1))
    every, bound = np.concatenate(values, axis=1), np.concatenate(bounds, axis=1)
    decay = np.where(np.abs(every.real) > bound, -every.real, 0.0)
    return decay, np.where(np.abs(every.imag) > bound, np.abs(every.imag), 0.0)


def _balanced(matrices: np.ndarray) -> np.ndarray:
    """Similar matrices whose rows are as large as their columns (Osborne, J. ACM 7 (1960) 338)."""
    found = matrices.copy()
    size = found.shape[-1]
    off = 1.0 - np.eye(size)
    for _ in range(SWEEPS):
        for i in range(size):
            row = np.linalg.norm(found[:, i, :] * off[i], axis=-1)
            column = np.linalg.norm(found[:, :, i] * off[i], axis=-1)
            known = (row > 0) & (column > 0)
            factor = np.sqrt(np.where(known, column, 1.0) / np.where(known, row, 1.0))
            found[:, i, :] *= factor[:, None]
            found[:, :, i] /= factor[:, None]
    return found


def _power(radii: Sequence[float], sizes: Sequence[float], last: bool = False) -> Power | None:
    """The law that two neighbouring sizes follow, of the shortest waves that have one (`last`: of the very
    shortest alone)."""
    for i in range(len(radii) - 1, 0, -1):
        if sizes[i - 1] > 0 and sizes[i] > 0:
            exponent = float(np.log(sizes[i] / sizes[i - 1]) / np.log(radii[i] / radii[i - 1]))
            return Power(exponent, sizes[i] / (radii[i] ** exponent if abs(exponent) > FLAT else 1.0))
        if last:
            break
    return None


def _defective(system: System, frozen: Linearisation, directions: np.ndarray) -> bool:
    """Whether the principal part has too few eigenvectors for waves that travel: there, the rate of a field
    is measured in units of |k| times the field."""
    heights = [_height(system, i) for i, u in enumerate(system.unknowns) if not u.algebraic]
    if any(e.multiplier != 1 or e.operator is not None for e in frozen.entries) or any(
        e.moves for e in frozen.masses
    ):
        return False
    principal = (e for e in frozen.entries if sum(e.orders) + heights[e.column] - heights[e.row] == 1)
    matrices = symbols(system, frozen.keeping(principal), directions, exact_symbol)
    for matrix in _balanced(matrices.reshape(-1, *matrices.shape[2:])):
        norm = float(np.linalg.norm(matrix))
        left = list(np.linalg.eigvals(matrix))
        while left:
            same = [v for v in left if abs(v - left[0]) <= SPREAD * norm]
            left = [v for v in left if abs(v - left[0]) > SPREAD * norm]
            if len(same) < 2 or abs(same[0]) <= SPREAD * norm:
                continue
            rest = np.linalg.svd(matrix - np.mean(same) * np.eye(len(matrix)), compute_uv=False)
            if np.sum(rest <= LOST * norm) < len(same):
                return True
    return False


def _height(system: System, unknown: int) -> int:
    """How often an unknown is a time derivative of a field."""
    parent = system.unknowns[unknown].rate_of
    return 0 if parent is None else 1 + _height(system, parent)


def _follows(system: System, frozen: Linearisation, order: float) -> bool:
    """Whether a coefficient of a derivative of this order or more depends on the state or on the time."""
    time = system.time
    assert time is not None, "what evolves has a time"
    terms = (t for e in system.evolution for t in (*e.mass, *e.terms.linear))
    moving = (t for t in terms if not t.local or sum(t.orders) >= max(order, 1))
    states = (e for e in frozen.entries if e.operator is not None or sum(e.orders) >= max(order, 1))
    return any(not e.given and np.any(e.values) for e in states) or any(
        time.symbol in t.coefficient.free_symbols for t in moving
    )
