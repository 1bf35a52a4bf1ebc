"""`nablax verify`: tables, JSON, exit codes."""

import json

SMOOTH = """\
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) - u^3 }
initial { u = sin(pi*x) }
boundary { x = 0: u = 0; x = 1: dn(u) = 0 }
solve { order = 2; step = rk4 }
"""

STILL = """\
space { x in [0, 1] }
fields { u }
equations { dxx(u) = u - 1 }
boundary { all: u = 0 }
solve { order = 4 }
"""


def test_orders_are_met(nablax, tmp_path):
    spec = tmp_path / "smooth.pde"
    spec.write_text(SMOOTH, "utf-8")
    answer = nablax("verify", str(spec))
    assert answer.code == 0
    assert "u = " in answer.out
    assert "measured order" in answer.out
    assert "✓ space: claimed 2; measured 2.0" in answer.out
    assert "✓ time: claimed 4; measured" in answer.out
    assert answer.err.startswith("manufacturing a solution and its data\nspace: fd on 16 points\n")
    assert "time: rk4 with" in answer.err


def test_a_missed_order_is_exit_code_4(nablax, tmp_path, monkeypatch):
    from dataclasses import replace

    from nablax.backends.build import build

    monkeypatch.setattr("nablax.cli.run.build_solver", lambda plan, report: build(replace(plan, order=2)))
    spec = tmp_path / "smooth.pde"
    spec.write_text(SMOOTH.replace("order = 2", "order = 4"), "utf-8")
    answer = nablax("verify", str(spec), "--json")
    data = json.loads(answer.out)
    assert (answer.code, data["exit_code"], data["passed"]) == (4, 4, False)
    space, time = data["studies"]
    assert (space["claimed"], space["passed"], time["passed"]) == (4, False, True)
    assert 1.8 < space["measured"] < 2.2
    assert len(space["levels"]) >= 4


def test_an_order_that_the_limit_leaves_open_is_exit_code_5(nablax, tmp_path, monkeypatch):
    """Two grids show one order, and nothing says that finer ones would show it again."""
    from dataclasses import replace

    from nablax.backends.build import build

    monkeypatch.setattr("nablax.cli.run.build_solver", lambda plan, report: build(replace(plan, order=2)))
    spec = tmp_path / "still.pde"
    spec.write_text(STILL, "utf-8")
    answer = nablax("verify", str(spec), "--json", "--limit", "0")
    data = json.loads(answer.out)
    assert (answer.code, data["exit_code"], data["passed"]) == (5, 5, False)
    (space,) = data["studies"]
    assert (space["passed"], space["finished"], len(space["levels"])) == (False, False, 2)
    assert "cut short" in space["reason"]
    assert "? space: claimed 4; not finished, measured " in nablax("verify", str(spec), "--limit", "0").out


def test_a_term_that_cannot_take_part_is_named(nablax, tmp_path):
    spec = tmp_path / "rough.pde"
    spec.write_text(SMOOTH.replace("u^3", "|u|*u"), "utf-8")
    answer = nablax("verify", str(spec))
    assert answer.code == 1
    assert "error[R711]: no solution can be manufactured for this term: it holds `abs`" in answer.err
    assert "equations { dt(u) = dxx(u) - |u|*u }\n" in answer.err
