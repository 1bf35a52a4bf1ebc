"""Notations of other tools, each mended to what the language writes; what stays uncertain is only told."""

import pytest

from nablax.frontend.diagnostics import Diagnostic, Report
from nablax.frontend.fixes import apply_edits
from nablax.frontend.parser import parse, read_source

SPEC = """space {{ x in [0, 1]; y in [0, 1] }}
time {{ t in [0, 1] }}
fields {{ u; U: vector; phi }}
params {{ D = 0.1; c = 1 }}
{block} {{ {text} }}
"""


def examined(text: str) -> tuple[Diagnostic, ...]:
    source = read_source("spec.pde", text)
    report = Report(source)
    parse(source, report)
    return tuple(d for d in report.diagnostics if d.code != "P005")


def mended(text: str) -> str:
    """The text after as many rounds of edits as bring something."""
    for _ in range(8):
        after = apply_edits(read_source("spec.pde", text), examined(text))
        if after == text:
            break
        text = after
    return text


@pytest.mark.parametrize(
    ("block", "written", "meant"),
    [
        ("equations", "du/dt = D*d²u/dx²", "dt(u) = D*dxx(u)"),
        ("equations", "d2u/dt2 = d^2 u / dx^2 + d2u/dxdy", "dtt(u) = dxx(u) + dxy(u)"),
        ("equations", "d/dt u = d/dx(c*du/dx) - d(u)/dy", "dt(u) = dx(c*dx(u)) - dy(u)"),
        ("equations", "dU.x/dt = d²phi/(dx dy) + d³u/dx²dy", "dt(U.x) = dxy(phi) + dxxy(u)"),
        ("equations", "∂u/∂t = ∂^2 u/∂x^2 + ∂²u/(∂x∂y)", "∂t u = ∂xx u + ∂xy u"),
        ("equations", "∂_t u = ∂_x^2 u + ∂²_y u + ∂ₓₓu", "∂_t u = ∂xx u + ∂yy u + ∂xx u"),
        ("equations", "uₜ = D*Δu", "u_t = D*Δu"),
        ("equations", "diff(u, t) == D*diff(u(x,y,t), x, x)", "dt(u) = D*dxx(u)"),
        ("equations", "Derivative(u, (t, 1)) = d(u, x, y)", "dt(u) = dxy(u)"),
        ("equations", "D[u[x,y,t], t] == D[u, {x, 2}] + Sin[x]", "dt(u) = dxx(u) + sin(x)"),
        ("equations", "u.diff(t) = u.dx(1) + np.exp(x)", "dt(u) = dy(u) + exp(x)"),
        ("equations", "dde.grad.jacobian(u, x, j=2) = dde.grad.hessian(u, x, i=0, j=1)", "dt(u) = dxy(u)"),
        ("equations", "dt u = D*nabla^2 u + ∇^2 phi", "dt(u) = D*laplacian(u) + laplacian(phi)"),
        ("equations", "dt(u) = div grad u + lap(c*u)", "dt(u) = div(grad(u)) + lap(c*u)"),
        ("equations", "u_t - D.*u_xx", "u_t - D*u_xx = 0"),
        ("equations", "heat: dt(u) := Δu", "[heat] dt(u) = Δu"),
        ("equations", r"\partial_t u = \frac{1}{2} \nabla^2 u", "∂t u = ((1)/(2))*Δ u"),
        ("equations", r"\dot{u} = \frac{d^2u}{dxdy} + e^{-x}", "dt(u) = dxy(u) + e^(-x)"),
        ("equations", r"\frac{\partial u}{\partial t} = \sqrt{c}*\frac{\partial}{\partial x} u",
         "dt(u) = sqrt(c)*∂x u"),
        ("initial", "u(x, y, 0) = sin(x)", "u = sin(x)"),
        ("initial", "u(0) = 1; phi(t=0) = 2; t = 0: U = 0", "u = 1; phi = 2; U = 0"),
        ("boundary", "u(0, y, t) = 0; u(x, 1, t) = 1", "x = 0: u = 0; y = 1: u = 1"),
        ("boundary", "u_x(0,y,t) + u(0,y,t) = 0, u(1,y,t) = 0", "x = 0: u_x + u = 0; x = 1: u = 0"),
        ("boundary", "u = 0 at x = 0; x = 1, u = 0", "x = 0: u = 0; x = 1: u = 0"),
        ("boundary", "x = 0: du/dn = 0", "x = 0: dn(u) = 0"),
        ("boundary", "x = 0, u = phi(0, y, t)", "x = 0: u = phi"),
        ("equations", r"dt(u) = 1/\frac{u}{2}", "dt(u) = 1/((u)/(2))"),
        ("equations", "dt(u) = D∇^2 u", "dt(u) = D*laplacian(u)"),
        ("boundary", "du/dx(0, y, t) = 0", "x = 0: dx(u) = 0"),
        ("boundary", "∂u/∂x(0, y, t) = 0", "x = 0: ∂x u = 0"),
        ("boundary", "du(0, y, t)/dx = D", "x = 0: dx(u) = D"),
        ("boundary", "∂u(0, y, t)/∂x = D", "x = 0: dx(u) = D"),
        ("boundary", "u_x(x, 1, t) = 0", "y = 1: u_x = 0"),
        ("boundary", "dn(u)(x, 1, t) + u(x, 1, t) = 0", "y = 1: dn(u) + u = 0"),
        ("boundary", "-D*du/dy(x, 0, t) = c*(u(x, 0, t) - 1)", "y = 0: -D*dy(u) = c*(u - 1)"),
        ("boundary", "d2u/dx2|x=0 = 0", "x = 0: dxx(u) = 0"),
        ("boundary", "u|y=1 = 0", "y = 1: u = 0"),
        ("boundary", "y = 0: diff(u, y)(x, 0, t) = 0", "y = 0: dy(u) = 0"),
        ("initial", "u(x, y, 0) = x; du/dt(x, y, 0) = 0", "u = x; dt(u) = 0"),
        ("initial", "∂u/∂t(x, y, 0) = 0; u_t(0) = 1", "∂t u = 0; u_t = 1"),
        # What a power or a factor behind belongs to is the writer's to say.
        ("equations", "dt(u) = d^2/dx^2 u^2", "dt(u) = d^2/dx^2 u^2"),
        ("equations", "dt(u) = d/dx D*u", "dt(u) = d/dx D*u"),
    ],
)  # fmt: skip
def test_mended(block: str, written: str, meant: str) -> None:
    assert mended(SPEC.format(block=block, text=written)) == SPEC.format(block=block, text=meant)


def test_axes_and_blocks_in_other_notations() -> None:
    text = "domain: 0 < x < 1\ntime = { t ∈ (0, 2) }\nfields: { u(x, t) }\nPDE: u_t = u_xx\n"
    assert mended(text) == (
        "space { x in [0, 1] }\ntime  { t in [0, 2] }\nfields { u }\nequations { u_t = u_xx }\n"
    )


def test_one_axis_takes_primes_on_its_walls() -> None:
    text = "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\nboundary { u'(0) = 0; u''(1) = 0 }\n"
    assert "x = 0: dx(u) = 0; x = 1: dxx(u) = 0" in mended(text)


@pytest.mark.parametrize(
    ("block", "written", "code"),
    [
        ("equations", "u' = u", "P009"),
        ("equations", "d²u/dx = 0", "P009"),
        ("equations", r"\foo u = 0", "P023"),
        ("boundary", "u(0,y,t) = u(1,y,t)", "P024"),
        ("boundary", "all: periodic", "P015"),
    ],
)
def test_told_and_left(block: str, written: str, code: str) -> None:
    text = SPEC.format(block=block, text=written)
    found = examined(text)
    assert [d.code for d in found] == [code]
    assert mended(text) == text


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("equations", "du/dt = c"),
        ("equations", "dt(u) = d(u, x, 2) + D*dx(du)/dt"),
        ("equations", "dt(u) = D(x)*u"),
    ],
)
def test_declared_names_win(block: str, text: str) -> None:
    spec = SPEC.format(block=block, text=text).replace("c = 1", "c = 1; du = 2; dt = 3")
    assert examined(spec) == ()
