"""What does not fit is said in words."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import nablax
from nablax.frontend.source import read_source
from nablax.pipeline import check

INVERSE = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { D ~ 0.1 in [1e-3, 1]; r ~ 0.5 in [0, 5] }
equations { dt(u) = D*dxx(u) - r*u }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
data { sensors = csv("sensors.csv", at=[x, t], value=u, sigma=0.5) }
"""


def mlp(inputs, outputs):
    return eqx.nn.MLP(inputs, outputs, 8, 1, jnp.tanh, key=jax.random.key(0))


@pytest.fixture
def burgers():
    return nablax.load("pde_examples/burgers.pde")


def residual(problem, net):
    field = nablax.field(problem, net)
    return lambda points: problem.residual(field)(field.params, points)


def test_number_of_outputs(burgers):
    with pytest.raises(ValueError, match="the network has 2 outputs, and u need 1"):
        residual(burgers, mlp(2, 2))(jnp.ones((4, 2)))


def test_complex_components_need_two_real_outputs():
    problem = nablax.load("pde_examples/schrodinger.pde")
    with pytest.raises(ValueError, match="psi need 2 \\(two for each complex component\\)"):
        residual(problem, mlp(2, 1))(jnp.ones((4, 2)))


def test_network_of_another_number_of_inputs(burgers):
    with pytest.raises(ValueError, match=r"cannot be called with one point of shape \[2\], \(x, t\)"):
        residual(burgers, mlp(3, 1))(jnp.ones((4, 2)))


def test_networks_are_tried_when_they_are_tied_to_a_problem(burgers):
    with pytest.raises(ValueError, match=r"cannot be called with one point of shape \[2\], \(x, t\)"):
        nablax.field(burgers, mlp(3, 1))
    with pytest.raises(ValueError, match="the network has 2 outputs, and u need 1"):
        burgers.hard(mlp(2, 2))
    text = INVERSE.replace("D ~ 0.1 in [1e-3, 1]", "D(x) ~ 0.1 in [1e-3, 1]")
    problem = nablax.parse("".join(line for line in text.splitlines(True) if "data" not in line))
    with pytest.raises(ValueError, match=r"the network of D maps one point to an array of shape \[2\]"):
        nablax.field(problem, mlp(2, 1), coefficients={"D": mlp(1, 2)})


@pytest.mark.parametrize("key", [0, None, jnp.zeros(3), jax.random.split(jax.random.key(0), 2)])
def test_what_is_no_key(burgers, key):
    for draw in (burgers.network, lambda k: burgers.sample(k, {"equation": 4})):
        with pytest.raises(ValueError, match=r"a key is (one )?`jax.random.key\(seed\)`, and this is"):
            draw(key)
    burgers.network(jax.random.PRNGKey(0), "mlp(width=4, depth=1)")


def test_short_forms(burgers):
    field = burgers.hard(mlp(2, 1))
    assert repr(field) == "<Field u(x, t), 33 parameters; exact: initial/u>"
    assert repr(burgers.losses(field)) == f"<Losses equation/u of {field!r}>"


def test_a_network_that_batches(burgers):
    with pytest.raises(ValueError, match="batching is not its task"):
        residual(burgers, lambda _, z: jnp.ones((5, 1)) * z[0])(jnp.ones((4, 2)))


def test_points_outside(burgers):
    ask = residual(burgers, mlp(2, 1))
    with pytest.raises(ValueError, match=r"outside the domain: t = 3 is not in \[0, 2\]"):
        ask(jnp.array([[0.5, 1.0], [0.5, 3.0]]))
    ask(jnp.array([[-7.0, 1.0]]))  # x is periodic
    jax.jit(ask)(jnp.array([[0.5, 3.0]]))  # values of a traced array are not looked at


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (jnp.ones((4, 3)), r"\[\.\.\., 2\]"),
        ({"x": jnp.ones(4)}, "coordinates x, t, and x are given"),
        ({"x": jnp.ones(4), "t": jnp.ones(5)}, r"different shapes: x: \[4\], t: \[5\]"),
    ],
)
def test_shapes_of_points(burgers, points, words):
    with pytest.raises(ValueError, match=words):
        residual(burgers, mlp(2, 1))(points)


def test_points_off_the_wall():
    problem = nablax.load("pde_examples/beam.pde")
    field = nablax.field(problem, mlp(2, 1))
    with pytest.raises(ValueError, match=r"points of `boundary/x=1` have x = 1, and some are 0\.5 away"):
        problem.losses(field)(field.params, {"boundary/x=1": jnp.array([[0.5, 0.1]])})
    with pytest.raises(ValueError, match="`wall`, and the places are equation, initial, boundary/x=0"):
        problem.losses(field)(field.params, {"wall": jnp.array([[0.5, 0.1]])})
    with pytest.raises(ValueError, match="`halton` is no method of sampling: uniform, lhs, sobol, grid"):
        problem.sample(jax.random.key(0), {"equation": 4}, "halton")
    with pytest.raises(ValueError, match="`start` is no place of this problem"):
        problem.sample(jax.random.key(0), {"start": 4})
    for count in (-3, 2.5, 2**31):
        with pytest.raises(ValueError, match=f"whole, from 0 to 2\\^31 - 1, and this is `{count}`"):
            problem.sample(jax.random.key(0), {"equation": count})
    assert problem.sample(jax.random.key(0), {"equation": 0}, "grid")["equation"]["x"].shape == (0,)


def test_weights_of_another_shape(burgers):
    field = nablax.field(burgers, mlp(2, 1))
    with pytest.raises(ValueError, match=r"weights of `equation` have shape \[3\], and its points \[4\]"):
        burgers.losses(field)(field.params, {"equation": jnp.ones((4, 2))}, weights={"equation": jnp.ones(3)})


def test_weights_of_nothing(burgers):
    field = nablax.field(burgers, mlp(2, 1))
    batch = {"equation": jnp.ones((4, 2))}
    for ask in (burgers.losses(field), burgers.residual_vector(field)):
        with pytest.raises(ValueError, match="`eq`, and these have weights: equation, initial, equation/u"):
            ask(field.params, batch, weights={"eq": 3})


def test_training_wants_its_network_in_words(burgers):
    with pytest.raises(TypeError, match=r"`model` is text, as in a `train` block .* this is of type MLP"):
        nablax.train(burgers, {"model": mlp(2, 1)})


def test_noise_has_no_residual():
    problem = nablax.load("pde_examples/cahn_hilliard.pde")
    field = nablax.field(problem, mlp(3, 1))
    problem.residual(field)
    with pytest.raises(nablax.SpecError, match=r"P557.*\n.*\n.*\n.*"):
        problem.losses(field)


def test_operators_without_eigenfunctions_have_no_residual_yet():
    problem = nablax.parse(
        "space { x in [0, 1] }\nfields { u }\nequations { fraclap(u, 0.3, kind=spectral) = 1 }\n"
        "boundary { x=0: u = 1; x=1: u = 0 }"
    )
    with pytest.raises(nablax.SpecError, match="P402"):
        problem.residual(nablax.field(problem, mlp(1, 1)))


def table(folder, text):
    (folder / "sensors.csv").write_text(text, "utf-8")
    return nablax.parse(INVERSE, folder=folder)


def test_measurements(tmp_path):
    problem = table(tmp_path, "t, x, u\n0.5, 0.25, 2\n1, 0.75, 4\n")
    field = nablax.field(problem, lambda _, z: jnp.stack([z[0] + 0 * z[1]]), ())
    batch = problem.sample(jax.random.key(0), {"equation": 4})
    assert {name: list(map(float, column)) for name, column in batch["data/sensors"].items()} == {
        "x": [0.25, 0.75], "t": [0.5, 1.0], "value": [2.0, 4.0],
    }  # fmt: skip
    loss = problem.losses(field)(field.params, batch)["data/sensors"]
    assert float(loss) == pytest.approx((1.75**2 + 3.25**2) / 2 / 0.25)
    assert problem.sample(jax.random.key(0), {"data": 1})["data/sensors"]["value"].shape == (1,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,t,u\n0.5,0.1,1\n0.7,0.1,n/a\n", "line 3 of `sensors.csv` has no finite number in `u`: `n/a`"),
        ("x,t,u\n0.5,0.1\n", "line 2 of `sensors.csv` has no finite number in `u`: ``"),
        ("x,t,u\n", "`sensors.csv` holds no measurements"),
        (
            "x,t,u\n0.5,0.1,1\n0.5,1.1,1\n",
            "measurement 2 of `sensors.csv` lies outside the domain: t = 1.1",
        ),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, words):
    with pytest.raises(nablax.SpecError, match=words):
        table(tmp_path, text).sample(jax.random.key(0), {})
    training = read_source("spec", INVERSE + "train { steps = adam(10) }\n")
    (found,) = check(training, folder=tmp_path).diagnostics
    assert found.code == "P558"
    assert words in found.message
