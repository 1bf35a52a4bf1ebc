"""Fractional operators in a spec: closed forms of known expressions, whole orders of fields."""

import pytest
import sympy as sp

from nablax.frontend.source import Source
from nablax.pipeline import run_stages

SPEC = """
space {{ x in [0, 2] }}
time {{ t in [1, 2] }}
fields {{ u }}
params {{ a = 0.5; r = 1 }}
equations {{ dt(u) = dxx(u) + {term} }}
initial {{ u = 0 }}
boundary {{ all: u = 0 }}
"""
t, x = sp.Symbol("t", real=True), sp.Symbol("x", real=True)
HALF = sp.Rational(1, 2)


def forcing(term: str) -> sp.Expr:
    stages = run_stages(Source("spec", SPEC.format(term=term)))
    stages.report.check()
    assert stages.system is not None
    parameters = {p.symbol: p.value for p in stages.system.parameters}
    terms = stages.system.evolution[0].terms
    return sp.Add(*(f.coefficient * f.flux for f in terms.forcing)).subs(parameters)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("caputo((t - 1)^2, t, a)", 8 * (t - 1) ** sp.Rational(3, 2) / (3 * sp.sqrt(sp.pi))),
        ("rl(x, x, a)", 2 * sp.sqrt(x / sp.pi)),
        ("caputo(x + 3, x, a, base=0)", 2 * sp.sqrt(x / sp.pi)),
        ("rl(2 - x, x, a, side=right)", 2 * sp.sqrt(2 - x) / sp.sqrt(sp.pi)),
        ("gl(x, x, a)", 2 * sp.sqrt(x / sp.pi)),
        ("fracint(x, x, a)", 4 * x ** sp.Rational(3, 2) / (3 * sp.sqrt(sp.pi))),
        ("tempered(exp(-x)*x, x, a, r)", 2 * sp.exp(-x) * sp.sqrt(x / sp.pi)),
        ("tempered(exp(-x)*x, x, a, r, normalised=yes)", sp.exp(-x) * (2 * sp.sqrt(x / sp.pi) - x)),
        ("vocaputo(x, x, (1 + x)/4)", x ** (1 - (1 + x) / 4) / sp.gamma(2 - (1 + x) / 4)),
        ("hadamard(log(t), t, a)", 2 * sp.sqrt(sp.log(t) / sp.pi)),
        ("psicaputo(x^2, x, a, x^2)", 2 * x / sp.sqrt(sp.pi)),
        ("cf(x, x, a)", 2 * (1 - sp.exp(-x))),
        ("distcaputo(x^2, x, 3, 0, 1)", None),
        ("caputo(sin(x), x, 1)", sp.cos(x)),
    ],
)  # fmt: skip
def test_closed_forms_of_known_expressions(term: str, expected: sp.Expr | None) -> None:
    found = forcing(term)
    place = {t: sp.Rational(17, 10), x: sp.Rational(13, 10)}
    if expected is None:
        order = sp.Symbol("order")
        expected = 3 * sp.Integral(
            2 * sp.Rational(13, 10) ** (2 - order) / sp.gamma(3 - order), (order, 0, 1)
        )
    exact = float(expected.subs(place).evalf(20))
    assert float(found.subs(place).evalf(20)) == pytest.approx(exact, rel=1e-13)


def test_whole_orders_of_a_field_are_derivatives() -> None:
    text = SPEC.format(term="0").replace("dt(u) = dxx(u) + 0", "caputo(u, t, 1) = rl(u, x, 2)")
    plain = run_stages(Source("spec", SPEC.format(term="0")))
    fractional = run_stages(Source("spec", text))
    fractional.report.check()
    assert plain.system is not None
    assert fractional.system is not None
    ours, theirs = fractional.system.evolution[0].terms.linear, plain.system.evolution[0].terms.linear
    assert [(x.coefficient, x.orders) for x in ours] == [(x.coefficient, x.orders) for x in theirs]
