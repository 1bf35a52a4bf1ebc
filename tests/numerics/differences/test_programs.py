"""The compiled programs: values against NumPy, memory, constants, export, dtypes, refusals."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import nablax
from nablax.backends.artifact.programs import exportables
from nablax.backends.differences import FiniteDifferences, build
from nablax.backends.interface import Opening, Parameters, Unsupported, Vector
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.plan import Dtype
from nablax.reductions import Noise
from tests.numerics.integrate import nominal
from tests.numerics.systems import (
    Line,
    Wall,
    both,
    build_plan,
    build_system,
    dirichlet,
    function,
    neumann,
    t,
)

pytestmark = pytest.mark.brief

x, y = sp.symbols("x y", real=True)
D = sp.Symbol("D", real=True)


def euler(made: FiniteDifferences, steps: int, dt: float):
    def run(vector: Vector, params: Parameters) -> Vector:
        def step(i: jax.Array, carry: Vector) -> Vector:
            h = jnp.asarray(dt, made.plan.dtype)
            rate = made.rate(i * h, carry, params)
            moved = tuple(a + h * r for a, r in zip(made.core(carry), rate, strict=True))
            return made.embed(i * h, made.finish(i * h, moved, params), params)

        start = jnp.zeros((), made.plan.dtype)
        return made.core(jax.lax.fori_loop(0, steps, step, made.embed(start, vector, params)))

    return run


def heat(n: int, periodic: bool) -> FiniteDifferences:
    lines = [Line(name, 0.0, 1.0, n, periodic) for name in "xy"]
    u = function("u", lines)
    walls = [] if periodic else [w for line in lines for w in both(dirichlet, "u", line.name)]
    bump = sp.exp(-sum((line.symbol - sp.Rational(1, 3)) ** 2 for line in lines) * 20)
    rate = D * sum(u.diff(line.symbol, 2) for line in lines)
    system = build_system(lines, {"u": rate}, initial={"u": bump}, walls=walls, parameters={"D": 0.1})
    return build(build_plan(system, lines))


def test_gray_scott_agrees_with_numpy() -> None:
    n, dt, steps = 32, 0.5, 40
    lines = [Line("x", 0.0, 1.0, n, True), Line("y", 0.0, 1.0, n, True)]
    u, v = function("u", lines), function("v", lines)
    Du, Dv, F, k = sp.symbols("Du Dv F k", real=True)
    rates = {
        "u": Du * (u.diff(x, 2) + u.diff(y, 2)) - u * v**2 + F * (1 - u),
        "v": Dv * (v.diff(x, 2) + v.diff(y, 2)) + u * v**2 - (F + k) * v,
    }
    bump = sp.exp(-40 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    parameters = {"Du": 1e-4, "Dv": 5e-5, "F": 0.04, "k": 0.06}
    system = build_system(lines, rates, initial={"u": 1 - bump / 2, "v": bump / 4}, parameters=parameters)
    made = build(build_plan(system, lines))
    params = nominal(made.plan)
    ours = jax.jit(euler(made, steps, dt))(made.initial(params, {}), params)

    grid = np.arange(n) / n
    shape = np.exp(-40 * ((grid[:, None] - 0.5) ** 2 + (grid[None, :] - 0.5) ** 2))
    a, b = 1 - shape / 2, shape / 4

    def laplacian(f: np.ndarray) -> np.ndarray:
        return (np.roll(f, 1, 0) + np.roll(f, -1, 0) + np.roll(f, 1, 1) + np.roll(f, -1, 1) - 4 * f) * n**2

    for _ in range(steps):
        reaction = a * b * b
        a, b = (
            a + dt * (1e-4 * laplacian(a) - reaction + 0.04 * (1 - a)),
            b + dt * (5e-5 * laplacian(b) + reaction - 0.1 * b),
        )
    np.testing.assert_allclose(ours[0], a, rtol=0, atol=1e-13)
    np.testing.assert_allclose(ours[1], b, rtol=0, atol=1e-13)


def test_the_homogeneous_dirichlet_rate_is_a_padded_laplacian() -> None:
    made = heat(16, periodic=False)
    params = nominal(made.plan)
    (u,) = made.initial(params, {})
    carry = made.embed(0.0, (u,), params)
    assert carry[0].shape == u.shape  # no ghosts at all
    f = np.asarray(u)
    inner = f[2:, 1:-1] + f[:-2, 1:-1] + f[1:-1, 2:] + f[1:-1, :-2] - 4 * f[1:-1, 1:-1]
    np.testing.assert_allclose(made.rate(0.0, carry, params)[0], np.pad(0.1 * inner * 16**2, 1), atol=1e-12)
    assert np.all(f[0] == 0)
    assert np.all(f[:, -1] == 0)


@pytest.mark.parametrize("periodic", [True, False])
def test_an_explicit_run_needs_four_copies_at_most(periodic: bool) -> None:
    made = heat(256, periodic)
    params = nominal(made.plan)
    compiled = jax.jit(euler(made, 50, 1e-6)).lower(made.initial(params, {}), params).compile()
    analysis = compiled.memory_analysis()
    state = 8 * math.prod(made.plan.shape)
    total = analysis.argument_size_in_bytes + analysis.output_size_in_bytes + analysis.temp_size_in_bytes
    assert total <= 4.2 * state


@pytest.mark.parametrize("order", [2, 8])
def test_programs_do_not_grow_with_the_grid(order: int) -> None:
    lengths = []
    for n in (24, 240):
        lines = [Line("x", 0.0, 1.0, n), Line("y", 0.0, 1.0, n)]
        u = function("u", lines)
        rate = (1 + x) * u.diff(x, 2) + u.diff(y, 2) + sp.sin(x * y + t)
        walls = [*both(neumann, "u", "x", y * t), *both(dirichlet, "u", "y", x * t)]
        made = build(build_plan(build_system(lines, {"u": rate}, walls=walls), lines, order=order))
        text = jax.jit(euler(made, 5, 1e-6)).lower(made.initial({}, {}), {}).as_text()
        lengths.append(len(text))
    assert lengths[1] < 1.05 * lengths[0]


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "varying"), [("float64", False), ("float32", True)])
def test_programs_lower_for_every_platform(dtype: Dtype, varying: bool) -> None:
    """Direct and iterative solves, explicit runs with moving Neumann data, in both precisions."""
    lines = [Line("x", 0.0, 1.0, 12), Line("y", 0.0, 1.0, 12, True)]
    u = function("u", lines)
    rate = (D + x if varying else D) * u.diff(x, 2) + u.diff(y, 2) - u**3
    system = build_system(lines, {"u": rate}, walls=both(neumann, "u", "x", t), parameters={"D": 0.1})
    made = build(build_plan(system, lines, order=4, dtype=dtype))
    params = {"D": jnp.asarray(0.1, dtype)}
    shift = jnp.asarray(1e-3, dtype)

    @jax.jit
    def everything(params: Parameters) -> object:
        moved = euler(made, 3, 1e-5)(made.initial(params, {}), params)
        return (
            made.solve(shift, moved, params),
            made.solve_linearised(shift, shift, moved, moved, params),
            made.explicit_rate(shift, made.embed(shift, moved, params), params),
        )

    exported = jax.export.export(everything, platforms=("cpu", "cuda", "tpu"))(params)
    assert exported.platforms == ("cpu", "cuda", "tpu")
    for leaf in jax.tree.leaves(everything(params)):
        assert leaf.dtype == dtype
        assert bool(jnp.all(jnp.isfinite(leaf)))


def test_terms_infinite_at_a_wall_leave_rate_and_derivative_finite() -> None:
    """1/x and log u on a wall where x = u = 0: the rate there is that of the pinned value."""
    lines = [Line("x", 0.0, 1.0, 8)]
    u = function("u", lines)
    rate = D * (u.diff(x, 2) + u.diff(x) / x) + sp.log(u) / 100
    walls = [dirichlet("u", "x", 0), dirichlet("u", "x", 1, 1)]
    system = build_system(lines, {"u": rate}, initial={"u": x}, walls=walls, parameters={"D": 0.1})
    made = build(build_plan(system, lines))
    (start,) = made.initial(nominal(made.plan), {})

    def total(u: jax.Array, D: jax.Array) -> jax.Array:
        return jnp.sum(made.rate(0.0, made.embed(0.0, (u,), {"D": D}), {"D": D})[0] ** 2)

    value, slopes = jax.value_and_grad(total, argnums=(0, 1))(start, jnp.asarray(0.1))
    assert bool(jnp.isfinite(value))
    assert all(bool(jnp.all(jnp.isfinite(s))) for s in slopes)


def test_corners_belong_to_the_first_axis() -> None:
    lines = [Line("x", 0.0, 1.0, 6), Line("y", 0.0, 1.0, 6)]
    u = function("u", lines)
    walls = [*both(dirichlet, "u", "x", 1 + t), *both(dirichlet, "u", "y", 2 - t)]
    made = build(build_plan(build_system(lines, {"u": u.diff(x, 2) + u.diff(y, 2)}, walls=walls), lines))
    (start,) = made.initial({}, {})
    assert start[0, 0] == 1
    assert start[3, 0] == 2
    (rate,) = made.rate(0.5, made.embed(0.5, (start,), {}), {})
    assert rate[0, 0] == rate[-1, -1] == 1
    assert rate[3, 0] == -1
    (pinned,) = made.finish(0.5, (start,), {})
    assert pinned[0, -1] == 1.5
    assert pinned[2, -1] == 1.5
    assert made.finish(0.25, (start,), {})[0][2, 0] == 1.75


def test_given_fields_replace_the_data_and_walls_win() -> None:
    made = heat(8, periodic=False)
    given = jnp.ones(made.plan.shape)
    (start,) = made.initial(nominal(made.plan), {"u": given})
    assert float(jnp.sum(start)) == 49
    assert set(made.fields(0.0, (start,), {})) == {"u"}
    with pytest.raises(ValueError, match="has shape"):
        made.initial(nominal(made.plan), {"u": jnp.ones(3)})


def test_noise_is_repeatable() -> None:
    lines = [Line("x", 0.0, 1.0, 32, True)]
    system = build_system(lines, {"u": function("u", lines).diff(x, 2)}, initial={"u": Noise(3) / 10})
    one, two = (build(build_plan(system, lines)).initial({}, {})[0] for _ in range(2))
    assert jnp.array_equal(one, two)
    assert abs(float(jnp.mean(one))) < 1e-16
    assert 0.02 < float(jnp.std(one)) < 0.08


def test_conservation_of_the_conservative_form() -> None:
    lines = [Line("x", 0.0, 1.0, 40, True)]
    u = function("u", lines)
    system = build_system(
        lines,
        {"u": -u * u.diff(x)},
        initial={"u": sp.sin(2 * sp.pi * x) + x},
        conservative={"u": [(sp.Rational(-1, 2), {"x": 1}, u**2)]},
    )
    made = build(build_plan(system, lines, order=4))
    (rate,) = made.rate(0.0, made.embed(0.0, made.initial({}, {}), {}), {})
    assert abs(float(jnp.sum(rate))) < 1e-12


def test_refusals() -> None:
    lines = [Line("x", 0.0, 1.0, 6)]
    u, v = function("u", lines), function("v", lines)
    heat_rate = {"u": u.diff(x, 2)}
    wave_rates = {"u": v, "v": u.diff(x, 2)}
    symbol = sp.Abs(sp.Symbol("k_x", real=True))
    twice = [dirichlet("u", "x", 0, 1), dirichlet("u", "x", 0, 2)]
    moving = [Wall("u", "x", 0, [(1, 1), (t, 0)])]
    systems = {
        "constraints": build_system(lines, heat_rate, algebraic=["p"]),
        "multiplier": build_system(lines, heat_rate, multipliers={"u": [(sp.Integer(-1), "u", symbol)]}),
        "two conditions": build_system(lines, heat_rate, walls=twice),
        "depends on time": build_system(lines, wave_rates, walls=moving, rate_of={"v": "u"}),
    }
    for message, system in systems.items():
        plan = build_plan(system, lines)
        with pytest.raises(Unsupported, match=message):
            build(plan)
    plan = build_plan(build_system(lines, heat_rate, walls=both(neumann, "u", "x")), lines, order=8)
    with pytest.raises(Unsupported, match="closure of `u` reads"):
        build(plan)
    plan = build_plan(build_system(lines, heat_rate), lines, order=3)
    with pytest.raises(Unsupported, match="2, 4, 6 or 8"):
        build(plan)


LOGISTIC = "dt(u) = dxx(u) + u*(1 - u)"
WALLS = "x = 0: dx(u) = 0; x = 1: u = 0"
KINDS = {
    "imex": ("u", LOGISTIC, WALLS),
    "implicit": ("u", LOGISTIC, WALLS),
    "l1": ("u", "caputo(u, t, 1/2) = dxx(u) + u*(1 - u)", WALLS),
    "euler": ("u, p", "dt(u) = dxx(u) - u*p; 0 = dxx(p) + u", f"{WALLS}; x = 0: dx(p) = p; x = 1: p = 0"),
}


@pytest.mark.parametrize("step", KINDS)
def test_programs_hold_no_matrix(step: str) -> None:
    """The eigenvectors of an axis between walls are arguments: n² digits would show in a program's text."""
    fields, equations, walls = KINDS[step]

    def lengths(n: int) -> list[int]:
        solver = nablax.parse(
            f"""
space {{ x in [0, 1] }}
time {{ t in [0, 1e-4] }}
fields {{ {fields} }}
equations {{ {equations} }}
initial {{ u = 1 - x^2 }}
boundary {{ {walls} }}
solve {{ n = {n}; order = 4; step = {step}; dt = 5e-5 }}
"""
        ).compile()
        assert isinstance(solver, Solver)
        c, state, tables = solver.compiled, solver.initial(), solver.programs.tables()
        assert any(a.size == n * n for a in tables.values())
        found = [c.solve.lower(tables, Opening(state, {}), start=0.0, times=(0.0, 1e-4))]
        if step == "euler":
            found += [c.step.lower(state, tables), c.fields.lower(state.t, state.y, tables)]
            # A compiled file has the matrices once, in the program that its other programs take them from.
            files = {one.name: one for one in exportables(solver)}
            assert len(jax.jit(files["prepare"].function).lower({}).as_text()) > 2 * 16 * n * n
            found += [jax.jit(files[p].function).lower(*files[p].arguments) for p in ("show", "march")]
        return [len(program.as_text()) for program in found]

    for small, large in zip(lengths(24), lengths(48), strict=True):
        assert large < small + 200


def test_a_steady_program_holds_no_matrix() -> None:
    def length(n: int) -> int:
        solver = nablax.parse(
            f"space {{ x in [0, 1] }} fields {{ u }} equations {{ 0 = dxx(u) + 1 }}"
            f"boundary {{ x = 0: dx(u) = u; x = 1: u = 0 }} solve {{ n = {n} }}"
        ).compile()
        assert isinstance(solver, SteadySolver)
        tables = solver.tables()
        assert any(a.size >= (n - 1) ** 2 for a in tables.values())
        return len(jax.jit(lambda given: solver.compiled(given, {}, {})).lower(tables).as_text())

    assert length(48) < length(24) + 200
