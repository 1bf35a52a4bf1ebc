"""What the equations say of fields whose values are given on walls."""

import pytest
import sympy as sp

from nablax.frontend.source import read_source
from nablax.pipeline import run_stages
from nablax.planning.wall_equations import order_at_walls, wall_equations
from nablax.system import Boundary, System


def system_of(equations: str, boundary: str, fields: str = "u", plane: bool = False) -> System:
    names = fields.split(", ")
    second = "dtt" in equations
    initial = "\n".join(f"{n} = 0" + (f"\ndt({n}) = 0" if second else "") for n in names)
    text = f"""
space {{ x in [0, 1]{"; y in [0, 2] periodic" if plane else ""} }}
time {{ t in [0, 1] }}
fields {{ {fields} }}
params {{ c = 1.5 }}
equations {{ {equations} }}
initial {{ {initial} }}
boundary {{ {boundary} }}
"""
    stages = run_stages(read_source("spec", text))
    assert stages.system is not None, [d.message for d in stages.report.diagnostics]
    return stages.system


ENDS = "x = 0: u = sin(t)\nx = 1: u = 0"


def lower(system: System) -> Boundary:
    return next(b for b in wall_equations(system, 8) if b.side == 0)


def test_a_wave_has_a_curvature_and_the_slope_beside_it() -> None:
    system = system_of("dtt(u) = dx(c^2*(1 + x/2)*dx(u)) - sin(u)", ENDS)
    found, (c, t) = lower(system), (system.parameters[0].symbol, system.time.symbol)
    assert [(sp.simplify(b.coefficient), b.order) for b in found.terms] == [(1, 2), (sp.Rational(1, 2), 1)]
    assert sp.simplify(found.data - (-sp.sin(t) + sp.sin(sp.sin(t))) / c**2) == 0
    assert order_at_walls(system, 8) == (8, None)


def test_values_along_a_wall_are_known() -> None:
    system = system_of("dtt(u) = laplacian(u)", "x = 0: u = t^3*sin(pi*y)\nx = 1: u = 0", plane=True)
    found, y, t = lower(system), system.axes[1].symbol, system.time.symbol
    assert sp.simplify(found.data - (6 * t + sp.pi**2 * t**3) * sp.sin(sp.pi * y)) == 0


def test_transport_has_a_slope() -> None:
    system = system_of("dt(u) = -c*(1 + x)*dx(u) - u^2", "x = 0: u = sin(t)")
    (found,), (c, t) = wall_equations(system, 4), (system.parameters[0].symbol, system.time.symbol)
    assert [b.order for b in found.terms] == [1]
    assert sp.simplify(found.data + (sp.cos(t) + sp.sin(t) ** 2) / c) == 0
    slope, second = wall_equations(system, 8)
    assert slope == found
    # u = φ(t - s) along characteristics, s the time from the wall, solves the equation without u².
    plain = system_of("dt(u) = -(1 + x)*dx(u)", "x = 0: u = sin(t)")
    x, exact = plain.axes[0].symbol, sp.sin(t - sp.log(1 + plain.axes[0].symbol))
    for condition, m in zip(wall_equations(plain, 8), (1, 2), strict=True):
        assert sp.simplify(condition.data - sp.diff(exact, x, m).subs(x, 0)) == 0
    assert [b.order for b in second.terms] == [2]


@pytest.mark.parametrize(
    ("equations", "boundary", "order"),
    [
        ("dt(u) = dxx(u) - dx(u)", ENDS, 8),  # damped: nothing is needed
        ("dtt(u) = dxx(u) + dxx(dt(u))", ENDS, 5),
        ("dtt(u) = dxx(u) + dx(u)^2", ENDS, 5),
        ("dtt(u) = dxx(u) - integral(u)", ENDS, 5),
        ("dtt(u) = dxx(u)", "x = 0: u = max(t - 0.5, 0)\nx = 1: u = 0", 5),
        ("dt(u) = -dx(u) - integral(u)", "x = 0: u = 0", 5),
    ],
)
def test_what_the_equations_do_not_give_is_not_claimed(equations: str, boundary: str, order: int) -> None:
    system = system_of(equations, boundary)
    assert not [b for b in wall_equations(system, 8) if b.side == 0]
    assert order_at_walls(system, 8)[0] == order


def test_acoustics_have_odd_and_even_derivatives_in_turn() -> None:
    system = system_of("dt(u) = -c*dx(v)\ndt(v) = -dx(u)", ENDS, "u, v")
    found = {(b.unknown, b.terms[0].order): b.data for b in wall_equations(system, 4) if b.side == 0}
    c, t = system.parameters[0].symbol, system.time.symbol
    assert set(found) == {(1, 1), (0, 2), (1, 3), (0, 4)}
    wanted = {
        (1, 1): -sp.cos(t) / c,
        (0, 2): -sp.sin(t) / c,
        (1, 3): sp.cos(t) / c**2,
        (0, 4): sp.sin(t) / c**2,
    }
    assert all(sp.simplify(found[key] - value) == 0 for key, value in wanted.items())
    assert order_at_walls(system, 8) == (8, None)


def test_what_varies_and_what_is_lost_stands_in_conditions_of_acoustics() -> None:
    system = system_of(
        "dt(u) = -(1 + x)*dx(v) - u\ndt(v) = -dx(u) + v*x", "x = 0: u = 0\nx = 1: v = exp(-t)", "u, v"
    )
    found = [b for b in wall_equations(system, 4) if b.side == 0]
    assert [(b.unknown, *(term.order for term in b.terms)) for b in found] == [
        (1, 1),
        (0, 2),
        (1, 3, 2),
        (0, 4, 3),
    ]
    assert order_at_walls(system, 4) == (4, None)


def test_a_rigid_wall_in_two_dimensions_reads_the_velocity_along_it() -> None:
    equations = "dt(p) = -dx(u) - dy(v)\ndt(u) = -dx(p)\ndt(v) = -dy(p)"
    system = system_of(equations, "all: u = 0", "p, u, v", plane=True)
    x, y = (a.symbol for a in system.axes)
    found = {(b.unknown, b.terms[0].order): b.data for b in wall_equations(system, 4) if b.side == 0}
    v = system.unknowns[2].value
    wanted = {(0, 1): 0, (1, 2): -v.diff(x, y), (0, 3): 0, (1, 4): -v.diff((x, 3), y)}
    assert set(found) == set(wanted)
    assert all(sp.simplify(found[key] - value) == 0 for key, value in wanted.items())
    assert order_at_walls(system, 8) == (8, None)
    given = system_of(equations, "all: p = 0", "p, u, v", plane=True)
    assert [order_at_walls(given, p)[0] for p in (6, 8)] == [6, 6]


@pytest.mark.parametrize("equation", ["dt(u) = -dx(v) - dx(u)/2", "dt(u) = -dx(v)*(1 + v^2)"])
def test_acoustics_claim_what_they_have(equation: str) -> None:
    system = system_of(f"{equation}\ndt(v) = -dx(u)", ENDS, "u, v")
    assert wall_equations(system, 8) == ()
    assert [order_at_walls(system, p)[0] for p in (2, 4, 8)] == [2, 3, 3]


@pytest.mark.parametrize(("condition", "order"), [("dx(u)", 7), ("dxx(u)", 6)])
def test_beams_claim_what_their_closures_have(condition: str, order: int) -> None:
    system = system_of("dtt(u) = -dx(dx(dx(dx(u))))", f"all: u = 0\nall: {condition} = 0")
    assert [order_at_walls(system, p)[0] for p in (4, 6, 8)] == [4, 6, order]
