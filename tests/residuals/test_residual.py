"""Residuals of networks, straight from the text."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax

BURGERS = """
space {{ x in [0, 2*pi] periodic }}
time {{ t in [0, 2] }}
fields {{ u }}
params {{ {params} }}
equations {{ dt(u) + u*dx(u) = nu*dxx(u) }}
initial {{ u = sin(x) }}
"""


def mlp(inputs: int, outputs: int, seed: int = 0) -> eqx.nn.MLP:
    return eqx.nn.MLP(inputs, outputs, 16, 2, jnp.tanh, key=jax.random.key(seed))


def by_hand(net, nu, points):
    def one(z):
        def u(x, t):
            return net(jnp.stack([x, t]))[0]

        x, t = z
        return jax.grad(u, 1)(x, t) + u(x, t) * jax.grad(u)(x, t) - nu * jax.grad(jax.grad(u))(x, t)

    return jax.vmap(one)(points)


def points(count: int, axes: int, seed: int = 1) -> jax.Array:
    return jax.random.uniform(jax.random.key(seed), (count, axes))


def test_burgers_on_an_equinox_network():
    problem = nablax.parse(BURGERS.format(params="nu = 0.01"))
    net = mlp(2, 1)
    field = nablax.field(problem, net)
    residual = problem.residual(field)
    z = points(32, 2)
    found = jax.jit(residual)(field.params, z)
    assert set(found) == {"equation/u"}
    np.testing.assert_allclose(found["equation/u"], by_hand(net, 0.01, z), rtol=1e-12, atol=1e-13)
    named = residual(field.params, {"x": z[:, 0].reshape(4, 8), "t": z[:, 1].reshape(4, 8)})
    np.testing.assert_allclose(named["equation/u"].ravel(), found["equation/u"], rtol=1e-12, atol=1e-13)


class Linear:
    """A network as flax has them: no parameters inside, `init` makes them, `apply` takes them."""

    def init(self, key, z):
        return {"params": {"kernel": jax.random.normal(key, (z.shape[-1], 1))}}

    def apply(self, variables, z):
        return jnp.sin(z @ variables["params"]["kernel"])


def test_a_network_with_parameters_outside_of_it():
    problem = nablax.parse(BURGERS.format(params="nu = 0.01"))
    net, z = Linear(), points(8, 2)
    variables = net.init(jax.random.key(3), z[0])
    field = nablax.field(problem, net, variables)
    assert field.params is variables
    plain = nablax.field(problem, net.apply, variables)
    found = problem.residual(field)(variables, z)["equation/u"]
    np.testing.assert_array_equal(found, problem.residual(plain)(variables, z)["equation/u"])
    slope = jax.grad(lambda v: (problem.residual(field)(v, z)["equation/u"] ** 2).sum())(variables)
    assert bool(jnp.isfinite(slope["params"]["kernel"]).all())


def test_unknown_parameters_are_leaves():
    problem = nablax.parse(BURGERS.format(params="nu ~ 0.05 in [0, 1]"))
    field = nablax.field(problem, mlp(2, 1))
    residual = problem.residual(field)
    z = points(16, 2)
    assert set(field.params) == {"net", "eq"}

    def loss(params):
        return jnp.mean(residual(params, z)["equation/u"] ** 2)

    slope = jax.grad(loss)(field.params)["eq"]["nu"]
    step = 1e-6
    moved = [
        loss({"net": field.params["net"], "eq": {"nu": field.params["eq"]["nu"] + s}}) for s in (-step, step)
    ]
    np.testing.assert_allclose(slope, (moved[1] - moved[0]) / (2 * step), rtol=1e-6)


def exactly(problem, solution, *axes):
    """A field that is a formula: its residual must vanish."""
    return nablax.field(problem, lambda _, z: jnp.stack(jnp.atleast_1d(jnp.asarray(solution(*z)))), ())


def test_losses_cover_every_statement_of_the_text():
    problem = nablax.load("pde_examples/beam.pde")
    field = exactly(problem, lambda x, t: jnp.sin(jnp.pi * x) * jnp.cos(jnp.pi**2 * t))
    losses = problem.losses(field)
    batch = problem.sample(jax.random.key(0), {"equation": 32, "initial": 8, "boundary": 4})
    found = losses(field.params, batch)
    assert set(found) == {
        "equation/w", "initial/w", "initial/dt(w)",
        "boundary/x=0/1", "boundary/x=0/2", "boundary/x=1/1", "boundary/x=1/2",
    }  # fmt: skip
    assert max(map(float, found.values())) < 1e-20
    shifted = nablax.field(problem, lambda _, z: jnp.stack([jnp.sin(z[0]) + z[1] ** 2]), ())
    wrong = problem.losses(shifted)(shifted.params, batch)
    np.testing.assert_allclose(wrong["boundary/x=1/2"], np.sin(1) ** 2, rtol=1e-12)
    x = np.asarray(batch["equation"]["x"])
    np.testing.assert_allclose(wrong["equation/w"], np.mean((2 + np.sin(x)) ** 2), rtol=1e-12)
    vector = problem.residual_vector(shifted)(shifted.params, batch)
    np.testing.assert_allclose(jnp.sum(vector**2), sum(map(float, wrong.values())), rtol=1e-12)


def test_weights_by_statement_and_by_place():
    problem = nablax.load("pde_examples/beam.pde")
    field = nablax.field(problem, mlp(2, 1))
    losses = problem.losses(field)
    batch = problem.sample(jax.random.key(0), {"equation": 16, "boundary": 4}, "lhs")
    plain = losses(field.params, batch)
    heavy = jnp.linspace(0, 2, 16)
    found = losses(field.params, batch, weights={"equation": heavy, "boundary/x=1/2": 3.0})
    r = problem.residual(field)(field.params, batch["equation"])["equation/w"]
    np.testing.assert_allclose(found["equation/w"], jnp.mean(heavy * r**2), rtol=1e-12)
    np.testing.assert_allclose(found["boundary/x=1/2"], 3 * plain["boundary/x=1/2"], rtol=1e-12)
    np.testing.assert_allclose(found["boundary/x=1/1"], plain["boundary/x=1/1"], rtol=1e-12)
    vector = problem.residual_vector(field)(field.params, batch, {"equation": heavy})
    np.testing.assert_allclose(
        jnp.sum(vector**2),
        sum(map(float, losses(field.params, batch, weights={"equation": heavy}).values())),
        rtol=1e-12,
    )


def test_vectors_constraints_and_names():
    problem = nablax.load("pde_examples/navier_stokes.pde")

    def flow(x, y, t):
        a, b, decay = x - t, y - t / 2, jnp.exp(-0.02 * t)
        u = 1 + jnp.sin(a) * jnp.cos(b) * decay
        v = 0.5 - jnp.cos(a) * jnp.sin(b) * decay
        return jnp.stack([u, v, (jnp.cos(2 * a) + jnp.cos(2 * b)) / 4 * decay**2])

    field = exactly(problem, flow)
    found = problem.residual(field)(field.params, points(20, 3))
    assert {name: r.shape for name, r in found.items()} == {
        "equation/momentum": (20, 2),
        "equation/mass": (20,),
    }
    assert max(float(jnp.abs(r).max()) for r in found.values()) < 1e-13
    batch = problem.sample(jax.random.key(1), {"equation": 8, "initial": 8}, "sobol")
    assert max(map(float, problem.losses(field)(field.params, batch).values())) < 1e-25


def test_complex_fields_as_two_outputs_or_one_complex_output():
    problem = nablax.load("pde_examples/schrodinger.pde")

    def soliton(x, t):
        s = x + 2.5 - t / 2
        phase = x / 2 + 0.75 * t / 2
        return jax.lax.complex(jnp.cos(phase) / jnp.cosh(s), jnp.sin(phase) / jnp.cosh(s))

    whole = exactly(problem, soliton)
    halves = exactly(problem, lambda x, t: jnp.stack([soliton(x, t).real, soliton(x, t).imag]))
    for field in (whole, halves):
        found = problem.residual(field)(field.params, points(16, 2))["equation/psi"]
        assert jnp.iscomplexobj(found)
        assert float(jnp.abs(found).max()) < 1e-13
    assert problem.residual_vector(whole)(whole.params, {"equation": points(16, 2)}).shape == (32,)


def test_polar_coordinates_and_steady_problems():
    problem = nablax.parse(
        "space polar { r in [1, 2]; theta in [0, 2*pi] periodic }\nfields { u }\n"
        "equations { laplacian(u) = 4 }\nboundary { r = 1: u = 1; r = 2: u = 4 + cos(theta)*0 }\n"
    )
    field = exactly(problem, lambda r, theta: r**2)
    z = points(10, 2) + jnp.array([[1.0, 0.0]])
    assert float(jnp.abs(problem.residual(field)(field.params, z)["equation/u"]).max()) < 1e-12
    batch = problem.sample(jax.random.key(0), {"boundary": 5}, "grid")
    assert set(batch) == {"boundary/r=1", "boundary/r=2"}
    assert max(map(float, problem.losses(field)(field.params, batch).values())) < 1e-25


@pytest.mark.parametrize(
    ("equation", "value"),
    [
        ("where(laplacian(u) > 0, 1, 0) + u", 2.0),
        ("laplacian(u) + where(dxx(u) > 0, 10, 0)", 4.0),
        ("laplacian(u) + where(dxx(u) > 0, laplacian(u), 0)", 4.0),
        ("laplacian(u) + floor(dyy(u)/4)", 5.0),
        ("laplacian(u) + sign(dxx(u))", 3.0),
    ],
)
def test_conditions_on_derivatives(equation, value):
    spec = "space { x in [0, 1]; y in [0, 1] } fields { u } boundary { all: u = 0 }"
    problem = nablax.parse(f"{spec} equations {{ {equation} = 0 }}")
    field = nablax.field(problem, lambda _, z: (3 * z[1] ** 2 - z[0] ** 2 - 1)[None], ())  # u_xx + u_yy = 4
    at = jnp.array([[1.0, 1.0]])
    for how in ("exact", "nested"):
        assert jnp.allclose(problem.residual(field, how)((), at)["equation/u"], value)


def test_table_of_derivatives():
    problem = nablax.load("pde_examples/burgers.pde")
    field = exactly(problem, lambda x, t: jnp.sin(x) * t**2)
    z = points(6, 2)
    x, t = z.T
    found = problem.derivatives(field)(field.params, z)
    assert set(found) == {"u", "dx(u)", "dxx(u)", "dt(u)"}
    np.testing.assert_allclose(found["dt(u)"], 2 * t * jnp.sin(x), rtol=1e-12)
    more = problem.derivatives(field, ["dxxxt(u)"])(field.params, z)
    np.testing.assert_allclose(more["dxxxt(u)"], -2 * t * jnp.cos(x), rtol=1e-12)


def test_unknown_fields_are_networks_of_their_own():
    problem = nablax.parse(
        "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\nparams { C(x) ~ 0.5 in [0.1, 2] }\n"
        "equations { dt(u) = dx(C*dx(u)) }\ninitial { u = x }\n"
        "boundary { x = 0: u = 0; x = 1: C(x)*dx(u) = 1 }"
    )
    start = nablax.field(problem, lambda _, z: z[:1] ** 2, (), {"C": lambda _, x: 0 * x[0]})
    z = points(8, 2)
    np.testing.assert_allclose(problem.residual(start)(start.params, z)["equation/u"], -1.0, rtol=1e-12)
    inner = eqx.nn.MLP(1, "scalar", 8, 1, jnp.tanh, key=jax.random.key(3))
    field = nablax.field(problem, lambda _, z: z[:1] ** 2, (), {"C": inner})

    def coefficient(x):
        share = 0.4 / 1.9
        return 0.1 + 1.9 * jax.nn.sigmoid(inner(x[None]) + jnp.log(share / (1 - share)))

    expected = -jax.vmap(jax.grad(lambda x: coefficient(x) * 2 * x))(z[:, 0])
    found = problem.residual(field)(field.params, z)["equation/u"]
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    assert set(field.params["eq"]) == {"C"}
    wall = problem.losses(field)(field.params, {"boundary/x=1": jnp.array([[1.0, 0.5]])})
    flux = 2 * coefficient(jnp.asarray(1.0)) - 1
    np.testing.assert_allclose(wall["boundary/x=1/1"], flux**2, rtol=1e-12)
    problem.compile(n=16)  # the solver takes the start value


FAMILY = """
space {{ x[1..{n}] in [-1, 1] }}
{time}
fields {{ u }}
let {{ r2 = sum(x[k]^2, k); exact = (1 - r2/{n})*sin(sum(x[k], k)/5) }}
equations {{ {equation} }}
{conditions}
"""


def test_families_of_axes_against_axes_by_name():
    equation = "laplacian(u) + u - u^3 + sum(x[k]*d(u, x[k])^2, k) = laplacian(exact) + exact*x[2]"
    family = nablax.parse(
        FAMILY.format(n=3, time="", equation=equation, conditions="boundary { all: u = exact }")
    )
    named = nablax.parse(
        "space { x in [-1, 1]; y in [-1, 1]; z in [-1, 1] }\nfields { u }\n"
        "let { exact = (1 - (x^2 + y^2 + z^2)/3)*sin((x + y + z)/5) }\n"
        "equations { laplacian(u) + u - u^3 + x*dx(u)^2 + y*dy(u)^2 + z*dz(u)^2 =\n"
        "            laplacian(exact) + exact*y }\n"
        "boundary { all: u = exact }"
    )
    net = mlp(3, 1)
    z = 2 * points(7, 3) - 1
    found, expected = (
        p.residual(net_field)(net_field.params, z)["equation/u"]
        for p, net_field in ((p, nablax.field(p, net)) for p in (family, named))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    batch = family.sample(jax.random.key(0), {"equation": 4, "boundary": 6})
    assert batch["boundary/x=1"]["x"].shape == (6, 3)
    assert bool((batch["boundary/x=1"]["x"].max(axis=1) == 1).all())
    field = nablax.field(family, net)
    assert set(family.losses(field)(field.params, batch)) == {
        "equation/u", "boundary/x=-1/1", "boundary/x=1/1"
    }  # fmt: skip


def test_exact_solution_in_a_hundred_dimensions():
    problem = nablax.parse(
        FAMILY.format(
            n=100,
            time="",
            equation="laplacian(u) + u - u^3 = laplacian(exact) + exact - exact^3",
            conditions="boundary { all: u = exact }",
        )
    )
    field = nablax.field(
        problem, lambda _, x: ((1 - jnp.sum(x**2) / 100) * jnp.sin(jnp.sum(x) / 5))[None], ()
    )
    z = 2 * points(5, 100) - 1
    assert float(jnp.abs(problem.residual(field)(field.params, z)["equation/u"]).max()) < 1e-12
