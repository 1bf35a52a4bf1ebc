"""Linear diffusion at order 2 as differences of fluxes: bounds, conservation, order."""

from pathlib import Path

import numpy as np
import pytest

from nablax.backends.build import build
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.frontend.source import read_source
from nablax.pipeline import compile_plan

ROD = """
space { x in [0, 1] } fields { u } equations { dx(K*dx(u)) = 0 }
boundary { x = 0: u = 0; x = 1: u = 1 } solve { n = 64; order = 2 }
"""
"""In layers of conductivity 1 and 10: 20/11 of the fall lies in the first."""


def steady(text: str, folder: Path | None = None) -> np.ndarray:
    plan, report = compile_plan(read_source("spec", text), folder=folder)
    assert not report.diagnostics
    solver = build(plan)
    assert isinstance(solver, SteadySolver)
    return np.asarray(solver.solve().fields["u"])


def layered(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0.5, 20 * x / 11, 10 / 11 + 2 * (x - 0.5) / 11)


@pytest.mark.parametrize("place", ["0.5", "0.503"])
def test_layers_thinner_than_a_spacing_keep_the_bounds(place: str) -> None:
    found = steady(ROD.replace("K", f"(1 + 4.5*(1 + tanh((x - {place})/0.0005)))"))
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-12
    assert np.all(np.diff(found) > 0)
    assert np.abs(found - layered(np.linspace(0, 1, 65))).max() < (1e-6 if place == "0.5" else 1.5e-2)


def test_a_jump_in_a_file_of_straight_lines(tmp_path: Path) -> None:
    k = np.where(np.arange(65) < 32, 1.0, 10.0)
    np.save(tmp_path / "k.npy", k)
    text = ROD.replace("K", "k(x)").replace(
        "equations", 'let { k(x) = file("k.npy", kind=linear) } equations'
    )
    found = steady(text, tmp_path)
    fine = (np.arange(64000) + 0.5) / 64000
    resistance = np.cumsum(1 / np.interp(fine, np.linspace(0, 1, 65), k)).reshape(64, 1000)[:, -1]
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-12
    assert np.abs(found[1:] - resistance / resistance[-1]).max() < 3e-3


@pytest.mark.parametrize("sides", ["x = 0: u = 1; x = 1: dn(u) + u = E", "x = 0: dn(u) = -1; x = 1: u = E"])
def test_the_order_is_two(sides: str) -> None:
    errors = []
    for n in (16, 32):
        text = f"""
        space {{ x in [0, 1] }} fields {{ u }} let {{ k(x) = 1 + x^2; E = {"2*" * ("+" in sides)}exp(1) }}
        equations {{ dx(k(x)*dx(u)) = (1 + x)^2*exp(x) }} boundary {{ {sides} }}
        solve {{ n = {n}; order = 2 }}
        """
        errors.append(np.abs(steady(text) - np.exp(np.linspace(0, 1, n + 1))).max())
    assert np.log2(errors[0] / errors[1]) > 1.85


def test_rings_conserve_and_stay_between_bounds() -> None:
    text = """
    space { x in [0, 1] periodic; y in [0, 1] periodic } time { t in [0, 0.02] } fields { u }
    let { k(x, y) = 1.1 + tanh(cos(2*pi*x)*cos(2*pi*y)/0.01) }
    equations { dt(u) = dx(k(x, y)*dx(u)) + dy(k(x, y)*dy(u)) }
    initial { u = (1 + sin(2*pi*x)*cos(2*pi*y))/2 }
    solve { n = 24; order = 2; method = fd; step = rk2; dt = 1e-4 }
    """
    plan, _ = compile_plan(read_source("spec", text))
    solver = build(plan)
    assert isinstance(solver, Solver)
    u = np.asarray(solver.solve().fields["u"])
    assert abs(u[-1].mean() - u[0].mean()) < 1e-14
    assert u.min() >= 0
    assert u.max() <= 1
    assert np.abs(u[-1] - u[0]).max() > 0.05


def test_other_terms_are_left_as_they_are() -> None:
    def fluxes(right: str) -> bool:
        text = f"""
        space {{ x in [0.1, 1] }} time {{ t in [0, 1] }} fields {{ u }} equations {{ dt(u) = {right} }}
        initial {{ u = 0 }} boundary {{ all: u = 0 }} solve {{ n = 16; order = 2 }}
        """
        plan, _ = compile_plan(read_source("spec", text))
        return any(c.what == "fluxes" for c in plan.choices)

    assert fluxes("dx((2 + sin(x))*dx(u)) - 3*dx(u)")
    assert fluxes("dx(exp(t*x)*dx(u)) + sin(x)*dx(u)")
    assert not fluxes("(2 + sin(x))*dxx(u)")
    assert not fluxes("(2 + sin(x))*dxx(u) + x*dx(u)")
    assert not fluxes("dx((2 + u)*dx(u))")
    assert not fluxes("dx((1 + (x - 0.1)^1.5)*dx(u))")
