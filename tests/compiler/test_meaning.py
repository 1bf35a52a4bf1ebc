"""Every spelling of a spec means the same problem, and operators mean what the books say."""

import pytest
import sympy as sp

from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse, read_source
from nablax.frontend.render import render_all
from nablax.geometry import Geometry
from nablax.meaning.resolve import resolve
from nablax.meaning.values import VectorValue
from nablax.overrides import Overrides
from nablax.passes.jets import expand
from nablax.problem import Coordinates, Problem


def problem(text: str) -> Problem:
    """The problem of a text that must have no errors."""
    source = read_source("spec", text)
    report = Report(source)
    module = parse(source, report)
    assert module is not None
    found = resolve(module, source, Overrides(), report)
    assert not report.failed, render_all(source, tuple(report.diagnostics))
    return found


def codes(text: str) -> list[str]:
    source = read_source("spec", text)
    report = Report(source)
    module = parse(source, report)
    assert module is not None
    resolve(module, source, Overrides(), report)
    return [d.code for d in report.diagnostics]


AXES = {1: "x", 2: "x y", 3: "x y z"}


def spec(equation: str, dimension: int = 2, let: str = "F = u^4/4 + dot(grad(u), grad(u))/2") -> str:
    space = "; ".join(f"{a} in [0, 2*pi] periodic" for a in AXES[dimension].split())
    return (
        f"space {{ {space} }}\ntime {{ t in [0, 1] }}\nfields {{ u, v; U, V: vector; psi: complex }}\n"
        f"params {{ nu = 0.1; s = 1/2 }}\nlet {{ {let} }}\nequations {{ {equation} }}\n"
    )


def residuals(equation: str, dimension: int = 2) -> list[sp.Expr]:
    """What each scalar equation sets to zero, multiplied out."""
    return [expand(e.residual, real=False) for e in problem(spec(equation, dimension)).equations]


SPELLINGS = [
    (1, ["dt(u)", "u_t", "∂t u", "d(u, t)", "d(u, t, 1)"]),
    (2, ["dxx(u)", "u_xx", "∂xx u", "d(u, x, 2)", "dx(dx(u))", "∂x ∂x u", "dx(u_x)"]),
    (2, ["dxy(u)", "u_xy", "∂xy u", "dyx(u)", "dy(dx(u))", "d(d(u, x), y)"]),
    (2, ["dt(dxx(u))", "u_xxt", "∂xxt u", "dxtx(u)"]),
    (2, ["laplacian(u)", "Δu", "Δ u", "∇²u", "dxx(u) + dyy(u)", "div(grad(u))", "∇·∇u", "div(∇u)"]),
    (3, ["laplacian(u)", "Δu", "∇²u", "dxx(u) + dyy(u) + dzz(u)"]),
    (2, ["biharmonic(u)", "Δ²u", "laplacian(laplacian(u))", "dxxxx(u) + 2*dxxyy(u) + dyyyy(u)"]),
    (2, ["div(U)", "∇·U", "∇⋅U", "dx(U.x) + dy(U.y)", "U.x_x + U.y_y"]),
    (2, ["advect(U, u)", "(U·∇)u", "dot(U, grad(u))", "U·∇u", "U.x*dx(u) + U.y*dy(u)"]),
    (2, ["curl(U)", "∇×U", "dx(U.y) - dy(U.x)"]),
    (2, ["dot(U, V)", "U·V", "U.x*V.x + U.y*V.y"]),
    (2, ["cross(U, V)", "U×V", "U.x*V.y - U.y*V.x"]),
    (2, ["vary(F, u)", "δF/δu", "u^3 - Δu"]),
    (2, ["laplacian(vary(F, u))", "Δ δF/δu", "3*u^2*Δu + 6*u*(dx(u)^2 + dy(u)^2) - Δ²u"]),
    (2, ["fraclap(u, s)", "(-Δ)^s u", "fraclap(u, 1/2)*2 - fraclap(u, s)"][:2]),
    (1, ["nu*u_x", "ν*u_x", "ν*∂x u", "nu*d(u, x)"]),
    (1, ["u^2", "u²", "u*u"]),
    (1, ["-u^2", "-(u^2)", "-u²"]),
    (1, ["2^3^2*u", "512*u"]),
    (1, ["0.1*u", "u/10", "1e-1*u"]),
    (1, ["|psi|^2", "psi*conj(psi)", "abs(psi)^2"]),
    (1, ["exp(i*x)*psi", "(cos(x) + i*sin(x))*psi", "e^(i*x)*psi"]),
]


@pytest.mark.parametrize(("dimension", "forms"), SPELLINGS, ids=lambda v: v[0] if isinstance(v, list) else "")
def test_spellings_mean_the_same(dimension: int, forms: list[str]) -> None:
    wanted = residuals(f"{forms[0]} = 0", dimension)
    for form in forms[1:]:
        found = residuals(f"{form} = 0", dimension)
        assert [sp.simplify(a - b) for a, b in zip(found, wanted, strict=True)] == [0] * len(wanted), form


VECTORS = [
    ("dt(U) = nu*laplacian(U)", ["dt(U.x) = nu*Δ(U.x)", "dt(U.y) = nu*Δ(U.y)"]),
    ("dt(U) + advect(U, U) = -grad(u)", ["dt(U.x) + (U·∇)U.x = -dx(u)", "dt(U.y) + (U·∇)U.y = -dy(u)"]),
    ("∂t U + (U·∇)U = -∇u + ν*ΔU", [
        "dt(U.x) + U.x*dx(U.x) + U.y*dy(U.x) = -dx(u) + nu*(dxx(U.x) + dyy(U.x))",
        "dt(U.y) + U.x*dx(U.y) + U.y*dy(U.y) = -dy(u) + nu*(dxx(U.y) + dyy(U.y))",
    ]),
    ("dt(U) = curl(u)", ["dt(U.x) = dy(u)", "dt(U.y) = -dx(u)"]),
    ("dt(U) = (u, v) - 2*V", ["dt(U.x) = u - 2*V.x", "dt(U.y) = v - 2*V.y"]),
    ("dt(U) = where(x < 1, V, 0)", ["dt(U.x) = where(x < 1, V.x, 0)", "dt(U.y) = where(x < 1, V.y, 0)"]),
    ("dx(U) = dxx(grad(u))", ["dx(U.x) = dxxx(u)", "dx(U.y) = dxxy(u)"]),
]  # fmt: skip


@pytest.mark.parametrize(("vector", "components"), VECTORS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_vector_equation_is_one_per_axis(vector: str, components: list[str]) -> None:
    assert residuals(vector) == residuals("; ".join(components))


def test_curl_in_space() -> None:
    components = ["dy(U.z) - dz(U.y)", "dz(U.x) - dx(U.z)", "dx(U.y) - dy(U.x)"]
    assert residuals("V = curl(U)", 3) == residuals(
        "; ".join(f"V.{a} = {c}" for a, c in zip("xyz", components, strict=True)), 3
    )
    assert residuals("V = ∇×∇×U", 3) == residuals("V = ∇(∇·U) - ΔU", 3)
    crossed = ["U.y*V.z - U.z*V.y", "U.z*V.x - U.x*V.z", "U.x*V.y - U.y*V.x"]
    assert residuals("V = U×V", 3) == residuals(
        "; ".join(f"V.{a} = {c}" for a, c in zip("xyz", crossed, strict=True)), 3
    )


def test_known_expressions_are_differentiated() -> None:
    assert residuals("u = dxx(sin(2*x)*y)") == residuals("u = -4*sin(2*x)*y")
    assert residuals("u = Δ(x^2*y^3)") == residuals("u = 2*y^3 + 6*x^2*y")
    assert residuals("U = grad(x*y)") == residuals("U = (y, x)")
    assert residuals("u = dx(where(x < 1, x, 1))") == residuals("u = where(x < 1, 1, 0)")


def test_numbers_are_exact() -> None:
    (value,) = residuals("u*(0.1 + 0.2 - 0.3) + v*1e-3 = 0", 1)
    assert value == sp.Rational(1, 1000) * problem(spec("u = 0", 1)).components[1].value


def test_definitions_are_substituted() -> None:
    let = "q(s) = s^2 + a; a = dx(u); r(f, g) = f*g"
    first = problem(spec("dt(u) = q(v) + r(u, q(u))", 1, let)).equations
    second = problem(spec("dt(u) = v^2 + dx(u) + u*(u^2 + dx(u))", 1, let)).equations
    assert [sp.expand(e.residual) for e in first] == [sp.expand(e.residual) for e in second]


def test_a_declared_name_wins_over_a_suffix() -> None:
    text = spec("dt(u) = u_x", 1).replace("s = 1/2", "s = 1/2; u_x = 3")
    (equation,) = problem(text).equations
    assert equation.residual.has(sp.Symbol("u_x", real=True))


VARIATIONS = [
    ("(u^2 - 1)^2/4 + nu*dot(grad(u), grad(u))/2", "u^3 - u - nu*Δu"),
    ("nu*Δ(u)^2/2", "nu*Δ²u"),
    ("u*dxx(u) + dx(u)^2", "0*u"),
    ("u^3*dx(u)^2", "-3*u^2*dx(u)^2 - 2*u^3*dxx(u)"),
    ("sqrt(1 + dx(u)^2)", "-dxx(u)/(1 + dx(u)^2)^(3/2)"),
    ("cos(x)*u^2", "2*cos(x)*u"),
    ("u*v^2 + dx(u)*dx(v)", "v^2 - dxx(v)"),
]


@pytest.mark.parametrize(("density", "result"), VARIATIONS)
def test_variational_derivatives(density: str, result: str) -> None:
    found, wanted = (
        expand(e.residual, real=True)
        for form in (f"vary({density}, u)", result)
        for e in problem(spec(f"v = {form}", 1)).equations
    )
    assert sp.simplify(found - wanted) == 0


def test_variation_of_a_system() -> None:
    density = "u^2*v + dot(grad(u), grad(v))"
    assert residuals(f"v = vary({density}, v)") == residuals("v = u^2 - Δu")
    assert residuals("U = vary(dot(U, U)/2 + div(U)^2/2, U)") == residuals("U = U - grad(div(U))")


# Curvilinear coordinates: cartesian position, and unit vectors in cartesian components.
x, y, z, r, q, p, h = sp.symbols("x y z r theta phi zeta", real=True)
PLACES: dict[Coordinates, tuple[tuple[sp.Symbol, ...], tuple[sp.Expr, ...]]] = {
    "polar": ((r, q), (r * sp.cos(q), r * sp.sin(q))),
    "cylindrical": ((r, q, h), (r * sp.cos(q), r * sp.sin(q), h)),
    "spherical": ((r, q, p), (r * sp.sin(q) * sp.cos(p), r * sp.sin(q) * sp.sin(p), r * sp.cos(q))),
}


def frame(system: Coordinates) -> tuple[Geometry, sp.Matrix, dict[sp.Symbol, sp.Expr]]:
    symbols, place = PLACES[system]
    geometry = Geometry(system, symbols)
    units = sp.Matrix(
        [[sp.diff(c, s) / k for c in place] for s, k in zip(symbols, geometry.scales, strict=True)]
    )
    return geometry, units, dict(zip((x, y, z), place, strict=False))


def cartesian(system: Coordinates) -> Geometry:
    return Geometry("cartesian", (x, y, z)[: len(PLACES[system][0])])


def close(a: sp.Expr, b: sp.Expr) -> bool:
    """Equality at a place without symmetry; the expressions are analytic."""
    point = {r: sp.Rational(13, 10), q: sp.Rational(7, 10), p: sp.Rational(11, 10), h: sp.Rational(3, 10)}
    return abs(complex((a - b).doit().subs(point).evalf(30))) < 1e-20


SCALAR = x**2 * y + y**3 + x
SYSTEMS: tuple[Coordinates, ...] = ("polar", "cylindrical", "spherical")


def vectors(system: Coordinates) -> tuple[VectorValue, VectorValue]:
    full = ((x * y, y**2 - x, x + y), (y, x**2, x * y))
    n = len(PLACES[system][0])
    more = z if n == 3 else sp.S.Zero
    return VectorValue(tuple(c + more * x for c in full[0][:n])), VectorValue(
        tuple(c + more**2 for c in full[1][:n])
    )


def turned(value: VectorValue, units: sp.Matrix, place: dict[sp.Symbol, sp.Expr]) -> VectorValue:
    """Cartesian components as components along the unit vectors."""
    flat = sp.Matrix([c.subs(place) for c in value.items])
    return VectorValue(tuple(units * flat))


@pytest.mark.parametrize("system", SYSTEMS)
def test_curvilinear_scalars(system: Coordinates) -> None:
    geometry, units, place = frame(system)
    flat = cartesian(system)
    f = SCALAR.subs(place)
    found = geometry.gradient(f).items
    wanted = turned(flat.gradient(SCALAR), units, place).items
    assert all(close(a, b) for a, b in zip(found, wanted, strict=True))
    assert close(geometry.laplacian(f), flat.laplacian(SCALAR).subs(place))
    velocity, _ = vectors(system)
    advected = geometry.advect(turned(velocity, units, place), f)
    assert close(advected, flat.advect(velocity, SCALAR).subs(place))


@pytest.mark.parametrize("system", SYSTEMS)
def test_curvilinear_vectors(system: Coordinates) -> None:
    geometry, units, place = frame(system)
    flat = cartesian(system)
    first, second = vectors(system)
    u, w = (turned(v, units, place) for v in (first, second))
    assert close(geometry.divergence(u), flat.divergence(first).subs(place))
    pairs = [
        (geometry.vector_laplacian(u), turned(flat.vector_laplacian(first), units, place)),
        (geometry.advect_vector(u, w), turned(flat.advect_vector(first, second), units, place)),
    ]
    curl = flat.curl(first)
    own = geometry.curl(u)
    if isinstance(curl, VectorValue) and isinstance(own, VectorValue):
        pairs.append((own, turned(curl, units, place)))
    elif not isinstance(curl, VectorValue) and not isinstance(own, VectorValue):
        assert close(own, curl.subs(place))
    for found, wanted in pairs:
        assert all(close(a, b) for a, b in zip(found.items, wanted.items, strict=True))


def walls(boundary: str, axis: str = "x in [0, 1]") -> str:
    return (
        f"space {{ {axis} }}\ntime {{ t in [0, 1] }}\nfields {{ u, v }}\nparams {{ L = 2; a = 1/3 }}\n"
        f"equations {{ dt(u) = dxx(u); dt(v) = dxx(v) }}\nboundary {{ {boundary} }}\n"
    )


@pytest.mark.parametrize(
    ("axis", "place", "side"),
    [
        ("x in [0, L]", "x = L", 1),
        ("x in [0, L]", "x = 2", 1),
        ("x in [-L/2, L/2]", "x = -1", 0),
        ("x in [-L/2, L/2]", "x = 0.5*L", 1),
        ("x in [0, pi*L]", "x = 2*pi", 1),
        ("x in [a, 1]", "x = 1/3", 0),
        ("x in [sqrt(2), 3]", "x = 2^(1/2)", 0),
    ],
)
def test_sides_are_recognised(axis: str, place: str, side: int) -> None:
    (condition,) = problem(walls(f"{place}: u = 0", axis)).boundary
    assert condition.side == side


def test_conditions_on_several_sides_and_fields() -> None:
    found = problem(walls("all: u = 0, dn(v) = 1; x = 0: u + v = 2")).boundary
    assert [(c.axis, c.side) for c in found] == [("x", s) for s in (0, 1, 0, 1, 0)]
    v = problem(walls("all: u = 0")).components[1].value
    symbol = sp.Symbol("x", real=True)
    assert found[2].residual == -sp.Derivative(v, symbol) - 1
    assert found[3].residual == sp.Derivative(v, symbol) - 1


def test_expectations() -> None:
    text = spec("dt(u) = v", 1) + (
        "expect { u ≈ sin(x)*exp(-t) within 1e-6; always max(u) <= 1; t = 0.5: integral(u) ~= 1\n"
        "max(U) < 3; mean(u, x) >= 0 }"
    )
    first, always, moment, *_ = problem(text).expectations
    assert first.within == sp.Rational(1, 10**6)
    assert (always.always, always.relation) == (True, "<=")
    assert moment.at == sp.Rational(1, 2)


SILENT = [
    # One mistake, one message: what depends on it says nothing.
    ("params { D = 1/0; E = 2*D }\nequations { dt(u) = D*dxx(u) + E }", ["P320"]),
    ("params { C(z) ~ 0.5 in [0, 1] }\nequations { dt(u) = C*dxx(u) }", ["P109"]),
    ("let { f = nowhere + 1; g = f }\nequations { dt(u) = f + g }", ["P101"]),
    ("params { u = 1 }\nequations { dt(u) = dxx(u) }", ["P102"]),
    ("equations { dt(u) = a + b*u + sin(c) + dxx(w) }", ["P101"] * 4),
    ("equations { dt(u) = (a + b)*c }", ["P101"]),
]


@pytest.mark.parametrize(("rest", "wanted"), SILENT)
def test_one_message_per_mistake(rest: str, wanted: list[str]) -> None:
    head = "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
    assert codes(head + rest) == wanted


def test_a_faulty_axis_keeps_its_name() -> None:
    text = (
        "space { x in [0, 1]; y in [1, 0] }\ntime { t in [0, 1] }\nfields { u; U: vector }\n"
        "equations { dt(u) = dyy(u) + div(U); dt(U) = (u, U.y) }\nboundary { y = 1: u = 0 }\n"
    )
    assert codes(text) == ["P314"]


@pytest.mark.parametrize(
    ("order", "good"),
    [("alpha", False), ("alpha/2 + 1/2", False), ("alpha/3", True), ("1/2", True), ("1 - alpha/8", True)],
)
def test_orders_that_cross_an_integer(order: str, good: bool) -> None:
    text = (
        "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
        f"params {{ alpha ~ 1.5 in [0.5, 2.5] }}\nequations {{ dt(u) = -fraclap(u, {order}) }}"
    )
    assert codes(text) == ([] if good else ["P308"])


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("dx(box(x, 0, 1)*u)", False),
        ("dxx(where(x < 1, x^2, 2*x - 1)*u)", True),
        ("dxxx(where(x < 1, x^2, 2*x - 1)*u)", False),
        ("dx(where(u < 2, u^2, 4*u - 4))", True),
        ("dx(where(x^2 < 4, 4 - x^2, 0)*u)", True),
        ("dx(abs(u)*u)", True),
        ("dxx(abs(u))", False),
        ("dxx(|psi|^2)*u", True),
        ("dt(step(t - 1)*u)", False),
        ("dx(step(t - 1)*u)", True),
        ("laplacian(sign(u))", False),
        ("vary(where(u < 0, u^2, 2*u^2), u)", True),
        ("vary(where(u < 0, 0, 1)*u, u)", False),
    ],
)
def test_jumps_are_not_differentiated(text: str, good: bool) -> None:
    assert codes(spec(f"dt(u) = {text}", 1)) == ([] if good else ["P309"])


@pytest.mark.parametrize(
    ("overrides", "given", "message"),
    [
        (Overrides(parameters={"nu": "1/0"}), "--set nu=1/0", "this is a division by zero"),
        (Overrides(parameters={"mu": "1"}), "", "`--set mu=1` names no parameter of the spec"),
        (Overrides(parameters={"nu": "x"}), "--set nu=x", "a constant is wanted here, and `x` is an axis"),
        (Overrides(solve={"m": "1"}), "--solve m=1", "`m` is no option of `solve`"),
        (Overrides(parameters={"nu": "(1"}), "", "`--set nu=(1` cannot be read: `(` is never closed"),
    ],
)
def test_values_from_outside_are_named(overrides: Overrides, given: str, message: str) -> None:
    source = read_source("spec", spec("dt(u) = nu*u", 1))
    report = Report(source)
    module = parse(source, report)
    assert module is not None
    resolve(module, source, overrides, report)
    (found,) = report.diagnostics
    assert found.message == message
    assert not given or found.given == given
