"""Pictures and movies of every kind: they come out, have the right size, and show what they should."""

import shutil
import subprocess

import numpy as np
import pytest
from matplotlib import rcParams
from PIL import Image

from nablax.backends.output import store
from nablax.backends.output.captions import literal, mathtext, number, pi_ticks, place
from nablax.backends.output.colors import diverging, modulus_scale, scale_of
from nablax.backends.output.dataset import layout
from nablax.backends.output.movies import draw_movie
from nablax.backends.output.paths import OutputError, ours
from nablax.backends.output.pictures import default_figure, draw_run, draw_saved
from nablax.backends.output.requests import read_requests
from nablax.backends.output.scene import PictureError, scene_of
from nablax.frontend.diagnostics import Report
from nablax.outlining import outline_of

DPI = 60
AXES = {
    1: "x in [0, 2*pi] periodic",
    2: "x in [0, 2*pi] periodic; y in [0, 1] periodic",
    3: "x in [0, 2*pi] periodic; y in [0, 1] periodic; z in [0, 4] periodic",
}


def spec(dimension, fields, equations, initial, output="every = 0.25"):
    return f"""
    "A title with $money$ in it"
    space {{ {AXES[dimension]} }}
    time {{ t in [0, 1] }}
    fields {{ {fields} }}
    params {{ nu = 0.5; T_air = 2e-7 }}
    equations {{ {equations} }}
    initial {{ {initial} }}
    solve {{ n = 8 }}
    output {{ {output} }}
    """


def scalar(t, x, *rest):
    return {"u": np.sin(x + t) + sum(rest)}


def vector(t, *xs):
    return {f"U.{name}": np.sin(x + t) + 0 * sum(xs) for name, x in zip("xyz", xs, strict=False)}


def wave(t, x, *rest):
    return {"psi": np.exp(1j * (x - t)) + sum(rest)}


def both(t, x, *rest):
    return {**scalar(t, x, *rest), **wave(t, x, *rest)}


CASES = {
    "scalar": ("u", "dt(u) = Δu", "u = sin(x)", scalar),
    "vector": ("U: vector", "dt(U) = ΔU", "U = {zero}", vector),
    "complex": ("psi: complex", "dt(psi) = i*Δpsi", "psi = exp(i*x)", wave),
    "both": ("u; psi: complex", "dt(psi) = i*Δpsi; dt(u) = Δu", "psi = exp(i*x); u = sin(x)", both),
}


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Pictures of few pixels are drawn faster."""
    monkeypatch.setattr("nablax.backends.output.pictures.DPI", DPI)
    monkeypatch.setattr("nablax.backends.output.movies.DPI", DPI)


@pytest.fixture
def saved(tmp_path, plan_of, frames_of):
    """A saved run of a kind of field in a number of dimensions."""

    def make(dimension, kind, output="every = 0.25"):
        fields, equations, initial, values = CASES[kind]
        zero = "(" + ", ".join(["0*x"] * dimension) + ")"
        plan = plan_of(spec(dimension, fields, equations, initial.format(zero=zero), output))
        path = tmp_path / f"{kind}{dimension}.zarr"
        writer = store.create(path, layout(outline_of(plan), {"nu": 0.5, "T_air": 2e-7}))
        for frame in frames_of(plan, values):
            writer.append(frame)
        writer.close(complete=True)
        return plan, path

    return make


def check_picture(path):
    with Image.open(path) as image:
        assert image.info["Software"] == "nablax"
        assert min(image.size) >= 2 * DPI
        pixels = np.asarray(image.convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
    assert ours(path)


@pytest.mark.parametrize(
    ("dimension", "kind"),
    [
        (1, "scalar"),
        (1, "complex"),
        (1, "both"),
        (2, "scalar"),
        (2, "vector"),
        (2, "complex"),
        (3, "vector"),
        (3, "complex"),
    ],
)
def test_default_picture(saved, tmp_path, dimension, kind):
    _, path = saved(dimension, kind)
    draw_saved(path, tmp_path / "picture.png")
    check_picture(tmp_path / "picture.png")


@pytest.mark.parametrize(
    ("what", "dimension", "kind"),
    [
        ("lines", 1, "scalar"),
        ("spacetime", 1, "scalar"),
        ("spacetime", 1, "complex"),
        ("heatmap", 2, "scalar"),
        ("heatmap", 3, "scalar"),
        ("vectors", 2, "vector"),
        ("slice", 3, "vector"),
    ],
)
def test_picture_asked_for(saved, tmp_path, what, dimension, kind):
    _, path = saved(dimension, kind)
    draw_saved(path, tmp_path / "picture.png", what)
    check_picture(tmp_path / "picture.png")


@pytest.mark.parametrize(
    ("what", "dimension", "kind", "message"),
    [
        ("pie", 1, "scalar", "there is no picture `pie`"),
        ("heatmap", 1, "scalar", "1 space axes"),
        ("lines", 2, "scalar", "2 space axes"),
        ("vectors", 2, "scalar", "is none"),
    ],
)
def test_picture_that_does_not_suit(saved, tmp_path, what, dimension, kind, message):
    _, path = saved(dimension, kind)
    with pytest.raises(PictureError, match=message):
        draw_saved(path, tmp_path / "picture.png", what)


def test_one_field_or_component(saved, tmp_path):
    _, path = saved(2, "vector")
    draw_saved(path, tmp_path / "a.png", field="U.x")
    draw_saved(path, tmp_path / "b.svg", field="U")
    with pytest.raises(PictureError, match="no field `w`"):
        draw_saved(path, tmp_path / "c.png", field="w")
    with pytest.raises(OutputError, match="picture format"):
        draw_saved(path, tmp_path / "c.txt")
    assert ours(tmp_path / "b.svg")


@pytest.mark.parametrize("output", ["plot = heatmap(u)", "plot = [heatmap(u), heatmap(u_x*u)]"])
def test_pictures_of_the_spec(saved, tmp_path, output):
    plan, path = saved(2, "scalar", f"every = 0.5; {output}")
    report = Report(plan.system.problem.source)
    requests = read_requests(plan.system.problem, tmp_path, report)
    assert not report.diagnostics
    draw_run(outline_of(plan), path, tmp_path / "picture.png", requests.drawings, {"nu": 0.5})
    check_picture(tmp_path / "picture.png")


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ('save = "/tmp/x.zarr"', "P550"),
        ('save = "../x.zarr"', "P550"),
        ('movie = "x.avi"', "P551"),
        ('save = "x.csv"', "P551"),
        ("plot = pie(u)", "P554"),
        ("plot = heatmap(u, u)", "P554"),
        ("plot = slice(u, q=1)", "P554"),
        ("plot = spacetime(u)", "P555"),
        ("plot = vectors(u)", "P555"),
    ],
)
def test_wrong_requests(plan_of, tmp_path, output, code):
    plan = plan_of(spec(2, "u", "dt(u) = Δu", "u = sin(x)", output))
    report = Report(plan.system.problem.source)
    read_requests(plan.system.problem, tmp_path, report)
    (only,) = report.diagnostics
    assert only.code == code
    assert output.split()[0] in plan.system.problem.source.slice(only.span)


@pytest.mark.parametrize(
    ("dimension", "kind"), [(1, "scalar"), (1, "both"), (2, "scalar"), (2, "vector"), (3, "complex")]
)
def test_movie(saved, tmp_path, monkeypatch, dimension, kind):
    monkeypatch.setattr("shutil.which", lambda name: None)
    _, path = saved(dimension, kind)
    movie = draw_movie(path, tmp_path / "movie.mp4")
    assert movie == tmp_path / "movie.gif"
    with Image.open(movie) as image:
        assert image.n_frames == 5
        first = np.asarray(image.convert("RGB"), dtype=int)
        image.seek(3)
        assert np.abs(np.asarray(image.convert("RGB"), dtype=int) - first).max() > 20
    assert ours(movie)
    draw_movie(path, tmp_path / "movie.gif")


def test_movie_with_ffmpeg(saved, tmp_path):
    """MP4 with a frame a page where ffmpeg is; its absence is what `test_movie` is about."""
    _, path = saved(2, "scalar")
    movie = draw_movie(path, tmp_path / "movie.mp4")
    probe = shutil.which("ffprobe")
    if probe is None:
        assert movie.suffix == (".gif" if shutil.which("ffmpeg") is None else ".mp4")
        return
    wanted = ["-count_frames", "-show_entries", "stream=codec_name,pix_fmt,nb_read_frames"]
    command = [probe, "-v", "error", *wanted, "-of", "csv=p=0", str(movie)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["h264,yuv420p,5"]
    assert ours(movie)
    draw_movie(path, movie)


def test_movie_needs_frames_and_a_suffix(saved, tmp_path):
    _, path = saved(1, "scalar")
    with pytest.raises(OutputError, match="neither"):
        draw_movie(path, tmp_path / "movie.avi")


def test_style_is_given_back(saved, tmp_path):
    before = rcParams.copy()
    _, path = saved(1, "scalar")
    draw_saved(path, tmp_path / "picture.png")
    assert rcParams == before


def test_axes_are_labelled(saved):
    _, path = saved(2, "both")
    with store.open_run(path) as run:
        figure = default_figure(scene_of(run))
    texts = {a.get_xlabel() for a in figure.axes} | {a.get_ylabel() for a in figure.axes}
    assert {"$x$", "$y$"} <= texts
    titles = {a.get_title() for a in figure.axes}
    assert {"$t$ = 0", "$t$ = 0.5", "$t$ = 1"} <= titles
    assert figure.get_suptitle() == r"A title with \$money\$ in it"


def test_captions():
    assert mathtext("u") == "$u$"
    assert mathtext("nu") == r"$\nu$"
    assert mathtext("T_air") == r"$T_{\mathrm{air}}$"
    assert mathtext("U.x") == "$U_{x}$"
    assert mathtext("theta1") == r"$\theta_{1}$"
    assert mathtext("u*v + $") == r"u*v + \$"
    assert literal("5 $") == r"5 \$"
    assert number(0.0) == "0"
    assert number(2.5) == "2.5"
    assert number(2e-5) == r"$2 \times 10^{-5}$"
    assert number(1e-7) == "$10^{-7}$"


def test_ticks_in_multiples_of_pi():
    assert pi_ticks(0, 1) is None
    assert pi_ticks(0, 2 * np.pi)[1] == ["0", r"$\pi/2$", r"$\pi$", r"$3\pi/2$", r"$2\pi$"]
    assert pi_ticks(-np.pi, np.pi)[1] == [r"$-\pi$", r"$-\pi/2$", "0", r"$\pi/2$", r"$\pi$"]
    assert pi_ticks(0, 32 * np.pi)[1][-1] == r"$32\pi$"
    assert place(np.pi, 0, 2 * np.pi) == r"$\pi$"
    assert place(0.5, 0, 1) == "0.5"


def test_scales():
    signed = scale_of(-1.0, 3.0)
    assert (signed.lower, signed.upper, signed.cmap.name) == (-3.0, 3.0, "nablax_diverging")
    positive = scale_of(-0.01, 3.0)
    assert (positive.lower, positive.upper, positive.cmap.name) == (-0.01, 3.0, "viridis")
    for scale in (scale_of(2.0, 2.0), scale_of(0.0, 0.0), scale_of(np.nan, 1.0), modulus_scale(0.0)):
        assert scale.lower < scale.upper


def test_diverging_map_is_even_in_lightness():
    colors = diverging()(np.linspace(0, 1, 256))[:, :3]
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    to_lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    to_lms += [[0.0883024619, 0.2817188376, 0.6299787005]]
    lightness = np.cbrt(linear @ np.array(to_lms).T) @ [0.2104542553, 0.7936177850, -0.0040720468]
    steps = np.diff(lightness)
    assert np.all(steps[:126] > 0)
    assert np.all(steps[129:] < 0)
    np.testing.assert_allclose(lightness, lightness[::-1], atol=0.02)
    assert np.ptp(steps[:126]) < 0.01


def test_polar_coordinates(tmp_path, plan_of, frames_of):
    plan = plan_of(
        """
        space polar { r in [1, 2]; theta in [0, 2*pi] periodic }
        time { t in [0, 1] }
        fields { u }
        equations { dt(u) = Δu }
        initial { u = sin(theta) }
        boundary { r = 1: u = sin(theta); r = 2: u = sin(theta) }
        solve { n = [8, 16]; method = fd; step = implicit }
        output { every = 0.5 }
        """
    )
    writer = store.create(tmp_path / "out.zarr", layout(outline_of(plan), {}))
    for frame in frames_of(plan, lambda t, r, theta: {"u": r * np.sin(theta + t)}):
        writer.append(frame)
    writer.close(complete=True)
    draw_saved(tmp_path / "out.zarr", tmp_path / "picture.png")
    check_picture(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as image:
        ring = np.asarray(image.convert("RGB"))
    assert (ring[0, 0] == 255).all()
    assert (ring[ring.shape[0] // 2 - 5, ring.shape[1] // 6] >= 250).all()  # the hole of the ring
    draw_movie(tmp_path / "out.zarr", tmp_path / "movie.gif")
