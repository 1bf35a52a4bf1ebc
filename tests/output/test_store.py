"""Saved runs: round trips, killed runs, strangers' files."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from nablax.backends.output import store
from nablax.backends.output.dataset import layout
from nablax.backends.output.paths import OutputError, claim, inside
from nablax.outlining import outline_of

WAVE = """
"A wave packet"
space { x in [0, 2*pi] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { psi: complex; U: vector }
params { nu = 0.5 }
equations { dt(psi) = i*nu*Δpsi; dt(U) = nu*ΔU }
initial { psi = exp(i*x); U = (sin(x), 0*y) }
solve { n = [8, 4] }
output { every = 0.5 }
"""


def wave(t, x, y):
    return {"psi": np.exp(1j * (x - t)) + 0 * y, "U.x": np.sin(x) * t + 0 * y, "U.y": y + 0 * x}


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
def test_round_trip(tmp_path, plan_of, frames_of, suffix):
    plan = plan_of(WAVE)
    frames = frames_of(plan, wave)
    path = tmp_path / f"out{suffix}"
    writer = store.create(path, layout(outline_of(plan), {"nu": 0.5}))
    for frame in frames:
        writer.append(frame)
    writer.close(complete=True)
    with store.open_run(path) as run:
        assert run["psi"].dims == ("t", "x", "y")
        assert set(run.data_vars) == {"psi", "U_x", "U_y"}
        assert run["psi"].dtype == np.complex128
        for i, frame in enumerate(frames):
            for component, values in frame.fields.items():
                np.testing.assert_array_equal(run[component.replace(".", "_")].values[i], values)
        np.testing.assert_array_equal(run["t"].values, plan.frames)
        np.testing.assert_allclose(run["x"].values, np.arange(8) * np.pi / 4)
        assert run.attrs["spec"] == plan.system.problem.source.text
        assert json.loads(run.attrs["parameters"]) == {"nu": 0.5}
        assert set(json.loads(run.attrs["versions"])) == {"nablax", "jax", "numpy"}
        assert (run.attrs["nablax_schema"], run.attrs["complete"], run.attrs["frames_written"]) == (1, 1, 3)


def test_formats_as_others_see_them(tmp_path, plan_of, frames_of):
    plan = plan_of(WAVE)
    for suffix in (".zarr", ".nc"):
        writer = store.create(tmp_path / f"out{suffix}", layout(outline_of(plan), {}))
        for frame in frames_of(plan, wave):
            writer.append(frame)
        writer.close(complete=True)
    with xr.open_zarr(tmp_path / "out.zarr") as run:
        assert run["psi"].dtype == np.complex128
    with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as run:
        assert set(run.data_vars) == {"psi_re", "psi_im", "U_x", "U_y"}


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
def test_readable_while_written(tmp_path, ring, frames_of, exact, suffix, monkeypatch):
    monkeypatch.setattr(store, "PATIENCE", -1.0)
    plan = ring()
    writer = store.create(tmp_path / f"out{suffix}", layout(outline_of(plan), {}))
    for count, frame in enumerate(frames_of(plan, exact), start=1):
        writer.append(frame)
        with store.open_run(tmp_path / f"out{suffix}") as run:
            assert run.sizes["t"] == count
            assert run.attrs["complete"] == 0
            assert np.isfinite(run["u"].values).all()


def test_killed_run_stays_readable(tmp_path):
    script = textwrap.dedent(
        """
        import os, sys
        import numpy as np
        from pathlib import Path
        from nablax.backends.frames import Frame
        from nablax.backends.output import dataset, store

        store.PATIENCE = -1.0
        axis = dataset.Coordinate("x", np.linspace(0, 1, 100))
        attributes = {"nablax_schema": 1, "fields": "[]", "complete": 0}
        layout = dataset.Layout("t", (axis,), (dataset.Variable("u", "u", False),), attributes, "float64")
        writer = store.create(Path(sys.argv[1]), layout)
        for i in range(10**6):
            writer.append(Frame(i, 0.1 * i, {"u": np.full(100, float(i))}, 1, 0, 0.1))
            if i == 3:
                print("going", flush=True)
        """
    )
    path = tmp_path / "out.zarr"
    child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with store.open_run(path) as run:
        assert run.sizes["t"] >= 4
        np.testing.assert_allclose(run["u"].values[:, 0], np.arange(run.sizes["t"]))


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
def test_own_run_is_replaced(tmp_path, ring, frames_of, exact, suffix):
    plan, path = ring(), tmp_path / f"out{suffix}"
    for count in (5, 2):
        writer = store.create(path, layout(outline_of(plan), {}))
        for frame in frames_of(plan, exact)[:count]:
            writer.append(frame)
        writer.close(complete=False)
    with store.open_run(path) as run:
        assert run.sizes["t"] == 2


def _stranger_file(path: Path) -> None:
    path.write_text("precious")


def _stranger_folder(path: Path) -> None:
    path.mkdir()
    (path / "notes.txt").write_text("precious")


def _stranger_zarr(path: Path) -> None:
    xr.Dataset({"u": ("x", [1.0])}).to_zarr(path)


def _stranger_netcdf(path: Path) -> None:
    xr.Dataset({"u": ("x", [1.0])}).to_netcdf(path, engine="h5netcdf")


def _link(path: Path) -> None:
    (path.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("out.zarr", _stranger_file),
        ("out.zarr", _stranger_folder),
        ("out.zarr", _stranger_zarr),
        ("out.zarr", _link),
        ("out.nc", _stranger_file),
        ("out.nc", _stranger_netcdf),
        ("out.nc", _stranger_folder),
    ],
)
def test_strangers_are_never_overwritten(tmp_path, ring, name, make):
    path = tmp_path / name
    make(path)
    before = sorted(p.name for p in tmp_path.rglob("*"))
    with pytest.raises(OutputError, match=r"not written by nablax|is a link"):
        store.create(path, layout(outline_of(ring()), {}))
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_a_strangers_file_inside_our_run_protects_it(tmp_path, ring):
    path = tmp_path / "out.zarr"
    store.create(path, layout(outline_of(ring()), {})).close(complete=True)
    (path / "thesis.tex").write_text("precious")
    with pytest.raises(OutputError, match="not written by nablax"):
        claim(path)


def test_unknown_suffix(tmp_path, ring):
    with pytest.raises(OutputError, match="neither"):
        store.create(tmp_path / "out.csv", layout(outline_of(ring()), {}))


def test_paths_stay_inside(tmp_path):
    (tmp_path / "spec").mkdir()
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "spec"
    (folder / "link").symlink_to(tmp_path / "outside")
    assert inside(folder, "out.zarr") == folder / "out.zarr"
    assert inside(folder, "sub/out.zarr") == folder / "sub" / "out.zarr"
    for name in (
        "/etc/x.zarr",
        "../x.zarr",
        "sub/../../x.zarr",
        "link/x.zarr",
        "C:\\x.zarr",
        "",
        ".",
        "a\0b",
    ):
        with pytest.raises(OutputError):
            inside(folder, name)


def test_clashing_names(plan_of):
    plan = plan_of(
        """
        space { x in [0, 1] periodic; y in [0, 1] periodic }
        time { t in [0, 1] }
        fields { U: vector; U_x }
        equations { dt(U) = ΔU; dt(U_x) = ΔU_x }
        initial { U = (0*x, 0*x); U_x = 0*x }
        """
    )
    with pytest.raises(OutputError, match="`U_x`"):
        layout(outline_of(plan), {})


@pytest.mark.parametrize("content", [None, "text", "zarr"])
def test_what_is_no_run_is_refused(tmp_path, content):
    path = tmp_path / "out.zarr"
    if content == "text":
        path.write_text("no dataset")
    if content == "zarr":
        xr.Dataset({"u": ("x", [1.0])}).to_zarr(path)
    with pytest.raises(OutputError):
        store.open_run(path)


def test_newer_schema_is_refused(tmp_path):
    xr.Dataset(attrs={"nablax_schema": 99, "fields": "[]"}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(OutputError, match="newer"):
        store.open_run(tmp_path / "a.nc")
