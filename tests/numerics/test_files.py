"""Functions from files: the same numbers as their formulas, and located messages for what does not fit."""

import jax
import numpy as np
import pytest
import xarray

import nablax
from nablax.frontend.diagnostics import SpecError
from nablax.frontend.parser import read_source
from nablax.pipeline import check
from nablax.tables import interpolate, tabulated

pytestmark = pytest.mark.brief

WALLS = """
space {{ x in [0, 1]; y in [0, 2*pi] periodic }}
time {{ t in [0, 0.01] }}
fields {{ u }}
params {{ a = 1 }}
let {{ k = {k}; g = {g} }}
equations {{ dt(u) = div(k*grad(u)) + a*k }}
initial {{ u = {u} }}
boundary {{ x = 0: u = 0; x = 1: dn(u) = g }}
solve {{ n = 16; step = rk4; dt = 1e-3; order = {order}; method = fd }}
output {{ every = 0.01 }}
"""
RING = """
space {{ x in [0, 2*pi] periodic }}
time {{ t in [0, 0.5] }}
fields {{ u: complex }}
equations {{ i*dt(u) = -dxx(u) }}
initial {{ u = {u} }}
solve {{ n = 64; dt = 0.1 }}
output {{ every = 0.5 }}
"""


def last(text, folder, name="u", **params):
    solver = nablax.parse(text, folder=folder).compile()
    return np.asarray(solver.solve(params or None).fields[name][-1])


def test_coefficients_initial_and_boundary_data(tmp_path):
    x, y = np.linspace(0, 1, 17), np.linspace(0, 2 * np.pi, 16, endpoint=False)
    np.save(tmp_path / "u0.npy", x[:, None] * np.sin(y))
    xarray.Dataset(
        {"k": (("y", "x"), 1 + 0.1 * np.cos(y)[:, None] * x), "other": ("y", y)}, {"x": x, "y": y}
    ).to_netcdf(tmp_path / "k.nc", engine="h5netcdf")
    t = np.linspace(0, 0.01, 11)
    rows = [(p, q, p * np.sin(q)) for p in t for q in y]
    np.savetxt(tmp_path / "g.csv", rows, delimiter=",", header="t,y,g", comments="", fmt="%.17g")
    files = {"k": 'file("k.nc", "k")', "g": 'file("g.csv", at=[t, y])', "u": 'file("u0.npy")'}
    formulas = {"k": "1 + 0.1*cos(y)*x", "g": "t*sin(y)", "u": "x*sin(y)"}
    found = last(WALLS.format(**files, order=2), tmp_path)
    # The slope of the spline through cos(y) differs from its own by the spline's order.
    np.testing.assert_allclose(found, last(WALLS.format(**formulas, order=2), tmp_path), atol=2e-6)
    linear = {**files, "g": 'file("g.csv", at=[t, y], kind=linear)', "k": "1"}
    wanted = last(WALLS.format(**{**formulas, "k": "1"}, order=2), tmp_path)
    np.testing.assert_allclose(last(WALLS.format(**linear, order=2), tmp_path), wanted, atol=1e-13)


def test_a_coarse_file_is_interpolated_and_said(tmp_path):
    x = np.linspace(0, 2 * np.pi, 33)  # the upper end again: left out
    np.save(tmp_path / "closed.npy", np.exp(1j * x)[:-1])
    data = xarray.Dataset({"u": (("t", "x"), np.stack([0 * x, np.exp(1j * x)]))}, {"x": x, "t": [0.0, 1.0]})
    data.to_zarr(tmp_path / "run.zarr", zarr_format=2)
    exact = last(RING.format(u="exp(i*x)"), tmp_path)
    for u in ('file("closed.npy")', 'file("run.zarr")'):
        problem = nablax.parse(RING.format(u=u), folder=tmp_path)
        assert "a cubic spline through its 32 points" in problem.show()
        np.testing.assert_allclose(last(RING.format(u=u), tmp_path), exact, atol=2e-5)
    np.save(tmp_path / "own.npy", np.exp(1j * np.linspace(0, 2 * np.pi, 64, endpoint=False)))
    problem = nablax.parse(RING.format(u='file("own.npy")'), folder=tmp_path)
    assert "nothing is interpolated" in problem.show()


@pytest.mark.slow
def test_gradients_and_finite_volumes(tmp_path):
    x = np.linspace(0, 1, 9)
    np.save(tmp_path / "k.npy", 1 + x)
    steady = nablax.parse(
        "space { x in [0, 1] }\nfields { u }\nparams { a = 1 }\n"
        'equations { dx(file("k.npy")*dx(u)) + a = 0 }\nboundary { all: u = 0 }\nsolve { n = 16 }',
        folder=tmp_path,
    ).compile()

    def peak(a):
        return steady.solve({"a": a}).fields["u"].max()

    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        assert np.isclose(jax.grad(peak)(2.0), peak(1.0), rtol=1e-9)
    np.save(tmp_path / "u0.npy", np.sin(2 * np.pi * x[:-1]))
    wave = nablax.parse(
        "space { x in [0, 1] periodic }\ntime { t in [0, 0.1] }\nfields { u }\n"
        "equations { dt(u) + dx(u) = 0 }\n"
        'initial { u = file("u0.npy") }\nsolve { n = 32; method = fv }\noutput { every = 0.1 }',
        folder=tmp_path,
    ).compile()
    places = (np.arange(32) + 0.5) / 32
    wanted = np.sin(2 * np.pi * (places - 0.1))
    np.testing.assert_allclose(wave.solve().fields["u"][-1], wanted, atol=2e-2)


def test_spline_derivatives():
    x, y = np.linspace(0, 1, 33), np.linspace(0, 2 * np.pi, 48, endpoint=False)
    values = np.exp(x)[:, None] * np.sin(y)
    table = tabulated("f", "cubic", [x, y], values, [None, 2 * np.pi])
    at = np.linspace(0, 1, 50)[:, None], np.linspace(-4, 10, 51)
    np.testing.assert_allclose(interpolate(table, [x[:, None], y], np), values, atol=1e-13)
    np.testing.assert_allclose(interpolate(table, at, np), np.exp(at[0]) * np.sin(at[1]), atol=1e-5)
    mixed = interpolate(table.derivative(0).derivative(1), at, np)
    np.testing.assert_allclose(mixed, np.exp(at[0]) * np.cos(at[1]), atol=1e-3)


def test_tables_as_spreadsheets_write_them(tmp_path):
    # A byte order mark, and centres of cells: half a spacing from either wall.
    (tmp_path / "centres.csv").write_text(
        "\ufeffx,u\n" + "".join(f"{x},{x**2}\n" for x in (0.125, 0.375, 0.625, 0.875))
    )
    made = nablax.parse(
        'space { x in [0, 1] }\nfields { u }\nequations { dxx(u) = file("centres.csv") }\n'
        "boundary { x = 0: u = 0; x = 1: u = 1/12 }\nsolve { n = 32 }",
        folder=tmp_path,
    ).compile()
    x = np.linspace(0, 1, 33)
    np.testing.assert_allclose(made.solve().fields["u"], x**4 / 12, atol=1e-5)


def test_places_may_be_written_with_few_digits(tmp_path):
    (tmp_path / "c.csv").write_text("x,v\n0.166667,1\n0.5,2\n0.833333,3\n")
    (tmp_path / "p.csv").write_text("x,v\n0,1\n0.333333,2\n0.666667,3\n")
    for axis, name in (("", "c"), (" periodic", "p")):
        text = f'space {{ x in [0, 1]{axis} }}\nfields {{ u }}\nlet {{ c = file("{name}.csv") }}\n'
        assert nablax.parse(text + "equations { u = c }", folder=tmp_path).system is not None


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "spec"
    inside.mkdir()
    x = np.linspace(0, 2 * np.pi, 9)
    np.save(inside / "flat.npy", np.zeros((9, 9)))
    np.save(inside / "nan.npy", np.where(x > 6, np.nan, x))
    np.save(inside / "objects.npy", np.array([{}, {}]), allow_pickle=True)
    np.save(inside / "words.npy", np.array(["a", "b"]))
    np.savez(inside / "many.npz", x=x)
    (inside / "many.npz").rename(inside / "archive.npy")
    np.save(tmp_path / "secret.npy", x)
    (inside / "link.npy").symlink_to(tmp_path / "secret.npy")
    (inside / "text.npy").write_text("no array")
    (inside / "text.nc").write_text("no dataset")
    (inside / "words.csv").write_text("x,u\n0,a\n1,b\n")
    (inside / "empty.csv").write_text("")
    data = {"a": ("x", x), "b": (("z", "x"), np.zeros((2, 9)))}
    xarray.Dataset(data, {"x": x}).to_netcdf(inside / "two.nc", engine="h5netcdf")
    xarray.Dataset({"a": ("x", x)}, {"x": x / 2}).to_netcdf(inside / "half.nc", engine="h5netcdf")
    return inside


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ('file("absent.npy")', "P501"),
        ('file("u0.txt")', "P501"),
        ('file("/etc/passwd.npy")', "P503"),
        ('file("../secret.npy")', "P503"),
        ('file("link.npy")', "P503"),
        ('file("flat.npy")', "P505"),
        ('file("nan.npy")', "P506"),
        ('file("objects.npy")', "P506"),
        ('file("words.npy")', "P506"),
        ('file("archive.npy")', "P506"),
        ('file("text.npy")', "P506"),
        ('file("text.nc")', "P506"),
        ('file("words.csv")', "P506"),
        ('file("empty.csv")', "P502"),
        ('file("two.nc")', "P502"),
        ('file("two.nc", "c")', "P502"),
        ('file("two.nc", "b")', "P505"),
        ('file("half.nc")', "P505"),
        ('file("flat.npy", at=[y])', "P109"),
        ('file("flat.npy", kind=quintic)', "P105"),
        ("file(x)", "P105"),
        ("file()", "P105"),
    ],
)
def test_located_messages(folder, call, code):
    with pytest.raises(SpecError) as caught:
        nablax.parse(RING.format(u=call), folder=folder)
    (found,) = (d for d in caught.value.diagnostics if d.code == code)
    assert found.help
    assert found.span.start >= RING.index("initial") - 10


def test_a_complex_file_is_no_value_of_a_real_field(tmp_path):
    values = np.zeros(16, complex)
    np.save(tmp_path / "real.npy", values)
    values[5] = 1e-3j
    np.save(tmp_path / "complex.npy", values)
    text = """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = K*dxx(u) }
initial { u = V }
"""
    for k, value, refused in (
        ("1", 'file("complex.npy", kind=linear)', True),
        ('file("complex.npy")', "1", True),
        ('(1 + file("real.npy"))', 'file("real.npy")', False),
        ("1", 're(file("complex.npy"))', False),
        ("1", 'file("complex.npy")*conj(file("complex.npy"))', False),
    ):
        spec = text.replace("K", k).replace("V", value)
        report = check(read_source("spec", spec), folder=tmp_path)
        assert [d.code for d in report.diagnostics if d.severity.name == "ERROR"] == ["P208"] * refused
