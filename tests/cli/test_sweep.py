"""`nablax run --sweep`: the numbers of single runs, on every kind of plan; what cannot be swept is said."""

import json
from pathlib import Path

import numpy as np
import pytest

import nablax as package
from nablax.backends.output.store import open_run
from nablax.cli.sweep import plan_members
from nablax.frontend.diagnostics import SpecError
from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.sweeps import SweepError, parse_sweep

SPECS = {
    "spectral, step chosen": """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
params { nu = 0.3; twice = 2*nu }
equations { dt(u) + u*dx(u) = twice*dxx(u) }
initial { u = sin(x) }
solve { n = 32 }
""",
    "system with walls, error control": """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v }
params { nu = 0.3 }
equations { dt(u) = nu*dxx(u) - u*v; dt(v) = dxx(v) + u }
initial { u = cos(pi*x); v = 1 }
boundary { all: dn(u) = 0, v = 1 }
solve { n = 16; step = imex; order = 2 }
""",
    "finite volumes": """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { nu = 0.3 }
equations { dt(u) + nu*dx(u^2/2) = 0 }
initial { u = 2 + sin(2*pi*x) }
solve { n = 16; method = fv }
""",
    "steady": """
space { x in [0, 1] }
fields { u }
params { nu = 0.3 }
equations { nu*dxx(u) + exp(u) = 0 }
boundary { all: u = 0 }
solve { n = 16 }
""",
    "vectors and complex values, fixed step": """
space { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { psi: complex; U: vector }
params { nu = 0.3 }
equations { i*dt(psi) = -nu*Δpsi + psi; dt(U) = nu*ΔU }
initial { psi = exp(i*x); U = (sin(y), cos(x)) }
solve { n = 8; dt = 0.25 }
""",
}
EVERY = "output { every = 0.5 }\n"


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        moving = "time {" in text
        (tmp_path / "a.pde").write_text(text + (EVERY if moving else ""), "utf-8")
        return tmp_path / "a.pde"

    return write


@pytest.mark.brief
@pytest.mark.parametrize(
    "kind",
    [k if k in ("finite volumes", "steady") else pytest.param(k, marks=pytest.mark.slow) for k in SPECS],
)
def test_members_are_single_runs(spec, nablax, kind):
    path = spec(SPECS[kind])
    answer = nablax("run", "a.pde", "--sweep", "nu=0.3,0.4,0.5", "--no-plot", "-q")
    assert (answer.code, answer.out) == (0, "")
    with open_run(path.with_suffix(".zarr")) as run:
        assert next(iter(run["u" if "u" in run else "psi"].dims)) == "nu"
        np.testing.assert_array_equal(run["nu"].values, [0.3, 0.4, 0.5])
        for nu in (0.3, 0.5):
            alone = package.load(path, params={"nu": nu}).compile().solve().to_xarray()
            for name in alone.data_vars:
                found = run[name].sel(nu=nu).values
                np.testing.assert_allclose(found, alone[name].values, rtol=2e-5, atol=2e-6)


def test_products_and_pairs(spec, nablax):
    text = SPECS["vectors and complex values, fixed step"].replace("params {", "params { a = 1; b = 1; ")
    path = spec(text.replace("U = (sin(y)", "U = (a*b*sin(y)"))
    answer = nablax("run", "a.pde", "--sweep", "nu=0.1:0.3:2", "--sweep", "a=1,2,3;b=1,1/2,1/3", "-o", "a.nc")
    assert (answer.code, answer.err) == (0, "")
    assert (path.parent / "a.png").is_file()
    with open_run(path.with_suffix(".nc")) as run:
        assert run["U_x"].dims == ("nu", "a", "t", "x", "y")
        assert run["b"].dims == ("a",)
        np.testing.assert_allclose(run["b"].values, [1, 1 / 2, 1 / 3])
        first = run["U_x"].isel(t=-1)
        np.testing.assert_allclose(first.sel(a=1).values, first.sel(a=3).values)
        assert np.iscomplexobj(run["psi"])


def test_member_that_breaks_down(spec, nablax):
    path = spec("""
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { a = 1 }
equations { dt(u) = dxx(u) + a*u^2 }
initial { u = 1 }
solve { n = 8; dt = 0.05; step = euler; method = fd; order = 2 }
expect { always u >= 1 }
""")
    answer = nablax("run", "a.pde", "--sweep", "a=1/2,30,40", "--json")
    assert answer.code == 3
    told = json.loads(answer.out)
    assert [m["status"] for m in told["members"]] == ["done", "broken", "broken"]
    assert told["members"][0]["expect"][0]["passed"]
    (account,) = (d for d in told["diagnostics"] if d["code"] == "R701")
    assert any("a = 30" in note["text"] for note in account["notes"])
    with open_run(path.with_suffix(".zarr")) as run:
        last = run["u"].isel(t=-1)
        assert np.isfinite(last.sel(a=0.5)).all()
        assert np.isnan(last.sel(a=40)).all()
        np.testing.assert_allclose(last.sel(a=0.5), 2, rtol=0.05)


def test_a_member_whose_wall_condition_says_nothing_names_the_condition(spec, nablax):
    spec("""
space { x in [0, 1] }
time { t in [0, 0.1] }
fields { u }
params { k = 1 }
equations { dt(u) = dxx(u) }
initial { u = 1 }
boundary { x = 0: k*u = 1; x = 1: u = 1 }
solve { n = 8; dt = 0.002; step = euler; order = 2 }
""")
    answer = nablax("run", "a.pde", "--sweep", "k=1,0", "--json")
    (said,) = json.loads(answer.out)["diagnostics"]
    assert answer.code == 1
    assert (said["code"], said["message"]) == (
        "P323",
        "this condition says nothing of `u` at x = 0 for k = 0",
    )


@pytest.mark.slow
def test_missed_expectation_of_one_member(spec, nablax):
    spec(SPECS["steady"] + "expect { max(u) <= 1 }\n")
    answer = nablax("run", "a.pde", "--sweep", "nu=0.285:10:3:log", "--no-plot")
    assert answer.code == 4
    assert [line[0] for line in answer.out.splitlines()[1:4]] == ["✗", "✓", "✓"]


def test_what_cannot_be_swept(spec, nablax):
    length = SPECS["spectral, step chosen"].replace("2*pi]", "nu]")
    spec(length)
    answer = nablax("run", "a.pde", "--sweep", "nu=1,2")
    assert answer.code == 1
    assert "error[P565]: `nu` shapes the grid" in answer.err
    for given, message in (("mu=1", "`--sweep mu=1` names no parameter"), ("nu=a", "`a` is not declared")):
        answer = nablax("run", "a.pde", "--sweep", f"{given},2")
        assert answer.code == 1
        assert message in answer.err
        assert f"  | --sweep {given}\n" in answer.err
    assert nablax("run", "a.pde", "--sweep", "nu=1:2").code == 2
    assert nablax("run", "a.pde", "--sweep", "nu=1,2", "--restart", "a.zarr").code == 2
    both = nablax("run", "a.pde", "--set", "nu=3", "--sweep", "nu=1,2")
    assert both.code == 2
    assert "`nu` is given by --set and by --sweep" in both.err
    assert nablax("run", "a.nbx", "--sweep", "nu=1,2").code == 2


@pytest.mark.parametrize(
    "text",
    ["nu", "nu=", "nu=1,,2", "nu=1:2:1", "nu=a:2:3", "nu=-1:2:3:log", "nu=1:inf:3", "a=1,2;b=3", "a=1;a=2"],
)
def test_no_sweep(text):
    with pytest.raises(SweepError):
        parse_sweep([text])


def test_values():
    sweep = parse_sweep(["a=0.1:0.3:3", "b=1:100:3:log;c=atan2(1,2),2,3"])
    assert sweep.shape == (3, 3)
    assert [m["a"] for m in sweep.members][::3] == ["0.1", "0.2", "0.3"]
    assert [(m["b"], m["c"]) for m in sweep.members][:3] == [("1", "atan2(1,2)"), ("10", "2"), ("100", "3")]


MEMORY = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { a = 0.4 }
equations { caputo(u, t, a) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { n = 8; step = l1 }
"""


def test_orders_in_time_share_a_mesh():
    source = read_source("a.pde", MEMORY)

    def members(values):
        return plan_members(source, parse_sweep([f"a={values}"]), Overrides(), Path())

    plan, _, _, (remark,) = members("0.9,0.3,0.6")
    alone = members("0.3")[0]
    assert plan.stepping.recall.grading == alone.stepping.recall.grading
    assert "one mesh for all members: 512 steps, graded 5.67" in remark
    assert members("0.3")[3] == ()
    with pytest.raises(SpecError) as refused:
        members("0.3,1")
    assert [d.code for d in refused.value.diagnostics] == ["P565"]
