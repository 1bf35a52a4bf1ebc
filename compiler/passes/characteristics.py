"""How many waves enter at the two ends of an axis, of fields that first derivatives couple."""

from collections.abc import Collection, Sequence

import numpy as np
import sympy as sp

from nablax.centre import has_centre
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.jets import jets, orders_of
from nablax.passes.wall_speeds import at_wall
from nablax.problem import Problem
from nablax.region import SIDES
from nablax.sampling import sample
from nablax.system import Constraint, Evolution, FluxTerm, Unknown

ROUNDING = 1e-9  # of speeds, relative to the fastest


def coupled(
    axis: int, candidates: Sequence[int], equations: Sequence[Evolution | Constraint]
) -> tuple[tuple[int, ...], ...]:
    """The unknowns among the candidates that derivatives along an axis in each other's equations couple, two
    and more at a time."""
    groups = {i: {i} for i in candidates}
    for equation in equations:
        owner = equation.unknown
        for term in equation.terms.linear:
            if owner in groups and term.unknown in groups and term.orders[axis] and owner != term.unknown:
                together = groups[owner] | groups[term.unknown]
                groups.update(dict.fromkeys(together, together))
    found = {tuple(sorted(g)) for g in groups.values() if len(g) > 1}
    return tuple(sorted(found))


def diffusing(
    axis: int, unknowns: Sequence[Unknown], equations: Sequence[Evolution | Constraint]
) -> frozenset[int]:
    """The unknowns of first order in time whose own second derivative along an axis stands linearly in their
    equation, and no higher derivative of anything."""
    found: set[int] = set()
    rates = {u.rate_of for u in unknowns}
    for equation in equations:
        if not isinstance(equation, Evolution):
            continue
        owner = equation.unknown
        if owner in rates or unknowns[equation.unknown].rate_of is not None:
            continue
        terms = equation.terms.linear
        own = any(t.unknown == owner and t.orders[axis] == 2 == sum(t.orders) and t.local for t in terms)
        if own and all(sum(t.orders) <= 2 and t.local for t in terms):
            found.add(owner)
    return frozenset(found)


def carried_beside(
    axis: int,
    candidates: Sequence[int],
    diffusing: Collection[int],
    equations: Sequence[Evolution | Constraint],
) -> tuple[int, ...]:
    """The candidates whose first derivative along an axis stands in the equation of a diffusing unknown, and
    that have none of their own."""
    owned: dict[int, set[int]] = {}
    for equation in equations:
        for term in equation.terms.linear:
            if term.orders[axis] and equation.unknown is not None:
                owned.setdefault(term.unknown, set()).add(equation.unknown)
    return tuple(i for i in candidates if owned.get(i) and owned[i] <= set(diffusing))


def entering(
    problem: Problem,
    axis: int,
    group: Sequence[int],
    equations: Sequence[Evolution | Constraint],
    diffusing: Collection[int] = (),
) -> tuple[int, int] | None:
    """Waves that enter at the lower and at the upper end of an axis, where u_t = A u_x + ... for the group of
    unknowns with a known A of real eigenvalues; None where it is not that, or their number varies.

    First derivatives of `diffusing` unknowns beside are left out: of a system that is parabolic in some
    unknowns only, the others count by the block of A of their own (Strikwerda, Comm. Pure Appl. Math. 30
    (1977) 797).
    """
    matrix = _matrix(problem, axis, group, equations, diffusing)
    if matrix is None:
        return None
    found = []
    for side in SIDES:
        if side == 0 and has_centre(problem, problem.axes[axis]):
            found.append(0)
            continue
        places = at_wall(problem, axis, side, matrix.free_symbols)
        entries = np.broadcast_arrays(*(np.atleast_1d(sample(e, places)) for e in matrix))
        values = np.stack([e.ravel() for e in entries], -1).reshape(-1, len(group), len(group))
        if not np.isfinite(values).all():
            return None
        speeds = np.linalg.eigvals(values)
        scale = ROUNDING * max(float(np.max(np.abs(values))), 1e-300)
        # Defective matrices part by the root of rounding.
        if np.max(np.abs(speeds.imag)) > scale**0.5:
            return None
        # u_t = λ u_x moves to the left for λ > 0: it enters at the upper end.
        counts = {int(n) for n in np.sum(speeds.real < -scale if side == 0 else speeds.real > scale, axis=1)}
        if len(counts) > 1:
            return None
        found.append(counts.pop())
    return found[0], found[1]


def _matrix(
    problem: Problem,
    axis: int,
    group: Sequence[int],
    equations: Sequence[Evolution | Constraint],
    diffusing: Collection[int],
) -> sp.Matrix | None:
    space = tuple(a.symbol for a in problem.axes)
    matrix = sp.zeros(len(group))
    owned = {e.unknown: e for e in equations if isinstance(e, Evolution)}
    for row, unknown in enumerate(group):
        equation = owned.get(unknown)
        if equation is None or equation.memory or len(equation.mass) > 1:
            return None
        (mass,) = equation.mass
        if mass.unknown != unknown or any(mass.orders):
            return None
        for term in equation.terms.linear:
            if not term.local:
                return None
            if term.orders[axis]:
                if sum(term.orders) == 1 and term.unknown in diffusing:
                    continue
                if sum(term.orders) > 1 or term.unknown not in group:
                    return None
                matrix[row, group.index(term.unknown)] += term.coefficient / mass.coefficient
        if any(_moves(flux, space, axis) for flux in equation.terms.nonlinear):
            return None
    return matrix


def _moves(term: FluxTerm, space: Sequence[sp.Symbol], axis: int) -> bool:
    """Whether a nonlinear term takes a derivative along the axis."""
    return bool(term.orders[axis]) or any(
        isinstance(j, Nonlocal) or orders_of(j, space)[axis] for j in jets(term.flux)
    )
