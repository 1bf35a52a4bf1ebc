"""Data of fields that are determined up to a constant, looked at while the spec is compiled."""

import pytest

from nablax.frontend.diagnostics import Severity
from nablax.frontend.parser import read_source
from nablax.pipeline import run_stages

LINE = """space { x in [0, 1] } fields { u } params { k = 1 } equations { E }
boundary { x = 0: dn(u) = A; x = 1: dn(u) = B }"""
PLANE = LINE.replace("x in [0, 1]", "x in [0, 1]; y in [0, 2*pi] periodic")
BOX = """space { x in [0, 1]; y in [0, 2]; z in [0, 1] periodic } fields { u } equations { E }
boundary { x = 0: dn(u) = A; x = 1: dn(u) = B; y = 0: dn(u) = 0; y = 2: dn(u) = x }"""
RING = """space polar { r in [1, 2]; theta in [0, 2*pi] periodic } fields { u } equations { E }
boundary { r = 1: dn(u) = A; r = 2: dn(u) = B }"""
SHELL = "space spherical { r in [1, 2] } " + RING.partition("}")[2]
PAIR = """space { x in [0, 1] } fields { u; v } equations { dxx(u) + dxx(v) = 1; E }
boundary { x = 0: dn(u) = 0, dn(v) = 0; x = 1: dn(u) = A, dn(v) = B }"""
HELD = PAIR.replace("dn(v) = 0", "v = 0")
MOVING = """space { x in [0, 1] } time { t in [0, 1] } fields { u; p }
equations { dt(u) = dxx(u) + dx(p); E } initial { u = cos(pi*x) }
boundary { all: dn(u) = 0; x = 0: dn(p) = A; x = 1: dn(p) = B }"""

# Equation, outward slopes below and above, and whether they fit: by hand.
CASES = [
    (LINE, "dxx(u) = 1", "0", "1", "compatible"),
    (LINE, "dxx(u) = 1", "0", "1.1", "error"),
    (LINE, "dxx(u) = 1", "0", "1.001", "warning"),
    (LINE, "k*dxx(u) = k", "0", "1", "compatible"),
    (LINE, "dxx(u) = 1 + k", "0", "1", "warning"),
    (LINE, "dx((1 + x)*dx(u)) = exp(x)", "-0.5", "(exp(1) - 0.5)/2", "compatible"),
    (LINE, "dx((1 + x)*dx(u)) = exp(x)", "0", "exp(1) - 1", "error"),
    (LINE, "dx((1 + dx(u)^2)*dx(u)) = 1", "0", "1", "unknown"),
    (LINE, "exp(x)*dxx(u) = 1", "0", "1", "unknown"),
    (LINE, "dxx(u) = where(x < 0.3, 1, 0)", "0", "0.3", "unknown"),
    (LINE, "dxx(u) = where(x < 0.49989998, 1, 0) - 0.49989998", "0", "0", "unknown"),
    (LINE, "dxx(u) = exp(-((x - 0.3712)/0.0001)^2)/(0.0001*sqrt(pi)) - 1", "0", "0", "unknown"),
    (LINE, "where(x < 0.5, 1, 10)*dxx(u) = 1", "0", "0.55", "unknown"),
    (LINE, "(k + box(x, 0.2, 0.7))*dxx(u) = 1", "0", "0.75", "unknown"),
    (PLANE, "where(x < 0.5, 1, 10)*laplacian(u) = 1", "0", "0.55", "unknown"),
    (PLANE, "laplacian(u) = 1 + sin(y)", "0", "1 + cos(y)", "compatible"),
    (PLANE, "div((2 + x*cos(y))*grad(u)) = 1", "0", "2*cos(y)", "compatible"),
    (PLANE, "div((2 + x*cos(y))*grad(u)) = 1", "0", "cos(y)", "error"),
    (BOX, "laplacian(u) = x*y + 1/4", "1", "-y/2", "compatible"),
    (BOX, "laplacian(u) = x*y", "-1/2", "y/2", "error"),
    (RING, "laplacian(u) = 0", "-2", "1", "compatible"),
    (RING, "laplacian(u) = 0", "-1", "1", "error"),
    (SHELL, "laplacian(u) = 0", "-4", "1", "compatible"),
    (SHELL, "laplacian(u) = 0", "-2", "1", "error"),
    (PAIR, "dxx(v) = x", "1/2", "1/2", "compatible"),
    (PAIR, "dxx(v) = x", "1", "1/2", "error"),
    (HELD, "dxx(v) = x", "1", "1/2", "unknown"),
    (MOVING, "dxx(p) = t*x", "0", "t/2", "compatible"),
    (MOVING, "dxx(p) = t*x", "0", "t", "error"),
    (MOVING, "dxx(p) = u", "0", "0", "unknown"),
]
SAID = {"compatible": ("checked by quadrature",), "unknown": ("checked as it is solved", "leave on average")}


@pytest.mark.parametrize(("text", "equation", "below", "above", "verdict"), CASES)
def test_sources_and_walls_cancel(text: str, equation: str, below: str, above: str, verdict: str) -> None:
    for name, value in (("E", equation), ("A", below), ("B", above)):
        text = text.replace(f" {name} ", f" {value} ").replace(f" {name};", f" {value};")
        text = text.replace(f" {name},", f" {value},")
    found = run_stages(read_source("spec", text))
    said = [d for d in found.report.diagnostics if d.code == "P325"]
    if verdict in SAID:
        # The grid of a source that is narrower than a spacing is another matter.
        assert {d.code for d in found.report.diagnostics} <= {"P429"}
        assert found.plan is not None
        reasons = [c.reason for c in found.plan.choices if c.what.startswith("mean of")]
        assert any(words in reason for words in SAID[verdict] for reason in reasons)
    else:
        (diagnostic,) = said
        assert diagnostic.severity is (Severity.ERROR if verdict == "error" else Severity.WARNING)
