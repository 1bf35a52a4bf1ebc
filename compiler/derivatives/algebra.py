"""Truncated algebras: which derivatives go through a function together, and how they multiply.

A set of constant-coefficient differential operators P_0 = 1, P_1, .. that holds (in its span) the partial
derivatives of each of its members, as polynomials, obeys a Leibniz rule of its own,

    P_k(f g) = sum_ij w_ijk P_i(f) P_j(g),

so the numbers P_k(f) at a point multiply like the elements of a finite commutative algebra, and
propagating them through a function is evaluating that function on the algebra. Taylor series along a
line, along several lines that share the value, over a downset of mixed monomials, with their last terms
collapsed into sums (Dangel et al., Collapsing Taylor mode automatic differentiation, 2025) and the
smallest set for a given symbol (`inverse_system`) are all of this kind; one interpreter
(`backends/taylor`) serves them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product as cartesian
from math import comb, factorial
from typing import TypeAlias

Word: TypeAlias = tuple[int, ...]
"""A monomial in the generators as the sorted list of its factors: x² y is (0, 0, 1)."""

Operator: TypeAlias = Mapping[Word, Fraction]
"""A constant-coefficient differential operator: a polynomial in the derivatives along the generators."""

Index: TypeAlias = tuple[int, ...]
"""A multi-index over the generators: x² y is (2, 1)."""


@dataclass(frozen=True, slots=True)
class Product:
    """`weight` times coefficient `left` of one factor and coefficient `right` of the other, both ways."""

    left: int
    right: int
    weight: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Algebra:
    """What is propagated, and the multiplication table.

    Coefficient k of a function is `operators[k]` applied to it, at the point; coefficient 0 is its value.
    `degrees` is a grading: degrees[left] + degrees[right] = degrees[k] in every product, 0 for the value
    alone, in ascending order. `products[k]` has the products of two coefficients other than the value,
    left <= right, that go into coefficient k; x_0 y_k + x_k y_0 is understood.

    With `lanes` = R > 0, the coefficients marked in `laned` hold R directions in one array with a leading
    axis: `operators` describe the first lane (generator 0; lane r reads generator r), products of two of
    them run lane by lane, and those that go into a coefficient without lanes are summed over the lanes
    with `lane_weights`.
    """

    operators: tuple[Operator, ...]
    degrees: tuple[int, ...]
    products: tuple[tuple[Product, ...], ...]
    generators: int
    lanes: int = 0
    laned: tuple[bool, ...] = ()
    lane_weights: tuple[Fraction, ...] = ()

    @property
    def size(self) -> int:
        """Coefficients, the value included."""
        return len(self.operators)

    def has_lanes(self, k: int) -> bool:
        """Whether coefficient k holds all lanes in one array."""
        return bool(self.laned) and self.laned[k]

    @property
    def vectors(self) -> int:
        """Arrays of the function's own shape that are propagated: matrix products per dense layer."""
        laned = sum(self.laned)
        return self.size - laned + laned * self.lanes

    @property
    def order(self) -> int:
        """The highest degree, where every coefficient enters an operation linearly."""
        return self.degrees[-1]

    @property
    def multiplications(self) -> int:
        """Products of two coefficients other than the value, per multiplication of a number by itself."""
        return sum(
            self.lanes if self.laned and self.laned[p.left] else 1 for entry in self.products for p in entry
        )


@cache
def truncated(algebra: Algebra, size: int) -> Algebra:
    """The algebra of the first coefficients: `size` ends where a degree ends."""
    if size == algebra.size:
        return algebra
    return replace(
        algebra,
        operators=algebra.operators[:size],
        degrees=algebra.degrees[:size],
        products=algebra.products[:size],
        laned=algebra.laned[:size],
    )


def univariate(order: int) -> Algebra:
    """The Taylor series along one direction v: coefficient k is (v·∇)^k / k!, k = 0 .. order."""
    return downset([(order,)])


def downset(indices: Sequence[Index]) -> Algebra:
    """Every multi-index below one of the given ones: coefficient α is ∂^α / α!. ∂_xxyy needs nine."""
    if not indices:
        raise ValueError("a downset of no multi-indices")
    below = {tuple(index) for top in indices for index in cartesian(*(range(power + 1) for power in top))}
    ordered = sorted(below, key=lambda index: (sum(index), tuple(-power for power in index)))
    return from_operators([_divided_power(index) for index in ordered], [1] * len(indices[0]))


def directions(
    count: int, order: int, collapse: Sequence[Fraction | float] | None = None, *, stacked: bool = False
) -> Algebra:
    """The Taylor series along several directions, sharing the value: (v_r·∇)^j / j!, ordered by j, then r.

    With `collapse`, the last ones become one sum, Σ_r collapse[r] (v_r·∇)^order / order!: the Laplacian is
    directions(d, 2, [2] * d) along the axes. `stacked` holds all directions in one array per order.
    """
    if count < 1 or order < 1:
        raise ValueError(f"{count} directions of order {order}")
    weights = None if collapse is None else [Fraction(weight) for weight in collapse]
    if weights is not None and len(weights) != count:
        raise ValueError(f"{len(weights)} weights for {count} directions")
    if stacked:
        return _stacked(count, order, weights)
    operators: list[Operator] = [{(): Fraction(1)}]
    for power in range(1, order + (weights is None)):
        operators += [{(r,) * power: Fraction(1, factorial(power))} for r in range(count)]
    if weights is not None:
        operators.append(
            {(r,) * order: weight / factorial(order) for r, weight in enumerate(weights) if weight}
        )
    return from_operators(operators, [1] * count)


def _stacked(count: int, order: int, weights: list[Fraction] | None) -> Algebra:
    """The coefficients of all directions in one array per order, the collapsed ones without lanes."""
    line = univariate(order)
    collapsed = weights is not None
    return Algebra(
        operators=line.operators,
        degrees=line.degrees,
        products=line.products,
        generators=count,
        lanes=count,
        laned=tuple(degree > 0 and not (collapsed and degree == order) for degree in line.degrees),
        lane_weights=tuple(weights or ()),
    )


def from_operators(operators: Sequence[Operator], grading: Sequence[int]) -> Algebra:
    """The algebra of a graded set of operators that is closed under differentiation.

    `grading[g]` is the degree of generator g; every operator is homogeneous in it, and has a monomial
    that no other operator has (its pivot). Raises ValueError where the set is not closed.
    """
    degrees = [_degree(operator, grading) for operator in operators]
    if degrees != sorted(degrees) or degrees[0] or 0 in degrees[1:]:
        raise ValueError("operators come in ascending degree, the value first and alone")
    pivots = _pivots(operators)
    products = []
    for operator, degree in zip(operators, degrees, strict=True):
        table: dict[tuple[int, int], Fraction] = {}
        for left_degree in range(1, degree):
            _add_products(table, _coproduct(operator, left_degree, grading), operators, pivots)
        products.append(tuple(Product(i, j, w) for (i, j), w in sorted(table.items()) if i <= j))
    return Algebra(
        tuple(dict(operator) for operator in operators), tuple(degrees), tuple(products), len(grading)
    )


def _add_products(
    table: dict[tuple[int, int], Fraction],
    parts: Mapping[tuple[Word, Word], Fraction],
    operators: Sequence[Operator],
    pivots: Mapping[Word, int],
) -> None:
    """Write Σ parts ξ^left η^right as Σ table P_i(ξ) P_j(η): the coefficients are read off at the pivots."""
    found: dict[tuple[int, int], Fraction] = {}
    for (left, right), weight in parts.items():
        if left in pivots and right in pivots:
            i, j = pivots[left], pivots[right]
            found[i, j] = weight / (operators[i][left] * operators[j][right])
    rebuilt: dict[tuple[Word, Word], Fraction] = {}
    for (i, j), weight in found.items():
        for left, first in operators[i].items():
            for right, second in operators[j].items():
                key = (left, right)
                rebuilt[key] = rebuilt.get(key, Fraction(0)) + weight * first * second
    if {k: w for k, w in rebuilt.items() if w} != {k: w for k, w in parts.items() if w}:
        raise ValueError("the operators are not closed under differentiation")
    table.update(found)


def _coproduct(
    operator: Operator, left_degree: int, grading: Sequence[int]
) -> dict[tuple[Word, Word], Fraction]:
    """The terms of P(ξ + η) of that degree in ξ."""
    parts: dict[tuple[Word, Word], Fraction] = {}
    for word, weight in operator.items():
        powers = _powers(word)
        for taken in cartesian(*(range(power + 1) for power in powers.values())):
            if sum(n * grading[g] for n, g in zip(taken, powers, strict=True)) != left_degree:
                continue
            ways = 1
            left: Word = ()
            right: Word = ()
            for n, (generator, power) in zip(taken, powers.items(), strict=True):
                ways *= comb(power, n)
                left += (generator,) * n
                right += (generator,) * (power - n)
            parts[left, right] = parts.get((left, right), Fraction(0)) + ways * weight
    return parts


def _pivots(operators: Sequence[Operator]) -> dict[Word, int]:
    """For each operator a monomial that occurs in no other one."""
    holders: dict[Word, list[int]] = {}
    for k, operator in enumerate(operators):
        for word in operator:
            holders.setdefault(word, []).append(k)
    pivots: dict[int, Word] = {}
    for word in sorted(holders):
        if len(holders[word]) == 1:
            pivots.setdefault(holders[word][0], word)
    if len(pivots) != len(operators):
        raise ValueError("an operator has no monomial of its own")
    return {word: k for k, word in pivots.items()}


def _degree(operator: Operator, grading: Sequence[int]) -> int:
    degrees = {sum(grading[g] for g in word) for word in operator}
    if len(degrees) != 1:
        raise ValueError("an operator is not homogeneous in the grading")
    return degrees.pop()


def _powers(word: Word) -> dict[int, int]:
    return {generator: word.count(generator) for generator in sorted(set(word))}


def _divided_power(index: Index) -> Operator:
    word: Word = ()
    scale = 1
    for generator, power in enumerate(index):
        word += (generator,) * power
        scale *= factorial(power)
    return {word: Fraction(1, scale)}
