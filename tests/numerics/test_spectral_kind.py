"""(-Δ)^s of kind `spectral` between walls: exact on eigenfunctions, in time and at rest."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.expectations import Judge
from nablax.backends.frames import Frame
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

SPEC = """
space {{ {space} }}
time {{ t in [0, 0.2] }}
fields {{ u }}
params {{ s = 0.7; K = 0.3 }}
equations {{ dt(u) = {right} }}
initial {{ u = {start} }}
boundary {{ {walls} }}
solve {{ n = {n}; {solve} }}
"""


def solver_of(**parts: str) -> Solver:
    made = parse(SPEC.format(**({"solve": "", "n": "16"} | parts))).compile()
    assert isinstance(made, Solver)
    return made


def last(solver: Solver, **params: float) -> np.ndarray:
    return np.asarray(solver.solve(params, save_at=[0.2]).fields["u"][-1])


CASES = [
    ("x in [0, 1]", "sin(2*pi*x)", "all: u = 0", 2 * np.pi, "16"),
    ("x in [0, 1]", "cos(3*pi*x)", "all: dn(u) = 0", 3 * np.pi, "16"),
    ("x in [0, 2]", "sin(3*pi*x/4)", "x = 0: u = 0; x = 2: dn(u) = 0", 3 * np.pi / 4, "16"),
    ("x in [0, 2]", "cos(3*pi*x/4)", "x = 0: dn(u) = 0; x = 2: u = 0", 3 * np.pi / 4, "16"),
    (
        "x in [0, 1]; y in [0, 2*pi] periodic",
        "sin(pi*x)*cos(2*y)",
        "all: u = 0",
        np.hypot(np.pi, 2),
        "[12, 10]",
    ),
]


@pytest.mark.parametrize(("space", "mode", "walls", "k", "n"), CASES)
def test_modes_are_eigenfunctions(space: str, mode: str, walls: str, k: float, n: str) -> None:
    solver = solver_of(space=space, right="-K*fraclap(u, s, kind=spectral)", start=mode, walls=walls, n=n)
    start = solver.initial()
    for s in (0.7, 0.25):
        rate = solver.rhs(0.0, start, {"s": s})[0]
        assert np.allclose(rate, -0.3 * k ** (2 * s) * start.y[0], rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "step"), [(2, "dopri5"), (4, "implicit")])
def test_modes_decay_at_their_rate(case: int, step: str) -> None:
    space, mode, walls, k, n = CASES[case]
    right, solve = "-K*fraclap(u, s, kind=spectral)", f"tol = 1e-9; step = {step}"
    solver = solver_of(space=space, right=right, start=mode, walls=walls, n=n, solve=solve)
    exact = np.asarray(solver.initial().y[0]) * np.exp(-0.3 * k**1.4 * 0.2)
    assert np.abs(last(solver) - exact).max() < 1e-7


def test_powers_add_up() -> None:
    """(-Δ)^s (-Δ)^r = (-Δ)^(s+r), and s → 1 gives -Δ: both through the compiled right-hand side."""
    spec = {"space": "x in [0, 1]", "start": "x^3*(1 - x)^2", "walls": "all: u = 0", "n": "32"}
    solver = solver_of(**spec, right="-fraclap(u, s, kind=spectral)")
    y = solver.initial().y

    def power(s: float, v: jax.Array) -> jax.Array:
        return -solver.rhs(0.0, (v,), {"s": s})[0]

    both = power(0.4, power(0.35, y[0]))
    assert np.allclose(both, power(0.75, y[0]), rtol=0, atol=1e-12)
    x = np.linspace(0, 1, 33)[1:-1]
    second = np.asarray(power(1.0, jnp.asarray(np.sin(np.pi * np.linspace(0, 1, 33)))))[1:-1]
    assert np.allclose(second, np.pi**2 * np.sin(np.pi * x), rtol=1e-12)


@pytest.mark.slow
def test_nonlinear_terms_and_the_split() -> None:
    """u·(-Δ)^s u is taken like any product; beside it, `imex` takes the linear operator implicitly."""
    right = "-K*fraclap(u, s, kind=spectral) + u*fraclap(u, s, kind=spectral) - u^3"
    parts = {"space": "x in [0, 1]", "start": "sin(pi*x)/4", "walls": "all: u = 0"}
    explicit, split = (
        last(solver_of(**parts, right=right, solve=f"tol = 1e-8; step = {step}"))
        for step in ("dopri5", "imex")
    )
    assert np.abs(explicit - split).max() < 1e-7


@pytest.mark.slow
def test_the_order_can_be_fitted() -> None:
    """The gradient in s of a final state, against finite differences."""
    solver = solver_of(
        space="x in [0, 1]", right="-K*fraclap(u, s, kind=spectral)", start="cos(pi*x) + 1",
        walls="all: dn(u) = 0", solve="dt = 0.02; step = rk4",
    )  # fmt: skip

    def end(s: jax.Array) -> jax.Array:
        return jnp.sum(solver.solve({"s": s}, save_at=[0.2]).fields["u"][-1] ** 2)

    slope = float(jax.grad(end)(jnp.asarray(0.6)))
    apart = float(end(jnp.asarray(0.601)) - end(jnp.asarray(0.599))) / 0.002
    assert slope == pytest.approx(apart, rel=1e-5)


@pytest.mark.parametrize(
    ("space", "mode", "walls", "square", "n"),
    [
        ("x in [0, 1]", "sin(2*pi*x)", "all: u = 0", "4*pi^2", "16"),
        (
            "x in [0, 1]; y in [0, 2*pi] periodic; z in [0, 1]",
            "sin(pi*x/2)*cos(2*y)*cos(pi*z)",
            "x = 0: u = 0; x = 1: dn(u) = 0; z = 0: dn(u) = 0; z = 1: dn(u) = 0",
            "pi^2/4 + 4 + pi^2",
            "[8, 8, 8]",
        ),
    ],
)
def test_rest(space: str, mode: str, walls: str, square: str, n: str) -> None:
    spec = f"""
    space {{ {space} }}
    fields {{ u }}
    params {{ s = 0.7 }}
    equations {{ fraclap(u, s, kind=spectral) + 2*u = (({square})^s + 2)*{mode} }}
    boundary {{ {walls} }}
    solve {{ n = {n} }}
    expect {{ u ≈ {mode} within 1e-12 }}
    """
    solver = parse(spec).compile()
    assert isinstance(solver, SteadySolver)
    judge = Judge(solver.outline, dict(solver.parameters))
    judge.see(next(f for f in solver.stream() if isinstance(f, Frame)))
    assert all(v.passed for v in judge.verdicts())
