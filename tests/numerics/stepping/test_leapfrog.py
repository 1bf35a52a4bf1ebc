"""Leapfrog: second order, its stability limit, no drift of the energy, and bundles of its steps."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.solver import Solver, build
from nablax.planning.stability import largest_step

STANDING = """
space { x in [0, 1] periodic; y in [0, 1] }
time { t in [0, 1] }
fields { w }
equations { dtt(w) = laplacian(w) }
initial { w = sin(2*pi*x)*sin(pi*y); dt(w) = 0 }
boundary { y = 0, y = 1: w = 0 }
solve { n = [24, 16]; method = fd; order = 2; step = leapfrog; dt = 1/50 }
"""
# The mode keeps its shape on the grid; its discrete frequency is known.
FREQUENCY = 2 * np.hypot(24 * np.sin(np.pi / 24), 16 * np.sin(np.pi / 32))


def end(made: Solver, dt: float, span: float) -> tuple[np.ndarray, ...]:
    """w and its rate at `span`, the loop compiled in haste."""
    once = jax.jit(made.programs.march, compiler_options={"xla_backend_optimization_level": 0})
    state = made.initial()
    moved = once(state.t, state.y, jnp.asarray(dt), jnp.asarray(round(span / dt), "int32"), (), {})
    return tuple(np.asarray(a) for a in moved.y)


def test_second_order_and_reversible() -> None:
    made = nablax.parse(STANDING).compile()
    first = np.asarray(made.initial().y[0])
    errors = [np.abs(end(made, dt, 1.0)[0] - np.cos(FREQUENCY) * first).max() for dt in (1 / 50, 1 / 100)]
    assert 1.95 < np.log2(errors[0] / errors[1]) < 2.05
    there = made.initial()
    h = made.plan.stepping.dt
    assert h is not None
    march = made.compiled.march
    count = jnp.asarray(40, "int32")
    gone = march(there.t, there.y, jnp.asarray(h), count, (), {})
    back = march(there.t + 40 * h, gone.y, jnp.asarray(-h), count, (), {})
    np.testing.assert_allclose(back.y[0], first, atol=1e-12)


def test_the_energy_of_the_discrete_wave_does_not_drift() -> None:
    """Its oscillation stays within the square of ω·dt, after 56 periods as after one."""
    made = nablax.parse(STANDING).compile()
    first = np.sum(np.asarray(made.initial().y[0]) ** 2) * FREQUENCY**2
    for span in (0.3, 0.5, 1.1, 50.0, 50.2):
        w, rate = end(made, 1 / 50, span)
        energy = np.sum(rate**2) + np.sum(w**2) * FREQUENCY**2
        assert abs(energy / first - 1) < (FREQUENCY / 50) ** 2


def test_bundles_are_as_many_steps() -> None:
    plan = nablax.parse(STANDING).compile().plan
    singly, bundled = (end(build(replace(plan, bundle=n)), 1 / 50, 0.14) for n in (1, 3))
    assert build(replace(plan, bundle=3)).programs.bundle is not None
    np.testing.assert_allclose(bundled, singly, atol=1e-13)


def test_the_stable_step_is_two_over_the_highest_frequency() -> None:
    waves = 1j * np.array([-7.0, -1.0, 0.5, 7.0])
    assert largest_step("leapfrog", waves) == pytest.approx(2 / 7, rel=1e-6)
    bound = nablax.parse(STANDING).compile().plan.stepping.bound
    assert bound is not None
    assert bound == pytest.approx(2 / (2 * np.hypot(24, 16)), rel=0.02)


@pytest.mark.parametrize(
    ("equations", "walls"),
    [
        ("dtt(w) = laplacian(w) - dt(w)/10", "w = 0"),
        ("dtt(w) = laplacian(w) + dt(w)^2", "w = 0"),
        ("dt(w) = laplacian(w)", "w = 0"),
        ("dtt(w) = laplacian(w)", "dn(w) = -dt(w)"),
    ],
)
def test_damping_is_refused(equations: str, walls: str) -> None:
    text = STANDING.replace("dtt(w) = laplacian(w)", equations).replace("w = 0 }", walls + " }")
    if "dtt" not in equations:
        text = text.replace("; dt(w) = 0", "")
    with pytest.raises(nablax.SpecError, match=r"leapfrog.*second order in time"):
        nablax.parse(text).compile()
