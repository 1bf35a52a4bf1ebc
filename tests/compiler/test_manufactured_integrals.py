"""Integral terms of smooth functions, against their closed forms."""

import numpy as np
import pytest
import sympy as sp

from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import read_source
from nablax.manufactured import manufacture
from nablax.manufactured_integrals import at_solution, integrated
from nablax.pipeline import run_stages
from nablax.sampling import sample

PLANE = """
space {{ x in [0, L]; y in [-1, 1] periodic }}
time {{ t in [0, 1] }}
fields {{ u }}
params {{ k = 2; L = 3 }}
equations {{ dt(u) = laplacian(u) + {term} }}
initial {{ u = 0 }}
boundary {{ x = 0: u = 0; x = L: u = 0 }}
"""
LINE = """
space {{ x in [-pi, pi] periodic }}
time {{ t in [0, 1] }}
fields {{ u }}
params {{ k = 2 }}
equations {{ dt(u) = dxx(u) + {term} }}
initial {{ u = 0 }}
"""


def problem_of(text):
    stages = run_stages(read_source("spec", text))
    assert stages.problem is not None, stages.report.diagnostics
    return stages.problem, stages.report.source


def value_of(text, solution):
    """The term of the equation that holds no derivative, at a solution, as a function of a place."""
    problem, _ = problem_of(text)
    here = {sp.Symbol(s.name): s for s in problem.symbols}
    exact = {problem.components[0].value: solution.xreplace(here)}
    term = next(s.value for s in problem.equations[0].summands if not s.value.has(sp.Derivative))
    found = integrated(at_solution(-term, exact), problem)
    parameters = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    return lambda **place: sample(found, parameters | {here[sp.Symbol(n)]: v for n, v in place.items()})


x, y, t = sp.symbols("x y t")


@pytest.mark.parametrize(
    ("term", "wanted"),
    [
        ("integral(u^2)", lambda x, y, t: (1 + t) ** 2 * 3 / 2),
        ("k*integral(u, x)", lambda x, y, t: 2 * (1 + t) * np.cos(np.pi * y) * 6 / np.pi),
        ("integral(x*u*cos(pi*y), y)", lambda x, y, t: x * (1 + t) * np.sin(np.pi * x / 3)),
        ("integral(exp(k*u)*0 + u^3, x)", lambda x, y, t: (1 + t) ** 3 * np.cos(np.pi * y) ** 3 * 4 / np.pi),
        (
            "integral(u, x, 0, x)",
            lambda x, y, t: (1 + t) * np.cos(np.pi * y) * (1 - np.cos(np.pi * x / 3)) * 3 / np.pi,
        ),
    ],
)
def test_integrals_over_axes(term, wanted):
    found = value_of(PLANE.format(term=term), (1 + t) * sp.sin(sp.pi * x / 3) * sp.cos(sp.pi * y))
    for place in ({"x": 0.4, "y": 0.3, "t": 0.0}, {"x": 2.5, "y": -0.9, "t": 0.7}):
        assert found(**place) == pytest.approx(wanted(**place), abs=1e-12)


def test_what_is_no_polynomial_is_summed_on_one_axis_alone():
    found = value_of(LINE.format(term="integral(exp(k*u))"), sp.cos(x) * t)
    assert found(t=0.75) == pytest.approx(float(2 * np.pi * sp.besseli(0, 1.5)), abs=1e-12)


def test_a_convolution_of_a_wave():
    """Kernels are smooth on either side of zero: ∫ e^(-|z|) cos(x - z) dz = cos(x) (1 + e^(-π))."""
    found = value_of(LINE.format(term="convolve(exp(-abs(x)), u)"), sp.cos(x))
    assert found(x=0.8) == pytest.approx(np.cos(0.8) * (1 + np.exp(-np.pi)), abs=1e-12)


@pytest.mark.parametrize(
    "text", [PLANE.format(term="integral(exp(u))"), LINE.format(term="convolve(exp(-10000*x^2), u)")]
)
def test_what_would_be_too_long_a_sum_is_named(text):
    problem, source = problem_of(text)
    report = Report(source)
    assert manufacture(problem, report, True) is None
    (said,) = report.diagnostics
    assert (said.code, "its integral is too long a sum" in said.message) == ("R711", True)
