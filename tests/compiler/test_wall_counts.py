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


DISC = """space polar {{ r in [0, 1]; theta in [0, {around}] periodic }}
time {{ t in [0, 1] }}
fields {{ p; q: vector }}
equations {{ dt(p) = -div(q); dt(q) = -grad(p) }}
initial {{ p = 0; q = (0, 0) }}
boundary {{ {boundary} }}
"""


@pytest.mark.parametrize(
    ("boundary", "said"),
    [
        ("r = 1: q.r = 0", []),
        ("all: p = 0", []),  # the centre is no wall
        ("", ["P301"]),
        ("r = 1: p = 1, q.r = 0", ["P301"]),
        ("r = 0: p = 1; r = 1: q.r = 0", ["P301"]),
    ],
)
def test_waves_that_enter_a_disc(boundary, said):
    text = DISC.format(around="6.283185307179586", boundary=boundary)
    found = [d.code for d in check(Source("spec", text.replace("boundary {  }\n", ""))).diagnostics]
    assert [c for c in dict.fromkeys(found) if c in ("P301", "P313", "P402")] == said


def test_one_condition_for_every_field_on_a_curve_in_any_order():
    lines = ["edge: u + v = 0", "edge: v + w = 1", "edge: u - v = 2"]
    for order in (lines, lines[::-1], [lines[1], lines[0], lines[2]]):
        text = (
            "space { x in [-1, 1]; y in [-1, 1]; inside x^2 + y^2 < 0.8 }\nfields { u; v; w }\n"
            "equations { -laplacian(u) = 1; -laplacian(v) = 1; -laplacian(w) = 1 }\n"
            f"boundary {{ {'; '.join(order)} }}\ntrain {{ steps = 10 }}\n"
        )
        assert not [d.message for d in check(Source("spec", text)).diagnostics if d.code == "P301"]


@pytest.mark.parametrize("term", ["sin(2*pi*x)/(1 - u)", "log(1 - u)", "log((1 + u)/(1 - u))"])
def test_terms_are_singular_by_their_coefficients_alone(term):
    text = (
        "space { x in [0, 1] periodic } time { t in [0, 1] } fields { u }\n"
        f"equations {{ dt(u) = dxx(u) + {term} }} initial {{ u = 0.5*sin(2*pi*x) }}"
    )
    assert not check(Source("spec", text)).diagnostics
    told = check(Source("spec", text.replace(term, f"u/sin(pi*x) + {term}"))).diagnostics
    assert [d.code for d in told] == ["P321"]


VISCOUS_SOUND = """space {{ x in [0, 1] }}
time {{ t in [0, 1] }}
fields {{ p; u{more} }}
equations {{ dt(p) + dx(u) = 0; dt(u) + dx(p){sum} = {diffusion}{heat} }}
initial {{ p = 0; u = 0{start} }}
boundary {{ {conditions} }}
"""


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ("all: u = 0", []),
        ("all: dx(u) = 0", []),
        ("x = 0: u = 0; x = 1: dx(u) = p", []),
        ("all: u = 0; x = 0: p = 0", ["`p` needs no boundary condition along x, and has 1"]),
        ("x = 0: u = 0", ["`u` needs 2 boundary conditions along x, and has 1"]),
    ],
)
def test_only_what_diffuses_takes_conditions_where_the_rest_stands_still(conditions, said):
    """p_t = -u_x, u_t = -p_x + ν u_xx: the block of p alone is 0 (Strikwerda 1977)."""
    text = VISCOUS_SOUND.format(
        conditions=conditions, more="", sum="", diffusion="dxx(u)/10", heat="", start=""
    )
    assert [d.message for d in check(Source("spec.pde", text)).diagnostics] == said


def test_waves_beside_what_diffuses_count_by_their_own_block():
    """Sound with a temperature that conducts heat: one wave enters on either side, besides the heat."""

    def counted(conditions: str) -> list[str]:
        text = VISCOUS_SOUND.format(
            conditions=conditions, more="; T", sum=" + dx(T)", diffusion="0",
            heat="; dt(T) + dx(u)/2 = dxx(T)/10", start="; T = 0",
        )  # fmt: skip
        return [d.message for d in check(Source("spec.pde", text)).diagnostics]

    assert counted("all: u = 0, T = 0") == []
    assert counted("all: u = 0, p = 0, T = 0") != []
