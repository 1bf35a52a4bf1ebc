"""Transport whose speed turns round between the walls: information enters at both of them, or at none."""

import numpy as np
import pytest

import nablax

SPEC = """space {{ x in [-1, 1] }}
time {{ t in [0, 1] }}
fields {{ u }}
equations {{ dt(u) = {speed}*dx(u) }}
initial {{ u = {initial} }}
{boundary}
solve {{ n = 64; order = {order} }}
output {{ every = 1 }}
"""


@pytest.mark.parametrize("order", [2, 4])
def test_nothing_enters_where_the_speed_points_outwards(order):
    text = SPEC.format(speed="(-x)", initial="exp(-8*(x - 0.2)^2)", boundary="", order=order)
    solution = nablax.parse(text).compile().solve()
    x = np.linspace(-1, 1, solution.fields["u"].shape[-1])
    exact = np.exp(-8 * (x * np.exp(-1) - 0.2) ** 2)
    assert np.abs(solution.fields["u"][-1] - exact).max() < (2e-2 if order == 2 else 2e-3)


def test_both_walls_have_a_condition_where_the_speed_points_inwards():
    boundary = "boundary { all: u = x^2*exp(2*t) }"
    text = SPEC.format(speed="x", initial="x^2", boundary=boundary, order=4)
    solution = nablax.parse(text).compile().solve()
    x = np.linspace(-1, 1, solution.fields["u"].shape[-1])
    assert np.abs(solution.fields["u"][-1] - x**2 * np.exp(2)).max() < 1e-6
