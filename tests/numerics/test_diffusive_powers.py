"""(-div(a grad))^s and Robin walls for the spectral kind: against dense eigenvectors and exact modes."""

from math import log2

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from nablax import parse
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

SPEC = """
space {{ {axes} }}
time {{ t in [0, 0.1] }}
fields {{ u }}
params {{ s = 0.6; q = 2 }}
equations {{ dt(u) = -fraclap(u, {order}, kind=spectral{further}) }}
initial {{ u = {start} }}
boundary {{ {walls} }}
solve {{ n = {n}; {solve} }}
"""
LINE = "x in [0, 1]"
ROBIN = "x = 0: dn(u) + 2*u = 0; x = 1: dn(u) + 3*u = 0"


def solver_of(
    walls: str, n: str, axes: str = LINE, order: str = "s", further: str = "", **parts: str
) -> Solver:
    text = SPEC.format(
        axes=axes, order=order, further=further, walls=walls, n=n,
        start=parts.get("start", "sin(pi*x) + x"), solve=parts.get("solve", ""),
    )  # fmt: skip
    made = parse(text).compile()
    assert isinstance(made, Solver)
    return made


def flux_form(n: int, leaks: tuple[float | None, float | None]) -> tuple[np.ndarray, np.ndarray]:
    """-d/dx (1 + 5 q x²) d/dx on [0, 1], q = 2, and the masses of the nodes; walls that leak κ u, or None for
    the value zero."""
    x, h = np.linspace(0, 1, n + 1), 1 / n
    between = 1 + 10 * ((x[1:] + x[:-1]) / 2) ** 2
    matrix = np.zeros((n + 1, n + 1))
    for i, a in enumerate(between):
        matrix[i : i + 2, i : i + 2] += a / h * np.array([[1, -1], [-1, 1]])
    mass = np.full(n + 1, h)
    mass[[0, -1]] /= 2
    for end, leak in zip((0, -1), leaks, strict=True):
        matrix[end, end] += (1 + 10 * x[end] ** 2) * (leak or 0)
    return matrix, mass


def power(matrix: np.ndarray, mass: np.ndarray, s: float) -> np.ndarray:
    root = np.sqrt(mass)
    values, vectors = np.linalg.eigh(matrix / root[:, None] / root)
    values = np.where(values > 1e-9 * values[-1], values, 0)  # no root of rounding
    return np.asarray((vectors * values**s) @ vectors.T / root[:, None] * root)


@pytest.mark.parametrize(
    ("walls", "leaks"),
    [
        ("all: u = 0", (None, None)),
        ("all: dn(u) = 0", (0, 0)),
        ("x = 0: u = 0; x = 1: dn(u) + q*u = 0", (None, 2)),
    ],
)
def test_variable_coefficients_against_dense_eigenvectors(
    walls: str, leaks: tuple[float | None, float | None]
) -> None:
    solver = solver_of(walls, "32", further=", diffusivity=1 + 5*q*x^2")
    free = slice(int(leaks[0] is None), 33 - int(leaks[1] is None))
    matrix, mass = flux_form(32, leaks)
    start = solver.initial()
    for s in (0.25, 0.6, 0.95):
        found = -np.asarray(solver.rhs(0.0, start, {"s": s})[0])[free]
        exact = power(matrix[free, free], mass[free], s) @ np.asarray(start.y[0])[free]
        assert np.abs(found - exact).max() < 1e-8 * np.abs(exact).max()


@pytest.mark.parametrize("unit", ["1", "1e-8"])
def test_robin_walls_may_leak_next_to_nothing(unit: str) -> None:
    """Whatever leak the poles were made for; the eigenvalues are energies, to keep the least one's digits."""
    solver = solver_of(f"all: dn(u) + {unit}*q*u = 0", "16", further=", diffusivity=1 + 10*x^2")
    start = solver.initial()
    values = np.asarray(start.y[0])
    x = np.linspace(0, 1, 17)
    for leak in (0.0, 1e-8, 1e-5, 0.5):
        matrix, mass = flux_form(16, (leak, leak))
        root = np.sqrt(mass)
        modes = np.linalg.eigh(matrix / root[:, None] / root)[1] / root[:, None]
        within = (16 + 160 * ((x[1:] + x[:-1]) / 2) ** 2) @ np.diff(modes, axis=0) ** 2
        energies = within + leak * (modes[0] ** 2 + 11 * modes[-1] ** 2)
        energies[energies < 1e-20] = 0
        for s in (0.25, 0.6, 0.95):
            numbers = {"s": s, "q": leak / float(unit)}
            found = -np.asarray(solver.rhs(0.0, start, numbers)[0])
            exact = (modes * energies**s) @ modes.T @ (mass * values)
            assert np.abs(found - exact).max() < 1e-8 * np.abs(exact).max()
    even = start._replace(y=(jnp.full_like(start.y[0], 0.3),))
    assert np.abs(np.asarray(solver.rhs(0.0, even, {"q": 0.0})[0])).max() < 1e-13


@pytest.mark.slow
def test_a_number_for_an_order_has_poles_of_its_own_and_parameters_have_slopes() -> None:
    solver = solver_of("all: u = 0", "32", order="0.6", further=", diffusivity=1 + 5*q*x^2")
    start = solver.initial()
    matrix, mass = flux_form(32, (None, None))
    exact = power(matrix[1:-1, 1:-1], mass[1:-1], 0.6) @ np.asarray(start.y[0])[1:-1]
    found = -np.asarray(solver.rhs(0.0, start)[0])[1:-1]
    assert np.abs(found - exact).max() < 1e-10 * np.abs(exact).max()

    def size(q: jax.Array) -> jax.Array:
        return jnp.sum(solver.rhs(0.0, start, {"q": q})[0] ** 2)

    at = jnp.asarray(2.0)
    apart = (float(size(at + 1e-4)) - float(size(at - 1e-4))) / 2e-4
    assert float(jax.grad(size)(at)) == pytest.approx(apart, rel=1e-6)


def test_variable_coefficients_in_the_plane() -> None:
    """Beside a periodic axis each wave along it leaves a problem on a line."""
    solver = solver_of(
        "all: u = 0", "[16, 12]", f"{LINE}; y in [0, 2*pi] periodic", "0.6",
        ", diffusivity=1 + 10*x^2", start="(sin(pi*x) + x*(1 - x))*cos(2*y)",
    )  # fmt: skip
    found = -np.asarray(solver.rhs(0.0, solver.initial())[0])[1:-1, 0]
    matrix, mass = flux_form(16, (None, None))
    x, h = np.linspace(0, 1, 17), 2 * np.pi / 12
    matrix = matrix + np.diag(mass * (1 + 10 * x**2) * (2 * np.sin(h) / h) ** 2)
    start = (np.sin(np.pi * x) + x * (1 - x))[1:-1]
    exact = power(matrix[1:-1, 1:-1], mass[1:-1], 0.6) @ start
    assert np.abs(found - exact).max() < 1e-10 * np.abs(exact).max()


def eigenfunction() -> tuple[float, str]:
    """k of the flattest mode between the walls of `ROBIN`, and the mode."""
    k = float(brentq(lambda k: (k**2 - 6) * np.sin(k) - 5 * k * np.cos(k), 1.5, 2.5))
    return k, f"cos({k!r}*x) + 2/{k!r}*sin({k!r}*x)"


def test_robin_walls_have_eigenfunctions_of_their_own() -> None:
    """(k²)^s on the exact mode, to the order of the differences."""
    k, mode = eigenfunction()
    errors = []
    for n in (16, 32):
        solver = solver_of(ROBIN, str(n), start=mode)
        start = solver.initial()
        rate = np.asarray(solver.rhs(0.0, start)[0])
        errors.append(float(np.abs(rate + k**1.2 * np.asarray(start.y[0])).max()))
    assert errors[-1] < 5e-6
    assert log2(errors[0] / errors[1]) > 3.5


@pytest.mark.slow
@pytest.mark.parametrize("walls", [ROBIN, ROBIN.replace("2*u", "q*u")])
@pytest.mark.parametrize("step", ["dopri5; tol = 1e-9", "imex; dt = 2e-3"])
def test_modes_decay_between_robin_walls(walls: str, step: str) -> None:
    """Also where the condition holds a parameter, and powers come from shifted solves of order 2."""
    k, mode = eigenfunction()
    solver = solver_of(walls, "32", start=mode, solve=f"step = {step}")
    found = np.asarray(solver.solve(save_at=[0.1]).fields["u"][-1])
    exact = np.asarray(solver.initial().y[0]) * np.exp(-0.1 * k**1.2)
    assert np.abs(found - exact).max() < (1e-6 if "2*u" in walls else 2e-3)


@pytest.mark.parametrize("further", [", diffusivity=1 + 10*x^2", ""])
def test_rest(further: str) -> None:
    """(-div(a grad))^s u = f between a Robin wall and one with a value, by the preconditioned iteration."""
    text = f"""
    space {{ x in [0, 1] }}
    fields {{ u }}
    equations {{ fraclap(u, 0.7, kind=spectral{further}) = exp(x) }}
    boundary {{ x = 0: u = 0; x = 1: dn(u) + 3*u = 0 }}
    solve {{ n = 24; order = 2 }}
    """
    made = parse(text).compile()
    assert isinstance(made, SteadySolver)
    found = np.asarray(made.solve().fields["u"])[1:]
    x = np.linspace(0, 1, 25)[1:]
    if further:
        matrix, mass = flux_form(24, (None, 3.0))
        matrix, mass = matrix[1:, 1:], mass[1:]
    else:
        h = 1 / 24
        mass = np.full(24, h)
        mass[-1] = h / 2
        matrix = (2 * np.eye(24) - np.eye(24, k=1) - np.eye(24, k=-1)) / h
        matrix[-1, -1] = 1 / h + 3.0
    exact = np.linalg.solve(power(matrix, mass, 0.7), np.exp(x))
    assert np.abs(found - exact).max() < 1e-8
