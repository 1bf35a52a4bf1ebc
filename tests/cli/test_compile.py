"""`nablax compile` and runs of what it wrote, in interpreters of their own and in this one."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from nablax.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, [name for name in ("sympy", "lark") if name in sys.modules]]), file=sys.stderr)
"""
LIBRARY = """
import sys
import nablax
artifact = nablax.load_artifact("heat.nbx")
solution = artifact.solve({"nu": 0.25})
assert solution.fields["u"].shape == (5, 32), solution.fields["u"].shape
assert "<img" in solution._repr_html_()
assert "heat" in artifact._repr_html_().lower()
assert not {"sympy", "lark"} & set(sys.modules), "loaded"
"""


@pytest.fixture
def compiled(heat, nablax):
    text = heat.read_text("utf-8").replace("every = 0.25", "every = 0.25; plot = [lines(u^2), spacetime(u)]")
    heat.write_text(text, "utf-8")
    answer = nablax("compile", "heat.pde", "--platforms", "cpu")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("heat.nbx  ")
    return heat.with_suffix(".nbx")


def test_a_run_without_the_compiler(compiled, nablax):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "run", "heat.nbx", "--json"], cwd=compiled.parent, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stderr.splitlines()[-1]) == [0, []]
    found = json.loads(done.stdout)
    assert found["status"] == "done"
    assert found["frames"] == 5
    assert [v["passed"] for v in found["expect"]] == [True]
    assert compiled.with_suffix(".zarr").is_dir()
    assert compiled.with_suffix(".png").is_file()
    subprocess.run([sys.executable, "-c", LIBRARY], cwd=compiled.parent, check=True)

    changed = nablax("heat.nbx", "--set", "nu=2", "-o", "fast.zarr", "--no-plot")
    assert changed.code == 0
    assert "fast.zarr  5 frames of u, t = 0 to 1" in changed.out
    assert "✓" in changed.out
    for arguments, said in REFUSALS.items():
        answer = nablax("run", "heat.nbx", *arguments)
        assert answer.code in (1, 2)
        assert said in answer.err
        assert len(answer.err.splitlines()) == 1


REFUSALS = {
    ("--set", "nu=2*pi"): "a compiled spec takes plain numbers",
    ("--set", "mu=2"): "no parameter is named `mu`; there are: `nu`",
    ("--solve", "n=64"): "its numerical choices are made",
    ("-o", "heat.csv"): "`heat.csv` ends in neither `.zarr` nor `.nc`",
}


def test_files_that_are_none(heat, nablax):
    assert nablax("run", "gone.nbx").code == 2
    (heat.parent / "fake.nbx").write_text("PK, or so it says")
    answer = nablax("run", "fake.nbx")
    assert answer.code == 1
    assert answer.err.startswith("error: `fake.nbx`: it is no zip archive, or a truncated one")
    answer = nablax("run", "fake.nbx", "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["status"] == "refused"


def test_compile_says_what_is_wrong(heat, nablax):
    assert "does not end in `.nbx`" in nablax("compile", "heat.pde", "-o", "heat.zip").err
    assert "`abacus` is no platform" in nablax("compile", "heat.pde", "--platforms", "cpu,abacus").err
    heat.write_text("pde 1\n", "utf-8")
    answer = nablax("compile", "heat.pde", "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["status"] == "refused"
