"""`nablax compile` and runs of what it wrote, in interpreters of their own and in this one."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import nablax as library
from nablax.backends.artifact.container import MANIFEST, pack
from nablax.backends.artifact.manifest import FORMAT
from nablax.backends.artifact.write import compile_artifact

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


REFUSALS = {
    ("--set", "nu=2*pi"): "error[P114]: `--set nu=2*pi` is no plain number",
    ("--set", "mu=2"): "error[P114]: `--set mu=2` names no parameter of the spec",
    ("--solve", "n=64"): "error[R734]: the numerical choices of a compiled spec are made",
    ("-o", "heat.csv"): "`heat.csv` ends in neither `.zarr` nor `.nc`",
}


def test_files_that_are_none(heat, nablax):
    assert nablax("run", "gone.nbx").code == 2
    (heat.parent / "fake.nbx").write_text("PK, or so it says")
    answer = nablax("run", "fake.nbx")
    assert answer.code == 1
    assert answer.err.startswith("error[R730]: it is no zip archive, or a truncated one")
    answer = nablax("run", "fake.nbx", "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["status"] == "refused"


RING = """\
space { x in [0, L] periodic }
time { t in [0, 0.1] }
fields { u }
params { D = 1; L = 1 }
equations { dt(u) = D*dxx(u) }
initial { u = sin(2*pi*x/L) }
solve { n = 16; method = fd; order = 2; step = rk2; dt = 0.001 }
"""


@pytest.fixture(scope="module")
def ring() -> bytes:
    return compile_artifact(library.parse(RING, name="ring.pde").compile(), platforms=("cpu",))


def edited(data: bytes, **changes: object) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop(MANIFEST))
    return pack({**manifest, **changes}, members)


DAMAGES = {
    "R730": lambda data: data[: len(data) // 2],
    "R731": lambda data: edited(data, format=FORMAT + 1, nablax="9.9"),
    "R733": lambda data: edited(data, platforms=["tpu"]),
}


@pytest.mark.parametrize("code", [*DAMAGES, "R734", "P114", "P306", "P409"])
def test_messages_about_compiled_files(code, ring, nablax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ring.nbx").write_bytes(DAMAGES.get(code, lambda data: data)(ring))
    given = {"R734": "L=2", "P114": "nu=1", "P306": "D=-1", "P409": "D=5"}.get(code)
    answer = nablax("run", "ring.nbx", "--no-plot", *(() if given is None else ("--set", given)))
    golden = Path(__file__).parent / "compiled" / f"{code}.txt"
    said = answer.err.partition("\n\n")[0] + "\n"
    if os.environ.get("NABLAX_UPDATE_GOLDEN"):
        golden.write_text(said, "utf-8")
    assert said == golden.read_text("utf-8")


COEFFICIENT = """\
space { x in [0, 1] }
%s
fields { u }
params { a = 1 }
let { c(x) = 1 + a*x }
equations { %s = c(x) }
solve { n = 8; arrays = c%s }
"""
STEADY = COEFFICIENT % ("boundary { all: u = 0 }", "dxx(u)", "")
STEADY += "expect { u ≈ (x^2 - x)/2 + a*(x^3 - x)/6 within 1e-9 }\n"
MOVING = COEFFICIENT % ("time { t in [0, 0.01] }\ninitial { u = 0 }", "dt(u)", "; step = rk4; dt = 5e-3")
MOVING += "expect { u ≈ t*c(x) within 1e-9 }\n"


@pytest.mark.parametrize("text", [STEADY, MOVING], ids=["steady", "moving"])
def test_arrays_are_arguments_that_a_run_takes_from_the_text(text, nablax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rod.pde").write_text(text, "utf-8")
    answer = nablax("compile", "rod.pde", "--platforms", "cpu")
    assert answer.out.endswith("\nc: an argument, 9 values along x\n")
    assert "arrays = c " in nablax("show", "rod.pde").out
    for k, given in enumerate(([], ["--set", "a=0.2"])):
        answer = nablax("run", "rod.nbx", "--no-plot", "--json", "-o", f"{k}.zarr", *given)
        assert answer.code == 0, answer.out
        assert [v["passed"] for v in json.loads(answer.out)["expect"]] == [True]
    answer = nablax("run", "rod.nbx", "--set", "c=2")
    assert answer.code == 1
    assert "`c` is an array, and `--set` takes numbers" in answer.err
    assert "give its 9 values from Python" in answer.err


def test_compile_says_what_is_wrong(heat, nablax):
    assert "does not end in `.nbx`" in nablax("compile", "heat.pde", "-o", "heat.zip").err
    assert "`abacus` is no platform" in nablax("compile", "heat.pde", "--platforms", "cpu,abacus").err
    heat.write_text("pde 1\n", "utf-8")
    answer = nablax("compile", "heat.pde", "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["status"] == "refused"
