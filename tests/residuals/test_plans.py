"""Plans of derivatives: proven formulas, the counts that theory gives, and the same numbers from each."""

from fractions import Fraction
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import nablax
from nablax.backends.residuals import nested
from nablax.backends.residuals.networks import Part
from nablax.backends.residuals.tables import tables
from nablax.derivatives.evaluation import make_evaluation
from nablax.derivatives.plans import DerivativePlan, plan_derivatives
from nablax.derivatives.statements import INSIDE, places, statements
from nablax.derivatives.waring import power_sum


def form(entries):
    return tuple((orders, sp.Rational(q)) for orders, q in entries.items())


def even(axis, dimension, order):
    return tuple(order if i == axis else 0 for i in range(dimension))


def laplacian(d):
    return form({even(i, d, 2): 1 for i in range(d)})


def biharmonic(d):
    found = {}
    for i in range(d):
        for j in range(d):
            orders = tuple(a + b for a, b in zip(even(i, d, 2), even(j, d, 2), strict=True))
            found[orders] = found.get(orders, 0) + 1
    return form(found)


STREAM = (
    form({(1, 0, 0): 1}),
    form({(0, 1, 0): 1}),
    form({(2, 0, 1): 1, (0, 2, 1): 1}),
    form({(3, 0, 0): 1, (1, 2, 0): 1}),
    form({(2, 1, 0): 1, (0, 3, 0): 1}),
    form({(4, 0, 0): 1, (2, 2, 0): 2, (0, 4, 0): 1}),
)
CASES = {
    "kdv": (form({(0, 0): 1}), form({(1, 0): 1}), form({(0, 1): 1}), form({(3, 0): 1})),
    "mixed": (form({(2, 2): 1}),),
    "biharmonic 2": (biharmonic(2), laplacian(2)),
    "biharmonic 3": (biharmonic(3),),
    "powers": (form({(6,): 1}), form({(2,): 3}), form({(0,): 1})),
    "stream function": STREAM,
    "heat and more": (
        form({(0, 0): 1}),
        form({(1, 0): 1}),
        form({(0, 1): 1, (4, 0): "1/3", (2, 0): -2}),
        form({(0, 1): 1, (2, 0): 5}),
    ),
}


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (laplacian(5), 5),
        (biharmonic(2), 3),
        (biharmonic(3), 6),
        (biharmonic(4), 12),
        (form({(2, 2): 1}), 4),
        (form({(6, 0): 1, (4, 2): 3, (2, 4): 3, (0, 6): 1}), 4),
        (form({(1, 1, 1): 1}), 4),
    ],
)
def test_power_sums_are_exact_and_short(wanted, count):
    found = power_sum(wanted)
    assert found is not None
    assert len(found.directions) <= count
    xi = sp.symbols(f"xi:{len(wanted[0][0])}")
    total = sum(
        w * sum(a * b for a, b in zip(v, xi, strict=True)) ** found.degree
        for v, w in zip(found.directions, found.weights, strict=True)
    )
    symbol = sum(q * sp.Mul(*(x**n for x, n in zip(xi, orders, strict=True))) for orders, q in wanted)
    assert sp.Poly(sp.radsimp(sp.expand(total - symbol)), *xi).is_zero


@pytest.mark.parametrize("name", CASES)
def test_every_candidate_gives_the_same_numbers(name):
    forms = CASES[name]
    plan = plan_derivatives(forms)
    n = len(forms[0][0][0])
    assert len(plan.candidates) >= 2
    assert [c.cost for c in plan.candidates] == sorted(c.cost for c in plan.candidates)
    weights = jnp.sin(jnp.arange(8.0 * n)).reshape(8, n)

    def net(z):
        return jnp.tanh(weights @ z).reshape(2, 4).sum(axis=1)

    part = Part(frozenset(), tuple(range(n)), tuple(range(n)), net, lambda _: {})
    z = jax.random.uniform(jax.random.key(0), (3, n))
    exact = jax.vmap(lambda p: nested.derivatives(net, p, forms, range(n)))(z)
    for candidate in plan.candidates:
        found = tables(part, DerivativePlan(forms, (candidate,)), z)
        for a, b in zip(found, exact, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10, err_msg=candidate.name)


def test_extractions_are_proven_by_the_operators_themselves():
    for forms in CASES.values():
        for candidate in plan_derivatives(forms).candidates:
            if candidate.algebra is None or not all(e.is_Rational for v in candidate.directions for e in v):
                continue
            for wanted, extraction in zip(forms, candidate.extractions, strict=True):
                assert _symbol(candidate, extraction) == {o: Fraction(int(q.p), int(q.q)) for o, q in wanted}


def _symbol(candidate, extraction):
    """What the combination of coefficients differentiates, over the arguments."""
    xi = sp.symbols(f"xi:{len(candidate.directions[0])}")
    along = [sum(a * b for a, b in zip(v, xi, strict=True)) for v in candidate.directions]
    if candidate.times:
        total = sum(
            sp.Rational(w.numerator, w.denominator) * sum(a**2 for a in along) ** k for k, w in extraction
        )
        return _rational(sp.Poly(sp.expand(total), *xi).as_dict())
    total = sum(
        sp.Rational(w.numerator, w.denominator)
        * sum(
            sp.Rational(c.numerator, c.denominator) * sp.Mul(*(along[g] for g in word))
            for word, c in candidate.algebra.operators[k].items()
        )
        for k, w in extraction
    )
    return _rational(sp.Poly(sp.expand(total), *xi).as_dict())


def _rational(terms):
    return {orders: Fraction(int(q.p), int(q.q)) for orders, q in terms.items() if q != 0}


@pytest.mark.parametrize(("d", "vectors"), [(2, 9), (3, 14), (4, 20)])
def test_the_smallest_algebra_of_the_biharmonic(d, vectors):
    best = plan_derivatives((biharmonic(d),)).chosen
    assert best.vectors == vectors
    assert best.vectors < 2 + 3 * len(power_sum(biharmonic(d)).directions)


@pytest.mark.parametrize(
    ("equation", "params", "vectors"),
    [
        ("dt(u) + u*dx(u) = 0.01*dxx(u)", "", 3),
        ("dt(u) + u*dx(u) = nu*dxx(u)", "nu = 0.01/pi", 3),
        ("dt(u) + u*dx(u) + dxxx(u) = 0", "", 4),
        ("dt(u) + u*dx(u) + dxx(u) + dxxxx(u) = 0", "", 5),
        ("dt(u) + u*dx(u) = nu*dxx(u)", "nu = 0", 4),
        ("dt(u) + u*dx(u) = nu*dxx(u)", "nu ~ 0.01 in [0, 1]", 4),
        ("dt(u) + u*dx(u) = sin(x)*dxx(u)", "", 4),
        ("dt(u) = u*dxx(u)", "", 4),
    ],
)
def test_a_time_derivative_costs_nothing_beside_a_constant_combination(equation, params, vectors):
    problem = nablax.parse(
        "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
        f"params {{ {params} }}\nequations {{ {equation} }}\ninitial {{ u = 0 }}\n"
    )
    equations = places(statements(problem.system))[INSIDE]
    (group,) = make_evaluation(problem.system.problem, equations, None).groups
    assert group.plan.chosen.vectors == vectors
    field = nablax.field(problem, lambda w, z: jnp.sin(w @ z)[None], jnp.array([1.3, -0.7]))
    z = jax.random.uniform(jax.random.key(0), (4, 2))
    found, plain = (
        problem.residual(field, how)(field.params, z)["equation/u"] for how in ("exact", "nested")
    )
    np.testing.assert_allclose(found, plain, rtol=1e-12, atol=1e-12)


def test_a_long_sum_is_had_along_its_axes():
    assert plan_derivatives((laplacian(10),)).chosen.vectors == 12
    assert plan_derivatives((form({(6,): 1}),)).chosen.vectors == factorial(3) + 1


def test_many_dimensions_compose_laplacians():
    """What no smaller candidate reaches still has a program of fixed size."""
    plan = plan_derivatives((biharmonic(18), laplacian(18)))
    assert plan.chosen.name == "2 composed Laplacians"
    part = Part(
        frozenset(), tuple(range(18)), tuple(range(18)), lambda z: jnp.sin(z.sum())[None], lambda _: {}
    )
    z = jnp.linspace(0, 1, 36).reshape(2, 18)
    fourth, second = tables(part, plan, z)
    value = jnp.sin(z.sum(axis=1))[:, None]
    assert np.allclose(fourth, 18**2 * value)
    assert np.allclose(second, -18 * value)
