"""(-Δ)^s over all of space on boxes of two and three axes, the field zero outside: closed forms, order 2."""

from math import log2

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gamma, hyp2f1

from nablax import parse
from nablax.backends.differences.lattice import lattice_weights
from nablax.backends.differences.toeplitz import centred_weights
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

SPEC = """
space {{ {axes} }}
{time}
fields {{ u }}
params {{ s = {s} }}
equations {{ {equation} }}
{initial}
boundary {{ all: u = 0 }}
solve {{ n = {n}; {solve} }}
"""
PLANE = "x in [-1, 1]; y in [-1.25, 1.25]"
SPACE = "x in [-1, 1]; y in [-1, 1]; z in [-1, 1]"


def solver_of(axes: str, n: str, start: str, s: float = 0.5, solve: str = "") -> Solver:
    right = "dt(u) = -fraclap(u, s, kind=integral)"
    text = SPEC.format(
        axes=axes, time="time { t in [0, 0.1] }", s=s, equation=right, n=n, solve=solve,
        initial=f"initial {{ u = {start} }}",
    )  # fmt: skip
    made = parse(text).compile()
    assert isinstance(made, Solver)
    return made


def radius(solver: Solver) -> np.ndarray:
    """|x|² at the nodes."""
    nodes = [np.linspace(a.lower, a.upper, a.points) ** 2 for a in solver.plan.grid]
    return np.asarray(sum(np.meshgrid(*nodes, indexing="ij")))


def cap(s: float, p: int, d: int, square: np.ndarray) -> np.ndarray:
    """(-Δ)^s of (1 - |x|²)^p, zero beyond the unit ball, inside it (B. Dyda, Fract. Calc. Appl. Anal. 15
    (2012) 536)."""
    scale = 4**s * gamma(s + d / 2) * gamma(p + 1) / (gamma(d / 2) * gamma(p + 1 - s))
    return np.asarray(scale * hyp2f1(s + d / 2, s - p, d / 2, square))


@pytest.mark.parametrize("s", [0.3, 0.8, 1.0])
def test_weights_are_the_fourier_coefficients_of_the_symbol(s: float) -> None:
    """On one axis they are the centred differences, and at s = 1 five are left in the plane."""
    line = lattice_weights(jnp.asarray(s), [0.1], [30])
    assert np.allclose(line, centred_weights(jnp.asarray(2 * s), 30, 0.1), rtol=0, atol=1e-7 * line[0])
    plane = np.asarray(lattice_weights(jnp.asarray(s), [0.1, 0.13], [24, 30]))
    cut = [2 * np.sin(np.pi * np.fft.fftfreq(1024)) / h for h in (0.1, 0.13)]
    symbol = (cut[0][:, None] ** 2 + cut[1][None, :] ** 2) ** s
    # The transform's own error: images 1024 cells away, like |j|^(-2 - 2s).
    assert np.allclose(
        plane, np.fft.ifft2(symbol).real[:24, :30], rtol=0, atol=1024 ** (-2 - 2 * s) * symbol.max()
    )
    if s == 1:
        assert np.allclose(plane[:2, :2], [[200 + 2 / 0.13**2, -1 / 0.13**2], [-100, 0]], rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("axes", "counts"), [(PLANE, ("[16, 20]", "[32, 40]")), (SPACE, ("[10, 10, 10]", "[20, 20, 20]"))]
)
def test_caps_of_the_ball(axes: str, counts: tuple[str, str]) -> None:
    """Order 2 where the field is smooth across its edge, in the plane and in space."""
    d = axes.count("in")
    errors: dict[float, list[float]] = {0.25: [], 0.75: []}
    for n in counts:
        solver = solver_of(axes, n, f"max(1 - x^2 - y^2{' - z^2' * (d == 3)}, 0)^4")
        square = radius(solver)
        for s, found in errors.items():
            rate = np.asarray(solver.rhs(0.0, solver.initial(), {"s": s})[0])
            inside = square < 0.9
            exact = cap(s, 4, d, square[inside])
            found.append(float(np.abs(rate[inside] + exact).max() / np.abs(exact).max()))
    for found in errors.values():
        assert found[-1] < 0.03
        assert log2(found[0] / found[1]) == pytest.approx(2, abs=0.15)


@pytest.fixture(scope="module")
def dense() -> tuple[Solver, np.ndarray]:
    """A small plane and the operator as a matrix on its inner nodes."""
    solver = solver_of(PLANE, "[8, 10]", "cos(pi*x/2)*(1 + x)", 0.7)
    shape = solver.plan.shape
    every = jnp.eye(shape[0] * shape[1]).reshape(-1, *shape)
    rates = jax.jit(jax.vmap(lambda e: -solver.rhs(0.0, (e,), {})[0]))(every)
    inner = np.zeros(shape, bool)
    inner[1:-1, 1:-1] = True
    matrix = np.asarray(rates).reshape(len(every), -1)[np.ix_(inner.ravel(), inner.ravel())]
    return solver, matrix


def test_the_matrix_is_symmetric_and_positive(dense: tuple[Solver, np.ndarray]) -> None:
    _, matrix = dense
    assert np.allclose(matrix, matrix.T, rtol=0, atol=1e-12 * matrix.max())
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_rest_in_the_plane(dense: tuple[Solver, np.ndarray]) -> None:
    """The preconditioned iteration against a dense solve, with a reaction that varies."""
    equation = "fraclap(u, s, kind=integral) + (1 + x)*u = exp(y)"
    text = SPEC.format(axes=PLANE, time="", s=0.7, equation=equation, initial="", n="[8, 10]", solve="")
    made = parse(text).compile()
    assert isinstance(made, SteadySolver)
    x, y = np.meshgrid(np.linspace(-1, 1, 9)[1:-1], np.linspace(-1.25, 1.25, 11)[1:-1], indexing="ij")
    wanted = np.linalg.solve(dense[1] + np.diag(1 + x.ravel()), np.exp(y.ravel())).reshape(x.shape)
    assert np.allclose(made.solve().fields["u"][1:-1, 1:-1], wanted, rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["tol = 1e-8; step = dopri5", "dt = 0.0025; step = imex"])
def test_decay_in_the_plane(dense: tuple[Solver, np.ndarray], step: str) -> None:
    """Explicit and implicit steps against the exponential of the matrix."""
    matrix = dense[1]
    solver = solver_of(PLANE, "[8, 10]", "cos(pi*x/2)*(1 + x)*cos(pi*y/2.5)", 0.7, step)
    start = solver.initial().y[0]
    values, vectors = np.linalg.eigh(matrix)
    inner = vectors @ (np.exp(-0.1 * values) * (vectors.T @ np.asarray(start)[1:-1, 1:-1].ravel()))
    found = np.asarray(solver.solve(save_at=[0.1]).fields["u"][-1])[1:-1, 1:-1]
    assert np.abs(found.ravel() - inner).max() < 2e-5
