"""Implicit solves against their own operator and against dense linear algebra."""

from collections.abc import Mapping, Sequence
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from nablax.backends.differences import FiniteDifferences, build
from nablax.backends.interface import Parameters, Vector
from tests.numerics.integrate import nominal
from tests.numerics.systems import (
    Line,
    Wall,
    both,
    build_plan,
    build_system,
    dirichlet,
    function,
    neumann,
    t,
)

pytestmark = pytest.mark.brief

x, y = sp.symbols("x y", real=True)
D, a = sp.symbols("D a", real=True)
X, PERIODIC, Y = Line("x", 0.0, 1.0, 20), Line("x", 0.0, 2.0, 18, True), Line("y", 0.0, 1.5, 14)


def scheme(
    lines: Sequence[Line],
    rates: Mapping[str, sp.Expr],
    order: int = 2,
    walls: Sequence[Wall] = (),
    parameters: Mapping[str, float] | None = None,
    rate_of: Mapping[str, str] | None = None,
    complex_unknowns: Sequence[str] = (),
) -> FiniteDifferences:
    system = build_system(
        lines,
        rates,
        walls=walls,
        parameters=parameters,
        rate_of=rate_of,
        complex_unknowns=complex_unknowns,
    )
    return build(build_plan(system, lines, order=order))


def some(made: FiniteDifferences, seed: int = 0) -> Vector:
    random = np.random.default_rng(seed)
    result = []
    for unknown in made.plan.system.unknowns:
        values = random.standard_normal(made.plan.shape)
        if unknown.complex:
            values = values + 1j * random.standard_normal(made.plan.shape)
        result.append(jnp.asarray(values))
    return tuple(result)


@cache
def cases() -> dict[str, tuple[FiniteDifferences, bool]]:
    """By name: a scheme, and whether its linear part is inverted directly."""
    u, v = function("u", [X]), function("v", [X])
    p, q = function("u", [X, Y]), function("u", [PERIODIC, Y])
    robin = [Wall("u", "x", 0, [(1, 1), (-a, 0)], 1), Wall("u", "x", 1, [(1, 1), (a, 0)])]
    fixed, level = both(dirichlet, "u", "x"), both(neumann, "u", "x")
    box = (*both(dirichlet, "u", "x", y), *both(neumann, "u", "y", x))
    well = (*fixed, *both(dirichlet, "u", "y"))
    free = [Wall("u", "x", s, [(1, m)]) for s in (0, 1) for m in (2, 3)]
    bending = {"u": v, "v": -a * u.diff(x, 4)}
    layered = sp.diff((1 + x**2) * u.diff(x), x).doit()
    tilted = (1 + x * y) * p.diff(x, 2) + 2 * p.diff(y, 2) + p.diff(x, y) / 3
    cubic = sp.I / 2 * (p.diff(x, 2) + p.diff(y, 2)) - sp.I * sp.Abs(p) ** 2 * p
    moving, driven = both(dirichlet, "u", "x", t), both(neumann, "u", "x", 1)
    strip = {"u": D * (q.diff(x, 2) + q.diff(y, 2))}
    return {
        "heat, moving Dirichlet": (scheme([X], {"u": D * u.diff(x, 2)}, 4, moving, {"D": 1.3}), True),
        "heat, Neumann": (scheme([X], {"u": D * u.diff(x, 2) + sp.sin(u)}, 6, driven, {"D": 1.3}), True),
        "heat, Robin by a parameter": (scheme([X], {"u": u.diff(x, 2)}, 2, robin, {"a": 2.0}), False),
        "variable coefficient": (scheme([X], {"u": layered}, 4, fixed), False),
        "rectangle": (scheme([X, Y], {"u": D * p.diff(x, 2) + p.diff(y, 2) / 3}, 2, box, {"D": 1.3}), True),
        "strip": (scheme([PERIODIC, Y], strip, 4, both(dirichlet, "u", "y", x), {"D": 0.7}), True),
        "rectangle, variable and mixed": (scheme([X, Y], {"u": tilted}, 2, box), False),
        "clamped beam": (scheme([X], bending, 2, (*fixed, *level), {"a": 1.0}, {"v": "u"}), True),
        "free beam": (scheme([X], bending, 4, free, {"a": 1.0}, {"v": "u"}), True),
        "schroedinger": (scheme([X, Y], {"u": cubic}, 2, well, complex_unknowns=["u"]), True),
    }


NAMES = list(cases())


def size(vector: Vector) -> float:
    return max(float(jnp.max(jnp.abs(v))) for v in vector)


def difference(one: Vector, other: Vector) -> Vector:
    return tuple(p - q for p, q in zip(one, other, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_split_is_exact_and_solve_inverts_its_linear_part(name: str) -> None:
    made, direct = cases()[name]
    assert made.iterated != direct
    vector, now, shift = some(made), jnp.asarray(0.3), jnp.asarray(2e-3)
    # Other values than those the eigenvectors and preconditioners were made with.
    params = {key: 1.4 * value for key, value in nominal(made.plan).items()}

    @jax.jit
    def everything(vector: Vector) -> tuple[Vector, ...]:
        carry = made.embed(now, vector, params)
        found = made.solve(shift, vector, params)
        return (
            made.core(carry),
            made.rate(now, carry, params),
            made.explicit_rate(now, carry, params),
            made.linear(vector, params),
            found,
            made.linear(found, params),
        )

    core, rate, explicit, linear, found, image = everything(vector)
    assert all(jnp.array_equal(kept, given) for kept, given in zip(core, vector, strict=True))
    parts = tuple(p + q for p, q in zip(explicit, linear, strict=True))
    assert size(difference(rate, parts)) < 1e-12 * size(rate)
    residual = difference(tuple(f - shift * i for f, i in zip(found, image, strict=True)), vector)
    assert size(residual) < 1e-10 * max(1.0, float(shift) * size(image))


def test_solve_agrees_with_dense_linear_algebra() -> None:
    made, _ = cases()["rectangle"]
    params, (right,), shift = nominal(made.plan), some(made), 2e-3
    matrix = jax.jacfwd(lambda v: made.linear((v,), params)[0])(right).reshape(right.size, right.size)
    dense = np.linalg.solve(np.eye(right.size) - shift * np.asarray(matrix), np.asarray(right).ravel())
    (found,) = made.solve(jnp.asarray(shift), (right,), params)
    np.testing.assert_allclose(np.asarray(found).ravel(), dense, atol=1e-12)


def linearised(
    made: FiniteDifferences, shift: jax.Array, now: jax.Array, at: Vector, right: Vector, params: Parameters
) -> tuple[Vector, Vector]:
    """The solution, and the derivative of the rate applied to it."""
    found = made.solve_linearised(shift, now, at, right, params)
    _, image = jax.jvp(lambda v: made.rate(now, made.embed(now, v, params), params), (at,), (found,))
    return found, image


@pytest.mark.slow
@pytest.mark.parametrize("name", ["heat, Neumann", "rectangle", "clamped beam", "schroedinger"])
def test_linearised_solve_inverts_the_derivative_of_the_rate(name: str) -> None:
    made, _ = cases()[name]
    params, right, shift, now = nominal(made.plan), some(made), jnp.asarray(2e-3), jnp.asarray(0.3)
    at = tuple(0.3 * v for v in some(made, 1))
    found, image = jax.jit(linearised, static_argnums=0)(made, shift, now, at, right, params)
    residual = difference(tuple(f - shift * i for f, i in zip(found, image, strict=True)), right)
    assert size(residual) < 1e-9 * max(1.0, float(shift) * size(image))


def test_linearised_solve_of_nonlinear_diffusion() -> None:
    lines = [X, Y]
    u = function("u", lines)
    rate = sp.diff((1 + u) ** 2 * u.diff(x), x).doit() + sp.diff((1 + u) ** 2 * u.diff(y), y).doit()
    made = scheme(lines, {"u": rate}, 2, (*both(dirichlet, "u", "x"), *both(neumann, "u", "y")))
    right, at = some(made), (jnp.abs(some(made, 1)[0]) / 4,)
    shift, now = jnp.asarray(1e-3), jnp.asarray(0.0)
    found, image = jax.jit(linearised, static_argnums=0)(made, shift, now, at, right, {})
    assert size((found[0] - shift * image[0] - right[0],)) < 1e-9


def test_what_does_not_converge_is_nan() -> None:
    # An indefinite operator far from its average: no preconditioner helps.
    u = function("u", [X, Y])
    rate = sp.sin(40 * x * y + 1) * u.diff(x, 2) + sp.cos(50 * x + 7 * y) * u.diff(y, 2)
    made = scheme([X, Y], {"u": rate}, 2, (*both(dirichlet, "u", "x"), *both(dirichlet, "u", "y")))
    right = some(made)
    found = jax.jit(lambda r: made.solve(jnp.asarray(1e3), r, {}))(right)
    image = jax.jit(lambda v: made.linear(v, {}))(found)
    residual = size((found[0] - 1e3 * image[0] - right[0],))
    assert np.isnan(residual) or residual < 1e-6 * size((1e3 * image[0],))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rectangle", "heat, Robin by a parameter"])
def test_solves_are_differentiable(name: str) -> None:
    made, _ = cases()[name]
    right, params = some(made), nominal(made.plan)
    ((key, value),) = params.items()

    @jax.jit
    def total(value: jax.Array) -> jax.Array:
        return jnp.sum(made.solve(jnp.asarray(2e-3), right, {key: value})[0] ** 2)

    step = 1e-5
    numeric = (total(value + step) - total(value - step)) / (2 * step)
    assert float(jax.grad(total)(value)) == pytest.approx(float(numeric), rel=1e-6)


def test_what_the_split_holds() -> None:
    u = function("u", [X])
    rate = D * u.diff(x, 2) - u.diff(x) + sp.cos(t) * u.diff(x, 2) - u
    made = scheme([X], {"u": rate}, walls=both(dirichlet, "u", "x"), parameters={"D": 1.0})
    (held,) = made.stiff
    assert [(term.coefficient, term.orders) for term in held] == [(D, (2,))]
