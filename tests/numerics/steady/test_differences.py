"""Steady problems by finite differences, against exact solutions."""

from collections.abc import Callable

import jax
import numpy as np
import pytest

from nablax import parse
from nablax.backends.frames import Unsolved
from nablax.backends.steady import SteadySolver


def solver(text: str, **options: object) -> SteadySolver:
    """The solver of a spec, checked for warnings."""
    problem = parse(text)
    assert not problem.warnings
    made = problem.compile(**options)
    assert isinstance(made, SteadySolver)
    return made


def error(made: SteadySolver, exact: Callable[..., np.ndarray]) -> float:
    """The largest error at the nodes of the first field."""
    lines = [a.lower + a.spacing * np.arange(a.points) for a in made.plan.grid]
    found = np.asarray(next(iter(made.solve().fields.values())))
    return float(np.max(np.abs(found - exact(*np.meshgrid(*lines, indexing="ij")))))


MIXED = """
space {{ x in [0, 1]; y in [0, 2] }}
fields {{ u }}
equations {{ laplacian(u) - u = -(1 + 5*pi^2/4)*sin(pi*x/2)*cos(pi*y) }}
boundary {{
  x = 0: u = 0
  x = 1: dn(u) = 0
  y = 0: dn(u) = 0
  y = 2: dn(u) {robin}
}}
solve {{ n = 16 }}
"""
ROBIN = "+ 3*u = 3*sin(pi*x/2)"


def test_linear_problems_are_solved_in_one_step() -> None:
    for robin in ("= 0", ROBIN):
        made = solver(MIXED.format(robin=robin))
        assert error(made, lambda x, y: np.sin(np.pi * x / 2) * np.cos(np.pi * y)) < 1e-3
        residuals = np.asarray(made.solve().residuals)
        assert np.isnan(residuals[2:]).all()
        assert residuals[1] < 1e-10 * residuals[0]


def test_elastic_plate_between_walls_of_two_kinds() -> None:
    """A displacement whose components meet in mixed derivatives, which no modal basis takes."""
    made = solver(
        """
    space { x in [0, 1]; y in [0, 1] }
    fields { U: vector }
    params { lam = 1; mu = 0.5 }
    let { a = sin(pi*x/2)*cos(pi*y); b = sin(pi*x/2)*cos(2*pi*y) }
    equations {
      mu*laplacian(U) + (lam + mu)*grad(div(U)) = mu*laplacian((a, b)) + (lam + mu)*grad(div((a, b)))
    }
    boundary { x = 0: U = (0, 0); x = 1: dn(U) = (0, 0); y = 0: dn(U) = (0, 0); y = 1: dn(U) = (0, 0) }
    """,
        n=16,
        order=4,
    )
    assert error(made, lambda x, y: np.sin(np.pi * x / 2) * np.cos(np.pi * y)) < 6e-4


CUBIC = """
space { x in [0, 1] }
fields { u }
params { a = 1 }
equations { dxx(u) = a*u^3 + 2 - a*(x^2 + 1)^3 }
boundary { x = 0: u = 1; x = 1: dn(u) = 2 }
solve { n = 32 }
"""


def test_newton_converges_quadratically() -> None:
    made = solver(CUBIC)
    assert error(made, lambda x: x**2 + 1) < 1e-9
    residuals = np.asarray(made.solve().residuals)
    steps = residuals[np.isfinite(residuals)]
    assert 3 <= len(steps) <= 9
    assert steps[-1] < 1e-8 * steps[0]


def test_gradients_through_the_solve() -> None:
    made = solver(CUBIC.replace("2 - a*", "3 - a*"))

    def total(a: jax.Array) -> jax.Array:
        return (made.solve({"a": a}).fields["u"] ** 2).mean()

    at, step = 1.3, 1e-4
    numeric = (total(at + step) - total(at - step)) / (2 * step)
    assert float(jax.grad(total)(at)) == pytest.approx(float(numeric), rel=1e-6)
    several = jax.vmap(total)(np.array([0.5, at]))
    assert float(several[1]) == pytest.approx(float(total(at)), rel=1e-10)


def test_what_does_not_converge_is_said() -> None:
    # The Bratu problem has no solution beyond 3.51.
    text = """
    space { x in [0, 1] }
    fields { u }
    params { a = 1 }
    equations { dxx(u) + a*exp(u) = 0 }
    boundary { all: u = 0 }
    solve { n = 32 }
    """
    made = solver(text)
    assert np.asarray(made.solve().fields["u"]).max() == pytest.approx(0.140539, rel=1e-4)
    with pytest.raises(Unsolved):
        made.solve({"a": 4.0})
    assert np.isnan(np.asarray(jax.jit(lambda a: made.solve({"a": a}).fields["u"])(4.0))).all()


RESONANT = """
space { x in [0, 1] }
fields { u }
params { k = 3 }
equations { dxx(u) + k^2*u = 1 }
boundary { all: u = 0 }
solve { n = 1000 }
"""


def test_a_resonance_is_no_solution() -> None:
    # sin(pi x) solves the homogeneous problem at k = pi, and is not orthogonal to the source.
    made = solver(RESONANT)
    middle = (1 / np.cos(1.5) - 1) * -1 / 9
    assert np.asarray(made.solve().fields["u"])[500] == pytest.approx(middle, rel=1e-6)
    with pytest.raises(Unsolved):
        made.solve({"k": np.pi})
    guessed = made.solve(initial={"u": np.asarray(made.solve().fields["u"])})  # leaves rounding only
    assert np.asarray(guessed.fields["u"])[500] == pytest.approx(middle, rel=1e-6)


NEUMANN = """
space { x in [0, 1]; y in [0, 1] }
fields { u }
params { a = 0 }
equations { laplacian(u) = -5*pi^2*cos(pi*x)*cos(2*pi*y) + a }
boundary { all: dn(u) = 0 }
solve { n = 24 }
"""


@pytest.mark.parametrize(
    ("equation", "more", "n", "bound"),
    [("-dxx(u) = pi^2*sin(pi*x)", "", 4096, 1e-5), ("dxxxx(u) = pi^4*sin(pi*x)", ", dxx(u) = 0", 64, 1e-3)],
)
def test_what_rounding_leaves_of_fine_grids_is_no_resonance(
    equation: str, more: str, n: int, bound: float
) -> None:
    made = solver(
        f"""
    space {{ x in [0, 1] }}
    fields {{ u }}
    equations {{ {equation} }}
    boundary {{ all: u = 0{more} }}
    """,
        n=n,
        order=2,
        dtype="float32",
    )
    residuals = np.asarray(made.solve().residuals)
    assert residuals[1] > 1e-2 * residuals[0]
    assert error(made, lambda x: np.sin(np.pi * x)) < bound


def test_a_clamped_beam_of_many_nodes() -> None:
    """Modes do not come near it, and iterations do not end."""
    made = solver(
        """
    space { x in [0, 1] }
    fields { u }
    equations { dxxxx(u) = 1 }
    boundary { all: u = 0, dn(u) = 0 }
    """,
        n=512,
    )
    assert error(made, lambda x: (x * (1 - x)) ** 2 / 24) < 1e-6


def test_a_free_constant_is_fixed_by_the_mean() -> None:
    made = solver(NEUMANN)
    assert any(c.what == "mean of u" and c.value == "0" for c in made.plan.choices)
    assert error(made, lambda x, y: np.cos(np.pi * x) * np.cos(2 * np.pi * y)) < 2e-3
    with pytest.raises(Unsolved) as caught:
        made.solve({"a": 2.0})
    assert caught.value.standstill.kind == "data"
    assert caught.value.standstill.defect == pytest.approx(2.0, rel=1e-3)


def test_there_is_no_time() -> None:
    made = solver(NEUMANN)
    for call in (lambda: made.rhs(0.0, ()), lambda: made.step(()), made.initial):
        with pytest.raises(TypeError, match="steady"):
            call()
