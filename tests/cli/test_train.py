"""`nablax train` from end to end, with a network as small as it gets."""

import json

SPEC = """\
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train { model = mlp(width=4, depth=1); steps = adam(2) }
expect { u ≈ sin(pi*x)*exp(-0.1*pi^2*t) within 10 }
"""

BREAKS = """\
space { x in [0, 1] }
fields { u }
equations { dx(u) = u }
boundary { x = 0: u = 1 }
train { model = mlp(width=2, depth=1); steps = adam(5, lr=1e30); points = residual(8) }
"""


def test_files_are_written_and_another_run_does_not_go_on(nablax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "heat.pde").write_text(SPEC, "utf-8")
    answer = nablax("train", "heat.pde", "-q", "--no-plot")
    assert answer.code == 0, answer.err
    assert list(tmp_path.rglob("*.nbx"))
    refused = nablax("train", "heat.pde", "-q", "--no-plot", "--resume", "--train", "seed=7")
    assert refused.code == 1
    assert "R740" in refused.err
    assert "`seed`" in refused.err


def test_a_run_that_breaks_before_its_first_reading_keeps_no_state(nablax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "heat.pde").write_text(BREAKS, "utf-8")
    answer = nablax("train", "heat.pde", "--json", "--no-plot")

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    facts = json.loads(answer.out, parse_constant=refuse)
    assert (answer.code, facts["status"], facts["held_out_residual"], facts["windows"]) == (
        3,
        "broken",
        None,
        [],
    )
    told = nablax("train", "heat.pde", "--no-plot")
    assert "broken off: 0 steps" in told.out
    assert "held out" not in told.out
