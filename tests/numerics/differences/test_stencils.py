import numpy as np
import pytest

from nablax.stencils import centred, centred_extreme, centred_symbol, fornberg, radius

# B. Fornberg, SIAM Review 40 (1998), tables of centred and one-sided weights.
KNOWN = {
    (1, 2): [-1 / 2, 0, 1 / 2],
    (1, 4): [1 / 12, -2 / 3, 0, 2 / 3, -1 / 12],
    (2, 2): [1, -2, 1],
    (2, 4): [-1 / 12, 4 / 3, -5 / 2, 4 / 3, -1 / 12],
    (2, 6): [1 / 90, -3 / 20, 3 / 2, -49 / 18, 3 / 2, -3 / 20, 1 / 90],
    (2, 8): [-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560],
    (3, 2): [-1 / 2, 1, 0, -1, 1 / 2],
    (4, 2): [1, -4, 6, -4, 1],
    (4, 4): [-1 / 6, 2, -13 / 2, 28 / 3, -13 / 2, 2, -1 / 6],
}


@pytest.mark.parametrize(("order", "accuracy"), KNOWN)
def test_centred_weights_are_the_published_ones(order: int, accuracy: int) -> None:
    np.testing.assert_allclose(centred(order, accuracy), KNOWN[order, accuracy], atol=1e-14)


def test_one_sided_weights_are_the_published_ones() -> None:
    np.testing.assert_allclose(fornberg([0, 1, 2], 0, 1)[1], [-3 / 2, 2, -1 / 2], atol=1e-15)
    np.testing.assert_allclose(fornberg([0, 1, 2, 3], 0, 2)[2], [2, -5, 4, -1], atol=1e-14)


@pytest.mark.parametrize("nodes", [[0.0, 0.3, 1.1, 1.7, 2.9], [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]])
def test_weights_differentiate_polynomials_exactly(nodes: list[float]) -> None:
    polynomial = np.polynomial.Polynomial(np.linspace(1, 2, len(nodes)))
    weights = fornberg(nodes, 0.4, 3)
    for m in range(4):
        exact = polynomial.deriv(m)(0.4) if m else polynomial(0.4)
        assert weights[m] @ polynomial(np.asarray(nodes)) == pytest.approx(exact, rel=1e-11)


def test_too_few_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 4 nodes"):
        fornberg([0, 1, 2], 0, 3)
    with pytest.raises(ValueError, match="even order of accuracy"):
        centred(2, 3)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("accuracy", [2, 4, 6, 8])
def test_symbol_is_what_the_stencil_does_to_a_wave(order: int, accuracy: int) -> None:
    r = radius(order, accuracy)
    offsets = np.arange(-r, r + 1)
    for theta in (0.3, 1.0, np.pi):
        direct = np.sum(np.asarray(centred(order, accuracy)) * np.exp(1j * theta * offsets))
        assert centred_symbol(order, accuracy, theta) == pytest.approx(direct, abs=1e-12)
    theta = np.asarray([0.1, 0.2])
    relative = np.abs(centred_symbol(order, accuracy, theta) / (1j * theta) ** order - 1)
    if accuracy <= 4:
        assert np.log2(relative[1] / relative[0]) == pytest.approx(accuracy, abs=0.05)


def test_extreme_symbols_bound_the_step() -> None:
    assert centred_extreme(2, 2) == pytest.approx(4)
    assert centred_extreme(2, 4) == pytest.approx(16 / 3)
    assert centred_extreme(1, 2) == pytest.approx(1)
    assert centred_extreme(4, 2) == pytest.approx(16)
