"""Fractional operators in residuals: against their closed forms, through every stage of the compiler."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import beta, gamma

import nablax
from nablax.derivatives import quadrature
from nablax.derivatives.account import account

SPEC = """
space {{ x in [0, 1] {walls} }}
time {{ y in [0, 2] }}
fields {{ u }}
params {{ a {value}; r = 1.5 }}
equations {{ {equation} = 0 }}
initial {{ {starts} }}
{train}
"""
STARTS = ("u = 0", "dy(u) = 0", "dyy(u) = 0")
FUNCTIONS = {
    "y^2": lambda x, y: y**2,
    "1 + y": lambda x, y: 1 + y,
    "exp(-y)": lambda x, y: jnp.exp(-y),
    "x*sin(3*y)": lambda x, y: x * jnp.sin(3 * y),
    "x*sin(2*y)": lambda x, y: x * jnp.sin(2 * y),
    "exp(-y)*y^2": lambda x, y: jnp.exp(-y) * y**2,
    "x^2*y": lambda x, y: x**2 * y,
    "y*(1 - x)^3": lambda x, y: y * (1 - x) ** 3,
    "log(1 + y)": lambda x, y: jnp.log(1 + y),
    "1 + y^0.4*(1 - y) + y": lambda x, y: 1 + y**0.4 * (1 - y) + y,
    "(1 + y)^2": lambda x, y: (1 + y) ** 2,
}
POINTS = np.stack([np.linspace(0.05, 0.95, 11), np.linspace(0.05, 2, 11)], axis=1)


def of_equation(equation, value="= 0.6", train="", starts=1):
    """A problem of order `starts` in y; x has walls where the equation looks back along it."""
    walls = "" if ", x, " in equation else "periodic"
    if not walls:
        train += "\nboundary { all: u = 0 }"
    given = "; ".join(STARTS[:starts])
    return nablax.parse(SPEC.format(equation=equation, value=value, train=train, starts=given, walls=walls))


def residual_of(problem, function, points=POINTS, dtype=jnp.float64):
    field = nablax.field(problem, lambda _, z: function(*z)[None], ())
    return jax.jit(problem.residual(field))(field.params, jnp.asarray(points, dtype))["equation/u"]


@pytest.mark.parametrize(
    ("operator", "operand", "tolerance"),
    [
        ("caputo({}, y, a)", "y^2", 1e-12),
        ("caputo({}, y, a)", "exp(-y)", 1e-12),
        ("caputo({}, y, 1.4)", "x*sin(3*y)", 1e-11),
        ("caputo({}, y, 2.3)", "exp(-y)", 1e-11),
        ("rl({}, y, a)", "exp(-y)", 1e-11),
        ("rl({}, y, 1.7)", "1 + y", 1e-12),
        ("rl({}, x, 1.6, side=right)", "y*(1 - x)^3", 1e-12),
        ("rl({}, y, a, base=0)", "x^2*y", 1e-12),
        ("gl({}, y, a)", "1 + y", 1e-12),
        ("fracint({}, y, a)", "exp(-y)", 1e-12),
        ("tempered({}, y, a, r)", "exp(-y)*y^2", 1e-10),
        ("tempered({}, y, 1.5, r, normalised=yes)", "exp(-y)*y^2", 1e-10),
        ("vocaputo({}, y, (1 + y)/4)", "y^2", 1e-12),
        ("distcaputo({}, y, 3, 0, 1)", "y^2", 1e-11),
        ("psicaputo({}, y, a, y^2)", "y^2", 1e-12),
        ("cf({}, y, a)", "y^2", 1e-10),
        ("abc({}, y, a)", "y^2", 1e-10),
    ],
)
def test_operators_of_fields_equal_their_closed_forms(operator, operand, tolerance):
    """The same operator of the unknown and of the known expression that the unknown is."""
    equation = f"{operator.format('u')} + dy(u) - {operator.format(operand)} - dy({operand})"
    starts = 3 if "2.3" in operator else 2 if "y, 1." in operator else 1
    found = residual_of(of_equation(equation, starts=starts), FUNCTIONS[operand])
    assert float(jnp.abs(found).max()) < tolerance


@pytest.mark.parametrize("operator", ["caputo({}, y, a)", "tempered({}, y, a, r)"])
def test_the_form_with_slopes_on_request(operator):
    operand = "exp(-y)*y^2"
    equation = f"{operator.format('u')} + dy(u) - {operator.format(operand)} - dy({operand})"
    problem = of_equation(equation, train="train { quadrature = slope(14) }")
    assert float(jnp.abs(residual_of(problem, FUNCTIONS[operand])).max()) < 1e-11


@pytest.mark.parametrize("order", [0.2, 0.8, 0.95])
def test_single_precision_needs_few_nodes(order):
    """Relative to the size of the operator: 1e-5 with five nodes, the base and the point itself."""
    problem = of_equation(f"caputo(u, y, {order}) + dx(u)")
    net = FUNCTIONS["x*sin(2*y)"]
    points = np.random.default_rng(0).uniform([0, 0], [1, 2], (256, 2))
    single = residual_of(problem, net, points, jnp.float32)
    double = residual_of(problem, net, points)
    assert single.dtype == jnp.float32
    apart = np.asarray(single, float) - np.asarray(double)
    assert np.sqrt(np.mean(apart**2) / np.mean(np.asarray(double) ** 2)) < 1e-5


@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.float64, 1e-8), (jnp.float32, 2e-6)])
def test_a_field_that_starts_like_a_fractional_power(dtype, tolerance):
    """u0 + t^α N1 + t N2: graded nodes are as good at every distance from the start, from 1e-5 on; even
    ones leave an error of a part in a hundred there."""
    operand = "1 + y^0.4*(1 - y) + y"
    equation = f"caputo(u, y, 0.4) - caputo({operand}, y, 0.4)"
    points = np.stack([np.zeros(7), np.geomspace(1e-5, 2, 7)], axis=1)
    found = []
    for train in ("train { quadrature = graded(24) }", ""):
        left = residual_of(of_equation(equation, train=train), FUNCTIONS[operand], points, dtype)
        found.append(float(jnp.abs(left).max()))
    assert found[0] < tolerance
    assert found[1] > 5e-3


def test_points_on_the_base_are_finite_with_finite_gradients():
    problem = of_equation("caputo(u, y, a) - caputo(u, x, 1.5)", "~ 0.6 in [0.2, 0.9]")
    field = nablax.field(
        problem, lambda w, z: jnp.sin(w.astype(z.dtype) * z[0] * z[1] + z[1])[None], jnp.ones(())
    )
    residual = problem.residual(field)
    for dtype in (jnp.float32, jnp.float64):
        params = jax.tree.map(lambda leaf: leaf.astype(dtype), field.params)  # noqa: B023
        points = jnp.zeros((2, 2), dtype)
        total = jax.jit(jax.value_and_grad(lambda p, z: residual(p, z)["equation/u"].sum()))
        values, slope = total(params, points)
        assert abs(float(values)) < 2e-2
        assert all(bool(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(slope))


@pytest.mark.parametrize(
    "operator", ["caputo({}, y, a)", "rl({}, y, 1 + a)", "fracint({}, y, a)", "tempered({}, y, a, r)"]
)
def test_an_unknown_order_is_a_leaf(operator):
    """The value at any order, and the slope in the order by central differences."""
    equation, starts = f"{operator.format('u')} + dy(u)", 2 if "1 + a" in operator else 1
    problem = of_equation(equation, "~ 0.5 in [0.1, 0.9]", starts=starts)
    field = nablax.field(problem, lambda _, z: jnp.exp(-z[1])[None], ())
    residual = problem.residual(field)

    @jax.jit
    def total(order):
        return residual({"net": (), "eq": {"a": order}}, POINTS)["equation/u"]

    expected = residual_of(of_equation(equation, "= 0.75", starts=starts), FUNCTIONS["exp(-y)"])
    np.testing.assert_allclose(total(0.75), expected, rtol=1e-9, atol=1e-9)
    step = 1e-4
    numeric = (total(0.6 + step) - total(0.6 - step)) / (2 * step)
    np.testing.assert_allclose(jax.jacrev(total)(0.6), numeric, rtol=1e-5, atol=1e-6)


def test_orders_beside_each_other_and_beside_high_derivatives():
    """Several orders read one set of values; integer terms of fourth order stand in the same residual."""
    operand = "x*sin(3*y)"
    terms = "dy({0}) + caputo({0}, y, 0.3) + 2*caputo({0}, y, 0.7)*u + dxxxx({0}) + dxxy({0})"
    terms += " + caputo(dx({0}), y, a)"
    problem = of_equation(f"{terms.format('u')} - ({terms.format(operand).replace('*u', f'*{operand}')})")
    assert float(jnp.abs(residual_of(problem, FUNCTIONS[operand])).max()) < 1e-11
    places = problem.residual(nablax.field(problem, lambda _, z: z[:1], ())).evaluation.remote
    along = [g.place for g in places if g.place.nodes]
    assert len(along) == 1


def test_relaxation_in_time_with_initial_values():
    """caputo(u, t, α) = -u + source with u = 1 + t², whose derivative is 2 t^(2-α)/Γ(3-α)."""
    problem = nablax.parse(
        "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\nparams { a ~ 0.4 in [0.1, 0.9] }\n"
        "equations { caputo(u, t, a) = -u + 1 + t^2 + 2*t^(2 - a)/gamma(3 - a) + dxx(u) }\n"
        "initial { u = 1 }\nboundary { all: u = 1 + t^2 }"
    )
    field = nablax.field(problem, lambda _, z: (1 + z[1] ** 2)[None], ())
    losses = problem.losses(field)
    batch = problem.sample(jax.random.key(0), {"equation": 32, "initial": 8, "boundary": 8})
    for name, loss in losses(field.params, batch).items():
        assert float(loss) < 1e-13, name


def test_the_account_says_where_a_residual_looks_back():
    lines = list(account(of_equation("rl(u, y, a) + dx(u)").system))
    assert "  at 12 points back along y, nested forward mode: 2 vectors, 0 products" in lines
    assert "  once at the base along y, nested forward mode: 1 vector, 0 products" in lines


def test_moments_of_polynomials_are_exact():
    for exponent in (-0.9, -0.3, 0.0, 0.4, 1.7):
        nodes = quadrature.Nodes(quadrature.nodes(6, exponent))
        for other in (exponent, -0.5, 0.8):
            weights = quadrature.weights(nodes, other)
            highest = 12 if other == exponent else 6
            for k in range(highest):
                assert weights @ nodes.shares**k == pytest.approx(1 / (k + other + 1), rel=1e-12)


def test_bad_quadrature_is_said():
    problem = of_equation("caputo(u, y, a) - u", train="train { quadrature = trapezoid(3) }")
    field = nablax.field(problem, lambda _, z: z[:1], ())
    with pytest.raises(ValueError, match="quotient"):
        problem.residual(field)


def test_graded_nodes_follow_fractional_powers_at_the_base():
    """∫ τ^(-1/2) (1 - τ)^(3/4) dτ is a Beta function."""
    nodes = quadrature.Nodes(quadrature.nodes(12, -0.5), 4)
    found = quadrature.weights(nodes, -0.5) @ (1 - nodes.shares) ** 0.75
    assert found == pytest.approx(float(beta(0.5, 1.75)), rel=1e-8)


@pytest.mark.parametrize("order", [0.6, 1.0, 1.8])
@pytest.mark.parametrize("term", ["fraclap(u, a/2, kind=integral)", "-riesz(u, x, a)"])
def test_the_integral_laplacian_between_walls(term, order):
    """(1 - x²)^(1 + α/2) has a polynomial for its image (B. Dyda, Fract. Calc. Appl. Anal. 15 (2012) 536)."""
    problem = nablax.parse(
        f"space {{ x in [-1, 1] }}\nfields {{ u }}\nparams {{ a = {order} }}\n"
        f"equations {{ {term} = 0 }}\nboundary {{ all: u = 0 }}"
    )
    field = nablax.field(problem, lambda _, z: (1 - z**2) ** (1 + order / 2), ())
    x = np.linspace(-0.9, 0.9, 7)
    found = jax.jit(problem.residual(field))((), x[:, None])["equation/u"]
    scale = gamma(order + 1) * (1 + order / 2)
    np.testing.assert_allclose(found, scale * (1 - (1 + order) * x**2), atol=1e-10 * scale)


@pytest.mark.parametrize("given", ["a = 0.6", "a = 0.3; b = gamma(1 + a)"])
def test_points_in_single_precision_with_orders_that_are_fixed_parameters(given: str) -> None:
    """Their residuals are as narrow as the points on a host that is wide and promotes strictly."""
    problem = nablax.parse(
        "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
        f"params {{ {given} }}\nequations {{ caputo(u, t, a) = {'b*' if 'b' in given else ''}dxx(u) }}\n"
        "initial { u = sin(2*pi*x) }\n"
    )
    residual = problem.residual(
        nablax.field(problem, lambda p, z: jnp.sin(2 * jnp.pi * z[:1] * p) * jnp.exp(-z[1:]))
    )
    found = {}
    for kind in (jnp.float32, jnp.float64):
        points = {name: jnp.linspace(0.1, 0.9, 5, dtype=kind) for name in ("x", "t")}
        (found[kind],) = residual(kind(1), points).values()
        assert found[kind].dtype == kind
    wide = np.asarray(found[jnp.float64])
    assert np.max(np.abs(np.asarray(found[jnp.float32]) - wide)) < 1e-4 * np.max(np.abs(wide))
