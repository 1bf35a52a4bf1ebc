"""Real terms written with i are taken as what they are; imaginary ones, and those not proven, are refused."""

import numpy as np
import pytest
import sympy as sp

from nablax import SpecError, parse
from nablax.passes.reality import real_parts

x, a = sp.symbols("x a", real=True)
u = sp.Function("u", real=True)(x)
REAL = {
    (sp.exp(sp.I * a * x) + sp.exp(-sp.I * a * x)) / 2: sp.cos(a * x),
    (1 + sp.I * x) * (1 - sp.I * x) * u.diff(x): (1 + x**2) * u.diff(x),
    (sp.exp(sp.I * x) - sp.exp(-sp.I * x)) * u / (2 * sp.I): sp.sin(x) * u,
    sp.exp((1 + sp.I) * x) * sp.exp((1 - sp.I) * x): sp.exp(2 * x),
}


@pytest.mark.parametrize("term", REAL, ids=str)
def test_real_terms(term: sp.Expr) -> None:
    parts = real_parts([term])
    assert parts is not None
    assert sp.simplify(parts[0] - REAL[term]) == 0


def test_parts_cancel_between_terms() -> None:
    parts = real_parts([sp.exp(sp.I * x), sp.exp(-sp.I * x)])
    assert parts is not None
    assert sp.simplify(sp.Add(*parts) - 2 * sp.cos(x)) == 0


def test_what_is_imaginary_or_not_proven() -> None:
    nested = sp.I * x
    for _ in range(30):
        nested = sp.sin(nested)
    for term in (sp.I * x, sp.exp(sp.I * x), sp.I * u, sp.log(sp.I * x), nested):
        assert real_parts([term]) is None


SPEC = """
space { x in [0, 1]; y in [0, 2*pi] periodic }
fields { u }
equations { laplacian(u) = SOURCE }
boundary { x = 0: u = 0; x = 1: u = WALL }
solve { n = 8 }
"""


def test_a_problem_is_the_same_in_both_spellings() -> None:
    plain = parse(SPEC.replace("SOURCE", "x*cos(y)").replace("WALL", "sin(y)"))
    written = parse(
        SPEC.replace("SOURCE", "x*exp(i*y)/2 + x*exp(-i*y)/2").replace("WALL", "(exp(i*y) - exp(-i*y))/(2*i)")
    )
    assert not written.warnings
    one, two = (np.asarray(p.compile().solve().fields["u"]) for p in (plain, written))
    np.testing.assert_allclose(one, two, atol=1e-12)
    with pytest.raises(SpecError, match="not proven to be real"):
        parse(SPEC.replace("SOURCE", "0").replace("WALL", "exp(i*y)")).compile()


def test_whether_a_root_of_a_field_is_real_is_up_to_its_values() -> None:
    made = parse("""
space { x in [0, 2*pi] periodic }
time { t in [0, 0.1] }
fields { u }
equations { dt(u) = dxx(u) - (1 + 0.1*sin(x))*sqrt(u - 2) }
initial { u = 5 + sin(x) }
solve { n = 8 }
""").compile()
    assert np.isfinite(np.asarray(made.solve().fields["u"])).all()
