"""Characteristic variables of a balance law: eigenvectors of its flux Jacobians from their speeds alone.

Where A has the distinct eigenvalues λ_j and a full set of eigenvectors, N_k = Π_{j≠k} (A - λ_j) has the
right eigenvectors of λ_k as columns and the left ones as rows (its Frobenius covariant times
Π_{j≠k} (λ_k - λ_j); Horn and Johnson, "Topics in Matrix Analysis", section 6.1). Which rows and columns
stay clear of zero, and that the set is full, is looked at in states moved from the initial ones along waves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.passes.divergence import Law
from nablax.passes.waves import Block, Characteristics, Wave
from nablax.planning.spectrum import nominal
from nablax.planning.states import at, ends, states
from nablax.planning.wave_states import ROUNDING, SAMPLES, Values, far, near
from nablax.planning.wave_states import matrices as matrices_at
from nablax.sampling import sample
from nablax.system import System

APART = 1e-6  # relative to the fastest wave: closer speeds are one
CLEAR = 1e-4  # of a pivot, in unit vectors
LARGEST = 3  # eigenvectors of one speed
MEETING = "speeds meet around the initial state"


@dataclass(frozen=True, slots=True)
class Speed:
    """One eigenvalue, wave.centre + sign · sqrt(wave.square), and the `rows` and `columns` of its N that
    are its left and right eigenvectors."""

    wave: Wave
    sign: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Eigenbasis:
    """The unknowns of a block with ∂F_i/∂u_j of their fluxes across one axis, and its distinct speeds."""

    members: tuple[int, ...]
    jacobian: tuple[tuple[sp.Expr, ...], ...]
    speeds: tuple[Speed, ...]


@dataclass(frozen=True, slots=True)
class Eigenbases:
    """`across[axis]` has the blocks of several unknowns with a full set of eigenvectors; `missing` says why
    there are others without, as the end of a sentence, and is empty where there are none."""

    across: tuple[tuple[Eigenbasis, ...], ...]
    missing: str


def eigenbases(system: System, law: Law, waves: Characteristics) -> Eigenbases:
    """The characteristic variables across every axis."""
    found: list[tuple[Eigenbasis, ...]] = []
    missing = ""
    values = [u.value for u in system.unknowns]
    names: dict[sp.Basic, sp.Basic] = {v: sp.Dummy(v.func.__name__, real=True) for v in values}
    back = {n: v for v, n in names.items()}
    around = _around(system)
    for axis, row in enumerate(law.fluxes):
        here = []
        for block in waves.blocks:
            parts = [row[i].xreplace(names) for i in block.members]
            if len(block.members) == 1 or all(part == 0 for part in parts):
                continue
            own = [names[values[i]] for i in block.members]
            jacobian = tuple(tuple(sp.diff(part, n).xreplace(back) for n in own) for part in parts)
            basis: Eigenbasis | str = "speeds are not known"
            if block.exact:
                basis = _basis(block, axis, jacobian, values, waves.guards, around)
            if isinstance(basis, str):
                missing = missing or basis
            else:
                here.append(basis)
        found.append(tuple(here))
    return Eigenbases(tuple(found), missing)


def _around(system: System) -> Values:
    """Coordinates, time, parameters and initial states at SAMPLES places, the same ones every time."""
    drawn = np.random.default_rng(0)
    values = nominal(system)
    lines = [ends(system, k, values) for k in range(len(system.axes))]
    places = np.array([low + (high - low) * drawn.random(SAMPLES) for low, high in lines])
    values |= at(system, places)
    return values | states(system, values, SAMPLES)


def _basis(
    block: Block,
    axis: int,
    jacobian: tuple[tuple[sp.Expr, ...], ...],
    unknowns: Sequence[AppliedUndef],
    guards: Sequence[sp.Expr],
    around: Values,
) -> Eigenbasis | str:
    members = [unknowns[i] for i in block.members]
    values = near(members, jacobian, around)
    if values is None:
        return "the flux Jacobian has no value, or no real eigenvectors, at the initial state"
    speeds = _distinct(block.waves[axis], values)
    matrices, numbers = _finite(jacobian, speeds, values, SAMPLES)
    if len(matrices) < SAMPLES // 4:
        return "the flux Jacobian has no value around the initial state"
    clear = _apart(numbers, _fastest(numbers))
    if clear.sum() < SAMPLES // 4:
        return MEETING
    with np.errstate(all="ignore"):  # a law without guards may be walked to where it overflows
        walked, count = far(members, jacobian, guards, values)
    # In units of the sizes of the members, so that no entry is large for its unit alone.
    sizes = [_size(walked[m]) for m in members]
    units = np.divide.outer(sizes, sizes).T
    matrices, numbers = matrices[clear] * units, numbers[:, clear]
    covariants = _covariants(matrices, numbers)
    distant, their = _finite(jacobian, speeds, walked, count)
    clear = _apart(their, _fastest(numbers))
    with np.errstate(all="ignore"):
        away = _covariants(distant[clear] * units, their[:, clear])
    away = away[:, np.isfinite(away).all(axis=(0, 2, 3))]
    found = []
    for (wave, sign), near_by, far_away in zip(speeds, covariants, away, strict=True):
        waves = round(float(np.median(np.trace(near_by, axis1=1, axis2=2))))
        if not 1 <= waves <= LARGEST:
            return f"a speed of {waves} unknowns at once"
        pivots = _pivots(near_by, far_away, waves)
        if pivots is None:
            return "no unknown tells its waves apart in every state"
        found.append(Speed(wave, sign, *pivots))
    rebuilt = np.einsum("ks,ksij->sij", numbers, covariants)
    misses = np.abs(rebuilt - matrices).max(axis=(1, 2)) > ROUNDING * np.abs(matrices).max(axis=(1, 2))
    if sum(len(s.rows) for s in found) != len(members) or np.mean(misses) > 0.5:
        return "the flux Jacobian has no full set of eigenvectors"
    if len(found) == 1:  # all speeds, in most states
        return MEETING
    return Eigenbasis(block.members, jacobian, tuple(found))


def _finite(
    jacobian: Sequence[Sequence[sp.Expr]], speeds: Sequence[tuple[Wave, int]], values: Values, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The Jacobian, shape (states, members, members), and the speeds, (speeds, states), in those of `count`
    states where they are finite."""
    found = matrices_at(jacobian, values, count)
    numbers = np.array([_speed(wave, sign, values, count) for wave, sign in speeds])
    whole = np.isfinite(found).all(axis=(1, 2)) & np.isfinite(numbers).all(axis=0)
    return found[whole], numbers[:, whole]


def _covariants(matrices: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """N_k / Π_{j≠k} (λ_k - λ_j) of every speed, shape (speeds, states, members, members)."""
    unit = np.eye(matrices.shape[1])
    found = np.broadcast_to(unit, (len(numbers), *matrices.shape)).copy()
    for k, j in permutations(range(len(numbers)), 2):
        own, other = numbers[k][:, None, None], numbers[j][:, None, None]
        found[k] = found[k] @ (matrices - other * unit) / (own - other)
    return found


def _speed(wave: Wave, sign: int, values: Values, count: int) -> np.ndarray:
    """Shape (count,); nan where it is not real."""
    centre = np.real(sample(wave.centre, values))
    square = np.real(sample(wave.square, values)) if sign else np.zeros(())
    with np.errstate(invalid="ignore"):
        return np.broadcast_to(centre + sign * np.sqrt(np.where(square >= 0, square, np.nan)), (count,))


def _distinct(waves: Sequence[Wave], values: Values) -> list[tuple[Wave, int]]:
    """Eigenvalues that differ in a quarter of the states."""
    listed = [(w, sign) for w in waves for sign in ((0,) if w.square == 0 else (-1, 1))]
    numbers = np.array([_speed(wave, sign, values, SAMPLES) for wave, sign in listed])
    fastest = _fastest(numbers)
    found: list[int] = []
    for k in range(len(listed)):
        if all(_apart(numbers[[k, other]], fastest).sum() >= SAMPLES // 4 for other in found):
            found.append(k)
    return [listed[k] for k in found]


def _fastest(speeds: np.ndarray) -> float:
    return float(np.abs(speeds[np.isfinite(speeds)]).max(initial=0.0))


def _apart(speeds: np.ndarray, fastest: float) -> np.ndarray:
    """In which states no two of the speeds, shape (speeds, states), are one; a single speed is apart."""
    with np.errstate(invalid="ignore"):
        gaps = [np.abs(a - b) > APART * fastest for a, b in combinations(speeds, 2)]
    return np.all(gaps, axis=0) if gaps else np.ones(speeds.shape[1], bool)


def _size(values: np.ndarray) -> float:
    found = float(np.median(np.abs(values[np.isfinite(values)])))
    return found if found > 0 else 1.0


def _pivots(
    around: np.ndarray, away: np.ndarray, count: int
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Rows and columns of the covariants of a speed, shape (states, members, members), that tell its
    eigenvectors apart: best around the initial states, and with minors of one sign far away, so that they do
    not vanish between there and here, where there are such."""
    right, _, left = np.linalg.svd(around)
    entries = list(combinations(range(around.shape[1]), count))
    rows = {e: float(np.abs(np.linalg.det(right[:, list(e), :count])).min()) for e in entries}
    columns = {e: float(np.abs(np.linalg.det(left[:, :count, list(e)])).min()) for e in entries}
    chosen, best = None, (False, 0.0)
    for i, j in product(entries, entries):
        if min(rows[i], columns[j]) <= CLEAR:
            continue
        minors = np.linalg.det(away[:, i, :][:, :, j])
        score = (bool((minors > 0).all() or (minors < 0).all()), rows[i] * columns[j])
        if score > best:
            chosen, best = (i, j), score
    return chosen
