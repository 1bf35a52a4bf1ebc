"""Points and residuals in regions cut out of a box."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import nablax

ANNULUS = """
space { x in [-1, 1]; y in [-1, 1]; inside x^2 + y^2 < 1; [hole] inside x^2 + y^2 > r^2 }
fields { u }
params { r = 0.3 }
equations { -laplacian(u) = 4 }
boundary { edge: dn(u) + x*u = -2; hole: u = 0.91 }
"""
ELLIPSOID = """
space { x in [-1, 1]; y in [-1, 1]; z in [-1, 1]; inside x^2 + y^2 + z^2/b^2 < 0.81; inside z < 0.25 }
time { t in [0, 2] }
fields { u }
params { b = 1 }
equations { dt(u) = laplacian(u) }
initial { u = z }
boundary { all: u = z }
"""


def annulus() -> nablax.Problem:
    return nablax.parse(ANNULUS)


@pytest.mark.parametrize("method", ["uniform", "lhs", "sobol", "grid"])
def test_points_lie_inside_and_are_as_many_as_asked_for(method):
    batch = annulus().sample(jax.random.key(0), {"equation": 200, "boundary": 40}, method)
    radius = np.hypot(batch["equation"]["x"], batch["equation"]["y"])
    assert ((radius < 1) & (radius > 0.3)).all()
    assert len(radius) == 200 if method != "grid" else 170 <= len(radius) <= 200
    assert set(batch) == {"equation", "boundary/edge", "boundary/hole"}
    for place, wanted in (("edge", 1), ("hole", 0.3)):
        curve = batch[f"boundary/{place}"]
        np.testing.assert_allclose(np.hypot(curve["x"], curve["y"]), wanted, rtol=1e-12)
        assert len(curve["x"]) == 40


def test_points_fill_the_region_evenly():
    """Mean squares of the annulus: (1 - r⁴)/(4 (1 - r²)) along each axis."""
    inside = annulus().sample(jax.random.key(1), {"equation": 4096}, "sobol")["equation"]
    expected = (1 - 0.3**4) / (4 * (1 - 0.3**2))
    for column in inside.values():
        np.testing.assert_allclose(np.mean(np.square(column)), expected, rtol=0.01)


def test_points_of_a_curve_are_even_in_its_length():
    text = "inside x^2 + 4*y^2 < 0.9"
    problem = nablax.parse(
        f"space {{ x in [-1, 1]; y in [-1, 1]; {text} }}\nfields {{ u }}\n"
        "equations { laplacian(u) = 1 }\nboundary { edge: u = 0 }\n"
    )
    curve = problem.sample(jax.random.key(0), {"boundary": 128}, "grid")["boundary/edge"]
    a, b = np.sqrt(0.9), np.sqrt(0.9) / 2
    angles = np.sort(np.arctan2(np.asarray(curve["y"]) / b, np.asarray(curve["x"]) / a))

    def length(low: float, high: float) -> float:
        return quad(lambda s: np.hypot(a * np.sin(s), b * np.cos(s)), low, high)[0]

    gaps = np.array([length(p, q) for p, q in pairwise(angles)])
    assert np.ptp(gaps) / gaps.mean() < 0.01


def test_points_of_a_surface_are_even_in_its_area():
    """Of a sphere of radius 0.9 under the plane z = 1/4, heights are evenly distributed (Archimedes)."""
    batch = nablax.parse(ELLIPSOID).sample(jax.random.key(0), {"boundary": 2048}, "sobol")
    sphere, cap = batch["boundary/edge"], batch["boundary/edge2"]
    heights = np.sort(sphere["z"])
    even = -0.9 + 1.15 * (np.arange(2048) + 0.5) / 2048
    np.testing.assert_allclose(heights, even, atol=0.03)
    np.testing.assert_allclose(np.mean(sphere["t"]), 1, atol=0.02)
    np.testing.assert_allclose(cap["z"], 0.25, rtol=1e-12)
    square = np.asarray(cap["x"]) ** 2 + np.asarray(cap["y"]) ** 2
    assert square.max() < 0.81 - 0.0625
    np.testing.assert_allclose(square.mean(), (0.81 - 0.0625) / 2, rtol=0.02)
    assert set(batch) == {"boundary/edge", "boundary/edge2"}


def test_walls_within_the_region_keep_their_conditions():
    text = (
        "space { x in [0, 1]; y in [0, 1]; inside x^2 + y^2 < 1 }\nfields { u }\n"
        "equations { laplacian(u) = 1 }\nboundary { edge: u = 0; x = 0: dn(u) = 0; y = 0: dn(u) = 0 }\n"
    )
    problem = nablax.parse(text)
    batch = problem.sample(jax.random.key(0), {"boundary": 16}, "sobol")
    assert set(batch) == {"boundary/x=0", "boundary/y=0", "boundary/edge"}
    assert (np.asarray(batch["boundary/edge"]["x"]) > 0).all()
    with pytest.raises(nablax.SpecError, match="`u` needs 1 boundary condition along y"):
        nablax.parse(text.replace("; y = 0: dn(u) = 0", ""))


def test_an_exact_solution_meets_equation_and_conditions():
    """u = 1 - x² - y²: the outward normal points away from the centre on the edge, to it on the hole."""
    text = ANNULUS.replace("x*u", "x*u*(y + 2)").replace("u = 0.91", "dn(u) + u = 1.51")
    problem = nablax.parse(text)
    field = nablax.field(problem, lambda _, z: (1 - z[0] ** 2 - z[1] ** 2)[None], jnp.zeros(1))
    batch = problem.sample(jax.random.key(0), {"equation": 64, "boundary": 16}, "sobol")
    losses = problem.losses(field)(field.params, batch)
    assert set(losses) == {"equation/u", "boundary/edge/1", "boundary/hole/1"}
    for name, value in losses.items():
        np.testing.assert_allclose(value, 0, atol=1e-24, err_msg=name)


def test_points_outside_and_off_the_curve_are_refused():
    problem = annulus()
    field = nablax.field(problem, lambda _, z: (z[0] * z[1])[None], jnp.zeros(1))
    losses = problem.losses(field)
    with pytest.raises(
        ValueError, match=r"1 of the equation points .* y = 0.1 is not `.*inside x\^2 \+ y\^2 > r\^2`"
    ):
        losses(field.params, {"equation": jnp.array([[0.5, 0.5], [0.1, 0.1]])})
    with pytest.raises(ValueError, match="lie on the curve `edge`, and 1 are more than 2e-05 away"):
        losses(field.params, {"boundary/edge": jnp.array([[0.0, 0.6], [1.0, 0.0]])})
    with pytest.raises(ValueError, match="drawn on the host"):
        jax.jit(lambda key: problem.sample(key, {"equation": 8}))(jax.random.key(0))


def test_terms_that_read_beyond_the_point_are_refused():
    problem = nablax.parse(ANNULUS.replace("= 4", "+ integral(u) = 4"))
    with pytest.raises(nablax.SpecError, match="an integral in a region"):
        problem.residual(lambda _, z: z[:1])


def test_conditions_of_vectors_and_shared_names():
    problem = nablax.parse(
        """
        space {
          x in [-1, 1]; y in [-1, 1]
          [hole] inside (x - 0.5)^2 + y^2 > 0.04; [hole] inside (x + 0.5)^2 + y^2 > 0.04
        }
        fields { U: vector }
        equations { laplacian(U) = (0, 0) }
        boundary { all: dn(U) + U = (1, x) }
        """
    )
    batch = problem.sample(jax.random.key(0), {"boundary": 8})
    assert list(batch)[-2:] == ["boundary/hole", "boundary/hole2"]
    field = nablax.field(problem, lambda _, z: jnp.stack([1 + 0 * z[0], z[0]]), jnp.zeros(1))
    losses = problem.losses(field)(field.params, batch)
    assert float(losses["boundary/hole2/1"]) > 1e-3
    # dn(U) = (0, ∓1) on x = ∓1 and (0, n_x) on the holes, whose normals point to their centres.
    curve = batch["boundary/hole2"]
    slope = -(np.asarray(curve["x"]) + 0.5) / 0.2
    np.testing.assert_allclose(losses["boundary/hole2/1"], np.mean(slope**2), rtol=1e-10)


@pytest.mark.parametrize(
    ("relation", "distance"),
    [
        ("(x^2 + y^2 - 0.5)^3 < 0", lambda x, y: np.hypot(x, y) - np.sqrt(0.5)),
        ("x + where(y < 0.3, 0, 1) < 0.7", lambda x, y: (x - 0.7) * (y - 0.3) * (x + 0.3)),
        ("1/x < 2", lambda x, y: x * (x - 0.5)),
        ("min(x, y) < 0", np.minimum),
    ],
)
def test_curves_need_no_slope(relation, distance):
    """Flat relations, relations with jumps and with poles: their curves are where they begin to hold."""
    problem = nablax.parse(
        f"space {{ x in [-1, 1]; y in [-1, 1]; inside {relation} }}\nfields {{ u }}\n"
        "equations { laplacian(u) = 1 }\nboundary { all: u = 0 }\n"
    )
    batch = problem.sample(jax.random.key(0), {"boundary": 64}, "grid")
    curve = batch["boundary/edge"]
    assert len(curve["x"]) == 64
    np.testing.assert_allclose(distance(np.asarray(curve["x"]), np.asarray(curve["y"])), 0, atol=1e-12)
    field = nablax.field(problem, lambda _, z: z[:1], jnp.zeros(1))
    assert np.isfinite(problem.losses(field)(field.params, batch)["boundary/edge/1"])


def test_measurements_outside_are_refused(tmp_path):
    (tmp_path / "seen.csv").write_text("x,y,u\n0.5,0.5,1\n0.1,0.1,2\n", "utf-8")
    text = ANNULUS + 'data { sensors = csv("seen.csv", at=[x, y], value=u) }\ntrain { steps = adam(1) }\n'
    problem = nablax.parse(text.replace("r = 0.3", "r = 0.1"), folder=tmp_path)
    assert len(problem.sample(jax.random.key(0), {"equation": 4})["data/sensors"]["x"]) == 2
    with pytest.raises(nablax.SpecError, match=r"measurement 2 .* lies outside the region: not `inside"):
        nablax.parse(text, folder=tmp_path).stages.report.check()
