"""What `show` says of a problem's character, against the mathematics."""

import pytest

from nablax.classification import classify
from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse
from nablax.frontend.source import read_source
from nablax.meaning.resolve import resolve
from nablax.overrides import Overrides
from nablax.passes.normalise import normalise

LINE = "x in [0, 2*pi] periodic"
PLANE = f"{LINE}; y in [0, 2*pi] periodic"
SPACE = f"{PLANE}; z in [0, 2*pi] periodic"


def character(equations: str, initial: str, fields: str = "u", space: str = LINE) -> tuple[str, ...]:
    text = f"space {{ {space} }}\ntime {{ t in [0, 1] }}\nfields {{ {fields} }}\n"
    return said_of(text + f"equations {{ {equations} }}\ninitial {{ {initial} }}\n")


def said_of(text: str) -> tuple[str, ...]:
    source = read_source("spec.pde", text)
    report = Report(source)
    module = parse(source, report)
    assert module is not None
    system = normalise(resolve(module, source, Overrides(), report, None), report)
    assert system is not None
    return classify(system)


PART = "dissipative in part: some short waves are damped like |k|^2, others at a bounded rate or not at all"
U = "u = 0"
W = "u = 0; dt(u) = 0"
PU = "p = 0; u = 0"
EM = "E = (0, 0, 0); B = (0, 0, 0)"

WAVES = [
    # Waves of second order in time: no damping is made of rounding.
    ("dtt(u) = 9*dxx(u)", W, "u", LINE, "hyperbolic: waves travel at 3"),
    ("dtt(u) = 9*laplacian(u)", W, "u", SPACE, "hyperbolic: waves travel at 3"),
    ("dtt(u) = dxx(u) - 4*u", W, "u", LINE, "hyperbolic: short waves travel at 1"),
    (
        "dtt(u) + dt(u) = dxx(u)",
        W,
        "u",
        LINE,
        "hyperbolic and damped: short waves travel at 1 and decay at the rate 0.5",
    ),
    (
        "dtt(u) + 1e-4*dt(u) = dxx(u)",
        W,
        "u",
        LINE,
        "hyperbolic and damped: waves travel at 1 and decay at the rate 5e-05",
    ),
    (
        "dtt(u) = dxx(u) + dxx(dt(u))/10",
        W,
        "u",
        LINE,
        PART,
    ),
    ("dtt(u) = -2*dxxxx(u)", W, "u", LINE, "dispersive: short waves oscillate like |k|^2"),
    (
        "dtt(u) + dt(u)/10 = -dxxxx(u)",
        W,
        "u",
        LINE,
        "dispersive and damped: short waves oscillate like |k|^2 and decay at the rate 0.05",
    ),
    # -(-Δ)^(1/2) in place of Δ: surface waves
    ("dtt(u) = -fraclap(u, 0.5)", W, "u", LINE, "dispersive: short waves oscillate like |k|^0.5"),
    # One field of first order in time.
    ("i*dt(u) = -dxx(u) + cos(x)*u", U, "u: complex", LINE, "dispersive: short waves oscillate like |k|^2"),
    ("dt(u) + u*dx(u) + dxxx(u) = 0", U, "u", LINE, "dispersive: short waves oscillate like |k|^3"),
    (
        "dt(u) + u*dx(u) + dxxx(u) = dxx(u)/100",
        "u = sin(x)",
        "u",
        LINE,
        "dispersive and dissipative: short waves oscillate like |k|^3 and are damped like |k|^2",
    ),
    ("dt(u) = dxx(u) + u - u^3", "u = sin(x)", "u", LINE, "dissipative: short waves are damped like |k|^2"),
    ("dt(u) = -dxx(u)", U, "u", LINE, "ill-posed forward in time: short waves grow without bound"),
    ("dt(u) + dx(u) + 2*dy(u) = 0", U, "u", PLANE, "hyperbolic: waves travel at up to about 2.23"),
    ("dt(u) + u*dx(u) = 0", "u = 2 + 0*x", "u", LINE, "hyperbolic: waves travel at 2, at the start"),
    (
        "dt(u) = dxx(u^2)",
        "u = max(0, sin(x))",
        "u",
        LINE,
        f"{PART}, at the start",
    ),
    # Systems of first order.
    ("dt(p) + 4*dx(u) = 0; dt(u) + dx(p) = 0", PU, "p; u", LINE, "hyperbolic: waves travel at 2"),
    (
        "dt(p) + 2e9*div(V) = 0; dt(V) + grad(p)/1e3 = 0",
        "p = 0; V = (0, 0, 0)",
        "p; V: vector",
        SPACE,
        "hyperbolic: waves travel at 1.41e+03",
    ),
    ("dt(E) = curl(B); dt(B) = -curl(E)", EM, "E: vector; B: vector", SPACE, "hyperbolic: waves travel at 1"),
    (
        "dt(E) = curl(B) - 0.3*E; dt(B) = -curl(E)",
        EM,
        "E: vector; B: vector",
        SPACE,
        "hyperbolic and damped: short waves travel at 1 and decay at rates up to 0.3",
    ),
    (
        "dt(p) + dx(u) = 0; dt(u) + dx(p) = dxx(u)",
        PU,
        "p; u",
        LINE,
        PART,
    ),
    ("dt(u) + dx(u) = p; dt(p) + dx(p) = 0", PU, "p; u", LINE, "hyperbolic: waves travel at 1"),
    (
        "dt(u) + dx(u) + dx(p) = 0; dt(p) + dx(p) = 0",
        PU,
        "p; u",
        LINE,
        "weakly hyperbolic: waves travel at 1, and some of one speed feed each other",
    ),
    (
        "dt(u) = dxx(u + p); dt(p) = dxx(p)",
        PU,
        "p; u",
        LINE,
        "dissipative: short waves are damped like |k|^2",
    ),
]


@pytest.mark.parametrize(
    ("equations", "initial", "fields", "space", "said"), WAVES, ids=[w[0] for w in WAVES]
)
def test_short_waves_behave_as_their_symbol_says(
    equations: str, initial: str, fields: str, space: str, said: str
) -> None:
    assert character(equations, initial, fields, space)[2] == said


def test_angles_are_measured_by_arc_length() -> None:
    """c² Δ in a ring: the coefficient of ∂θθ is c²/r², and waves travel at c all the same."""
    ring = "r in [1, 9]; theta in [0, 2*pi] periodic"
    text = f"space polar {{ {ring} }}\ntime {{ t in [0, 1] }}\nfields {{ u }}\n"
    text += "equations { dtt(u) = 4*laplacian(u) }\ninitial { u = 0; dt(u) = 0 }\nboundary { all: u = 0 }\n"
    assert said_of(text)[2] == "hyperbolic: short waves travel at 2"


def test_what_a_constraint_brings_back_is_left_unsaid() -> None:
    """0 = w + dxx(u) in dt(u) = dxx(w): the order 4 is nowhere in the evolution equation."""
    assert len(character("dt(u) = dxx(w); w = -dxx(u)", U, "u; w")) == 3


@pytest.mark.parametrize(
    ("equations", "initial", "said"),
    [
        ("caputo(u, t, 0.6) = dxx(u)", U, "remembers its past: order 3/5 in time, second order in space"),
        ("dt(u) = -(-Δ)^0.75 u", U, "first order in time, nonlocal of order 1.5 in space"),
        (
            "dt(u) = -fraclap(u, 0.3) + dxx(u)",
            U,
            "first order in time, second order in space, with a nonlocal part of order 0.6",
        ),
        ("dt(u) = -u", U, "first order in time, no derivative in space"),
    ],
)
def test_orders(equations: str, initial: str, said: str) -> None:
    assert character(equations, initial)[0] == said
