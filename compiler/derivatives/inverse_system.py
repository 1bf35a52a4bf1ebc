"""The smallest algebra that yields given symbols: their Macaulay inverse system.

P(f g) involves P's partial derivatives (as a polynomial) of f and of g, and nothing else; so the span of
all partial derivatives of the wanted symbols is closed, and no smaller set is. Its dimension is the
number of vectors to propagate: d + 2 for the Laplacian, 9 for ∂_xxyy, 9 and 14 for the biharmonic
operator in two and three dimensions, 4 for ∂_t + ∂_xxx, whose time derivative costs nothing once time has
weight three.

F. S. Macaulay, The Algebraic Theory of Modular Systems, 1916; A. Iarrobino, V. Kanev, Power Sums,
Gorenstein Algebras and Determinantal Loci, 1999.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import factorial, prod

from nablax.derivatives.algebra import Algebra, Index, Operator, Word, from_operators

Symbol = Mapping[Index, Fraction | int | float]
"""A differential operator {multi-index: coefficient}: ∂_t + ∂_xxx over (t, x) is {(1, 0): 1, (0, 3): 1}."""

SIZE = 4096  # coefficients; far beyond what can pay


def minimal(symbols: Sequence[Symbol]) -> Algebra:
    """The smallest graded algebra in whose span all the symbols lie.

    The weights of the generators are chosen so that it is smallest; a symbol that stays inhomogeneous is
    a sum of its homogeneous parts (`extraction` puts it together).
    """
    operators = [_operator(symbol) for symbol in symbols]
    operators = [operator for operator in operators if operator]
    generators = {len(index) for symbol in symbols for index in symbol}
    if len(generators) != 1:
        raise ValueError("symbols over different generators, or none")
    count = generators.pop()
    highest = max((len(word) for operator in operators for word in operator), default=0)
    grading = [1] * count
    best = _span(operators, grading)
    for g in _lonely(operators, count):
        for weight in range(2, highest + 1):
            trial = [*grading[:g], weight, *grading[g + 1 :]]
            span = _span(operators, trial)
            if len(span) < len(best):
                best, grading = span, trial
    return from_operators(best, grading)


def extraction(algebra: Algebra, symbol: Symbol) -> dict[int, Fraction] | None:
    """The symbol as a combination of the algebra's coefficients {k: weight}; None where it lies outside."""
    rest = dict(_operator(symbol))
    found: dict[int, Fraction] = {}
    if algebra.lanes:
        raise ValueError("the coefficients of stacked directions are not single operators")
    counts: dict[Word, int] = {}
    for operator in algebra.operators:
        for word in operator:
            counts[word] = counts.get(word, 0) + 1
    for k, operator in enumerate(algebra.operators):
        pivot = next(word for word in sorted(operator) if counts[word] == 1)
        if rest.get(pivot):
            found[k] = rest[pivot] / operator[pivot]
            for word, weight in operator.items():
                rest[word] = rest.get(word, Fraction(0)) - found[k] * weight
    return None if any(rest.values()) else found


def _lonely(operators: Sequence[Operator], count: int) -> list[int]:
    """Generators that can have a weight of their own: those of lower power than another one."""
    power = [max((word.count(g) for op in operators for word in op), default=0) for g in range(count)]
    return [g for g in range(count) if 0 < power[g] < max(power)]


def _span(operators: Sequence[Operator], grading: Sequence[int]) -> list[Operator]:
    """A basis of all partial derivatives of the operators' homogeneous parts, by degree."""
    waiting: dict[int, list[Operator]] = {}
    for operator in operators:
        for degree, part in _homogeneous(operator, grading).items():
            waiting.setdefault(degree, []).append(part)
    waiting.setdefault(0, []).append({(): Fraction(1)})
    basis: dict[int, list[Operator]] = {}
    size = 0
    while waiting:
        degree = max(waiting)
        basis[degree] = _echelon(waiting.pop(degree))
        size += len(basis[degree])
        if size > SIZE:
            raise ValueError(f"more than {SIZE} derivatives would go through together")
        for operator in basis[degree]:
            for g in sorted({g for word in operator for g in word}):
                waiting.setdefault(degree - grading[g], []).append(_derivative(operator, g))
    return [operator for degree in sorted(basis) for operator in basis[degree]]


def _echelon(operators: Sequence[Operator]) -> list[Operator]:
    """A basis of the span in which every operator has a monomial of its own, scaled to 1/α! there."""
    rows: dict[Word, dict[Word, Fraction]] = {}
    for operator in operators:
        row = dict(operator)
        for pivot, other in rows.items():
            if pivot in row:
                _subtract(row, other, row[pivot])
        if not row:
            continue
        pivot = min(row)
        lead = row[pivot]
        row = {word: weight / lead for word, weight in row.items()}
        for other in rows.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        rows[pivot] = row
    return [
        {word: weight / _factorials(pivot) for word, weight in row.items()}
        for pivot, row in sorted(rows.items())
    ]


def _subtract(row: dict[Word, Fraction], other: Operator, factor: Fraction) -> None:
    for word, weight in other.items():
        left = row.get(word, Fraction(0)) - factor * weight
        if left:
            row[word] = left
        else:
            row.pop(word, None)


def _derivative(operator: Operator, generator: int) -> Operator:
    """∂P/∂ξ_g."""
    result: dict[Word, Fraction] = {}
    for word, weight in operator.items():
        if generator in word:
            at = word.index(generator)
            result[word[:at] + word[at + 1 :]] = weight * word.count(generator)
    return result


def _homogeneous(operator: Operator, grading: Sequence[int]) -> dict[int, dict[Word, Fraction]]:
    parts: dict[int, dict[Word, Fraction]] = {}
    for word, weight in operator.items():
        parts.setdefault(sum(grading[g] for g in word), {})[word] = weight
    return parts


def _factorials(word: Word) -> int:
    return prod(factorial(word.count(g)) for g in set(word))


def _operator(symbol: Symbol) -> Operator:
    result: dict[Word, Fraction] = {}
    for index, weight in symbol.items():
        word: Word = ()
        for generator, power in enumerate(index):
            word += (generator,) * power
        if weight:
            result[word] = Fraction(weight)
    return result
