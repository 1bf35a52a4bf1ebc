"""Flow between walls: the projection against a dense one, exact solutions, energy, gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.differences.projected import ProjectedDifferences
from nablax.backends.solver import Solver
from nablax.frontend.source import Source
from nablax.pipeline import compile_plan

pytestmark = pytest.mark.brief

NAVIER_STOKES = "dt(U) + (U·∇)U = -grad(p) + nu*laplacian(U){force}; div(U) = {source}"
SPEC = """
space {{ {space} }}
time {{ t in [0, {end}] }}
fields {{ U: vector; p }}
params {{ nu = {nu} }}
{let}
equations {{ {equations} }}
initial {{ U = {initial} }}
boundary {{ {boundary} }}
solve {{ n = {n}; step = {step}; dt = {dt} }}
output {{ every = {end} }}
"""


def flow(space: str, initial: str, boundary: str, n: int | list[int], **options: object) -> Solver:
    force, source = options.pop("force", ""), options.pop("source", "0")
    given = {"end": 0.5, "nu": 0.1, "dt": 0.02, "let": "", "step": "rk2", **options}
    equations = NAVIER_STOKES.format(force=force, source=source)
    text = SPEC.format(space=space, initial=initial, boundary=boundary, n=n, equations=equations, **given)
    made = parse(text).compile()
    assert isinstance(made, Solver)
    return made


def nodes(solver: Solver) -> list[np.ndarray]:
    lines = [a.lower + a.spacing * np.arange(a.points) for a in solver.plan.grid]
    return np.meshgrid(*lines, indexing="ij")


def divergence(solver: Solver, arrays: list[np.ndarray]) -> np.ndarray:
    """In the cells: differences along one axis, means over the others."""
    total: np.ndarray | float = 0.0
    for i, field in enumerate(arrays):
        for k, axis in enumerate(solver.plan.grid):
            if axis.periodic:
                field = np.concatenate([field, np.take(field, [0], axis=k)], axis=k)
            lower = np.take(field, range(axis.n), axis=k)
            upper = np.take(field, range(1, axis.n + 1), axis=k)
            field = (upper - lower) / axis.spacing if i == k else (upper + lower) / 2
        total = total + field
    return np.asarray(total)


def velocity(fields: dict[str, np.ndarray], frame: int = -1) -> list[np.ndarray]:
    return [np.asarray(fields[name][frame]) for name in ("U.x", "U.y", "U.z") if name in fields]


BOX = "x in [0, 1]; y in [0, 2]"
CHANNEL = "x in [0, 1] periodic; y in [0, 2]"
REST = "all: U = (0, 0)"
SLIP = (
    "x = 0: U.x = 0, U.y = 0; x = 1: U.x = 0, U.y = 0; y = 0: dn(U.x) = 0, U.y = 0; y = 2: U.x = 0, U.y = 0"
)


@pytest.mark.parametrize(
    ("space", "boundary", "n"),
    [
        pytest.param(BOX, REST, [6, 5], id="walls", marks=pytest.mark.slow),
        pytest.param(CHANNEL, "y = 0: U = (0, 0); y = 2: U = (0, 0)", [5, 6], id="channel"),
        pytest.param(BOX, SLIP, [5, 6], id="slip", marks=pytest.mark.slow),
    ],
)
def test_a_rate_is_the_orthogonal_projection_of_the_free_one(space: str, boundary: str, n: list[int]) -> None:
    solver = flow(space, "(0, 0)", boundary, n)
    scheme = solver.programs.scheme
    assert isinstance(scheme, ProjectedDifferences)
    rng = np.random.default_rng(3)
    evolving = [scheme.scheme.nodes.places[u].evolving for u in range(2)]
    inside = []
    for region in evolving:
        mask = np.zeros(solver.plan.shape)
        mask[tuple(slice(a, b) for a, b in region)] = 1
        inside.append(mask)
    y = tuple(jnp.asarray(m * rng.standard_normal(m.shape)) for m in inside)
    params = {"nu": jnp.asarray(0.1)}
    t = jnp.asarray(0.0)
    carry = scheme.embed(t, y, params)
    free = np.concatenate([np.ravel(a) for a in scheme.scheme.rate(t, carry, params)[:2]])
    found = np.concatenate([np.ravel(a) for a in scheme.rate(t, carry, params)])
    # By a dense pseudo-inverse, nodes on walls weighing a half.
    size = free.size // 2
    moving = np.flatnonzero(np.concatenate([m.ravel() for m in inside]))
    weight = np.ones(solver.plan.shape)
    for k, axis in enumerate(solver.plan.grid):
        if not axis.periodic:
            line = np.ones(axis.points)
            line[[0, -1]] = 0.5
            weight = weight * line.reshape([-1 if j == k else 1 for j in range(2)])
    scale = np.sqrt(np.tile(weight.ravel(), 2)[moving])
    columns = []
    for i in moving:
        unit = np.zeros(2 * size)
        unit[i] = 1
        parts = [unit[:size].reshape(solver.plan.shape), unit[size:].reshape(solver.plan.shape)]
        columns.append(divergence(solver, parts).ravel())
    matrix = np.array(columns).T / scale
    wanted = np.zeros_like(free)
    scaled = scale * free[moving]
    wanted[moving] = (scaled - np.linalg.pinv(matrix, 1e-10) @ (matrix @ scaled)) / scale
    assert np.abs(found - wanted).max() < 1e-11 * np.abs(free).max()
    assert np.abs(free - wanted).max() > 0.1 * np.abs(free).max()


MOVING = {
    "space": "x in [0.2, 1.7]; y in [-0.4, 0.9]",
    "let": "let { s = exp(-2*nu*t); a = 1 + sin(x - t)*cos(y - t/2)*s; b = 1/2 - cos(x - t)*sin(y - t/2)*s }",
    "initial": "(a, b)",
    "boundary": "all: U = (a, b)",
}


def test_vortices_between_moving_walls_at_second_order() -> None:
    errors = []
    for n in (8, 16):
        solver = flow(n=n, dt=0.16 / n, **MOVING)
        got = solver.solve().fields
        x, y = nodes(solver)
        decay = np.exp(-0.1)
        u, v = velocity(got)
        pressure = (np.cos(2 * (x - 0.5)) + np.cos(2 * (y - 0.25))) / 4 * decay**2
        gap = np.asarray(got["p"][-1]) - pressure
        errors.append(
            [
                np.abs(u - 1 - np.sin(x - 0.5) * np.cos(y - 0.25) * decay).max(),
                np.abs(v - 0.5 + np.cos(x - 0.5) * np.sin(y - 0.25) * decay).max(),
                np.ptp(gap),
            ]
        )
        # The net flux by trapezoids is not quite zero, and nothing else is left.
        errors[-1].append(np.abs(divergence(solver, [u, v])).max())
    orders = np.log2(np.divide(*errors))
    assert min(orders) > 1.8, (errors, orders)
    assert errors[-1][0] < 2e-4


@pytest.mark.slow
def test_a_channel_starts_up() -> None:
    # Plates at rest and a steady force: the series of a heat equation, with no pressure.
    solver = flow(
        "x in [0, 1] periodic; y in [0, 1]", "(0, 0)", "y = 0: U = (0, 0); y = 1: U = (0, 0)", [6, 16],
        force=" + (1, 0)", dt=0.01,
    )  # fmt: skip
    got = solver.solve().fields
    _, y = nodes(solver)
    wanted = y * (1 - y) / 0.2
    for m in range(1, 60, 2):
        k = m * np.pi
        wanted -= 4 / k**3 / 0.1 * np.sin(k * y) * np.exp(-0.1 * k**2 * 0.5)
    assert np.abs(velocity(got)[0] - wanted).max() < 3e-3 * wanted.max()
    assert np.abs(velocity(got)[1]).max() < 1e-14
    assert np.abs(np.asarray(got["p"])).max() < 1e-13


STIR = "(sin(pi*x)^2*sin(2*pi*y), -sin(2*pi*x)*sin(pi*y)^2)"


def test_energy_is_kept_without_friction_and_lost_with_it() -> None:
    solver = flow("x in [0, 1]; y in [0, 1]", STIR, REST, 12, dt=0.01, step="rk4")
    times = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]

    def energies(nu: float) -> np.ndarray:
        got = solver.solve(params={"nu": nu}, save_at=times).fields
        for frame in range(len(times)):
            assert np.abs(divergence(solver, velocity(got, frame))).max() < 1e-12
        return np.array([sum((a**2).sum() for a in velocity(got, frame)) for frame in range(len(times))])

    kept, lost = energies(0.0), energies(0.01)
    assert np.abs(kept / kept[0] - 1).max() < 1e-7
    assert (np.diff(lost) < 0).all()
    assert lost[-1] < 0.9 * lost[0]


@pytest.mark.slow
def test_gradients_go_through_a_solve() -> None:
    solver = flow("x in [0, 1]; y in [0, 1]", STIR, REST, 8, end=0.04)

    def energy(nu: jax.Array | float) -> jax.Array:
        got = solver.solve(params={"nu": nu}).fields
        return (got["U.x"][-1] ** 2).sum() + (got["U.y"][-1] ** 2).sum() + got["p"][-1][0, 0]

    slope = jax.grad(energy)(0.1)
    difference = (energy(0.1 + 1e-5) - energy(0.1 - 1e-5)) / 2e-5
    assert abs(slope / difference - 1) < 1e-6


@pytest.mark.slow
def test_vortices_slip_along_their_walls() -> None:
    errors = []
    for n in (8, 16):
        sides = "x = 0: U.x = 0, dn(U.y) = 0; x = pi: U.x = 0, dn(U.y) = 0; "
        sides += "y = 0: dn(U.x) = 0, U.y = 0; y = pi: dn(U.x) = 0, U.y = 0"
        solver = flow("x in [0, pi]; y in [0, pi]", "(sin(x)*cos(y), -cos(x)*sin(y))", sides, n)
        got = solver.solve().fields
        x, y = nodes(solver)
        decay = np.exp(-0.1)
        pressure = (np.cos(2 * x) + np.cos(2 * y)) / 4 * decay**2
        errors.append(
            [
                np.abs(velocity(got)[0] - np.sin(x) * np.cos(y) * decay).max(),
                np.abs(np.asarray(got["p"][-1]) - pressure).max(),
            ]
        )
        assert np.abs(divergence(solver, velocity(got))).max() < 1e-13
    orders = np.log2(np.divide(*errors))
    assert min(orders) > 1.6, (errors, orders)


@pytest.mark.slow
def test_a_beltrami_flow_in_three_dimensions() -> None:
    # curl U = U: the convection is a gradient, and friction alone changes it.
    data = "let { s = exp(-nu*t) }"
    start = "(s*(sin(z) + cos(y)), s*(sin(x) + cos(z)), s*(sin(y) + cos(x)))"
    space = "x in [0, 1]; y in [0, 1.5]; z in [0.5, 2]"
    solver = flow(space, start, f"all: U = {start}", 6, let=data, end=0.1)
    got = solver.solve().fields
    x, y, z = nodes(solver)
    exact = [np.sin(z) + np.cos(y), np.sin(x) + np.cos(z), np.sin(y) + np.cos(x)]
    for found, wanted in zip(velocity(got), exact, strict=True):
        assert np.abs(found - np.exp(-0.01) * wanted).max() < 1e-3
    # Without a projection the gradient that the convection is would have moved them by a tenth of itself.
    energy = sum(a**2 for a in exact) / 2
    gap = np.asarray(got["p"][-1]) + np.exp(-0.02) * energy
    assert np.ptp(gap) < 0.2 * np.ptp(energy)


@pytest.mark.slow
def test_a_divergence_with_a_source_that_moves() -> None:
    # U = grad(phi) with laplacian(phi) = -2 phi, moved by the walls; the pressure balances what is left.
    grows = "(sin(t)*cos(x)*cos(y), -sin(t)*sin(x)*sin(y))"
    force = f" + (cos(t)*cos(x)*cos(y), -cos(t)*sin(x)*sin(y)) + 2*nu*{grows}"
    force += " + grad(sin(t)^2*(cos(x)^2*cos(y)^2 + sin(x)^2*sin(y)^2)/2)"
    solver = flow(
        "x in [0, 1]; y in [0, 1.5]", "(0, 0)", f"all: U = {grows}", 12,
        source="-2*sin(t)*sin(x)*cos(y)", force=force,
    )  # fmt: skip
    got = solver.solve().fields
    x, y = nodes(solver)
    assert np.abs(velocity(got)[0] - np.sin(0.5) * np.cos(x) * np.cos(y)).max() < 1e-3
    assert np.abs(np.asarray(got["p"][-1])).max() < 1e-2


@pytest.mark.slow
def test_a_lid_disturbs_the_cells_at_its_ends_alone() -> None:
    boundary = "x = 0: U = (0, 0); x = 1: U = (0, 0); y = 0: U = (0, 0); y = 1: U = (sin(t), 0)"
    for n in (8, 9):
        solver = flow("x in [0, 1]; y in [0, 1]", "(0, 0)", boundary, n)
        left = np.abs(divergence(solver, velocity(solver.solve().fields)))
        left[:2, -2:] = left[-2:, -2:] = 0
        assert left.max() < 1e-12


BEFORE = {"x": "x in [0, 1]", "y": "y in [0, 2]", "z": "z in [0, 1.5] periodic"}
TUBE = "x = 0: U = (0, 0, 0); x = 1: U = (0, 0, 0); y = 0: U = (0, 0, 0); y = 2: U = (0, 0, 0)"


@pytest.mark.parametrize(
    ("space", "boundary", "n"),
    [
        pytest.param(BOX, REST, [9, 6], id="walls"),
        pytest.param(
            CHANNEL, "y = 0: U = (0, 0); y = 2: U = (0, 0)", [6, 8], id="channel", marks=pytest.mark.slow
        ),
        pytest.param(BOX, SLIP, [5, 6], id="slip", marks=pytest.mark.slow),
        pytest.param("; ".join(BEFORE.values()), TUBE, [5, 6, 5], id="tube", marks=pytest.mark.slow),
    ],
)
def test_an_implicit_stage_solves_the_stokes_problem(space: str, boundary: str, n: list[int]) -> None:
    zero = "(" + ", ".join("0" for _ in n) + ")"
    solver = flow(space, zero, boundary, n, step="imex")
    scheme = solver.programs.scheme
    assert isinstance(scheme, ProjectedDifferences)
    rng = np.random.default_rng(5)
    params = {"nu": jnp.asarray(0.1)}
    y = scheme.finish(
        jnp.asarray(0.0), tuple(jnp.asarray(rng.standard_normal(solver.plan.shape)) for _ in n), params
    )
    right = tuple(scheme.scheme.nodes.surround(scheme.scheme.nodes.inside(a, u), u) for u, a in enumerate(y))
    right = scheme.finish(jnp.asarray(0.0), right, params)
    solve = jax.jit(scheme.solve)
    for shift in (1e-3, 1.0, 100.0):
        found = solve(jnp.asarray(shift), right, params)
        for a, b, c in zip(found, scheme.linear(found, params), right, strict=True):
            assert np.abs(a - shift * b - c).max() < 1e-8
        kept = np.abs(divergence(solver, [np.asarray(a) for a in found])).max()
        assert kept < 1e-9, kept
        assert np.abs(found[0]).max() < np.abs(right[0]).max()


def test_plates_drag_a_flow_along_in_long_steps() -> None:
    # Couette flow from rest and a steady force: series of a heat equation. Explicit steps end at 0.001.
    solver = flow(
        "x in [0, 1] periodic; y in [0, 1]", "(0, 0)", "y = 0: U = (0, 0); y = 1: U = (1, 0)", [5, 16],
        force=" + (4, 0)", dt=0.025, nu=1.0, end=0.2, step="imex",
    )  # fmt: skip
    got = solver.solve().fields
    _, y = nodes(solver)
    wanted = y + 2 * y * (1 - y)
    for m in range(1, 60):
        k = m * np.pi
        start = 2 * (-1.0) ** m / k - (16 / k**3 if m % 2 else 0)
        wanted = wanted + start * np.sin(k * y) * np.exp(-(k**2) * 0.2)
    assert np.abs(velocity(got)[0] - wanted).max() < 3e-3
    assert np.abs(velocity(got)[1]).max() < 1e-12


@pytest.mark.slow
def test_long_steps_have_order_four() -> None:
    def end(step: str, dt: float) -> np.ndarray:
        solver = flow("x in [0, 1]; y in [0, 1]", STIR, REST, 10, step=step, dt=dt, end=0.04, nu=0.5)
        got = velocity(solver.solve().fields)
        assert np.abs(divergence(solver, got)).max() < 1e-12
        return np.stack(got)

    wanted = end("rk4", 0.00025)
    errors = [np.abs(end("imex", dt) - wanted).max() for dt in (0.02, 0.01)]
    assert np.log2(errors[0] / errors[1]) > 3.5, errors
    assert errors[1] < 2e-5 * np.abs(wanted).max()


@pytest.mark.slow
@pytest.mark.parametrize(("step", "lid"), [("imex", "1"), ("implicit", "1 - exp(-4*t)")])
def test_a_lid_at_a_low_reynolds_number(step: str, lid: str) -> None:
    boundary = f"x = 0: U = (0, 0); x = 1: U = (0, 0); y = 0: U = (0, 0); y = 1: U = ({lid}, 0)"
    found = []
    for name, dt in ((step, 0.02), ("rk4", 0.001)):
        solver = flow("x in [0, 1]; y in [0, 1]", "(0, 0)", boundary, 10, step=name, dt=dt, nu=1.0, end=0.4)
        found.append(np.stack(velocity(solver.solve().fields)))
    assert np.abs(found[0] - found[1]).max() < 2e-4


@pytest.mark.slow
def test_gradients_go_through_implicit_steps() -> None:
    solver = flow("x in [0, 1]; y in [0, 1]", STIR, REST, 6, end=0.04, step="imex")

    def energy(nu: jax.Array | float) -> jax.Array:
        got = solver.solve(params={"nu": nu}).fields
        return (got["U.x"][-1] ** 2).sum() + (got["U.y"][-1] ** 2).sum()

    slope = jax.grad(energy)(0.5)
    difference = (energy(0.5 + 1e-5) - energy(0.5 - 1e-5)) / 2e-5
    assert abs(slope / difference - 1) < 1e-6


@pytest.mark.parametrize(
    ("nu", "advection", "lid", "name", "why"),
    [
        ("0.01", " + (U·∇)U", "1", "dopri5", "not stiff"),
        ("1", " + (U·∇)U", "1", "imex", "friction alone"),
        ("1", " + (U·∇)U", "sin(t)", "implicit", "data that depend on time"),
        ("1", "", "1", "implicit", "stiff and linear"),
        ("(1 + x)", "", "1", "dopri5", "the viscosity is not constant"),
    ],
)
def test_friction_that_binds_the_step_is_taken_implicitly(
    nu: str, advection: str, lid: str, name: str, why: str
) -> None:
    text = f"""
    space {{ x in [0, 1]; y in [0, 1] }}
    time {{ t in [0, 1] }}
    fields {{ U: vector; p }}
    equations {{ dt(U){advection} = -grad(p) + {nu}*laplacian(U); div(U) = 0 }}
    initial {{ U = (0, 0) }}
    boundary {{ x = 0: U = (0, 0); x = 1: U = (0, 0); y = 0: U = (0, 0); y = 1: U = ({lid}, 0) }}
    solve {{ n = 64 }}
    """
    plan, _ = compile_plan(Source("spec", text))
    (choice,) = (c for c in plan.choices if c.what == "step")
    assert choice.value == name
    assert why in choice.reason
