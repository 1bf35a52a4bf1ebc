"""Characteristic variables of a balance law: eigenvectors of its flux Jacobians from their speeds alone.

Where A has the distinct eigenvalues λ_j and a full set of eigenvectors, N_k = Π_{j≠k} (A - λ_j) has the
right eigenvectors of λ_k as columns and the left ones as rows (its Frobenius covariant times
Π_{j≠k} (λ_k - λ_j); Horn and Johnson, "Topics in Matrix Analysis", section 6.1). Which rows and columns
stay clear of zero, and that the set is full, is looked at in states around the initial ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.passes.divergence import Law
from nablax.passes.waves import Block, Characteristics, Wave
from nablax.planning.spectrum import nominal
from nablax.planning.states import at, ends, states
from nablax.sampling import sample
from nablax.system import System

SAMPLES = 48
SPREAD = 0.3  # of the fields, by which states around the initial ones are moved along waves
APART = 1e-6  # relative to the fastest wave: closer speeds are one
CLEAR = 1e-4  # of a pivot, in unit vectors
LARGEST = 3  # eigenvectors of one speed
ROUNDING = 1e-6
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
            basis = _basis(block, axis, jacobian, values, around) if block.exact else "speeds are not known"
            if isinstance(basis, str):
                missing = missing or basis
            else:
                here.append(basis)
        found.append(tuple(here))
    return Eigenbases(tuple(found), missing)


def _around(system: System) -> dict[sp.Basic, np.ndarray]:
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
    around: dict[sp.Basic, np.ndarray],
) -> Eigenbasis | str:
    moved = _moved([unknowns[i] for i in block.members], jacobian, around)
    if moved is None:
        return "the flux Jacobian has no value, or no real eigenvectors, at the initial state"
    values, sizes = moved
    matrices = _matrices(jacobian, values)
    speeds = _distinct(block.waves[axis], values)
    whole = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite([a for _, _, a in speeds]).all(axis=0)
    if whole.sum() < SAMPLES // 4:
        return "the flux Jacobian has no value around the initial state"
    numbers = np.array([a for _, _, a in speeds])
    whole &= _apart(numbers, _fastest(numbers[:, whole]))
    if whole.sum() < SAMPLES // 4:
        return MEETING
    # In units of the sizes of the fields, so that no row is large for its unit alone.
    matrices = matrices[whole] * sizes[None, None, :] / sizes[None, :, None]
    numbers = numbers[:, whole]
    found, rebuilt = [], np.zeros_like(matrices)
    for k, (wave, sign, _) in enumerate(speeds):
        product = np.broadcast_to(np.eye(len(sizes)), matrices.shape)
        scale = np.ones(numbers.shape[1])
        for j in range(len(speeds)):
            if j != k:
                product = product @ (matrices - numbers[j][:, None, None] * np.eye(len(sizes)))
                scale = scale * (numbers[k] - numbers[j])
        covariant = product / scale[:, None, None]
        rebuilt += numbers[k][:, None, None] * covariant
        count = round(float(np.median(np.trace(covariant, axis1=1, axis2=2))))
        if not 1 <= count <= LARGEST:
            return f"a speed of {count} unknowns at once"
        left, _, right = np.linalg.svd(covariant)
        rows = _pivots(left[:, :, :count])
        columns = _pivots(np.swapaxes(right[:, :count, :], 1, 2))
        if rows is None or columns is None:
            return "no unknown tells its waves apart in every state"
        found.append(Speed(wave, sign, rows, columns))
    misses = np.abs(rebuilt - matrices).max(axis=(1, 2)) > ROUNDING * np.abs(matrices).max(axis=(1, 2))
    if sum(len(s.rows) for s in found) != len(sizes) or np.mean(misses) > 0.5:
        return "the flux Jacobian has no full set of eigenvectors"
    if len(found) == 1:  # all speeds, in most states
        return MEETING
    return Eigenbasis(block.members, jacobian, tuple(found))


def _matrices(jacobian: Sequence[Sequence[sp.Expr]], values: dict[sp.Basic, np.ndarray]) -> np.ndarray:
    rows = [[np.broadcast_to(np.real(sample(e, values)), (SAMPLES,)) for e in row] for row in jacobian]
    return np.moveaxis(np.array(rows, dtype=float), -1, 0)


def _moved(
    members: Sequence[AppliedUndef],
    jacobian: Sequence[Sequence[sp.Expr]],
    around: dict[sp.Basic, np.ndarray],
) -> tuple[dict[sp.Basic, np.ndarray], np.ndarray] | None:
    """Values with the members moved along their waves, and the sizes of the members; None where the Jacobian
    at the initial states has no real eigenvectors."""
    matrices = _matrices(jacobian, around)
    good = np.isfinite(matrices).all(axis=(1, 2))
    if not good.any():
        return None
    eigenvalues, vectors = np.linalg.eig(matrices[good])
    if np.abs(eigenvalues.imag).max() > ROUNDING * np.abs(eigenvalues).max():
        return None
    before = np.array([np.broadcast_to(around[m], (SAMPLES,)) for m in members], dtype=float)
    largest = np.abs(before).max(axis=1)
    present = largest > 0
    drawn = np.random.default_rng(1).uniform(-1, 1, (int(good.sum()), len(members)))
    shares = np.abs(vectors.real) / np.where(present, largest, np.inf)[None, :, None]
    reach = np.maximum(shares.max(axis=1), ROUNDING) / SPREAD * len(members) if present.any() else 1.0
    steps = np.einsum("sik,sk->is", vectors.real, drawn / reach)
    after = before.copy()
    after[:, good] += steps
    sizes = np.abs(after[:, good]).max(axis=1)
    values = dict(around) | {m: after[k] for k, m in enumerate(members)}
    return values, np.where(sizes > 0, sizes, 1.0)


def _distinct(
    waves: Sequence[Wave], values: dict[sp.Basic, np.ndarray]
) -> list[tuple[Wave, int, np.ndarray]]:
    """Eigenvalues that differ in a quarter of the states."""
    found: list[tuple[Wave, int, np.ndarray]] = []
    listed: list[tuple[Wave, int, np.ndarray]] = []
    for wave in waves:
        centre, square = (
            np.broadcast_to(np.real(sample(e, values)), (SAMPLES,)) for e in (wave.centre, wave.square)
        )
        root = np.sqrt(np.where(square >= 0, square, np.nan))
        listed += [(wave, 0, centre)] if wave.square == 0 else [(wave, s, centre + s * root) for s in (-1, 1)]
    fastest = _fastest(np.array([value for _, _, value in listed]))
    for wave, sign, value in listed:
        if all(_apart(np.array([value, other]), fastest).sum() >= SAMPLES // 4 for _, _, other in found):
            found.append((wave, sign, value))
    return found


def _fastest(speeds: np.ndarray) -> float:
    return float(np.abs(speeds[np.isfinite(speeds)]).max(initial=0.0))


def _apart(speeds: np.ndarray, fastest: float) -> np.ndarray:
    """In which states no two of the speeds, shape (speeds, states), are one; a single speed is apart."""
    with np.errstate(invalid="ignore"):
        gaps = [np.abs(a - b) > APART * fastest for a, b in combinations(speeds, 2)]
    return np.all(gaps, axis=0) if gaps else np.ones(speeds.shape[1], bool)


def _pivots(vectors: np.ndarray) -> tuple[int, ...] | None:
    """The entries of orthonormal vectors, shape (states, entries, count), that tell them apart best."""
    count = vectors.shape[2]
    chosen, best = None, CLEAR
    for entries in combinations(range(vectors.shape[1]), count):
        worst = float(np.abs(np.linalg.det(vectors[:, list(entries), :])).min())
        if worst > best:
            chosen, best = entries, worst
    return chosen
