"""What backends/differences/walls.py claims of its closures, on the one-dimensional operators."""

import numpy as np
import pytest
import sympy as sp

from nablax.backends.differences.bases import derivative_matrix
from nablax.backends.differences.halo import numbers
from nablax.backends.differences.walls import Character, Condition, Wall, closure_degree
from nablax.plan import GridAxis
from nablax.problem import Side
from nablax.stencils import centred_extreme, radius
from nablax.system import BoundaryTerm

ORDERS = [2, 4, 6, 8]
Stated = tuple[bool, list[list[tuple[float, int]]]]
D: Stated = (True, [])
N: Stated = (False, [[(1.0, 1)]])
FREE_SIDE: Stated = (False, [])
SUPPORTED: Stated = (True, [[(1.0, 2)]])
CURVED: Stated = SUPPORTED  # what a wave equation says of its field beside a given value
CLAMPED: Stated = (True, [[(1.0, 1)]])
SLOPED: Stated = CLAMPED  # what transport says
BENT: Stated = (True, [[(1.0, 1)], [(1.0, 2)]])
FREE: Stated = (False, [[(1.0, 2)], [(1.0, 3)]])
SLIDING: Stated = (False, [[(1.0, 1)], [(1.0, 3)]])


def robin(side: Side) -> Stated:
    return False, [[(1.0, 1), (-3.0 if side == 0 else 3.0, 0)]]


def operator(
    order: int,
    accuracy: int,
    lower: Stated,
    upper: Stated,
    n: int = 24,
    character: Character = "diffusive",
    highest: int | None = None,
) -> np.ndarray:
    axis = GridAxis("x", 0.0, 1.0, n, False)
    walls = []
    for side, (pinned, conditions) in ((0, lower), (1, upper)):
        stated = tuple(
            Condition(tuple(BoundaryTerm(sp.Float(c), m) for c, m in terms), sp.Integer(0))
            for terms in conditions
        )
        degree = closure_degree(accuracy, highest or order, pinned, stated, character)
        value = sp.Integer(0) if pinned else None
        halo = radius(highest or order, accuracy) - pinned
        walls.append(Wall(0, side, value, None, stated, degree, halo, axis.spacing))
    matrix = derivative_matrix(order, accuracy, axis, (walls[0], walls[1]), [numbers(w) for w in walls])
    inner = slice(int(lower[0]), n + 1 - int(upper[0]))
    return matrix[inner, inner]


@pytest.mark.parametrize("accuracy", ORDERS)
@pytest.mark.parametrize(
    ("lower", "upper"), [(D, D), (N, N), (D, N), (robin(0), robin(1))], ids=["DD", "NN", "DN", "RR"]
)
def test_diffusion_is_damped(accuracy: int, lower: Stated, upper: Stated) -> None:
    values = np.linalg.eigvals(operator(2, accuracy, lower, upper))
    assert values.real.max() < 1e-9
    if accuracy < 8:
        assert np.abs(values.imag).max() < 1e-9


@pytest.mark.parametrize("accuracy", ORDERS)
@pytest.mark.parametrize(("lower", "upper"), [(D, D), (D, N), (N, N)], ids=["DD", "DN", "NN"])
def test_waves_do_not_grow(accuracy: int, lower: Stated, upper: Stated) -> None:
    """A wave equation needs a real and non-positive spectrum."""
    values = np.linalg.eigvals(operator(2, accuracy, lower, upper, character="oscillatory"))
    assert np.abs(values.imag).max() < 1e-9
    assert values.real.max() < 1e-9


@pytest.mark.parametrize("accuracy", ORDERS)
def test_advection_from_an_inflow_wall_does_not_grow(accuracy: int) -> None:
    for n in (20, 41):
        assert np.linalg.eigvals(-operator(1, accuracy, D, FREE_SIDE, n)).real.max() < 0


@pytest.mark.parametrize("accuracy", [6, 8])
@pytest.mark.parametrize(
    ("lower", "upper"), [(CURVED, CURVED), (CURVED, N), (CURVED, robin(1))], ids=["DD", "DN", "DR"]
)
def test_waves_with_a_curvature_from_the_equation_do_not_grow(
    accuracy: int, lower: Stated, upper: Stated
) -> None:
    """Without a complex eigenvalue the energy stays bounded, with coefficients that vary as well."""
    n = 40
    matrix = operator(2, accuracy, lower, upper, n, "oscillatory")
    x = np.linspace(0, 1, n + 1)[1 : n + 1 - int(upper[0])]
    for speed in (np.ones_like(x), 1 + 0.8 * np.sin(5 * x + 1)):
        values = np.linalg.eigvals(speed[:, None] * matrix)
        assert np.abs(values.imag).max() < 1e-9
        assert values.real.max() < 0


@pytest.mark.parametrize("accuracy", [6, 8])
def test_waves_with_a_slope_beside_the_curvature_do_not_grow(accuracy: int) -> None:
    """(c w_x)_x between fixed ends, where the equation gives w_xx + (c'/c) w_x."""
    n = 40
    x = np.linspace(0, 1, n + 1)
    speed, slope = 1 + 0.5 * np.sin(5 * x + 1), 2.5 * np.cos(5 * x + 1)
    ends: list[Stated] = [(True, [[(1.0, 2), (slope[k] / speed[k], 1)]]) for k in (0, -1)]
    second = operator(2, accuracy, *ends, n, "oscillatory")
    first = operator(1, accuracy, *ends, n, "oscillatory", highest=2)
    values = np.linalg.eigvals(speed[1:-1, None] * second + slope[1:-1, None] * first)
    assert np.abs(values.imag).max() < 1e-9
    assert values.real.max() < 0


@pytest.mark.parametrize("accuracy", ORDERS)
def test_advection_whose_speed_varies_does_not_grow(accuracy: int) -> None:
    """Speeds that fall send waves too short for the grid back to the wall; one that falls through zero has an
    inflow wall at either end, one that rises through zero has none."""
    inflow = {2: D, 4: SLOPED, 6: BENT, 8: BENT}[accuracy]
    x = np.linspace(0, 1, 41)
    for speed in (np.ones_like(x), 1 - x / 2, 1 + x, 1 + 0.8 * np.sin(5 * x + 1), 0.3 - x, x - 0.3):
        lower, upper = (inflow if s > 0 else FREE_SIDE for s in (speed[0], -speed[-1]))
        inner = slice(int(lower[0]), 41 - int(upper[0]))
        matrix = -speed[inner, None] * operator(1, accuracy, lower, upper, 40)
        values = np.linalg.eigvals(matrix)
        assert values.real.max() < 1e-6
        # Steps are as long as the centred stencil's.
        assert np.abs(values).max() < 40 * centred_extreme(1, accuracy) * 1.02 * np.abs(speed).max()


@pytest.mark.parametrize("accuracy", ORDERS)
def test_advection_beside_diffusion_does_not_grow(accuracy: int) -> None:
    # A cell Péclet number of 4.
    diffusion = operator(2, accuracy, D, D, character="mixed")
    advection = operator(1, accuracy, D, D, character="mixed", highest=2)
    assert np.linalg.eigvals(diffusion / 96 - advection).real.max() < 0


@pytest.mark.parametrize("accuracy", ORDERS)
def test_acoustics_between_rigid_walls_do_not_grow(accuracy: int) -> None:
    n = 24
    pressure = operator(1, accuracy, FREE_SIDE, FREE_SIDE, n, "coupled")[1:-1]
    axis_full = operator_on_all_nodes(accuracy, n)
    block = np.block([[np.zeros((n - 1, n - 1)), pressure], [axis_full[:, 1:-1], np.zeros((n + 1, n + 1))]])
    assert np.linalg.eigvals(block).real.max() < 1e-9


def operator_on_all_nodes(accuracy: int, n: int) -> np.ndarray:
    """The first derivative of a pinned velocity, evaluated at the walls too."""
    axis = GridAxis("x", 0.0, 1.0, n, False)
    degree = closure_degree(accuracy, 1, True, (), "coupled")
    lower, upper = (
        Wall(0, s, sp.Integer(0), None, (), degree, radius(1, accuracy), axis.spacing) for s in (0, 1)
    )
    return derivative_matrix(1, accuracy, axis, (lower, upper), [(), ()])


@pytest.mark.parametrize("accuracy", [4, 6, 8])
@pytest.mark.parametrize("ends", ["pp", "pv"])
def test_acoustics_between_mirrors_keep_their_energy(accuracy: int, ends: str) -> None:
    """All even derivatives of what is given on a wall and all odd ones of the other are known."""
    n = 24
    odd: Stated = (True, [[(1.0, m)] for m in range(2, accuracy + 1, 2)])
    even: Stated = (False, [[(1.0, m)] for m in range(1, accuracy, 2)])
    pressure = mirrored(accuracy, *(odd if given == "p" else even for given in ends), n)
    velocity = mirrored(accuracy, *(even if given == "p" else odd for given in ends), n)
    nothing = np.zeros((n + 1, n + 1))
    block = np.block([[nothing, velocity], [pressure, nothing]])
    free = [k for k in range(2 * n + 2) if k % (n + 1) not in (0, n)]
    free += [given * (n + 1) + k for k, end in ((0, ends[0]), (n, ends[1])) for given in [int(end == "p")]]
    values = np.linalg.eigvals(block[np.ix_(free, free)])
    assert np.abs(values.real).max() < 1e-9
    assert np.abs(values).max() < 1.01 * n * centred_extreme(1, accuracy)


def mirrored(accuracy: int, lower: Stated, upper: Stated, n: int) -> np.ndarray:
    """The first derivative on all nodes, those of the walls included."""
    axis = GridAxis("x", 0.0, 1.0, n, False)
    walls = []
    for side, (pinned, conditions) in ((0, lower), (1, upper)):
        stated = tuple(
            Condition(tuple(BoundaryTerm(sp.Float(c), m) for c, m in terms), sp.Integer(0))
            for terms in conditions
        )
        degree = closure_degree(accuracy, 1, pinned, stated, "coupled")
        value = sp.Integer(0) if pinned else None
        walls.append(Wall(0, side, value, None, stated, degree, radius(1, accuracy), axis.spacing))
    return derivative_matrix(1, accuracy, axis, (walls[0], walls[1]), [numbers(w) for w in walls])


@pytest.mark.parametrize("accuracy", ORDERS)
def test_dispersion_with_three_conditions_is_damped(accuracy: int) -> None:
    """u_t = -u_xxx with u at the left, u and u_x at the right."""
    for n in (20, 41):
        assert np.linalg.eigvals(-operator(3, accuracy, D, CLAMPED, n)).real.max() < 0


@pytest.mark.parametrize("accuracy", ORDERS)
@pytest.mark.parametrize(
    ("lower", "upper"),
    [(SUPPORTED, SUPPORTED), (CLAMPED, CLAMPED), (CLAMPED, FREE), (FREE, FREE), (SLIDING, SLIDING)],
    ids=["supported", "clamped", "cantilever", "free", "sliding"],
)
def test_beams_do_not_grow(accuracy: int, lower: Stated, upper: Stated) -> None:
    values = np.linalg.eigvals(operator(4, accuracy, lower, upper))
    scale = np.abs(values).max()
    assert np.abs(values.imag).max() < 1e-10 * scale
    assert values.real.min() > -1e-10 * scale


def test_spectral_radii_that_the_step_bound_has_to_cover() -> None:
    """Closures may lie beyond the centred symbol: by these factors at most."""
    factors = {
        accuracy: max(
            np.abs(np.linalg.eigvals(operator(2, accuracy, lower, upper))).max()
            / np.abs(np.linalg.eigvals(operator(2, accuracy, D, D))).max()
            for lower, upper in ((N, N), (D, N), (robin(0), robin(1)))
        )
        for accuracy in ORDERS
    }
    assert factors[2] < 1.02
    assert factors[4] < 1.5
    assert factors[6] < 1.85
    assert factors[8] < 2.05
