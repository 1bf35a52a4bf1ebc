"""Viscous conservation laws by finite volumes: orders, walls, conservation, bounds, integrals in sources."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from nablax import SpecError, parse
from nablax.backends.solver import Solver
from nablax.backends.volumes.cells import average
from nablax.backends.volumes.scheme import FiniteVolumes

PLANE = """
space { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u; v }
equations {
  dt(u) + dx(u^2/2) = dx((1 + u^2)*(dx(u) + 0.3*dy(v))) + (2 + sin(y))*dyy(u)
  dt(v) = div(grad(v)) + dxy(u)
}
initial { u = sin(x + 0.3)*cos(y); v = cos(x - y) }
solve { method = fv }
"""


def solver_of(text: str, **options: int) -> Solver:
    solver = parse(text).compile(**options)
    assert isinstance(solver, Solver)
    return solver


@pytest.mark.parametrize(("order", "sizes"), [(2, (16, 32)), (5, (16, 24))])
def test_mixed_and_nonlinear_diffusion_of_a_system_has_the_order_of_the_scheme(order, sizes):
    """The rate of exact averages against the average of the exact rate."""
    errors = []
    for n in sizes:
        solver = solver_of(PLANE, n=n, order=order)
        scheme = solver.programs.scheme
        assert isinstance(scheme, FiniteVolumes)
        x, y = (a.symbol for a in solver.plan.system.axes)
        u, v = sp.sin(x + 0.3) * sp.cos(y), sp.cos(x - y)
        exact = (
            sp.diff((1 + u**2) * (sp.diff(u, x) + 0.3 * sp.diff(v, y)), x)
            + (2 + sp.sin(y)) * sp.diff(u, y, 2)
            - u * sp.diff(u, x),
            sp.diff(v, x, 2) + sp.diff(v, y, 2) + sp.diff(u, x, y),
        )
        state = solver.initial()
        found = jax.jit(scheme.rate)(state.t, state.y, {})
        gaps = [jnp.abs(f - average(e, solver.plan, {})).mean() for f, e in zip(found, exact, strict=True)]
        errors.append(max(float(g) for g in gaps))
    assert np.log(errors[0] / errors[1]) / np.log(sizes[1] / sizes[0]) > order - 0.4


WALLS = """
space {{ x in [0, 1] }}
time {{ t in [0, 0.1] }}
fields {{ u }}
params {{ D = 0.05 }}
equations {{ dt(u) + dx({flux}) = D*dxx(u) }}
initial {{ u = {initial} }}
boundary {{ x = 0: u = 1; x = 1: {right} }}
solve {{ method = fv; n = {n}; order = {order} }}
"""


@pytest.mark.parametrize(("order", "least"), [(2, 1.4), (5, 3.6)])
def test_a_boundary_layer_at_rest_stays_at_rest(order, least):
    """u = (1 - exp((x - 1)/D))/(1 - exp(-1/D)) is steady; what moves is the error of the scheme.

    The layer is two to four cells wide: the limiter of order 2 still sees an edge in it.
    """
    drift = []
    for n in (40, 80):
        steady = "(1 - exp((x - 1)/D))/(1 - exp(-1/D))"
        text = WALLS.format(flux="u", initial=steady, right="u = 0", n=n, order=order)
        u = np.asarray(solver_of(text).solve(save_at=(0.0, 0.1)).fields["u"])
        drift.append(np.abs(u[1] - u[0]).mean())
    assert drift[1] < 4e-4
    assert np.log2(drift[0] / drift[1]) > least


def test_jumps_diffuse_within_their_bounds_and_mass_stays():
    text = """
space { x in [0, 1] periodic }
time { t in [0, 0.05] }
fields { u }
params { D = 1e-3 }
equations { dt(u) + dx(u^2/2) = dx(D*(1 + u)*dx(u)) }
initial { u = where(x < 1/2, 1, 0) }
solve { method = fv; n = 64 }
"""
    u = np.asarray(solver_of(text).solve(save_at=(0.0, 0.02, 0.05)).fields["u"])
    assert u.min() >= -1e-14
    assert u.max() <= 1 + 1e-14
    assert np.ptp(u.mean(axis=1)) < 1e-14


def test_walls_without_slope_let_nothing_through():
    text = """
space { x in [0, 1] }
time { t in [0, 0.1] }
fields { u }
equations { dt(u) = dx((1 + x)*dx(u^2)) }
initial { u = 1 + cos(pi*x)/2 }
boundary { all: dn(u) = 0 }
solve { method = fv; n = 24; order = 5 }
"""
    u = np.asarray(solver_of(text).solve(save_at=(0.0, 0.1)).fields["u"])
    assert np.ptp(u.mean(axis=1)) < 1e-12
    assert np.ptp(u[1]) < 0.7 * np.ptp(u[0])


@pytest.mark.parametrize("order", [2, 5])
def test_integrals_in_sources(order):
    """The mean of u decays by itself, its second moment drives v."""
    text = """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u; v }
equations { dt(u) + dx(u) = -mean(u); dt(v) + dx(v) = integral(u^2) }
initial { u = 1 + sin(x); v = 0 }
solve { method = fv; n = 48; order = ORDER }
""".replace("ORDER", str(order))
    fields = solver_of(text).solve(save_at=(1.0,)).fields
    assert float(fields["u"].mean()) == pytest.approx(np.exp(-1), rel=1e-6)
    gained = np.pi * (1 - np.exp(-2)) + np.pi
    assert float(fields["v"].mean()) == pytest.approx(gained, rel=2e-2 if order == 2 else 1e-5)


def test_the_compiler_takes_finite_volumes_of_viscous_laws_on_request_only():
    text = "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
    text += "equations { dt(u) + dx(u^2/2) = 0.1*dxx(u) }\ninitial { u = sin(2*pi*x) }\n"
    assert solver_of(text).plan.method == "spectral"
    solver = solver_of(text + "solve { method = fv; n = 64 }")
    assert ("diffusion", "central") in {(c.what, c.value) for c in solver.plan.choices}
    spacing = solver.plan.grid[0].spacing
    assert solver.plan.stepping.bound is not None
    assert solver.plan.stepping.bound < spacing**2 / 0.2


def test_diffusion_that_no_gradient_drives_linearly_is_refused():
    text = "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
    text += "equations { dt(u) = dx(%s) }\ninitial { u = sin(2*pi*x) }\nsolve { method = fv }"
    for flux, reason in [("dx(u)^3", "not linear in derivatives"), ("dxx(u)", "derivative above the second")]:
        with pytest.raises(SpecError, match=reason):
            parse(text % flux).compile()


@pytest.mark.slow
def test_viscous_walls_and_open_ends_keep_the_order():
    text = WALLS.format(flux="u^2/2", initial="1 + x/10", right="dn(u) = 0.1", n=32, order=5)
    found = parse(text).verify()
    assert found.passed


def test_an_integral_over_one_axis_of_two_is_taken_to_second_order():
    """Its exact value for a state of one variable, in a rate of the other."""
    solver = parse(
        "space { x in [0, 1] periodic; y in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
        "equations { dt(u) = -integral(u, x) }\ninitial { u = sin(2*pi*x) + cos(2*pi*y) }\n"
        "solve { method = fv; n = 8; dt = 1e-2 }"
    ).compile()
    assert solver.plan.order == 2
    state = solver.initial()
    (rate,) = solver.rhs(0.0, state)
    mean = np.asarray(state.y[0]).mean(axis=0, keepdims=True)
    np.testing.assert_allclose(rate, np.broadcast_to(-mean, (8, 8)), atol=1e-12)
