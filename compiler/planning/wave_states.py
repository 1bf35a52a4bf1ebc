"""States of a balance law moved along its waves, near the initial ones and far from them."""

from collections.abc import Sequence

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.sampling import sample_all

Values = dict[sp.Basic, np.ndarray]

SAMPLES = 48
SPREAD = 0.3  # of the fields, by which a step moves states along waves
STEPS = 8  # of a walk far away, along every wave
ROUNDING = 1e-6


def matrices(jacobian: Sequence[Sequence[sp.Expr]], values: Values, count: int = SAMPLES) -> np.ndarray:
    """The Jacobian, shape (count, members, members), in as many states."""
    entries = sample_all([e for row in jacobian for e in row], values)
    found = np.array([np.broadcast_to(np.real(e), (count,)) for e in entries], dtype=float)
    return found.T.reshape(count, len(jacobian), len(jacobian))


def near(
    members: Sequence[AppliedUndef], jacobian: Sequence[Sequence[sp.Expr]], around: Values
) -> Values | None:
    """Values with the members moved along their waves; None where the Jacobian at the initial states has no
    real eigenvectors."""
    found = matrices(jacobian, around)
    good = np.isfinite(found).all(axis=(1, 2))
    if not good.any():
        return None
    eigenvalues, vectors = np.linalg.eig(found[good])
    if np.abs(eigenvalues.imag).max() > ROUNDING * np.abs(eigenvalues).max():
        return None
    before = _stacked(members, around)
    largest = np.abs(before).max(axis=1)
    present = largest > 0
    drawn = np.random.default_rng(1).uniform(-1, 1, (int(good.sum()), len(members)))
    shares = np.abs(vectors.real) / np.where(present, largest, np.inf)[None, :, None]
    reach = np.maximum(shares.max(axis=1), ROUNDING) / SPREAD * len(members) if present.any() else 1.0
    steps = np.einsum("sik,sk->is", vectors.real, drawn / reach)
    after = before.copy()
    after[:, good] += steps
    return around | dict(zip(members, after, strict=True))


def far(
    members: Sequence[AppliedUndef],
    jacobian: Sequence[Sequence[sp.Expr]],
    guards: Sequence[sp.Expr],
    start: Values,
) -> tuple[Values, int]:
    """The states of walks along one wave after the other, each always in the same sense, and their number.

    A step that would turn the sign of a guard, or take the eigenvalues from the real numbers, is not made,
    and is half as long the next time. Its length follows the middle one of the members that the wave moves,
    measured by their sizes: a flow that is nearly at rest comes beyond the speed of its waves all the same.
    """
    drawn = np.random.default_rng(2)
    pace = drawn.choice([-1.0, 1.0], (SAMPLES, len(members)))
    signs = _signs(guards, start)
    jacobians = matrices(jacobian, start)
    at = _stacked(members, start)
    found = [at]
    good = _real(jacobians)
    least = np.where(good, np.abs(at), 0.0).max(axis=1, keepdims=True)
    paths = np.arange(SAMPLES)
    last: np.ndarray | None = None
    for _ in range(STEPS * len(members)):
        eigenvalues, vectors = np.linalg.eig(np.where(good[:, None, None], jacobians, np.eye(len(members))))
        order = np.argsort(eigenvalues.real, axis=1)
        vectors = np.take_along_axis(vectors.real, order[:, None, :], axis=2)
        if last is not None:
            vectors = vectors * np.where((vectors * last).sum(axis=1, keepdims=True) < 0, -1, 1)
        last = vectors
        wave = drawn.integers(len(members), size=SAMPLES)
        along = vectors[paths, :, wave].T
        sizes = np.maximum(np.abs(at), least)
        length = _middle(np.abs(along) / np.where(sizes > 0, sizes, np.inf))
        tried = at + np.where(good, SPREAD * pace[paths, wave] / length, 0.0) * along
        ahead = start | dict(zip(members, tried, strict=True))
        jacobians_ahead = matrices(jacobian, ahead)
        allowed = good & _real(jacobians_ahead) & (_signs(guards, ahead) == signs).all(axis=0)
        pace[paths[~allowed], wave[~allowed]] /= 2
        at = np.where(allowed, tried, at)
        jacobians = np.where(allowed[:, None, None], jacobians_ahead, jacobians)
        found.append(at)
    spread = {k: np.tile(np.broadcast_to(v, (SAMPLES,)), len(found)) for k, v in start.items()}
    return spread | dict(zip(members, np.concatenate(found, axis=1), strict=True)), len(found) * SAMPLES


def _stacked(members: Sequence[AppliedUndef], values: Values) -> np.ndarray:
    return np.array([np.broadcast_to(values[m], (SAMPLES,)) for m in members], dtype=float)


def _signs(guards: Sequence[sp.Expr], values: Values) -> np.ndarray:
    found = [np.broadcast_to(np.sign(np.real(g)), (SAMPLES,)) for g in sample_all(guards, values)]
    return np.array(found).reshape(len(guards), SAMPLES)


def _real(jacobians: np.ndarray) -> np.ndarray:
    """In which states the eigenvalues are real."""
    good: np.ndarray = np.isfinite(jacobians).all(axis=(1, 2))
    eigenvalues = np.linalg.eigvals(np.where(good[:, None, None], jacobians, 0.0))
    good &= np.abs(eigenvalues.imag).max(axis=1) <= ROUNDING * np.abs(eigenvalues).max(axis=1)
    return good


def _middle(shares: np.ndarray) -> np.ndarray:
    """The lower median of the shares, shape (members, states), that are not zero; 1 where all are."""
    ranked = np.sort(shares, axis=0)
    moved = (ranked > ROUNDING * ranked[-1]).sum(axis=0)
    place = len(ranked) - moved + np.maximum(moved - 1, 0) // 2
    middle: np.ndarray = np.take_along_axis(ranked, np.minimum(place, len(ranked) - 1)[None], axis=0)[0]
    return np.where(middle > 0, middle, 1.0)
