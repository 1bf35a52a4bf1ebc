"""Conditions that have no value, or lose what they are solved for, at some parameters and times."""

import pytest

from nablax.frontend.source import read_source
from nablax.pipeline import run_stages
from nablax.planning.wall_values import fault_around

SPEC = """space {{ x in [0, 1]; y in [0, 1] periodic }}
time {{ t in [0, 0.1] }}
fields {{ u }}
params {{ k = {k} }}
equations {{ dt(u) = laplacian(u) }}
initial {{ u = 1 }}
boundary {{ x = 0: {condition}; x = 1: u = 1 }}
"""


def stages(condition, k=0):
    return run_stages(read_source("spec.pde", SPEC.format(condition=condition, k=k)))


@pytest.mark.parametrize(
    ("condition", "code", "message"),
    [
        ("k*u = 1", "P323", "this condition says nothing of `u` at x = 0 for k = 0"),
        ("k*dn(u) + k^2*u = 1", "P323", "this condition says nothing of `u` at x = 0 for k = 0"),
        ("k*dn(u) + u = 1", "P323", "this condition does not give dx(u) at x = 0 for k = 0"),
        ("k*dn(u) = u^2 - 1", "P323", "this condition does not give dx(u) at x = 0 for k = 0"),
        ("t*u = sin(t)", "P323", "this condition says nothing of `u` at x = 0, t = 0"),
        ("u = 1/t", "P321", "this condition has no finite value at x = 0, t = 0"),
        ("u = 1 + k/t", "P321", "this condition has no finite value at x = 0, t = 0 for k = 0"),
        ("k*dt(u) = dx(u)", "P321", "this condition has no finite value at x = 0 for k = 0"),
        ("dn(u) = (u - 1)/k", "P321", "this condition has no finite value at x = 0 for k = 0"),
        ("u = sqrt(k - 1)", "P321", "this condition has no real value at x = 0 for k = 0"),
        ("u = log(y)", "P321", "this condition has no finite value at x = 0, y = 0"),
    ],
)
def test_what_the_values_in_the_text_show_is_said_before_a_run(condition, code, message):
    (found,) = (d for d in stages(condition).report.diagnostics if d.code != "P318")
    assert (found.code, found.message) == (code, message)


@pytest.mark.parametrize("condition", ["k*u + u^3 = 1", "dn(u) = -u^4", "u = cos(t)", "k*dn(u) + u = 1"])
def test_conditions_that_keep_their_terms_stand(condition):
    assert stages(condition, k=0 if "^3" in condition else 1).plan is not None


def test_a_run_names_the_condition_between_whose_moments_a_pole_lies():
    system = stages("u = 0.03/(0.03 - t)", k=1).system
    assert system is not None
    assert fault_around(system, {"k": 1.0}, 0.0, 0.01) is None
    found = fault_around(system, {"k": 1.0}, 0.0299, 0.0302)
    assert found is not None
    assert found.message.startswith("this condition has no finite value at x = 0, t = 0.03")
    lost = stages("k*u = 1", k=1).system
    assert lost is not None
    assert fault_around(lost, {"k": 1.0}, 0.0, 0.1) is None
    assert fault_around(lost, {"k": 0.0}, 0.0, 0.1) is not None


def test_on_one_axis_brackets_make_a_vector():
    text = """space { x in [0, 1] }
time { t in [0, 0.1] }
fields { U: vector }
equations { dt(U) = laplacian(U) }
initial { U = (sin(pi*x)) }
boundary { all: U = (t) }
expect { U ≈ (sin(pi*x)) within 1 }
"""
    found = run_stages(read_source("spec.pde", text))
    assert not found.report.diagnostics
    assert found.system is not None
    assert [str(v) for v in found.system.initial] == ["sin(pi*x)"]
    assert {str(b.data) for b in found.system.boundary} == {"t"}
