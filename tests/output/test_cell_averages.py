"""`expect` under finite volumes: averages over cells beside averages over cells."""

import numpy as np
import pytest

from nablax import parse
from nablax.backends.cell_formulas import inside
from nablax.backends.expectations import Judge
from nablax.backends.formulas import Place
from nablax.backends.frames import Frame
from nablax.plan import GridAxis

SPEC = """
space {{ x in [0, 2*pi] {axis} }}
time {{ t in [0, 1] }}
fields {{ u }}
equations {{ dt(u) + dx(u) = 0 }}
initial {{ u = exp(sin(x)) }}
{walls}
solve {{ method = fv; n = {n}; order = 5 }}
output {{ every = 1 }}
expect {{ {statement} }}
"""
WALLS = "boundary { x = 0: u = exp(sin(-t)) }"


def averages(function, edges: np.ndarray) -> np.ndarray:
    points, weights = np.polynomial.legendre.leggauss(12)
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    return function(middles[:, None] + widths[:, None] * points / 2) @ weights / 2


def miss(statement: str, n: int, axis: str = "periodic") -> float:
    """What is measured where the frame holds the exact averages."""
    text = SPEC.format(n=n, statement=statement, axis=axis, walls="" if axis else WALLS)
    solver = parse(text).compile()
    u = averages(lambda x: np.exp(np.sin(x - 1)), np.linspace(0, 2 * np.pi, n + 1))
    seen = Judge(solver.outline, {})
    seen.see(Frame(1, 1.0, {"u": u}, 1, 0, 0.1))
    (verdict,) = seen.verdicts()
    assert verdict.measured is not None, verdict.reason
    return verdict.measured


def test_exact_averages_meet_the_exact_solution_to_rounding():
    assert miss("u ≈ exp(sin(x - t))", 12) < 1e-9  # of points it is 2e-2
    assert miss("u ≈ exp(sin(x - t))", 30) < 1e-14
    assert miss("3*u + x ≈ 3*exp(sin(x - t)) + x", 30) < 1e-14
    assert miss("always integral(u) ≈ integral(exp(sin(x)))", 30) < 1e-14


@pytest.mark.parametrize("axis", ["periodic", ""])
@pytest.mark.parametrize(
    ("statement", "least"),
    [
        ("u^2 ≈ exp(2*sin(x - t))", 4.7),
        ("integral((u - exp(sin(x - t)))^2) <= 1", 9.0),
        ("dx(u) ≈ cos(x - t)*exp(sin(x - t))", 4.7),
    ],
)
def test_functions_of_averages_meet_it_at_fifth_order(statement, least, axis):
    errors = [miss(statement, n, axis) for n in (40, 80)]
    assert np.log2(errors[0] / errors[1]) > least or errors[1] < 1e-13, errors


def test_a_jump_inside_a_cell_is_met_in_the_mean():
    text = SPEC.format(n=10, statement="u ≈ where(x < 1, 1, 0) within 2e-3", axis="periodic", walls="")
    u = averages(lambda x: (x < 0).astype(float), np.linspace(0, 2 * np.pi, 11))
    u[:2] = 1, 1 / (2 * np.pi / 10) - 1
    seen = Judge(parse(text).compile().outline, {})
    seen.see(Frame(1, 1.0, {"u": u}, 1, 0, 0.1))
    assert seen.verdicts()[0].passed


def test_values_inside_cells_keep_their_average_and_do_not_overshoot_jumps():
    axis = GridAxis("x", 0.0, 1.0, 16, False, True)
    u = np.where(np.arange(16) < 7, 1.0, 0.0)
    points, weights = np.polynomial.legendre.leggauss(5)
    values = np.array([inside(u, Place((axis,), 5), {0: p / 2}) for p in points])
    np.testing.assert_allclose(weights @ values / 2, u, atol=1e-14)
    assert values.max() < 1.01
    assert values.min() > -0.01


def test_a_scheme_of_order_5_meets_a_tight_expectation():
    text = (
        "space { x in [0, 2*pi] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
        "equations { dt(u) + dx(u) = 0 }\ninitial { u = sin(x) }\n"
        "solve { method = fv; n = 32; order = 5; dt = 0.01 }\noutput { every = 1 }\n"
        "expect { u ≈ sin(x - t) within 2e-5 }\n"
    )
    solver = parse(text).compile()
    seen = Judge(solver.outline, {})
    for event in solver.stream():
        if isinstance(event, Frame):
            seen.see(event)
    (verdict,) = seen.verdicts()
    assert verdict.passed, verdict.measured  # the averages are 1.6e-3 below the values at the centres
