"""What each verb loads: `--help`, fmt, new and explain neither SymPy nor JAX, check and show no JAX."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from nablax.cli.main import main
code = main(sys.argv[1:])
heavy = ("sympy", "jax", "numpy", "xarray", "matplotlib", "rich", "scipy", "zarr", "lark")
print(json.dumps([code, [name for name in heavy if name in sys.modules]]), file=sys.stderr)
"""


def loaded(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("new", "fresh"), ("explain", "P001"), ("fmt", "heat.pde")]
)
def test_light_verbs(heat, arguments):
    code, modules = loaded(heat.parent, *arguments)
    assert code == 0
    assert modules <= {"lark"}


@pytest.mark.parametrize("arguments", [("check", "heat.pde"), ("show", "heat.pde")])
def test_verbs_without_jax(heat, arguments):
    code, modules = loaded(heat.parent, *arguments)
    assert code == 0
    assert "sympy" in modules
    assert not modules & {"jax", "xarray", "matplotlib", "zarr"}


def test_plot_needs_no_jax(heat, nablax, solved, frames):
    solved(*frames())
    assert nablax("run", "heat.pde", "--no-plot").code == 0
    code, modules = loaded(heat.parent, "plot", "heat.zarr")
    assert code == 0
    assert not modules & {"jax", "sympy"}
