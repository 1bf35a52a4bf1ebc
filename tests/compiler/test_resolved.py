"""P429: coefficients and sources that lie between the nodes, and those that do not."""

import numpy as np
import pytest

from nablax.frontend.source import read_source
from nablax.pipeline import run_stages
from nablax.planning.resolved import BETWEEN, _polynomials, _trigonometric

WALLS = "x in [0, 1]"
RING = "x in [0, 1] periodic"


@pytest.mark.parametrize(
    ("space", "right", "solve", "found"),
    [
        (WALLS, "dx((2 + tanh((x - 0.503)/0.001))*dx(u))", "n = 64", 1),
        (WALLS, "dx((2 + tanh((x - 0.503)/0.001))*dx(u))", "n = 2048", 0),
        (WALLS, "dx((2 + tanh((x - 0.503)/0.001))*dx(u))", "n = 64; method = fv", 0),
        (WALLS, "dx((2 + tanh((x - 0.503)/0.001))*dx(u))", "n = 64; order = 2", 0),
        (WALLS, "dx((2 + sin(80*pi*x))*dx(u))", "n = 64; order = 2", 1),
        (
            WALLS,
            "dx((2 + tanh((x - 0.503)/0.001))*dx(u)) - tanh((x - 0.5)/0.001)*dx(u)",
            "n = 64; order = 2",
            1,
        ),
        (WALLS, "dx((2 + 1e-5*tanh((x - 0.5)/0.02))*dx(u))", "n = 32", 0),
        (WALLS, "dx((2 + tanh((x - 0.5)/0.02))*u*dx(u))", "n = 128", 0),
        (WALLS, "dx((2 + tanh((x - 0.5)/0.001))*u*dx(u))", "n = 128", 1),
        (WALLS, "dxx(u) + exp(-((x - 0.3)/0.001)^2)", "n = 64; order = 8", 1),
        (WALLS, "dxx(u) + where(x < 0.3, 1, 0)", "n = 64", 0),
        (WALLS, "dxx(u) + t*sin(80*pi*x)", "n = 64", 1),
        (RING, "dxx(u) + (2 + sin(40*pi*x))*u", "n = 64; method = spectral", 0),
        (RING, "dxx(u) + (2 + sin(40*pi*x))*u", "n = 64; method = fd; order = 2", 1),
        (RING, "dxx(u) + (2 + sin(80*pi*x))*u", "n = 64; method = spectral", 1),
        (f"{WALLS}; y in [0, 1]", "laplacian(u) + exp(-((y - 0.37)/0.003)^2)*cos(x)", "n = 32", 1),
        (f"{WALLS}; y in [0, 1]", "laplacian(u) + tanh((x + y - 1)/0.3)*u", "n = 32", 0),
    ],
)
def test_what_lies_between_the_nodes_is_said(space: str, right: str, solve: str, found: int) -> None:
    walls = "" if "periodic" in space else "boundary { all: u = 0 }"
    text = f"""
    space {{ {space} }} time {{ t in [0, 1] }} fields {{ u }} equations {{ dt(u) = {right} }}
    initial {{ u = 0 }} {walls} solve {{ {solve} }}
    """
    codes = [d.code for d in run_stages(read_source("spec", text)).report.diagnostics]
    assert codes.count("P429") == found
    assert set(codes) <= {"P429"}


def test_the_resolution_that_the_help_names_is_enough() -> None:
    text = """
    space { x in [0, 1] } fields { u } equations { dx((2 + tanh((x - 0.503)/0.001))*dx(u)) = 0 }
    boundary { all: u = 0 } solve { n = 50 }
    """
    (message,) = run_stages(read_source("spec", text)).report.diagnostics
    assert message.help is not None
    enough = message.help.split("at least ")[1].split()[0]
    report = run_stages(read_source("spec", text.replace("50", enough))).report
    assert not report.diagnostics


@pytest.mark.parametrize("width", [2, 4, 6, 8])
def test_polynomials_between_nodes_are_exact_to_their_degree(width: int) -> None:
    x = np.arange(12.0)
    between = np.arange(11.0)[:, None] + np.array(BETWEEN)
    for power in range(width):
        told = _polynomials((x / 6 - 1) ** power, width, periodic=False)
        assert np.abs(told - (between / 6 - 1) ** power).max() < 1e-11
    ring = np.arange(12.0)[:, None] + np.array(BETWEEN)
    wave = np.cos(2 * np.pi * x / 12)
    errors = np.abs(_polynomials(wave, width, periodic=True) - np.cos(2 * np.pi * ring / 12))
    assert errors.max() < (np.pi / 6) ** width / 2**width
    assert np.abs(_trigonometric(wave) - np.cos(2 * np.pi * ring / 12)).max() < 1e-14
