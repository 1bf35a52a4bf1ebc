"""`nablax run --restart`: the same numbers as one long run, after an end, an interrupt or a kill."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from nablax.backends.output.store import open_run

RING = """\
space {{ x in [0, 2*pi] periodic }}
time {{ t in [0, {end}] }}
fields {{ {fields} }}
equations {{ {equations} }}
initial {{ {initial} }}
solve {{ n = 32; {solve} }}
output {{ every = 0.1 }}
expect {{ always max(|u|) <= 2 }}
"""
WALLS = """\
space {{ x in [0, 1] }}
time {{ t in [0, {end}] }}
fields {{ u }}
equations {{ dt(u) + u*dx(u) = 0.3*dxx(u) }}
initial {{ u = sin(pi*x) }}
boundary {{ all: u = 0 }}
solve {{ n = 24; {solve} }}
output {{ every = 0.1 }}
expect {{ always max(|u|) <= 2 }}
"""


def ring(end, solve="", fields="u", equations="dt(u) + u*dx(u) = 0.1*dxx(u)", initial="u = sin(x)"):
    return RING.format(end=end, fields=fields, equations=equations, initial=initial, solve=solve)


def wave(end, solve=""):
    return ring(end, solve, equations="dtt(u) = dxx(u) - u^3", initial="u = sin(x); dt(u) = 0")


def schrodinger(end, solve=""):
    return ring(end, solve, "u: complex", "i*dt(u) = -dxx(u) - |u|^2*u", "u = exp(i*x)*(1 + cos(x)/4)")


def walls(end, solve=""):
    return WALLS.format(end=end, solve=solve)


def case(make, solve, kind, *marks):
    return pytest.param(make, solve, kind, marks=marks, id=f"{make.__name__} {solve}")


@pytest.mark.brief
@pytest.mark.parametrize(
    ("make", "solve", "kind"),
    [
        case(ring, "step = etdrk4", "zarr"),
        case(schrodinger, "step = etdrk4; dt = 0.01", "nc"),
        case(ring, "step = imex", "nc", pytest.mark.slow),
        case(wave, "method = fd; step = dopri5", "zarr", pytest.mark.slow),
        case(walls, "step = implicit", "zarr", pytest.mark.slow),
        case(walls, "step = rk4", "nc", pytest.mark.slow),
    ],
)
def test_same_numbers_as_one_long_run(nablax, tmp_path, monkeypatch, make, solve, kind):
    monkeypatch.chdir(tmp_path)
    for name, end in (("short", "0.2"), ("long", "0.5")):
        (tmp_path / f"{name}.pde").write_text(make(end, solve), "utf-8")
    short, long = f"short.{kind}", f"long.{kind}"
    assert nablax("run", "short.pde", "-o", short, "--no-plot").code == 0
    assert nablax("run", "long.pde", "-o", long, "--no-plot").code == 0
    answer = nablax("run", "long.pde", "--restart", short, "--no-plot")
    assert answer.code == 0, answer.err
    assert "6 frames" in answer.out
    with open_run(tmp_path / short) as found, open_run(tmp_path / long) as wanted:
        assert found.sizes == wanted.sizes
        assert found.attrs["complete"] == 1
        for name in wanted.data_vars:
            np.testing.assert_allclose(found[name].values, wanted[name].values, rtol=0, atol=1e-14)


def test_what_a_restart_refuses(nablax, heat):
    assert nablax("run", "heat.pde", "--no-plot").code == 0
    for arguments, said in [
        (("--set", "nu=0.2"), "was computed with nu = 0.5, and nu is 0.2 here"),
        (("--solve", "n=16"), "was computed on another grid"),
        (("--solve", "step=imex"), "was computed by spectral / etdrk4, and this is spectral / imex"),
        (("--solve", "dtype=float32"), "in another precision than float32"),
        (("-o", "other.zarr"), "leave out -o"),
    ]:
        answer = nablax("run", "heat.pde", "--restart", "heat.zarr", *arguments)
        assert answer.code == 2
        assert said in answer.err
    (heat.parent / ".heat.zarr.restart.npz").write_bytes(b"no archive")
    answer = nablax("run", "heat.pde", "--restart", "heat.zarr")
    assert (answer.code, "heat.zarr" in answer.err) == (2, True)
    assert nablax("run", "heat.pde", "--restart", "none.zarr").code == 2


LONG = ring("40", "step = etdrk4; dt = 0.0005", initial="u = sin(x) + cos(3*x)/2")


@pytest.mark.slow
def test_a_killed_run_goes_on(nablax, tmp_path, monkeypatch):
    """Killed at random moments again and again, it ends with the numbers of a run that nobody stopped."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "long.pde").write_text(LONG, "utf-8")
    assert nablax("run", "long.pde", "-o", "whole.zarr", "--no-plot").code in (0, 4)
    chance = random.Random(3)
    started = False
    for _ in range(4):
        onward = ["--restart", "out.zarr"] if started else ["-o", "out.zarr"]
        command = [sys.executable, "-m", "nablax.cli.main", "run", "long.pde", "--no-plot", *onward]
        child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        state = tmp_path / ".out.zarr.restart.npz"
        before = state.stat().st_mtime_ns if state.exists() else 0
        while child.poll() is None and not (state.exists() and state.stat().st_mtime_ns > before):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        started = True
        with open_run(tmp_path / "out.zarr") as data:
            assert np.isfinite(data["u"].values).all()
    assert nablax("run", "long.pde", "--restart", "out.zarr", "--no-plot").code in (0, 4)
    with open_run(tmp_path / "out.zarr") as found, open_run(tmp_path / "whole.zarr") as wanted:
        assert found.sizes == wanted.sizes
        np.testing.assert_allclose(found["u"].values, wanted["u"].values, rtol=0, atol=1e-12)
