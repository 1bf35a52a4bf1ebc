"""The normal form has the value of the problem: both are evaluated on known functions at random points."""

from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.parser import read_source
from nablax.passes.conservative import transforms
from nablax.passes.jets import derivative
from nablax.pipeline import run_stages
from nablax.sampling import sample
from nablax.system import Constraint, FluxTerm, LinearTerm, System
from nablax.verify import verify_problem, verify_system

from .specs import codes, periodic, stages

EXAMPLES = sorted((Path(__file__).parents[2] / "pde_examples").glob("*.pde"))
ONE_AXIS = {
    "burgers": "dt(u) + u*dx(u) = nu*dxx(u)",
    "doubled": "2*dt(u) + u*dx(u) = nu*dxx(u)",
    "kdv": "u_t + 6*u*u_x + u_xxx = 0",
    "modified kdv": "u_t = u^2*u_x - u_xxx",
    "porous": "dt(u) = dxx(u^3) + dx(u^2)",
    "thin film": "dt(u) = -dx(u^3*dxxx(u))",
    "quartic": "dt(u) = -u_xxxx + dx(dx(u)^3)",
    "variable": "dt(u) = dx((1 + sin(x)^2)*dx(u)) + exp(-t)*u",
    "pointwise": "dt(u) = dxx(u) + sin(u)*exp(-u^2) + sqrt(1 + u^2)",
    "quasilinear mass": "(1 + u^2)*dt(u) = dxx(u)",
    "time derivative of a square": "dt(u^2/2 + u) = dxx(u)",
    "known source": "dt(u) = dxx(u) + dxx(sin(x)*exp(cos(x)))",
    "reaction": "dt(u) = nu*u_xx + u*(1 - u)*(u - nu)",
    "second order": "dtt(u) + nu*dt(u) = dxx(u) - sin(u)",
    "second order, mixed": "dtt(u) = dxx(u) + nu*dxx(dt(u))",
    "convection of a flux": "dt(u) = -dx(u^2*dx(u) - u)",
}


def functions_for(system: System, seed: int) -> dict[sp.Basic, sp.Expr]:
    """Smooth functions for the unknowns; the rates are their time derivatives."""
    rng = np.random.default_rng(seed)
    space = [a.symbol for a in system.axes]
    t = sp.S.Zero if system.time is None else system.time.symbol

    def one(is_complex: bool) -> sp.Expr:
        total = sp.Rational(3, 2)
        for _ in range(2):
            waves = [int(n) for n in rng.integers(1, 3, len(space))]
            phase = sum(n * s for n, s in zip(waves, space, strict=True)) + sp.Rational(
                int(rng.integers(9)), 7
            )
            total += (
                sp.Rational(int(rng.integers(1, 9)), 10)
                * sp.sin(phase + t * sp.Rational(1, 3))
                * sp.exp(-t / 5)
            )
        return total * (1 + sp.I * sp.cos(space[0]) / 3) if is_complex else total

    found: dict[sp.Basic, sp.Expr] = {}
    for unknown in system.unknowns:
        if unknown.rate_of is None:
            found[unknown.value] = one(unknown.complex)
        else:
            found[unknown.value] = sp.diff(found[system.unknowns[unknown.rate_of].value], t)
    return found


def solenoidal(system: System, found: dict[sp.Basic, sp.Expr]) -> dict[sp.Basic, sp.Expr]:
    """Velocities replaced by the curl of a streamfunction, so that a divergence constraint holds."""
    x, y = (a.symbol for a in system.axes)
    stream = sp.sin(x + 2 * y) + sp.cos(2 * x - y) / 3 + x / 5
    velocity = [sp.diff(stream, y), -sp.diff(stream, x)]
    moving = [u.value for u in system.unknowns if not u.algebraic]
    return found | dict(zip(moving, velocity, strict=True))


def value_of(expression: sp.Expr, functions: dict[sp.Basic, sp.Expr]) -> sp.Expr:
    return expression.subs(functions, simultaneous=True).doit() if expression.args else expression


def linear(system: System, term: LinearTerm) -> sp.Expr:
    space = [a.symbol for a in system.axes]
    assert term.multiplier == 1
    return term.coefficient * derivative(system.unknowns[term.unknown].value, space, term.orders)


def flux(system: System, term: FluxTerm) -> sp.Expr:
    space = [a.symbol for a in system.axes]
    return term.coefficient * derivative(term.flux, space, term.orders)


def compare(text: str, seed: int = 0) -> None:
    """Problem residual = top coefficient · (du/dt - right side), for both forms of the nonlinearity."""
    found = stages(text)
    problem, system = found.problem, found.system
    verify_problem(problem)
    verify_system(system)
    functions = functions_for(system, seed)
    if any(not _values(c, system) & _algebraic(system) for c in system.constraints):
        functions = solenoidal(system, functions)
    rng = np.random.default_rng(seed)
    points = {s: rng.uniform(0.1, 1.9, 5) for s in problem.symbols}
    points |= {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    residuals = [value_of(e.residual, functions) for e in problem.equations]
    t = None if system.time is None else system.time.symbol
    still = [r for r, e in zip(residuals, problem.equations, strict=True) if not _in_time(e.residual, t)]
    for residual, constraint in zip(still, system.constraints, strict=True):
        terms = constraint.terms
        whole = sum((linear(system, term) for term in terms.linear), start=sp.S.Zero) + sum(
            (flux(system, term) for term in (*terms.nonlinear, *terms.forcing)), start=sp.S.Zero
        )
        left, right = sample(residual, points), sample(value_of(whole, functions), points)
        np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9 * max(np.abs(left).max(), 1))
    tops = [e for e in system.evolution if all(u.rate_of != e.unknown for u in system.unknowns)]
    for form in ("nonlinear", "conservative"):
        rates = []
        for equation in tops:
            right = sum((linear(system, term) for term in equation.terms.linear), start=sp.S.Zero) + sum(
                (flux(system, term) for term in (*getattr(equation.terms, form), *equation.terms.forcing)),
                start=sp.S.Zero,
            )
            mass = [
                term.coefficient
                * derivative(
                    sp.diff(functions[system.unknowns[term.unknown].value], t),
                    [a.symbol for a in system.axes],
                    term.orders,
                ).doit()
                for term in equation.mass
            ]
            rates.append(sp.Add(*mass) - value_of(right, functions))
        moving = [r for r, e in zip(residuals, problem.equations, strict=True) if _in_time(e.residual, t)]
        scales = [
            _top_coefficient(problem, e, functions) for e in problem.equations if _in_time(e.residual, t)
        ]
        for residual, rate, scale in zip(moving, rates, scales, strict=True):
            left = sample(residual, points)
            right = sample(scale * rate, points)
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9 * np.abs(left).max())


def _values(constraint: Constraint, system: System) -> set[sp.Basic]:
    """The unknowns in a constraint."""
    terms = constraint.terms
    found = {system.unknowns[term.unknown].value for term in terms.linear}
    return found | {a for term in terms.nonlinear for a in term.flux.atoms(AppliedUndef)}


def _algebraic(system: System) -> set[sp.Basic]:
    return {u.value for u in system.unknowns if u.algebraic}


def _in_time(expression: sp.Expr, t: sp.Symbol | None) -> bool:
    return any(t in d.variables for d in expression.atoms(sp.Derivative))


def _top_coefficient(problem, equation, functions) -> sp.Expr:
    """The factor of the highest time derivative, by differentiating the residual."""
    t = problem.time.symbol
    expanded = equation.residual.doit().expand()
    atoms = [d for d in expanded.atoms(sp.Derivative) if t in d.variables]
    highest = max(d.variables.count(t) for d in atoms)
    plain = [d for d in atoms if d.variables.count(t) == highest and set(d.variables) == {t}]
    if not plain:
        return sp.S.One
    name = sp.Dummy()
    return value_of(sp.diff(expanded.xreplace({plain[0]: name}), name), functions)


@pytest.mark.parametrize("name", ONE_AXIS)
def test_equation_keeps_its_value(name):
    order = 2 if "second order" in name else 1
    initial = "u = sin(x)" + ("; dt(u) = 0" if order == 2 else "")
    compare(periodic(ONE_AXIS[name], initial=initial))


@pytest.mark.parametrize(
    ("equations", "fields", "initial", "axes"),
    [
        ("dt(u) = v*dx(u) + dxx(u); dt(v) = u*dx(v) + dxx(v)", "u, v", "u = 1; v = 1", "x"),
        ("dt(u) + dt(v) = dxx(u); dt(u) - dt(v) = u*v", "u, v", "u = 1; v = 1", "x"),
        ("i*psi_t = -psi_xx - |psi|^2*psi", "psi: complex", "psi = 1", "x"),
        ("dt(U) + (U·∇)U = nu*ΔU", "U: vector", "U = (sin(x), cos(y))", "x y"),
        ("dt(U) + (U·∇)U = -∇p + nu*ΔU; ∇·U = 0", "U: vector; p", "U = (sin(y), 0)", "x y"),
        ("dt(u) = div(u*grad(u)) + dxy(u^2)", "u", "u = 1", "x y"),
        ("dt(u) = laplacian(u*v); dt(v) = div(v*grad(u))", "u, v", "u = 1; v = 1", "x y"),
        ("dt(u) = div(u^2*grad(laplacian(u)))", "u", "u = 1", "x y z"),
    ],
)
def test_system_keeps_its_value(equations, fields, initial, axes):
    text = periodic(equations, fields, initial, axes)
    if "dt(u) + dt(v)" in equations:
        # Time derivatives that have to be solved for: the combinations must come out again.
        system = stages(text).system
        u, v = (e.terms for e in system.evolution)
        assert {(t.coefficient, t.orders) for t in u.linear} == {(sp.Rational(1, 2), (2,))}
        assert sp.expand(u.nonlinear[0].flux + v.nonlinear[0].flux) == 0
        return
    compare(text)


def _local(path: Path) -> bool:
    """Whether all terms have a value at a point by itself, which those of fractional operators have not."""
    text = path.read_text(encoding="utf-8")
    return not any(word in text for word in ("Δ)^", "fraclap(", "riesz(", "rl(", "caputo(", "tempered("))


@pytest.mark.parametrize("path", [p for p in EXAMPLES if _local(p)], ids=lambda p: p.stem)
def test_example_keeps_its_value(path):
    compare(path.read_text(encoding="utf-8"), seed=1)


@pytest.mark.parametrize(
    ("equation", "expanded", "conservative"),
    [
        ("dt(u) + u*dx(u) = dxx(u)", 3, 2),
        ("dt(u) + u^2*dx(u) = dxx(u)", 3, 2),
        ("dt(u) = dxx(u^3) - dxxxx(u)", 3 + 1, 2),
        ("dt(u) = dxx(u) + u - u^3", 2, 2),
    ],
)
def test_transforms_are_counted_and_fewest_chosen(equation, expanded, conservative):
    terms = stages(periodic(equation)).system.evolution[0].terms
    assert transforms([terms.nonlinear]) == expanded
    assert transforms([terms.conservative]) == conservative


def test_incompressible_advection_becomes_a_divergence():
    text = periodic("dt(U) + (U·∇)U = -∇p + nu*ΔU; ∇·U = 0", "U: vector; p", "U = (sin(y), 0)", "x y")
    system = stages(text).system
    assert transforms([e.terms.nonlinear for e in system.evolution]) == 8
    assert transforms([e.terms.conservative for e in system.evolution]) == 5


def test_linear_by_proof_not_by_pattern():
    terms = stages(periodic("dt(u) = (u + 1)^2 - u^2 + dxx(u)")).system.evolution[0].terms
    assert not terms.nonlinear
    assert {(t.coefficient, t.orders) for t in terms.linear} == {(2, (0,)), (1, (2,))}
    assert terms.forcing[0].flux == 1


def test_jet_free_factors_are_not_multiplied_out():
    text = periodic("dt(u) = dxx(u) + exp(-50*(x - 3)^2)*(u + 1)")
    terms = stages(text).system.evolution[0].terms
    x = sp.Symbol("x", real=True)
    assert terms.forcing[0].flux == sp.exp(-50 * (x - 3) ** 2)


def test_complex_conjugate_is_not_linear():
    terms = (
        stages(periodic("i*psi_t = psi_xx + conj(psi)", "psi: complex", "psi = 1")).system.evolution[0].terms
    )
    assert len(terms.nonlinear) == 1


def test_mass_operator_is_kept():
    system = stages(periodic("dt(u) - dt(dxx(u)) + dx(u) + u*dx(u) = 0")).system
    assert {(m.coefficient, m.orders) for m in system.evolution[0].mass} == {(1, (0,)), (-1, (2,))}


@pytest.mark.parametrize(
    ("equations", "fields", "code"),
    [
        ("dt(u)^2 = dxx(u)", "u", "P305"),
        ("dt(u) = dxx(u); dt(u) = u", "u", "P302"),
        ("dt(u) = dxx(u)", "u, v", "P302"),
        ("dt(u) + dt(v) = u; dt(u) + dt(v) = v", "u, v", "P305"),
        ("u = u", "u", "P310"),
        ("dt(u) = i*u", "u", "P208"),
    ],
)
def test_systems_without_a_normal_form(equations, fields, code):
    initial = "; ".join(f"{f.strip()} = 0" for f in fields.split(","))
    assert code in codes(periodic(equations, fields, initial))


def test_all_examples_compile_without_a_word():
    assert len(EXAMPLES) >= 12
    for path in EXAMPLES:
        report = run_stages(read_source(path.name, path.read_text(encoding="utf-8"))).report
        assert not report.diagnostics, path.name
