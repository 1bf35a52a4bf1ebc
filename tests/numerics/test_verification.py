"""Manufactured solutions solve what they were made for, and the measured orders tell right from wrong."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from nablax.backends.build import build
from nablax.backends.reference import environment, reference_rate
from nablax.backends.verification import (
    Course,
    Level,
    Study,
    Verification,
    _cut_short,
    space_study,
    time_study,
    verify,
)
from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import read_source
from nablax.manufactured import manufacture
from nablax.pipeline import run_stages
from nablax.planning.make import make_plan
from nablax.sampling import sample

pytestmark = pytest.mark.brief

RING = """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { FIELDS }
equations { EQUATIONS }
initial { INITIAL }
solve { n = 48 }
"""
WALLS = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = 0.3*dxx(u) }
initial { u = 0 }
boundary { x = 0: u = 0; x = 1: dn(u) + u = 0 }
solve { order = 4; step = rk4 }
"""


def ring(equations: str, fields: str = "u", initial: str = "u = sin(x)") -> str:
    text = RING.replace("FIELDS", fields).replace("EQUATIONS", equations)
    return text.replace("INITIAL", initial)


SPECS = {
    "burgers": ring("dt(u) + u*dx(u) = 0.1*dxx(u)"),
    "logarithm": ring("dt(u) = dxx(log(u))", initial="u = 2 + sin(x)"),
    "schrödinger": ring("i*dt(p) = -dxx(p) - |p|^2*p", "p: complex", "p = exp(i*x)"),
    "wave": ring("dtt(u) = dxx(u) - u^3", initial="u = sin(x); dt(u) = 0"),
    "fractional": ring("dt(u) = -(-Δ)^0.75 u - u^2"),
    "system": ring("dt(u) = dxx(u) - u*v; dt(v) = dxx(v) + u^2", "u, v", "u = 1 + sin(x)/2; v = cos(x)"),
    "mean": ring("dt(u) = dxx(u) + u^2*mean(u^2) - u*integral(exp(u))"),
    "convolution": ring("dt(u) = dxx(u) - u*convolve(exp(cos(x)), u^2)"),
    "rough source": ring("dt(u) = dxx(u) + box(x, 1, 2)"),
}


def made_of(text: str, swinging: bool = True):
    stages = run_stages(read_source("spec", text))
    assert stages.problem is not None
    assert stages.plan is not None
    report = Report(stages.report.source)
    found = manufacture(stages.problem, report, swinging)
    assert found is not None, report.diagnostics
    return stages, found


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_the_solution_solves_the_equations(text):
    """The reference evaluator's rates at the solution are its time derivatives."""
    stages, made = made_of(text)
    plan = make_plan(made.system, Report(stages.report.source))
    assert plan is not None
    assert made.system.time is not None
    t = made.system.time.symbol
    exact = {c.name: made.solution[c.name] for c in made.system.problem.components}
    for unknown in made.system.unknowns:
        if unknown.rate_of is not None:
            parent = made.system.unknowns[unknown.rate_of].name
            exact[unknown.name] = sp.diff(exact[parent], t)
    values = environment(plan, 0.1, {}, {})
    fields = {n: np.broadcast_to(sample(e, values), plan.shape) for n, e in exact.items()}
    rates = reference_rate(plan, 0.1, fields, {})
    for name, rate in rates.items():
        wanted = sample(sp.diff(exact[name], t), values)
        assert np.max(np.abs(rate - wanted)) < 1e-8 * max(1.0, float(np.max(np.abs(wanted))))


def test_it_meets_the_initial_and_the_boundary_conditions():
    stages, made = made_of(WALLS, swinging=False)
    u = made.solution["u"]
    x, t = stages.problem.axes[0].symbol, stages.problem.time.symbol
    assert sp.simplify(made.system.initial[0] - u.subs(t, 0)) == 0
    for condition in made.system.boundary:
        place = condition.side
        left = sum(c.coefficient * sp.diff(u, x, c.order) for c in condition.terms).subs(x, place)
        for time in (0, 0.05):
            assert abs(float((left - condition.data).subs(t, time))) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 6])
def test_a_scheme_that_keeps_its_order_passes(order):
    stages, made = made_of(WALLS.replace("order = 4", f"order = {order}"), swinging=False)
    study = space_study(made, stages.plan, build)
    assert study.passed, study
    assert study.measured is not None
    assert study.measured > order - 0.3
    assert len(study.levels) >= 4


BEAM = """
space { x in [0, 1] }
time { t in [0, 0.5] }
fields { w }
equations { dtt(w) + d(w, x, 4) = 0 }
initial { w = sin(pi*x); dt(w) = 0 }
boundary { x = 0: w = 0, dxx(w) = 0; x = 1: w = 0, dxx(w) = 0 }
solve { order = 4; n = 64; step = implicit }
"""


@pytest.mark.slow
def test_an_explicit_run_is_refined_before_another_is_held_against_it():
    """With as many steps as the beam's, rk4 itself is 2e-7 away from its end."""
    stages, made = made_of(BEAM)
    study = time_study(made, stages.plan, build)
    assert study.passed, study


REMEMBERING = {
    "rest": (ring("rl(u, t, 0.7) = dxx(u)", initial="u = 0").replace("solve {", "solve { step = l1;"), 1.3),
    "quadrature": (
        WALLS.replace("dt(u) + u*dx(u)", "caputo(u, t, 0.4)").replace("t in [0, 1]", "t in [1, 2]")
        .replace("step = rk4", "step = cq"),
        2.0,
    ),
    "tempered": (
        WALLS.replace("dt(u) + u*dx(u)", "tempered(u, t, 0.6, 2, kind=caputo)")
        .replace("step = rk4", "step = cq"),
        2.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["rest", *(pytest.param(name, marks=pytest.mark.slow) for name in ("quadrature", "tempered"))]
)
def test_derivatives_that_remember_the_past_have_their_orders(name):
    text, claimed = REMEMBERING[name]
    stages = run_stages(read_source("spec", text))
    found = verify(stages.problem, stages.plan, stages.report, build)
    assert found.passed, found
    space, time = found.studies
    assert time.claimed == pytest.approx(claimed)
    assert abs(time.measured - claimed) < 0.1
    if space.claimed is None:  # linear in time, as the L1 scheme follows exactly
        assert space.levels[0].error < 1e-13
        assert space.measured is None
        assert all(level.rounded and level.order is None for level in space.levels)
        assert space.reason.startswith("exact to rounding")
    if name == "tempered":
        assert space.levels[0].steps == 16  # it fades with its memory: steps add nothing to the grid's error


def test_a_level_over_the_limit_is_the_last_one_and_lines_tell_the_course():
    stages, made = made_of(WALLS, swinging=False)
    lines: list[str] = []
    study = space_study(made, stages.plan, build, Course(lines.append, limit=0.0))
    assert len(study.levels) == 2
    assert study.passed  # with the order that two levels show
    assert study.reason.startswith("cut short, no finer level was begun: 24 points took")
    assert study.reason.endswith("the limit is 0 s")
    assert [line.partition(":")[2].strip()[:15] for line in lines[:2]] == ["fd on 16 points"] * 2
    assert "error" in lines[1]


@pytest.mark.parametrize(
    ("orders", "finished"),
    [
        ((2.4,), False),  # one order alone may belong to grids that are too coarse
        ((1.2, 2.4), False),  # and it rises
        ((2.0, 2.05), True),
        ((3.1, 2.4), True),
        ((), False),
    ],
)
def test_a_study_cut_short_is_missed_only_where_its_orders_say_so(orders, finished):
    errors = np.cumprod([1e-2, *(2.0**-p for p in orders)])
    levels = tuple(
        Level((8 * 2**i,), 0, float(e), p)
        for i, (e, p) in enumerate(zip(errors, (None, *orders), strict=True))
    )
    study = Study("space", "fd", 4.0, levels, 2.0, False, "it falls short by 2.00")
    cut = _cut_short(study, "16 points", 61.0, 60.0)
    assert (cut.finished, cut.passed) == (finished, False)
    assert Verification({}, (cut,)).missed is finished
    broken = replace(study, levels=(*levels, Level((512,), 0, np.inf, None)))
    assert _cut_short(broken, "512 points", 61.0, 60.0).finished
    assert _cut_short(replace(study, passed=True), "16 points", 61.0, 60.0).finished


@pytest.mark.slow
def test_a_scheme_of_lower_order_than_claimed_fails():
    stages, made = made_of(WALLS, swinging=False)
    study = space_study(made, stages.plan, lambda plan: build(replace(plan, order=2)))
    assert not study.passed
    assert study.measured == pytest.approx(2, abs=0.1)


@pytest.mark.slow
def test_a_scheme_for_other_equations_fails():
    """Without the term u u_x the error does not fall at all."""
    stages, made = made_of(WALLS, swinging=False)

    def wrong(plan):
        (evolution,) = plan.system.evolution
        bare = replace(evolution.terms, nonlinear=(), conservative=())
        return build(replace(plan, system=replace(plan.system, evolution=(replace(evolution, terms=bare),))))

    study = space_study(made, stages.plan, wrong)
    assert not study.passed
    assert study.measured is not None
    assert abs(study.measured) < 0.5


@pytest.mark.slow
def test_a_spectral_error_falls_to_rounding_or_fails():
    stages, made = made_of(SPECS["burgers"])
    assert space_study(made, stages.plan, build).passed
    blunt = space_study(made, stages.plan, lambda plan: build(replace(plan, dealias=(0.2,))))
    assert not blunt.passed
    assert "stops at" in blunt.reason


def test_a_stepper_of_lower_order_than_claimed_fails():
    stages, made = made_of(SPECS["burgers"])

    def first(plan):
        return build(replace(plan, stepping=replace(plan.stepping, name="etdrk2")))

    assert time_study(made, stages.plan, build).passed
    study = time_study(made, stages.plan, first)
    assert not study.passed
    assert study.measured == pytest.approx(2, abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["schrödinger", "wave", "fractional", "system", "rough source"])
def test_whole_verifications(name):
    stages = run_stages(read_source("spec", SPECS[name]))
    found = verify(stages.problem, stages.plan, stages.report, build)
    assert found.passed, found


VOLUMES = """
space { x in [0, 1]; y in [0, 1] periodic }
time { t in [0, 0.2] }
fields { u }
equations { dt(u) + dx(u^2/2) + dy(u) = sin(2*pi*y)*u }
initial { u = 2 + sin(2*pi*y)/2 }
boundary { x = 0: u = 2 }
solve { method = fv; order = ORDER }
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 5])
def test_averages_over_cells_with_sources_and_walls(order):
    stages = run_stages(read_source("spec", VOLUMES.replace("ORDER", str(order))))
    report = Report(stages.report.source)
    made = manufacture(stages.problem, report, swinging=False)
    study = space_study(made, stages.plan, build)
    assert study.passed, study
    if order == 5:
        # Averages are not values at the middles of cells: with those the order is 2.
        blunt = space_study(made, stages.plan, lambda plan: build(replace(plan, order=2)))
        assert not blunt.passed


def test_orders_of_finite_volumes():
    text = ring("dt(u) + dx(u^2/2) = sin(x)", initial="u = 2 + sin(x)/2").replace("n = 48", "method = fv")
    stages = run_stages(read_source("spec", text))
    found = verify(stages.problem, stages.plan, Report(stages.report.source), build)
    assert found.passed, found
    space, time = found.studies
    assert (space.claimed, time.claimed) == (5, 3)
