"""Order conditions, and the additive pair against another library's."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from nablax.backends.stepping.tableaus import (
    ARK_EXPLICIT,
    ARK_IMPLICIT,
    ARK_NODES,
    CLASSICAL,
    DORMAND_PRINCE,
    EULER,
    HEUN,
    Tableau,
)

# Rooted trees up to order 4 as nested tuples of subtrees, with their density γ.
TREES = {
    1: [((), 1)],
    2: [(((),), 2)],
    3: [(((), ()), 3), ((((),),), 6)],
    4: [(((), (), ()), 4), (((), ((),)), 8), ((((), ()),), 12), (((((),),),), 24)],
}


def inner(tree: tuple, matrices: list[np.ndarray], pick: list[int]) -> np.ndarray:
    """Product over the subtrees of A · (inner weight), each branch by the matrix that `pick` gives it."""
    total = np.ones(len(matrices[0]), object) * Fraction(1)
    for branch in tree:
        matrix = matrices[pick.pop()]
        total = total * matrix.dot(inner(branch, matrices, pick))
    return total


def branches(tree: tuple) -> int:
    return sum(1 + branches(b) for b in tree)


def residuals(tables: list[Tableau], b: tuple[Fraction, ...], order: int) -> list[float]:
    """Σ b Φ(tree) - 1/γ over all trees to that order, and all ways to mix the matrices on the branches."""
    matrices = [np.array(t.a, object) for t in tables]
    found = []
    for trees in (TREES[p] for p in range(1, order + 1)):
        for tree, density in trees:
            for pick in product(range(len(matrices)), repeat=branches(tree)):
                weight = np.array(b, object).dot(inner(tree, matrices, list(pick)))
                found.append(float(abs(weight - Fraction(1, density))))
    return found


@pytest.mark.parametrize("table", [EULER, HEUN, CLASSICAL, DORMAND_PRINCE], ids=lambda t: t.name)
def test_explicit_order_conditions(table: Tableau) -> None:
    assert max(residuals([table], table.b, min(table.order, 4))) == 0
    if table.embedded is not None:
        assert max(residuals([table], table.embedded, table.error_order)) == 0
    if table.order == 5:
        c = np.array(table.c, object)
        a, b = np.array(table.a, object), np.array(table.b, object)
        quadrature = b.dot(c**4) - Fraction(1, 5)
        chains = b.dot(a.dot(a.dot(a.dot(c)))) - Fraction(1, 120)
        assert quadrature == chains == 0


def test_additive_order_conditions() -> None:
    both = [ARK_EXPLICIT, ARK_IMPLICIT]
    assert ARK_EXPLICIT.b == ARK_IMPLICIT.b
    # The explicit coefficients are published as rationals good to about 24 digits.
    assert max(residuals(both, ARK_IMPLICIT.b, 4)) < 1e-20
    assert ARK_IMPLICIT.embedded is not None
    assert max(residuals(both, ARK_IMPLICIT.embedded, 3)) < 1e-20
    assert max(residuals([ARK_IMPLICIT], ARK_IMPLICIT.b, 4)) < 1e-20


def test_nodes_and_stiff_accuracy() -> None:
    for table in (ARK_EXPLICIT, ARK_IMPLICIT):
        assert max(abs(float(p - q)) for p, q in zip(table.c, ARK_NODES, strict=True)) < 1e-20
    assert ARK_IMPLICIT.a[-1] == ARK_IMPLICIT.b
    assert all(row[i] == Fraction(1, 4) for i, row in enumerate(ARK_IMPLICIT.a) if i)


def test_against_diffrax() -> None:
    diffrax = pytest.importorskip("diffrax")
    for table in diffrax.KenCarp4.tableau.tableaus:
        ours = ARK_IMPLICIT if table.a_diagonal is not None and np.any(table.a_diagonal) else ARK_EXPLICIT
        np.testing.assert_allclose(ours.solution(), table.b_sol, rtol=1e-14)
        np.testing.assert_allclose(ours.error(), table.b_error, rtol=1e-12, atol=1e-16)
        for row, theirs in zip(ours.weights()[1:], table.a_lower, strict=True):
            np.testing.assert_allclose(row[: len(theirs)], theirs, rtol=1e-13)
