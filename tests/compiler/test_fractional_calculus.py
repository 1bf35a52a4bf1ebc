"""Closed forms against quadrature of the definitions; merges against what each step gives by itself."""

import random
from itertools import product

import mpmath
import numpy as np
import pytest
import sympy as sp

from nablax.fractional_calculus.composition import (
    as_caputo,
    as_riemann_liouville,
    caputo_orders_add,
    merged,
)
from nablax.fractional_calculus.operators import (
    AtanganaBaleanu,
    Caputo,
    CaputoFabrizio,
    DistributedCaputo,
    FractionalIntegral,
    FractionalOperator,
    GrunwaldLetnikov,
    Hadamard,
    PsiCaputo,
    RiemannLiouville,
    Singular,
    Tempered,
    VariableCaputo,
)
from nablax.fractional_calculus.special import MittagLeffler
from nablax.pointwise import POINTWISE

t = sp.Symbol("t", positive=True)
x = sp.Symbol("x", real=True)
HALF = sp.Rational(1, 2)
Numeric = mpmath.mpf
RANDOM = random.Random(20)


def number(expression: sp.Expr, at: sp.Expr | float, symbol: sp.Symbol = t) -> Numeric:
    return mpmath.mpmathify(sp.N(expression.subs(symbol, at), 25))


def integral_by_quadrature(f: sp.Expr, order: Numeric, y: Numeric) -> Numeric:
    """1/Γ(μ) ∫ (y - s)^(μ-1) f(s) ds, the end's singularity taken away by (y - s)^μ = y^μ v."""
    function = sp.lambdify(t, f, "mpmath")  # noqa: TID251 (the test's own function, no user text)
    value = mpmath.quad(lambda v: function(y * (1 - v ** (1 / order))), [0, 0.5, 1])
    return y**order / mpmath.gamma(order + 1) * value


def caputo_by_quadrature(f: sp.Expr, order: sp.Expr, y: Numeric) -> Numeric:
    n = int(sp.ceiling(order))
    return integral_by_quadrature(sp.diff(f, t, n), mpmath.mpmathify(sp.N(n - order, 30)), y)


def liouville_by_quadrature(f: sp.Expr, order: sp.Expr, y: Numeric) -> Numeric:
    """With the initial terms in closed form: the operand has its derivatives at 0."""
    n = int(sp.ceiling(order))
    found = caputo_by_quadrature(f, order, y)
    a = mpmath.mpmathify(sp.N(order, 30))
    for k in range(n):
        found += number(sp.diff(f, t, k), 0) * y ** (k - a) / mpmath.gamma(k + 1 - a)
    return found


def random_cases() -> list[tuple[type[FractionalOperator], sp.Expr, sp.Expr, sp.Expr]]:
    cases = []
    for kind, family in product((Caputo, RiemannLiouville, FractionalIntegral, GrunwaldLetnikov), range(5)):
        for _ in range(5):
            order = sp.Rational(RANDOM.randint(1, 19), 10)
            while order == 1:
                order = sp.Rational(RANDOM.randint(1, 19), 10)
            rate = sp.Rational(RANDOM.randint(-20, 20) or 3, 7)
            degree = RANDOM.randint(0, 3)
            f = (
                t ** (2 + sp.Rational(RANDOM.randint(1, 9), 10)) + rate * t**degree,
                t**degree * sp.exp(rate * t),
                t**degree * sp.sin(rate * t + 1),
                sp.cos(rate * t) ** 2 + sp.sinh(t / 2),
                (1 + t) ** 2 * sp.cos(rate * t),
            )[family]
            cases.append((kind, f, order, sp.Rational(RANDOM.randint(3, 15), 10)))
    return cases


@pytest.mark.parametrize("index", range(100))
def test_closed_forms_agree_with_quadrature(index: int) -> None:
    kind, f, order, point = random_cases()[index]
    closed = kind(f, t, order).doit()
    assert not closed.has(FractionalOperator)
    with mpmath.workdps(25):
        y = mpmath.mpmathify(sp.N(point, 30))
        if kind is Caputo:
            expected = caputo_by_quadrature(f, order, y)
        elif kind is FractionalIntegral:
            expected = integral_by_quadrature(f, mpmath.mpmathify(sp.N(order, 30)), y)
        else:
            expected = liouville_by_quadrature(f, order, y)
        assert abs(number(closed, point) - expected) <= 1e-12 * max(1, abs(expected))


ORDERS = (sp.Rational(3, 10), HALF, sp.Rational(4, 5), sp.Rational(13, 10))
OPERANDS = (sp.sqrt(t), sp.S.One, t, t**2 + 1, sp.exp(t), t ** sp.Rational(7, 10), sp.cos(2 * t), t**3)
KINDS = (Caputo, RiemannLiouville)


def traps() -> list[tuple[sp.Expr, sp.Expr]]:
    """50 times (outer of inner, what the two steps give), where adding the orders would be wrong."""
    choices = list(product(KINDS, KINDS, ORDERS, ORDERS, OPERANDS))
    RANDOM.shuffle(choices)
    found = []
    for outer, inner, a, c, f in choices:
        try:
            both = outer(inner(f, t, c).doit(), t, a).doit()
            naive = RiemannLiouville(f, t, a + c).doit()
        except Singular:
            continue
        if both.has(FractionalOperator):
            continue
        if abs(number(naive, 0.7) - number(both, 0.7)) > 1e-10:
            found.append((outer(inner(f, t, c), t, a), both))
        if len(found) == 50:
            break
    return found


def test_no_trap_is_merged() -> None:
    cases = traps()
    assert len(cases) == 50
    for nested, both in cases:
        assert number(merged(nested).doit(), 0.7) == pytest.approx(number(both, 0.7), rel=1e-14, abs=1e-14)


def test_the_traps_by_name() -> None:
    root = sp.sqrt(t)
    assert merged(Caputo(Caputo(root, t, HALF), t, HALF)).doit() == 0
    assert merged(RiemannLiouville(RiemannLiouville(1 / root, t, HALF), t, HALF)).doit() == 0
    assert merged(Caputo(FractionalIntegral(1 / root, t, HALF), t, HALF)).doit() == 0
    u = sp.Function("u")(t)
    for outer, inner in product((Caputo, RiemannLiouville), repeat=2):
        nested = outer(inner(u, t, HALF), t, HALF)
        if (outer, inner) == (RiemannLiouville, Caputo):
            assert merged(nested) == sp.Derivative(u, t)
        else:
            assert merged(nested) == nested
    other_base = FractionalIntegral(FractionalIntegral(u, t, HALF), t, HALF, 1)
    assert merged(other_base) == other_base


def test_what_merges() -> None:
    u = sp.Function("u")(t)
    third = sp.Rational(1, 3)
    assert merged(FractionalIntegral(FractionalIntegral(u, t, HALF), t, third)) == FractionalIntegral(
        u, t, HALF + third
    )
    assert merged(RiemannLiouville(FractionalIntegral(u, t, HALF), t, HALF)) == u
    assert merged(Caputo(FractionalIntegral(u, t, HALF), t, HALF)) == u
    assert merged(Caputo(sp.Derivative(u, t), t, HALF)) == Caputo(u, t, HALF + 1)
    assert sp.diff(RiemannLiouville(u, t, HALF), t) == RiemannLiouville(u, t, HALF + 1)
    assert sp.diff(FractionalIntegral(u, t, HALF), t) == RiemannLiouville(u, t, HALF)
    assert merged(3 * FractionalIntegral(2 * FractionalIntegral(u, t, 1), t, 1)) == 6 * FractionalIntegral(
        u, t, 2
    )
    assert caputo_orders_add(HALF, sp.Rational(1, 4), 1)
    assert not caputo_orders_add(HALF, sp.Rational(3, 4), 1)
    assert caputo_orders_add(HALF, sp.Rational(3, 2), 2)


@pytest.mark.parametrize("f", [sp.exp(2 * t), t**2 + 3, sp.cos(t), MittagLeffler(HALF, 1, -sp.sqrt(t))])
def test_caputo_and_riemann_liouville_convert(f: sp.Expr) -> None:
    order = HALF if f.has(MittagLeffler) else sp.Rational(13, 10)
    for converted, plain in (
        (as_riemann_liouville(Caputo(f, t, order)), Caputo(f, t, order)),
        (as_caputo(RiemannLiouville(f, t, order)), RiemannLiouville(f, t, order)),
    ):
        assert number(converted.doit(), 0.8) == pytest.approx(number(plain.doit(), 0.8), rel=1e-14)


def test_eigenfunctions() -> None:
    a = sp.Symbol("a", positive=True)
    rate = sp.Symbol("lambda", real=True)
    for order, n in ((sp.Rational(7, 10), None), (a, 1)):
        f = MittagLeffler(order, 1, rate * t**order)
        assert sp.simplify(Caputo(f, t, order, 0, 1, n).doit() - rate * f) == 0
    second = sp.Rational(3, 2)
    wave = MittagLeffler(second, 1, -(t**second)) + MittagLeffler(second, 2, -(t**second)) * t
    assert sp.simplify(Caputo(wave, t, second).doit() + wave) == 0


def test_limits_and_the_derivative_in_the_order() -> None:
    a = sp.Symbol("a", positive=True)
    f = t**2 + 5 * t + 1
    assert sp.limit(Caputo(f, t, a, 0, 1, 1).doit(), a, 1) == sp.diff(f, t)
    assert sp.simplify(sp.limit(Caputo(f, t, a, 0, 1, 1).doit(), a, 0, "+") - (f - 1)) == 0
    assert sp.limit(RiemannLiouville(f, t, a, 0, 1, 1).doit(), a, 1) == sp.diff(f, t)
    assert Caputo(f, t, 2) == sp.Derivative(f, (t, 2))
    assert RiemannLiouville(f, x, 1, 1, -1) == -sp.Derivative(f, x)
    slope = sp.diff(Caputo(f, t, a, 0, 1, 1), a)
    step = sp.Rational(1, 10**6)
    near = [Caputo(f, t, HALF + s * step).doit() for s in (1, -1)]
    central = (number(near[0], 1.3) - number(near[1], 1.3)) / (2 * step)
    assert float(number(slope.subs(a, HALF), 1.3)) == pytest.approx(float(central), rel=1e-9)
    u = sp.Function("u")(x, t)
    assert sp.diff(Caputo(u, t, HALF), x) == Caputo(sp.Derivative(u, x), t, HALF)


def test_right_sided_operators_are_left_sided_ones_reflected() -> None:
    order = sp.Rational(6, 5)
    left = RiemannLiouville(t**3 * sp.exp(t), t, order).doit()
    right = RiemannLiouville((2 - x) ** 3 * sp.exp(2 - x), x, order, 2, -1).doit()
    assert number(right, 1.4, x) == pytest.approx(number(left, 0.6), rel=1e-14)


def test_refusals() -> None:
    u = sp.Function("u")(t)
    for order in (-1, sp.I, sp.oo):
        with pytest.raises(ValueError, match="order"):
            Caputo(u, t, order)
    with pytest.raises(ValueError, match="whole numbers"):
        Caputo(u, t, sp.Symbol("a"))
    for operator in (
        Caputo(1 / sp.sqrt(t), t, HALF),
        Caputo(sp.sqrt(t), t, sp.Rational(3, 2)),
        RiemannLiouville(t**-2, t, HALF),
    ):
        with pytest.raises(Singular):
            operator.doit()
    for unknown in (Caputo(sp.exp(t**2), t, HALF), RiemannLiouville(sp.log(1 + t), t, HALF)):
        assert unknown.doit() == unknown


def value_at(expression: sp.Expr, point: sp.Expr | float) -> float:
    return float(number(expression.doit(), point))


def test_less_common_operators() -> None:
    """Tempered, variable and distributed order, Hadamard, ψ-Caputo and the bounded kernels, by quadrature."""
    assert value_at(Hadamard(sp.log(t) ** 2, t, HALF, 1), sp.exp(2)) == pytest.approx(
        float(liouville_by_quadrature(t**2, HALF, mpmath.mpf(2)))
    )
    assert value_at(PsiCaputo(t**4, t, HALF, 0, 1, None, t**2), 1) == pytest.approx(
        float(caputo_by_quadrature(t**2, HALF, mpmath.mpf(1)))
    )
    tempered = Tempered(sp.exp(-t) * t**2, t, HALF, 0, 1, None, 1, 0)
    assert value_at(tempered, 1) == pytest.approx(
        float(mpmath.exp(-1) * liouville_by_quadrature(t**2, HALF, mpmath.mpf(1)))
    )
    variable = VariableCaputo(t**2, t, sp.Rational(3, 10) + sp.Rational(2, 5) * t, 0, 1, 1)
    assert value_at(variable, HALF) == pytest.approx(
        float(caputo_by_quadrature(t**2, HALF, mpmath.mpf("0.5")))
    )
    b = sp.Symbol("b")
    spread = DistributedCaputo(t**2, t, b, 0, 1, 1, 1 + b, 0, 1)
    expected = mpmath.quad(lambda a: (1 + a) * 2 * mpmath.mpf(2) ** (2 - a) / mpmath.gamma(3 - a), [0, 1])
    assert value_at(spread, 2) == pytest.approx(float(expected))
    kernel = mpmath.quad(lambda s: mpmath.exp(-(1 - s)) * mpmath.cos(s), [0, 1]) * 2
    assert value_at(CaputoFabrizio(sp.sin(t), t, HALF), 1) == pytest.approx(float(kernel))
    kernel = mpmath.quad(lambda s: mpmath.exp(1 - s) * mpmath.erfc(mpmath.sqrt(1 - s)) * 2 * s, [0, 1]) * 2
    assert value_at(AtanganaBaleanu(t**2, t, HALF), 1) == pytest.approx(float(kernel))


@pytest.mark.parametrize("alpha", ["0.3", "0.5", "0.7", "0.9", "1.5"])
@pytest.mark.parametrize("z", [-0.1, -1, -5, -50, -2000, 1.5])
def test_mittag_leffler_satisfies_its_recurrence(alpha: str, z: float) -> None:
    """E_{α,β}(z) = 1/Γ(β) + z E_{α,α+β}(z), and the complementary error function for α = 1/2."""
    a = sp.Rational(alpha)
    low, high = MittagLeffler(a, 1, z).evalf(20), MittagLeffler(a, 1 + a, z).evalf(20)
    assert abs(low - 1 - z * high) <= 1e-13 * max(1, abs(low))
    if a == HALF and z > -100:
        assert low == pytest.approx(MittagLeffler(a, 1, z).rewrite(sp.erfc).evalf(20), rel=1e-13)


def test_mittag_leffler_beyond_the_series() -> None:
    for z in (-7, -8, -9, -30):
        far = MittagLeffler(HALF, 1, z)
        assert far.evalf(15) == pytest.approx(far.rewrite(sp.erfc).evalf(15), rel=1e-13)
    with pytest.raises(ValueError, match="too large"):
        MittagLeffler(HALF, 1, -1000, 2).evalf()


@pytest.mark.parametrize("alpha", [0.3, 0.5, 0.9, 1.0, 1.3, 1.9])
@pytest.mark.parametrize("offset", [0.0, 0.7])
def test_mittag_leffler_on_arrays(alpha: float, offset: float) -> None:
    z = np.concatenate([-np.geomspace(1e-4, 120, 25), [0.0, 0.05, 0.8, 1.2, 3.0]])
    beta = 1 + offset
    exact = [float(MittagLeffler(sp.Float(alpha, 20), beta, sp.Float(v, 20)).evalf(18)) for v in z]
    found = POINTWISE["MittagLeffler"](np.asarray(alpha), np.asarray(beta), z)
    assert np.allclose(found, exact, rtol=1e-12, atol=1e-12)
    three = POINTWISE["MittagLeffler"](np.asarray(1.0), np.asarray(beta), z, np.asarray(2.0))
    exact = [float(MittagLeffler(1, sp.Float(beta, 20), sp.Float(v, 20), 2).evalf(18)) for v in z]
    assert np.allclose(three, exact, rtol=1e-12, atol=1e-12)
