"""Truncated algebras: the Leibniz rule, exactly, and how small they are."""

from fractions import Fraction
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nablax.derivatives.algebra import directions, downset, from_operators, univariate
from nablax.derivatives.inverse_system import extraction, minimal


def laplacian(d, power=1):
    """Δ^power as a symbol."""
    symbol = {(0,) * d: 1}
    for _ in range(power):
        longer = {}
        for index, weight in symbol.items():
            for axis in range(d):
                key = tuple(n + 2 * (axis == g) for g, n in enumerate(index))
                longer[key] = longer.get(key, 0) + weight
        symbol = longer
    return symbol


def at_origin(operator, polynomial):
    """(P f)(0) of f = Σ polynomial[word] ξ^word."""
    powers = {word: prod(factorial(word.count(g)) for g in set(word)) for word in operator}
    return sum(w * powers[word] * polynomial.get(word, 0) for word, w in operator.items())


def times(f, g):
    product = {}
    for left, a in f.items():
        for right, b in g.items():
            word = tuple(sorted(left + right))
            product[word] = product.get(word, 0) + a * b
    return product


def obeys_leibniz(algebra, f, g):
    x = [at_origin(operator, f) for operator in algebra.operators]
    y = [at_origin(operator, g) for operator in algebra.operators]
    for k, operator in enumerate(algebra.operators):
        expected = x[0] * y[k] + (x[k] * y[0] if k else 0)
        for p in algebra.products[k]:
            expected += p.weight * x[p.left] * y[p.right]
            if p.left != p.right:
                expected += p.weight * x[p.right] * y[p.left]
        assert at_origin(operator, times(f, g)) == expected


words = st.lists(st.integers(0, 2), max_size=5).map(lambda word: tuple(sorted(word)))
polynomials = st.dictionaries(words, st.integers(-5, 5), max_size=12)
indices = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3))
symbols = st.dictionaries(indices, st.fractions(-3, 3, max_denominator=4), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.lists(symbols, min_size=1, max_size=3), polynomials, polynomials)
def test_the_smallest_algebra_multiplies_by_the_leibniz_rule_and_yields_its_symbols(wanted, f, g):
    algebra = minimal(wanted)
    obeys_leibniz(algebra, f, g)
    for symbol in wanted:
        found = extraction(algebra, symbol)
        direct = sum(
            Fraction(w) * at_origin({tuple(sorted(i for i, n in enumerate(index) for _ in range(n))): 1}, f)
            for index, w in symbol.items()
        )
        assert found is not None
        assert sum(w * at_origin(algebra.operators[k], f) for k, w in found.items()) == direct


@settings(deadline=None, max_examples=20)
@given(polynomials, polynomials)
def test_series_multiply_by_the_leibniz_rule(f, g):
    weights = [Fraction(1, 2), -1, 3]
    for algebra in (downset([(2, 2, 1)]), directions(3, 3), directions(3, 4, weights), univariate(5)):
        obeys_leibniz(algebra, f, g)


@pytest.mark.parametrize(
    ("symbol", "size"),
    [
        (laplacian(3), 5),
        (laplacian(10), 12),
        (laplacian(2, 2), 9),
        (laplacian(3, 2), 14),
        (laplacian(2, 3), 16),
        ({(2, 2): 1}, 9),
        ({(1, 0): 1, (0, 3): 1}, 4),
        ({(1, 0): 1, (0, 2): 1, (0, 4): 1}, 5),
        ({(1, 0, 0): 1, (0, 2, 0): -1, (0, 0, 2): -1}, 4),
    ],
)
def test_no_more_is_propagated_than_the_symbol_needs(symbol, size):
    assert minimal([symbol]).size == size


def test_lower_derivatives_come_along():
    algebra = minimal([laplacian(2, 2)])
    assert extraction(algebra, laplacian(2)) is not None
    assert extraction(algebra, {(1, 0): 1}) is not None
    assert extraction(algebra, {(3, 0): 1}) is None


def test_collapsed_directions():
    algebra = directions(3, 4, [1, 1, 1])
    assert algebra.size == algebra.vectors == 2 + 3 * 3
    stacked = directions(3, 4, [1, 1, 1], stacked=True)
    assert stacked.size == 5
    assert stacked.vectors == algebra.vectors
    assert stacked.multiplications == algebra.multiplications


def test_what_is_not_an_algebra_is_refused():
    one = Fraction(1)
    with pytest.raises(ValueError, match="closed"):
        from_operators([{(): one}, {(0, 0): one}], [1])
    with pytest.raises(ValueError, match="homogeneous"):
        from_operators([{(): one}, {(0,): one, (0, 0): one}], [1])
    with pytest.raises(ValueError, match="ascending"):
        from_operators([{(0,): one}, {(): one}], [1])
    with pytest.raises(ValueError, match="own"):
        from_operators([{(): one}, {(0,): one}, {(0,): 2 * one}], [1])
    with pytest.raises(ValueError, match="2 weights for 3 directions"):
        directions(3, 2, [1, 1])
