"""Steps in bundles: the same numbers as one step at a time, wherever the planner allows them."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.frames import NumericalFailure
from nablax.backends.interface import Opening
from nablax.backends.solver import Solver, build
from nablax.backends.stepping.weaving import unwoven, weavable, woven
from nablax.planning.ghosts import bundle_size

pytestmark = pytest.mark.brief

CASES = {
    "gray_scott": """
space { x in [0, 1] periodic; y in [0, 2] periodic }
time { t in [0, 1] }
fields { u, v }
params { D = 1e-4; F = 0.04 }
equations { dt(u) = D*laplacian(u) - u*v^2 + F*(1 - u);  dt(v) = D/2*laplacian(v) + u*v^2 - 2*F*v }
initial { u = 1 - exp(-9*(x - 0.4)^2)/2; v = exp(-9*(y - 1)^2)/4 }
solve { n = [30, 33]; method = fd; order = 4; step = rk2; dt = 1/50 }
""",
    "dispersion": """
space { x in [0, 6] periodic }
time { t in [0, 0.01] }
fields { u }
equations { dt(u) = -u*dx(u) - 0.01*dxxx(u) + sin(x + t) }
initial { u = cos(2*pi*x/6) }
solve { n = 100; method = fd; order = 8; step = rk4; dt = 2e-4 }
""",
    "walls": """
space { x in [0, 1]; y in [0, 1] }
time { t in [0, 0.01] }
fields { u, w }
params { D = 0.1 }
equations { dt(u) = div((1 + x*y)*grad(u))/9 + log(1 + x*(1 - x)) - w;  dt(w) = u - D*w }
initial { u = 1 + x*(1 - x)*y; w = y }
boundary { x = 0, x = 1: u = 1; y = 0: u = 1; y = 1: u = 1 + x*(1 - x) }
solve { n = [20, 26]; method = fd; order = 2; step = rk2; dt = 1e-4 }
""",
    "channel": """
space { x in [0, 1] periodic; y in [0, 1]; z in [0, 1] periodic }
time { t in [0, 0.01] }
fields { u }
equations { dtt(u) = laplacian(u) }
initial { u = sin(2*pi*x)*sin(pi*y)*cos(2*pi*z); dt(u) = 0 }
boundary { y = 0, y = 1: u = 0 }
solve { n = [16, 12, 14]; method = fd; order = 2; step = euler; dt = 2e-4; dtype = float32 }
""",
    "schroedinger": """
space { x in [0, 10] periodic }
time { t in [0, 0.01] }
fields { p: complex }
equations { i*dt(p) = -dxx(p)/2 + abs(p)^2*p }
initial { p = exp(-(x - 5)^2 + i*x) }
solve { n = 64; method = fd; order = 4; step = rk4; dt = 2e-4 }
""",
}


def solver(text: str, steps: int) -> Solver:
    plan = nablax.parse(text).compile().plan
    made = build(replace(plan, bundle=steps))
    bundle = made.programs.bundle
    assert (1 if bundle is None else bundle.steps) == steps
    return made


def marched(made: Solver, count: int) -> tuple[np.ndarray, ...]:
    """The loop of a run, compiled in haste."""
    once = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    ready = {name: jnp.asarray(value, made.plan.dtype) for name, value in made.parameters.items()}
    state = once(made.programs.initial)(ready, {}, {})
    h = jnp.asarray(made.plan.stepping.dt, made.plan.dtype)
    moved = once(made.programs.march)(state.t, state.y, h, jnp.asarray(count, "int32"), (), ready)
    assert int(moved.taken) == count
    assert bool(moved.finite)
    return tuple(np.asarray(a) for a in moved.y)


@pytest.mark.parametrize("name", CASES)
def test_a_bundle_is_as_many_steps(name: str) -> None:
    """Five steps: two bundles of two, and one on its own."""
    singly, bundled = (marched(solver(CASES[name], steps), 5) for steps in (1, 2))
    for one, several in zip(singly, bundled, strict=True):
        assert np.abs(several).max() > 0
        scale = 20 * np.finfo(one.dtype).eps * np.abs(one).max()
        np.testing.assert_allclose(several, one, rtol=0, atol=scale)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
def test_rows_of_two_unknowns_come_back(shape: tuple[int, ...]) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, *shape))
    one = woven((jnp.asarray(a), jnp.asarray(b)))
    assert one.shape == (*shape[:-1], 2, shape[-1])
    np.testing.assert_array_equal(unwoven(one), (a, b))


def test_rows_are_woven_where_there_are_rows_alike() -> None:
    flat, square, single = jnp.ones(4), jnp.ones((4, 4)), jnp.ones((4, 4), "complex64")
    assert weavable((square, square))
    assert not any(weavable(arrays) for arrays in ((square,), (flat, flat), (square, single)))


@pytest.mark.slow
def test_solve_takes_bundles_and_is_differentiable() -> None:
    """Frames of 3 steps: what is left over is taken singly; slopes are those of single steps."""
    values = []
    for steps in (1, 2):
        made = solver(CASES["walls"], steps)

        def end(D: jax.Array, made: Solver = made) -> jax.Array:
            fields = made.solve({"D": D}, save_at=[3e-4, 6e-4]).fields
            return jnp.sum(fields["u"][-1] ** 2) + jnp.sum(fields["w"][0])

        D = jnp.asarray(0.1)
        values.append([*jax.value_and_grad(end)(D), *jax.vmap(end)(jnp.stack([D, 2 * D]))])
    np.testing.assert_allclose(values[1], values[0], rtol=1e-12)


@pytest.mark.parametrize("dimension", [1, 3])
def test_steps_in_pairs_are_the_same_steps(dimension: int) -> None:
    """Odd and even numbers of steps, in the loop of a run and in `solve`."""
    axes = "xyz"[:dimension]
    text = f"""
space {{ {"; ".join(f"{a} in [0, 1]" for a in axes)} }}
time {{ t in [0, 0.01] }}
fields {{ u }}
equations {{ dt(u) = 0.1*laplacian(u) - u^3 + x }}
initial {{ u = {"*".join(f"sin(pi*{a})" for a in axes)} }}
boundary {{ {", ".join(f"{a} = {end}" for a in axes for end in (0, 1))}: u = 0 }}
solve {{ n = 12; method = fd; order = 2; step = euler; dt = 1e-4 }}
"""
    made = nablax.parse(text).compile()
    assert made.programs.paired
    single = replace(made, programs=replace(made.programs, paired=False))
    for count in (1, 2, 5):
        for a, b in zip(marched(made, count), marched(single, count), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-15)
    until, begin = 5e-4, Opening(made.initial(), {})
    found = [s.programs.solve({}, begin, 0.0, (0.0, until))[1]["u"][-1] for s in (made, single)]
    np.testing.assert_allclose(*found, rtol=0, atol=1e-15)


def test_a_bundle_that_blows_up_is_noticed_and_where_it_began_is_known() -> None:
    text = (
        CASES["dispersion"]
        .replace("dt = 2e-4", "dt = 0.2")
        .replace("0, 0.01]", "0, 50]")
        .replace("rk4", "euler")
    )
    found = []
    for steps in (1, 4):
        with pytest.raises(NumericalFailure) as failure:
            for _ in solver(text, steps).stream():
                pass
        found.append(failure.value.breakdown)
    assert found[0].t == found[1].t
    assert found[0].field == found[1].field


def test_memory_is_four_copies_and_the_ghosts() -> None:
    text = CASES["gray_scott"].replace("[30, 33]", "[128, 128]").replace("rk2", "euler")
    made = solver(text, 4)
    state = made.initial()
    ready = {name: np.float64(value) for name, value in made.parameters.items()}
    arguments = (state.t, state.y, np.float64(0.02), np.int32(1), (), ready)
    sizes = made.compiled.march.lower(*arguments).compile().memory_analysis()
    total = sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes
    ghosts = (1 + 2 * 4 * 2 / 128) ** 2
    assert total <= (2 + 2 * ghosts) * sum(a.nbytes for a in state.y) + 2**16


@pytest.mark.slow
def test_bundles_lower_for_every_platform() -> None:
    made = solver(CASES["walls"], 2)
    state = made.initial()

    def run(params: dict[str, jax.Array]) -> object:
        return made.programs.march(
            state.t, state.y, jnp.asarray(1e-4), jnp.asarray(5, "int32"), (), made.programs.prepare(params)
        )

    exported = jax.export.export(jax.jit(run), platforms=("cpu", "cuda", "tpu"))({"D": jnp.asarray(0.1)})
    assert exported.platforms == ("cpu", "cuda", "tpu")


# -- the planner -------------------------------------------------------------------------------------

FIXED = "boundary { x = 0, x = 1: u = 1 }"
ALONE = """
space {{ x in [0, 1] }}
time {{ t in [0, 1e9] }}
fields {{ u }}
equations {{ dt(u) = {rate} }}
initial {{ u = 1 }}
{walls}
solve {{ n = 200; method = fd; order = {order}; step = {step}; dt = 1e-6 }}
"""


@pytest.mark.parametrize(
    ("rate", "walls", "order", "step", "bundled"),
    [
        ("0.1*dxx(u)", FIXED, 2, "euler", 1),  # pairs are faster
        ("0.1*dxx(u)", FIXED, 2, "rk4", 2),
        ("0.1*dxx(u) - u*dx(u) + sin(t)", FIXED, 2, "rk2", 4),
        ("0.1*dxx(u)", FIXED, 4, "euler", 1),  # closures beyond the wall
        ("0.1*dxx(u)", "boundary { x = 0: u = 1; x = 1: dx(u) = 0 }", 2, "euler", 1),
        ("0.1*dxx(u)", "boundary { x = 0: u = 1; x = 1: u = cos(t) }", 2, "euler", 1),
        ("dx(0.1*(1 + u^2)*dx(u))", FIXED, 2, "rk2", 4),
        ("0.1*dxx(u)", FIXED, 2, "dopri5", 1),  # keeps a rate for the next step
        ("0.1*dxx(u)", FIXED, 2, "implicit", 1),
    ],
)
def test_the_planner_bundles_what_the_scheme_can(
    rate: str, walls: str, order: int, step: str, bundled: int
) -> None:
    made = nablax.parse(ALONE.format(rate=rate, walls=walls, order=order, step=step)).compile()
    assert made.plan.bundle == bundled
    bundle = made.programs.bundle
    assert (1 if bundle is None else bundle.steps) == bundled
    assert not any("ghosts" in c.what for c in made.plan.choices) or step not in ("dopri5", "implicit")


def test_short_runs_and_small_grids_are_not_worth_a_bundle() -> None:
    text = ALONE.format(rate="0.1*dxx(u)", walls="", order=2, step="euler").replace("1]", "1] periodic")
    assert nablax.parse(text.replace("1e9", "1e-3")).compile().plan.bundle == 1
    assert nablax.parse(text.replace("200", "20")).compile().plan.bundle == 2
    shown = nablax.parse(text).show()
    assert "ghosts = once for 8 steps" in shown
    assert "8 layers of ghosts" in shown


def test_the_scheme_refuses_what_the_planner_refuses() -> None:
    """The two look at the same facts, each in its own terms."""
    for rate, walls, order in (
        ("0.1*dxx(u)", FIXED, 4),
        ("0.1*dxx(u)", "boundary { x = 0: u = 1; x = 1: dx(u) = 0 }", 2),
        ("0.1*dxx(u)", "boundary { x = 0: u = 1; x = 1: u = cos(t) }", 2),
    ):
        plan = nablax.parse(ALONE.format(rate=rate, walls=walls, order=order, step="euler")).compile().plan
        found = bundle_size(plan.system, plan.order, plan.grid, plan.stepping, 1e9)
        assert found is not None
        assert found.fixed
        assert build(replace(plan, bundle=8)).programs.bundle is None
