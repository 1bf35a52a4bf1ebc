"""Derivatives of a final-time functional for every step that reverse mode passes: in parameters, in
coefficients and in the initial state, through jit and vmap, against central differences in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.solver import Solver

pytestmark = pytest.mark.brief

RING = """
space {{ x in [0, 2*pi] periodic }}
time {{ t in [0, 0.2] }}
fields {{ u }}
params {{ nu = 0.1; b = 0.5 }}
equations {{ dt(u) + u*dx(u) = nu*{diffusion} }}
initial {{ u = b*sin(x) }}
solve {{ n = 16; {solve} }}
output {{ every = 0.1 }}
"""
ROD = """
space {{ x in [0, 1] }}
time {{ t in [0, 0.05] }}
fields {{ u }}
params {{ nu = 0.1; b = 0.5 }}
equations {{ dt(u) = nu*{flux} + {reaction} }}
initial {{ u = 1 - b*x^2 }}
boundary {{ x = 0: dx(u) = 0; x = 1: u = 1 - b }}
solve {{ n = 12; order = 2; {solve} }}
output {{ every = 0.025 }}
"""
COURANT = """
space {{ x in [0, 2*pi] periodic }}
time {{ t in [0, 0.4] }}
fields {{ u }}
params {{ nu = 0.1; b = 0.5 }}
equations {{ {equation} }}
initial {{ u = 2 + b*sin(x) }}
solve {{ n = 16; method = fv }}
output {{ every = 0.2 }}
"""
FLUX = "dx((1 + b*x^2)*dx(u))"
FIXED = {
    "etdrk4": RING.format(diffusion="dxx(u)", solve="step = etdrk4; dt = 0.02"),
    "etdrk2": RING.format(diffusion="dxx(u)", solve="step = etdrk2; dt = 0.02"),
    "spectral imex": RING.format(diffusion="dxx(u)", solve="step = imex; dt = 0.02"),
    "spectral rk4": RING.format(diffusion="dxx(u)", solve="step = rk4; dt = 0.02"),
    "fd rk4": ROD.format(flux=FLUX, reaction="u*(1 - u)", solve="step = rk4; dt = 0.005"),
    "fd dopri5": ROD.format(flux=FLUX, reaction="u*(1 - u)", solve="step = dopri5; dt = 0.005"),
    "fd imex": ROD.format(flux=FLUX, reaction="u*(1 - u)", solve="step = imex; dt = 0.005"),
    "fd implicit, affine, direct": ROD.format(
        flux="dxx(u)", reaction="b*sin(x + t)", solve="step = implicit; dt = 0.005"
    ),
    "fd implicit, affine, GMRES": ROD.format(
        flux=FLUX, reaction="sin(t)", solve="step = implicit; dt = 0.005"
    ),
    "fd implicit, nonlinear": ROD.format(
        flux=FLUX, reaction="u*(1 - u)", solve="step = implicit; dt = 0.005; tol = 1e-9"
    ),
    "courant, one speed": COURANT.format(equation="dt(u) + 2*dx(u) = nu^2*sin(b*x + t)"),
}
"""Steps of one size: exact derivatives of the discrete problem. The last chooses its steps by its waves, all
of one speed whatever the parameters are."""
CHOSEN = {
    "checked": RING.format(diffusion="dxx(u)", solve="step = etdrk4; tol = 1e-8"),
    "adaptive": ROD.format(flux=FLUX, reaction="u*(1 - u)", solve="step = dopri5; tol = 1e-8"),
    "adaptive implicit": ROD.format(flux=FLUX, reaction="u*(1 - u)", solve="step = implicit; tol = 1e-7"),
    "courant": COURANT.format(equation="dt(u) + u*dx(u) = -nu*u"),
}
"""Steps that the run chooses: derivatives to which their sizes are constants."""
FAST = ("etdrk4", "fd rk4")
FIXED_CASES = [pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in FIXED]
SEEN = {"checked": 1e-6, "adaptive": 5e-5, "adaptive implicit": 1e-6, "courant": 2e-3}
"""What differences of width 2e-4 see of other steps: relative, each a few times what was measured."""
NOMINAL = {"nu": 0.1, "b": 0.5}


def solver_of(text: str) -> tuple[Solver, jax.Array]:
    solver = nablax.parse(text).compile()
    assert isinstance(solver, Solver)
    return solver, solver.fields(solver.initial())["u"]


def loss(solver: Solver, params: dict, u: jax.Array) -> jax.Array:
    state = solver.initial(params, fields={"u": u})
    last = solver.solve(params, state).fields["u"][-1]
    return jnp.sum(jnp.cos(jnp.arange(last.size, dtype="float64")) * last**2)


def check_slopes(text: str, h: float, accuracy: float) -> None:
    """Reverse mode in every parameter and along one change of the initial state, and forward mode in one,
    against central differences of width 2h."""
    solver, start = solver_of(text)
    value = jax.jit(lambda params, u: loss(solver, params, u))
    params = {key: jnp.asarray(v) for key, v in NOMINAL.items()}
    slopes, field_slope = jax.jit(jax.grad(lambda p, u: loss(solver, p, u), argnums=(0, 1)))(params, start)
    for key in NOMINAL:
        ahead, behind = ({**params, key: params[key] + s} for s in (h, -h))
        wanted = (float(value(ahead, start)) - float(value(behind, start))) / (2 * h)
        assert float(slopes[key]) == pytest.approx(wanted, rel=accuracy, abs=accuracy * 1e-3)
    direction = jnp.sin(1.0 + jnp.arange(start.size, dtype="float64"))
    direction = direction.at[-1].set(0.0) if "x = 1: u" in text else direction  # the wall holds its own value
    ahead, behind = float(value(params, start + h * direction)), float(value(params, start - h * direction))
    wanted = (ahead - behind) / (2 * h)
    assert float(field_slope @ direction) == pytest.approx(wanted, rel=accuracy, abs=accuracy * 1e-3)
    unit = {key: jnp.asarray(float(key == "nu")) for key in params}
    along = jax.jvp(lambda p: value(p, start), (params,), (unit,))[1]
    assert float(along) == pytest.approx(float(slopes["nu"]), rel=1e-9)


@pytest.mark.parametrize("name", FIXED_CASES)
def test_derivatives_of_equal_steps(name: str) -> None:
    check_slopes(FIXED[name], h=1e-5, accuracy=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
def test_derivatives_of_chosen_steps(name: str) -> None:
    """As far as the error of a step goes: differences also see other steps taken for another value."""
    check_slopes(CHOSEN[name], h=1e-4, accuracy=SEEN[name])


def test_a_refused_step_leaves_no_trace_in_a_batch_of_derivatives() -> None:
    """The first step tried is so long that its stages leave the domain of the square root."""
    solver, _ = solver_of(
        """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { nu = 1; b = 0.5 }
equations { dt(u) = -50*nu*u*sqrt(u) }
initial { u = 1 }
solve { n = 6; method = fd; order = 2; step = dopri5; tol = 1e-8 }
output { every = 1 }
"""
    )
    state = solver.initial(NOMINAL)._replace(dt=jnp.asarray(1.0))
    slope = jax.grad(lambda nu: solver.solve({"nu": nu}, state).fields["u"][-1, 0])
    values = jnp.asarray([1.0, 2.0])
    exact = -50 / (1 + 25 * values) ** 3  # u = (1 + 25 ν t)^-2
    np.testing.assert_allclose(jax.vmap(slope)(values), exact, rtol=1e-4)


def test_batches_of_parameters_and_of_initial_states() -> None:
    solver, start = solver_of(FIXED["etdrk4"])
    params = {"nu": jnp.asarray([0.1, 0.2]), "b": jnp.asarray([0.5, 0.5])}
    starts = jnp.stack([start, 2 * start])
    together = jax.jit(jax.vmap(lambda p, u: loss(solver, p, u)))(params, starts)
    alone = [loss(solver, {"nu": 0.1 * (i + 1), "b": 0.5}, starts[i]) for i in range(2)]
    np.testing.assert_allclose(together, np.asarray(alone), rtol=1e-12)


@pytest.mark.slow
def test_memory_of_reverse_mode_is_one_interval() -> None:
    """Twice the intervals with the same steps in each: the states between them are all that is added."""

    def temporary(end: str) -> int:
        text = ROD.format(flux=FLUX, reaction="u*(1 - u)", solve="step = rk4; dt = 0.0005").replace(
            "n = 12", "n = 400"
        )
        solver, start = solver_of(text.replace("[0, 0.05]", f"[0, {end}]"))
        slope = jax.jit(jax.grad(lambda u: loss(solver, NOMINAL, u)))
        measured = slope.lower(start).compile().memory_analysis()
        return int(measured.temp_size_in_bytes)

    one, two = temporary("0.1"), temporary("0.2")
    frames = 4 * 401 * 8
    assert two - one < 12 * frames < one
