"""Sums of powers of linear forms: a homogeneous symbol of degree k as Σ w_r (v_r·ξ)^k.

Each direction v_r is then one Taylor series, w_r times its k-th coefficient. Powers of |ξ|² come from
spherical designs (Reznick, Sums of even powers of real linear forms, 1992); anything else from a linear
programme over small integer directions. Whatever is found is proven in exact arithmetic before it is used.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import comb, factorial, gcd, prod
from typing import TypeAlias

import numpy as np
import sympy as sp
from scipy.optimize import linprog

from nablax.derivatives.needs import Form
from nablax.system import Orders

Direction: TypeAlias = tuple[sp.Expr, ...]
REACH = {1: 1, 2: 2, 3: 2, 4: 1, 5: 1}  # largest entry of an integer direction, by dimension


@dataclass(frozen=True, slots=True)
class PowerSum:
    """Σ weights[r] (directions[r]·ξ)^degree."""

    degree: int
    directions: tuple[Direction, ...]
    weights: tuple[sp.Expr, ...]


def power_sum(form: Form) -> PowerSum | None:
    """A decomposition of a form into few powers, proven exactly; None where none is found."""
    dimension = len(form[0][0])
    axes = tuple(tuple(sp.Integer(i == j) for j in range(dimension)) for i in range(dimension))
    if (along := fit(form, axes)) is not None:
        return along
    design = _design(form)
    if design is not None and (equal := _equal_weights(form, design)) is not None:
        return equal
    lattice = _integer(form)
    return None if lattice is None else fit(form, lattice)


def some_power_sum(form: Form) -> PowerSum:
    """As `power_sum`; where that finds none, the power sums of the single monomials together."""
    if (found := power_sum(form)) is not None:
        return found
    weights: dict[Direction, sp.Expr] = {}
    for orders, factor in form:
        axes = [i for i, n in enumerate(orders) if n]
        part = _of_monomial(tuple(orders[i] for i in axes))
        for short, weight in zip(part.directions, part.weights, strict=True):
            entries = dict(zip(axes, short, strict=True))
            v = tuple(entries.get(i, sp.S.Zero) for i in range(len(orders)))
            weights[v] = weights.get(v, sp.S.Zero) + factor * weight
    kept = {v: w for v, w in weights.items() if w != 0}
    return PowerSum(sum(form[0][0]), tuple(kept), tuple(kept.values()))


@cache
def _of_monomial(orders: Orders) -> PowerSum:
    form: Form = ((orders, sp.S.One),)
    return power_sum(form) or _polarised(orders)


def _polarised(orders: Orders) -> PowerSum:
    """ξ^α = 1/k! Σ_β (-1)^(k - |β|) binom(α, β) (β·ξ)^k over 0 < β ≤ α, k = |α|: never short."""
    degree = sum(orders)
    weights: dict[Direction, sp.Expr] = {}
    for entries in product(*(range(n + 1) for n in orders)):
        if common := gcd(*entries):
            ways = prod(comb(n, m) for n, m in zip(orders, entries, strict=True))
            weight = sp.Rational((-1) ** (degree - sum(entries)) * ways * common**degree, factorial(degree))
            v = tuple(sp.Integer(m // common) for m in entries)
            weights[v] = weights.get(v, sp.S.Zero) + weight
    return PowerSum(degree, tuple(weights), tuple(weights.values()))


def _equal_weights(form: Form, directions: Sequence[Direction]) -> PowerSum | None:
    degree = sum(form[0][0])
    wanted = dict(form)
    sums = {
        index: sp.radsimp(sp.expand(sp.Add(*(_coefficient(v, index) for v in directions))))
        for index in _indices(len(form[0][0]), degree)
    }
    first = form[0][0]
    if sums[first] == 0:
        return None
    weight = sp.radsimp(wanted[first] / sums[first])
    if any(sp.radsimp(sp.expand(weight * s - wanted.get(index, 0))) != 0 for index, s in sums.items()):
        return None
    return PowerSum(degree, tuple(directions), (weight,) * len(directions))


def fit(form: Form, directions: Sequence[Direction]) -> PowerSum | None:
    """Exact weights over the given directions, those of weight 0 left out; None where there are none."""
    degree = sum(form[0][0])
    wanted = dict(form)
    rows = {a: [_coefficient(v, a) for v in directions] for a in _indices(len(form[0][0]), degree)}
    indices = [a for a, row in rows.items() if a in wanted or any(row)]
    if any(not any(rows[a]) for a in wanted):
        return None
    matrix = sp.Matrix([rows[a] for a in indices])
    right = sp.Matrix([wanted.get(index, sp.S.Zero) for index in indices])
    weights = _solve(matrix, right)
    if weights is None or any(sp.radsimp(sp.expand(e)) != 0 for e in matrix * weights - right):
        return None
    kept = [(v, sp.radsimp(w)) for v, w in zip(directions, weights, strict=True) if w != 0]
    return PowerSum(degree, tuple(v for v, _ in kept), tuple(w for _, w in kept))


def _solve(matrix: sp.Matrix, right: sp.Matrix) -> sp.Matrix | None:
    """A solution with zeros in place of what stays free; None where there is none."""
    try:
        solution, free = matrix.gauss_jordan_solve(right)
    except ValueError:
        return None
    return solution.subs(dict.fromkeys(free, 0))


def _indices(dimension: int, degree: int) -> list[tuple[int, ...]]:
    """All multi-indices of that degree, as many as there are monomials."""
    if dimension == 1:
        return [(degree,)]
    return [(n, *rest) for n in range(degree + 1) for rest in _indices(dimension - 1, degree - n)]


def _coefficient(direction: Direction, index: tuple[int, ...]) -> sp.Expr:
    """Of ξ^index in (v·ξ)^k."""
    factors = [(v, n) for v, n in zip(direction, index, strict=True) if n]
    if any(v == 0 for v, _ in factors):
        return sp.S.Zero
    ways = factorial(sum(index)) // prod(factorial(n) for n in index)
    return ways * sp.Mul(*(v**n for v, n in factors))


def _design(form: Form) -> tuple[Direction, ...] | None:
    """Directions of a spherical design, where the form is a multiple of a power of |ξ|² in some arguments."""
    degree = sum(form[0][0])
    axes = [i for i in range(len(form[0][0])) if any(orders[i] for orders, _ in form)]
    if degree % 2 or not is_rotation_invariant(form, axes, degree):
        return None
    table = DESIGNS.get((len(axes), degree))
    if table is None and len(axes) == 2:
        table = _fan(degree // 2 + 1)
    if table is None:
        return None
    dimension = len(form[0][0])
    return tuple(tuple(v[axes.index(i)] if i in axes else sp.S.Zero for i in range(dimension)) for v in table)


def is_rotation_invariant(form: Form, axes: Sequence[int], degree: int) -> bool:
    """Whether the form is a multiple of a power of |ξ|² in these axes."""
    values = dict(form)
    half = degree // 2
    scale = values.get(tuple(degree if i == axes[0] else 0 for i in range(len(form[0][0]))))
    if scale is None:
        return False
    power = {
        tuple(2 * index[axes.index(i)] if i in axes else 0 for i in range(len(form[0][0]))): scale
        * sp.Integer(factorial(half) // prod(factorial(n) for n in index))
        for index in _indices(len(axes), half)
    }
    return power == values


def _fan(count: int) -> tuple[Direction, ...]:
    """Equally spaced directions of a half turn: exact for |ξ|^(2·count - 2) in the plane."""
    return tuple((sp.cos(sp.pi * r / count), sp.sin(sp.pi * r / count)) for r in range(count))


def _icosahedron() -> tuple[Direction, ...]:
    """The six axes through opposite corners: a design of strength 5."""
    golden = (1 + sp.sqrt(5)) / 2
    length = sp.sqrt((5 + sp.sqrt(5)) / 2)
    zero, one, golden = sp.S.Zero, 1 / length, golden / length
    return tuple(
        v
        for sign in (1, -1)
        for v in ((zero, one, sign * golden), (one, sign * golden, zero), (sign * golden, zero, one))
    )


def _twenty_four_cell() -> tuple[Direction, ...]:
    """The twelve axes (±1, ±1, 0, 0) and permutations: a design of strength 5 in four dimensions."""
    found = []
    for i in range(4):
        for j in range(i + 1, 4):
            for sign in (1, -1):
                found.append(tuple(sp.Integer({i: 1, j: sign}.get(k, 0)) for k in range(4)))
    return tuple(found)


DESIGNS: Mapping[tuple[int, int], tuple[Direction, ...]] = {
    (3, 4): _icosahedron(),
    (4, 4): _twenty_four_cell(),
}
"""(dimension, degree) to directions that carry |ξ|^degree with equal weights."""


def _integer(form: Form) -> tuple[Direction, ...] | None:
    """Few integer directions by reweighted l1 minimisation (Candès, Wakin, Boyd 2008)."""
    dimension, degree = len(form[0][0]), sum(form[0][0])
    axes = [i for i in range(dimension) if any(orders[i] for orders, _ in form)]
    if len(axes) not in REACH:
        return None
    directions = np.array(list(_lattice(len(axes), REACH[len(axes)])), float)
    indices = _indices(len(axes), degree)
    ways = [factorial(degree) // prod(factorial(n) for n in a) for a in indices]
    matrix = np.array(
        [[w * np.prod(v ** np.array(a)) for v in directions] for w, a in zip(ways, indices, strict=True)]
    )
    values = {tuple(orders[i] for i in axes): float(q) for orders, q in form}
    right = np.array([values.get(a, 0.0) for a in indices])
    size = np.linalg.norm(directions, axis=1) ** degree
    price = size.copy()
    best: np.ndarray | None = None
    for _ in range(8):
        found = linprog(np.r_[price, price], A_eq=np.c_[matrix, -matrix], b_eq=right, bounds=(0, None))
        if found.x is None:
            break
        weights = found.x[: len(size)] - found.x[len(size) :]
        support = np.flatnonzero(np.abs(weights) * size > 1e-9)
        if best is None or len(support) < len(best):
            best = support
        price = size / (np.abs(weights) * size + 1e-2)
    if best is None:
        return None
    return tuple(
        tuple(
            sp.Integer(int(directions[r][axes.index(i)])) if i in axes else sp.S.Zero
            for i in range(dimension)
        )
        for r in best
    )


def _lattice(dimension: int, reach: int) -> Iterator[tuple[int, ...]]:
    """Integer directions without common factor, one of each opposite pair."""
    for v in product(range(-reach, reach + 1), repeat=dimension):
        if any(v) and gcd(*v) == 1 and next(n for n in v if n) > 0:
            yield v
