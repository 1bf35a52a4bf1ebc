"""Which conditions stand where: by the speeds on the walls, and by the waves of a system that enter there."""

import pytest

from nablax.frontend.source import Source
from nablax.pipeline import check

SPEC = """space {{ {space} }}
time {{ t in [0, 2] }}
fields {{ {fields} }}
equations {{ {equations} }}
initial {{ {initial} }}
boundary {{ {boundary} }}
"""


def codes(equations, boundary, fields="u", space="x in [-1, 1]"):
    initial = "; ".join(f"{f} = 0" for f in fields.split("; "))
    text = SPEC.format(equations=equations, boundary=boundary, fields=fields, initial=initial, space=space)
    return [d.code for d in check(Source("spec", text)).diagnostics]


@pytest.mark.parametrize(
    ("equation", "boundary", "said"),
    [
        ("dt(u) + x*dx(u) = 0", "", []),
        ("dt(u) + x*dx(u) = 0", "x = -1: u = 0", ["P301"]),
        ("dt(u) = x*dx(u)", "all: u = 0", []),
        ("dt(u) = x*dx(u)", "x = 1: u = 0", ["P301"]),
        ("dt(u) + (2 + sin(x))*dx(u) = 0", "x = -1: u = 0", []),
        ("dt(u) + (2 + sin(x))*dx(u) = 0", "x = 1: u = 0", ["P301"]),
        ("dt(u) + (1 + x)*dx(u) = 0", "", []),  # nothing moves through the wall at -1
        ("dt(u) + (1 - x)*dx(u) = 0", "x = -1: u = 0", []),
        ("dt(u) + cos(pi*t)*dx(u) = 0", "x = -1: u = 0", ["P313"]),
        ("dt(u) + cos(pi*t)*dx(u) = 0", "x = 1: u = 0", ["P313"]),
        ("dt(u) + t*dx(u) = 0", "x = -1: u = 0", []),
        ("dt(u) + (2 + x)*dxxx(u) = 0", "x = -1: u = 0; x = 1: u = 0, dx(u) = 0", []),
        ("dt(u) + x*dxxx(u) = 0", "x = -1: u = 0; x = 1: u = 0, dx(u) = 0", ["P313"]),
    ],
)
def test_odd_conditions_by_the_speed_on_each_wall(equation, boundary, said):
    assert [c for c in codes(equation, boundary) if c in ("P301", "P313")] == said


def test_a_speed_that_turns_along_a_wall():
    plane = "x in [-1, 1] periodic; y in [0, 1]"
    assert "P313" in codes("dt(u) + sin(pi*x)*dy(u) = 0", "y = 0: u = 0", space=plane)
    assert codes("dt(u) + (2 + sin(pi*x))*dy(u) = 0", "y = 0: u = 0", space=plane) == []


@pytest.mark.parametrize(
    ("equations", "boundary", "said"),
    [
        ("dt(u) + dx(v) = 0; dt(v) + dx(u) = 0", "all: u = 0", []),
        ("dt(u) + dx(v) = 0; dt(v) + dx(u) = 0", "x = -1: u = 0; x = 1: v = 0", []),
        ("dt(u) + dx(v) = 0; dt(v) + dx(u) = 0", "x = -1: u = 0, v = 0", ["P301"]),
        ("dt(u) + 3*dx(u) + dx(v) = 0; dt(v) + 3*dx(v) + dx(u) = 0", "x = -1: u = 0, v = 0", []),
        ("dt(u) + 3*dx(u) + dx(v) = 0; dt(v) + 3*dx(v) + dx(u) = 0", "all: u = 0", ["P301"]),
        # One wave each way, whatever is written first.
        ("dt(u) + 0.5*dx(u) + dx(v) = 0; dt(v) + 0.5*dx(v) + dx(u) = 0", "all: u = 0", []),
        ("dt(u) + 0.5*dx(u) + dx(v) = 0; dt(v) + 0.5*dx(v) + dx(u) = 0", "x = -1: v = 0; x = 1: u = 0", []),
        ("dt(u) + 2*dx(u) + dx(v) = 0; dt(v) + 2*dx(v) + dx(u) = 0", "x = -1: u = 0; x = 1: v = 0", ["P301"]),
        # Speeds along no real direction: that these are ill-posed is another message.
        ("dt(u) + dx(v) = 0; dt(v) - dx(u) = 0", "all: u = 0", ["P313"]),
    ],
)
def test_coupled_fields_by_the_waves_that_enter(equations, boundary, said):
    found = codes(equations, boundary, fields="u; v")
    assert [c for c in found if c in ("P301", "P313")] == said


def test_a_coefficient_that_ends_at_zero_feeds_no_waves():
    text = SPEC.format(
        space="x in [0, 1] periodic", fields="u", equations="dt(u) = (0.3 - 0.15*t)*dxx(u)",
        initial="u = sin(2*pi*x)", boundary="",
    )  # fmt: skip
    assert not check(Source("spec", text.replace("boundary {  }\n", ""))).diagnostics
