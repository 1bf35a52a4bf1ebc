"""What each verb loads: `--help`, fmt, new and explain neither SymPy nor JAX, check and show no JAX."""

import json
import subprocess
import sys

SCRIPT = """
import json, sys
from nablax.cli.main import main
code = max(main(call.split()) for call in sys.argv[1:])
heavy = ("sympy", "jax", "numpy", "pygls", "xarray", "matplotlib", "rich", "scipy", "zarr", "lark")
print(json.dumps([code, [name for name in heavy if name in sys.modules]]), file=sys.stderr)
"""


def loaded(folder, *calls):
    """The worst exit code of these calls in one process, and the heavy modules that it then holds."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *calls], cwd=folder, capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


def test_light_verbs(heat):
    code, modules = loaded(heat.parent, "--help", "run --help", "new fresh", "explain P001", "fmt heat.pde")
    assert code == 0
    assert modules <= {"lark"}


def test_verbs_without_jax(heat):
    code, modules = loaded(heat.parent, "check heat.pde", "show heat.pde")
    assert code == 0
    assert "sympy" in modules
    assert not modules & {"jax", "xarray", "matplotlib", "zarr"}


def test_plot_needs_no_jax(heat, nablax, solved, frames):
    solved(*frames())
    assert nablax("run", "heat.pde", "--no-plot").code == 0
    code, modules = loaded(heat.parent, "plot heat.zarr")
    assert code == 0
    assert not modules & {"jax", "sympy"}
