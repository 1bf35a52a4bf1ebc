"""Functions of the `let` block as arrays on the grid: values, orders off the nodes, derivatives, batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.grid_functions import looked_up
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.grid_functions import GridData
from nablax.plan import GridAxis

pytestmark = pytest.mark.brief

PARTS = {
    "differences": """
space { x in [0, 2] }
time { t in [0, 0.02] }
let { c(x) = 1 + a*x^2 }
equations { dt(u) = dx(c(x)*dx(u)) - u^3 }
boundary { x = 0: u = 0; x = 2: c(x)*dn(u) = -u }
initial { u = sin(pi*x/2) }
solve { n = 12; order = 4; step = rk4; dt = 1e-3 }
""",
    "implicit differences": """
space { x in [0, 2] }
time { t in [0, 0.02] }
let { c = 1 + a*x^2 }
equations { dt(u) = dx(c*dx(u)) }
boundary { all: u = 0 }
initial { u = sin(pi*x/2) }
solve { n = 12; step = implicit; dt = 5e-3 }
""",
    "Fourier": """
space { x in [0, 2*pi] periodic }
time { t in [0, 0.2] }
let { c(x) = 1 + a*sin(x) }
equations { dt(u) = dxx(u) - dx(c(x)*u) }
initial { u = cos(x)*c(x) }
solve { n = 32; dt = 0.02 }
""",
    "volumes": """
space { x in [0, 1] periodic }
time { t in [0, 0.02] }
let { c(x) = 1 + a*sin(2*pi*x) }
equations { dt(u) + dx(c(x)*u^2/2) = -c(x)*u }
initial { u = 2 + sin(2*pi*x) }
solve { n = 48; method = fv; order = 2; dt = 2e-3 }
""",
    "steady": """
space { x in [0, 2]; y in [0, 1] }
let { c(x, y) = 1 + a*x^2*y }
equations { 0 = div(c(x, y)*grad(u)) + 1 }
boundary { all: u = 0 }
solve { n = 8 }
""",
    "steady Fourier": """
space { x in [0, 2*pi] periodic }
let { c(x) = (sin(x) + a*cos(x))/3 }
equations { 0 = dxx(u) - u + c(x) - c(x)*u^3 }
solve { n = 16 }
""",
}
LEAST = {"volumes": 2e-3}
"""Where values off the nodes are read, as far as polynomials of order 2 go."""
FAST = ("differences", "Fourier", "steady")
CASES = [pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in PARTS]


def solvers(name: str) -> tuple[Solver | SteadySolver, Solver | SteadySolver]:
    problem = nablax.parse("fields { u }\nparams { a = 0.3 }\n" + PARTS[name])
    return problem.compile(), problem.compile(arrays=["c"])


def values(solver: Solver | SteadySolver, a: float) -> np.ndarray:
    """The definition of the text at the nodes, for another parameter."""
    (data,) = solver.plan.arrays
    lines = [g.first + g.spacing * np.arange(g.points) for g in data.grid]
    places = np.meshgrid(*lines, indexing="ij")
    parameter = next(iter(data.definition.free_symbols - set(data.arguments)))
    known = dict(zip(data.arguments, places, strict=True)) | {parameter: np.asarray(a)}
    from nablax.sampling import sample

    return np.broadcast_to(sample(data.definition, known), data.shape)


def last(solver: Solver | SteadySolver, params: dict) -> jax.Array:
    found = solver.solve(params).fields["u"]
    return found if isinstance(solver, SteadySolver) else found[-1]


@pytest.mark.parametrize("name", CASES)
def test_an_array_in_place_of_a_formula(name: str) -> None:
    """The same fields as the formula gives; another array, batches, and slopes against differences."""
    plain, solver = solvers(name)
    least = LEAST.get(name, 1e-11)
    np.testing.assert_allclose(last(solver, {}), last(plain, {}), atol=least)
    array = jnp.asarray(values(solver, 0.5))
    other = last(plain, {"a": 0.5})
    assert float(jnp.abs(other - last(plain, {})).max()) > 1e-3
    np.testing.assert_allclose(last(solver, {"c": array}), other, atol=least)

    direction = jnp.asarray(np.random.default_rng(1).standard_normal(array.shape))

    def loss(c: jax.Array) -> jax.Array:
        return jnp.sum(last(solver, {"c": c}) ** 2)

    h = 1e-4
    ahead, here, behind = jax.jit(jax.vmap(loss))(
        jnp.stack([array + h * direction, array, array - h * direction])
    )
    assert float(here) == pytest.approx(float(jnp.sum(other**2)), rel=max(1e-9, least))
    slope = float(jnp.vdot(jax.jit(jax.grad(loss))(array), direction))
    assert slope == pytest.approx(float(ahead - behind) / (2 * h), rel=3e-6, abs=1e-8)


@pytest.mark.parametrize("width", [4, 6, 8])
def test_values_and_slopes_between_nodes_have_the_order_of_their_polynomials(width: int) -> None:
    import sympy as sp

    x, y = sp.symbols("x y", real=True)
    errors = []
    for n in (24, 48):
        grid = (GridAxis("x", 0.0, 2 * np.pi, n, True), GridAxis("y", 0.0, 1.0, n, False))
        data = GridData("c", (x, y), sp.S.Zero).on(grid, width)
        lines = [g.first + g.spacing * np.arange(g.points) for g in grid]
        array = jnp.asarray(np.sin(lines[0])[:, None] * np.exp(lines[1])[None, :])
        at = np.linspace(0.1, 6.2, 57)[:, None], np.linspace(0, 1, 41)[None, :]
        exact = np.sin(at[0]) * np.exp(at[1])
        slope = np.cos(at[0]) * np.exp(at[1])
        seen = [looked_up(data, array, at), looked_up(data.slope(0), array, at)]
        traced = jax.jit(lambda u, v, d=data, a=array: looked_up(d, a, [u, v]))(*map(jnp.asarray, at))
        np.testing.assert_allclose(traced, seen[0], atol=1e-13)
        errors.append([np.abs(np.asarray(s) - e).max() for s, e in zip(seen, (exact, slope), strict=True)])
    orders = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert orders[0] > width - 0.5
    assert orders[1] > width - 1.5


def test_four_derivatives_of_an_array_keep_the_order() -> None:
    """The right-hand side is the text's up to terms of the order of the differences."""
    text = """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
let { c(x) = 1 + sin(x) }
equations { dt(u) = -1e-5*dxxxx(c(x)*u) }
initial { u = exp(cos(x)) }
solve { n = 24; method = fd; order = 2; step = rk4; dt = 1e-3 }
"""
    errors = []
    for n in (24, 48):
        problem = nablax.parse(text.replace("24", str(n)))
        plain, solver = problem.compile(), problem.compile(arrays=["c"])
        assert ("arrays", "c") in {(c.what, c.value) for c in solver.plan.choices}
        y = plain.initial().y
        c = list(1 + np.sin(2 * np.pi * np.arange(n) / n))
        (wanted,), (found,) = plain.rhs(0.0, y), solver.rhs(0.0, y, {"c": c})
        errors.append(float(jnp.abs(found - wanted).max() / jnp.abs(wanted).max()))
    assert errors[1] < errors[0] / 3.5 < 0.02, errors
    with pytest.raises(nablax.SpecError, match="`c` is differentiated 4 times along x, and 4 points"):
        nablax.parse(text.replace("24", "4").replace("dxxxx(c(x)*u)", "dx(u) + u*dxxxx(c(x))")).compile(
            arrays=["c"]
        )


def test_an_unknown_field_is_an_argument() -> None:
    solver = nablax.parse(
        "space { x in [0, 1] }\nfields { u }\nparams { C(x) ~ 1 in [0.5, 9] }\n"
        "equations { dx(C*dx(u)) + 1 = 0 }\nboundary { all: u = 0 }\nsolve { n = 32 }"
    ).compile()
    x = np.linspace(0, 1, 33)
    flat = solver.solve().fields["u"]
    np.testing.assert_allclose(flat, x * (1 - x) / 2, atol=1e-12)
    np.testing.assert_allclose(solver.solve({"C": np.full(33, 2.0)}).fields["u"], flat / 2, atol=1e-12)


def test_what_is_no_array_of_the_grid_is_refused_in_words() -> None:
    _, solver = solvers("differences")
    for bad, words in [
        (np.ones(5), r"`c` has the shape \(5,\), and its nodes along x are \(13,\): jax.vmap takes several"),
        (1.0, r"`c` has the shape \(\)"),
        (np.ones(13) * 1j, "`c` holds complex128, and a coefficient is real"),
    ]:
        with pytest.raises(ValueError, match=words):
            solver.solve({"c": bad})
    with pytest.raises(ValueError, match="no parameter is named `b`; there are: `a`, `c`"):
        solver.solve({"b": 1.0})


@pytest.mark.parametrize("given", [{"c": np.ones(13)}, [np.ones(13)]])
def test_values_are_no_names_of_arrays(given: object) -> None:
    problem = nablax.parse("fields { u }\nparams { a = 0.3 }\n" + PARTS["differences"])
    with pytest.raises(TypeError, match="go to solve"):
        problem.compile(arrays=given)


def test_one_name_and_none() -> None:
    problem = nablax.parse("fields { u }\nparams { a = 0.3 }\n" + PARTS["differences"])
    assert [a.name for a in problem.compile(arrays="c").plan.arrays] == ["c"]
    assert not problem.compile(arrays=[]).plan.arrays
