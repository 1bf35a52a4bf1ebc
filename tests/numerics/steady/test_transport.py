"""Steady equations of first order between walls, against exact solutions."""

from collections.abc import Callable

import jax
import numpy as np
import pytest

from nablax import parse
from nablax.backends.steady import SteadySolver
from nablax.frontend.parser import read_source
from nablax.pipeline import run_stages

pytestmark = pytest.mark.brief

LINE = """
space { x in [0, 1] }
fields { u }
params { c = 1 }
equations { c*dx(u) + u = c*5*cos(5*x) + sin(5*x) }
boundary { x = 0: u = 0 }
"""
PLANE = """
space { x in [0, 1]; y in [0, 1] }
fields { u; v }
let { a = sin(2*x + y); b = cos(x - y) }
equations {
  (1 + y)*dx(u) + 2*dy(u) + v = (1 + y)*dx(a) + 2*dy(a) + b
  dx(v) - (1 + x^2)*dy(v) - u*v = dx(b) - (1 + x^2)*dy(b) - a*b
}
boundary { x = 0: u = a, v = b; y = 0: u = a; y = 1: v = b }
initial { u = 1; v = 1 }
"""
BURGERS = """
space { x in [0, 1]; y in [0, 2*pi] periodic }
fields { u }
let { a = 2 + sin(x + y)/2 }
equations { u*dx(u) + dy(u) = a*dx(a) + dy(a) }
boundary { x = 0: u = a }
initial { u = 2 }
"""


def solver(text: str, **options: object) -> SteadySolver:
    made = parse(text).compile(**options)
    assert isinstance(made, SteadySolver)
    return made


def error(made: SteadySolver, *exact: Callable[..., np.ndarray]) -> float:
    """The largest error at the nodes, over the fields in turn."""
    lines = [a.lower + a.spacing * np.arange(a.points) for a in made.plan.grid]
    grids = np.meshgrid(*lines, indexing="ij")
    found = made.solve().fields.values()
    return max(float(np.max(np.abs(np.asarray(f) - e(*grids)))) for f, e in zip(found, exact, strict=True))


@pytest.mark.parametrize(
    ("order", "n", "end"),
    [(2, 40, "0: u = 0"), (4, 40, "1: u = sin(5)"), (6, 32, "0: u = 0"), (8, 32, "1: u = sin(5)")],
)
def test_orders_up_to_the_wall(order: int, n: int, end: str) -> None:
    """With the condition at either end: a characteristic can be followed both ways."""
    text = LINE.replace("0: u = 0", end)
    errors = [error(solver(text, n=m, order=order), lambda x: np.sin(5 * x)) for m in (n, 2 * n)]
    assert np.log2(errors[0] / errors[1]) > order - 0.4


@pytest.mark.slow
def test_two_fields_that_are_carried_different_ways() -> None:
    exact = (lambda x, y: np.sin(2 * x + y), lambda x, y: np.cos(x - y))
    errors = [error(solver(PLANE, n=n, order=4), *exact) for n in (10, 20)]
    assert np.log2(errors[0] / errors[1]) > 3.6


@pytest.mark.slow
def test_a_nonlinear_law() -> None:
    errors = [error(solver(BURGERS, n=n, order=4), lambda x, y: 2 + np.sin(x + y) / 2) for n in (12, 24)]
    assert np.log2(errors[0] / errors[1]) > 3.6


def test_derivatives_and_members() -> None:
    made = solver(LINE, n=24)

    def total(c: jax.Array) -> jax.Array:
        return (made.solve({"c": c}).fields["u"] ** 2).mean()

    at, step = 1.3, 1e-4
    numeric = (total(at + step) - total(at - step)) / (2 * step)
    assert float(jax.grad(total)(at)) == pytest.approx(float(numeric), rel=1e-6)
    several = jax.vmap(total)(np.array([0.5, at]))
    assert float(several[1]) == pytest.approx(float(total(at)), rel=1e-10)


def test_complex_fields() -> None:
    text = """
    space { x in [0, 1] }
    fields { u: complex }
    equations { dx(u) = 3*i*u }
    boundary { x = 0: u = 1 }
    solve { n = 32 }
    """
    assert error(solver(text), lambda x: np.exp(3j * x)) < 2e-5


@pytest.mark.parametrize(
    ("conditions", "codes"),
    [
        ("x = 0: u = 1; y = 0: u = 1", []),
        ("x = 1: u = 1; y = 1: u = 1", []),
        ("x = 0: u = 1; y = 1: u = 1", ["P301"]),
        ("x = 0: u = 1", ["P301"]),
        ("x = 0: u = 1; x = 1: u = 1; y = 0: u = 1", ["P301"]),
        ("all: u = 1", ["P301"]),
    ],
)
def test_conditions_stand_on_one_end_of_the_characteristics(conditions: str, codes: list[str]) -> None:
    text = f"""
    space {{ x in [0, 1]; y in [0, 1] }} fields {{ u }} equations {{ (1 + x)*dx(u) + 2*dy(u) = 0 }}
    boundary {{ {conditions} }} solve {{ n = 12 }}
    """
    assert [d.code for d in run_stages(read_source("spec", text)).report.diagnostics] == codes


@pytest.mark.parametrize(
    ("equation", "condition", "codes"),
    [
        ("x*dx(u) + u = 0", "x = -1: u = 1", ["P313"]),
        ("-x*dx(u) + u = 0", "x = 1: u = 1", ["P313"]),
        ("x^2*dx(u) + u = 0", "x = -1: u = 1", ["P313"]),
        ("(1 + x)*dx(u) + u = 1", "x = 1: u = 1", []),
        ("(2 + sin(9*x))*dx(u) + u = 1", "x = -1: u = 1", []),
        ("(1 + heaviside(x))*dx(u) = 1", "x = -1: u = 1", ["P424"]),
        ("dx(u) + abs(x)*u = 1", "x = -1: u = 1", []),
    ],
)
def test_speeds_that_turn_and_data_that_jump_are_said(
    equation: str, condition: str, codes: list[str]
) -> None:
    text = (
        f"space {{ x in [-1, 1] }} fields {{ u }} equations {{ {equation} }} boundary {{ {condition} }}\n"
        "solve { n = 12 }"
    )
    assert [d.code for d in run_stages(read_source("spec", text)).report.diagnostics] == codes


@pytest.mark.parametrize(
    ("axes", "equation", "codes"),
    [
        ("x in [0, 1] periodic; y in [0, 1]", "dx(u) = cos(2*pi*x)", ["P326"]),
        ("x in [0, 1] periodic; y in [0, 1]", "dxx(u) = cos(2*pi*x)", ["P326"]),
        ("x in [0, 1] periodic; y in [0, 1]", "dx(u) + u = cos(2*pi*x)", []),
        ("x in [0, 1] periodic; y in [0, 1] periodic", "dx(u) + 2*dy(u) = cos(2*pi*x)", ["P326"]),
        ("x in [0, 1] periodic; y in [0, 1] periodic", "laplacian(u) = cos(2*pi*x)", []),
    ],
)
def test_a_free_function_is_refused(axes: str, equation: str, codes: list[str]) -> None:
    text = f"space {{ {axes} }} fields {{ u }} equations {{ {equation} }} solve {{ n = 12; method = fd }}"
    assert [d.code for d in run_stages(read_source("spec", text)).report.diagnostics] == codes


TWO_POINT = """space { x in [0, 1] } fields { u; v } equations { dx(u) = v; dx(v) = E }
boundary { x = 0: A = 0; x = 1: A = sin(1) }"""


def test_two_conditions_on_one_of_two_coupled_fields() -> None:
    text = TWO_POINT.replace("E", "-u").replace("A", "u")
    errors = [error(solver(text, n=n, order=4), np.sin, np.cos) for n in (10, 20)]
    assert np.log2(errors[0] / errors[1]) > 3.6


@pytest.mark.parametrize(
    ("right", "field", "code"), [("-u", "v", "P313"), ("1", "u", "P313"), ("1", "v", "P301")]
)
def test_what_lacks_a_condition_enters_what_has_two(right: str, field: str, code: str) -> None:
    text = TWO_POINT.replace("E", right).replace("A", field)
    assert {d.code for d in run_stages(read_source("spec", text)).report.diagnostics} == {code}
