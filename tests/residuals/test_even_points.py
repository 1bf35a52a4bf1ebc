"""Points in curvilinear coordinates lie evenly in the volume, and on a wall in its area: means, by hand."""

import jax
import numpy as np
import pytest

import nablax

DISC = "space polar { r in [0, 2]; theta in [0, 2*pi] periodic } BODY r = 2: u = 0 }"
RING = "space polar { r in [1, 3]; theta in [0, 2*pi] periodic } BODY r = 1: u = 0; r = 3: u = 0 }"
BALL = "space spherical { r in [0, 1] } BODY r = 1: u = 0 }"
SHELL = (
    "space spherical { r in [1, 2]; theta in [0.5, 2]; phi in [0, 2*pi] periodic } "
    "BODY r = 1: u = 0; r = 2: u = 0; theta = 0.5: u = 0; theta = 2: u = 0 }"
)


def means(text: str, place: str) -> dict[str, float]:
    """Of the square of the radius, and of the cosine of an angle."""
    problem = nablax.parse(text.replace("BODY", "fields { u } equations { laplacian(u) = 1 } boundary {"))
    points = problem.sample(jax.random.key(3), {place: 4096}, method="sobol")[place]
    r, theta = (np.asarray(points.get(n, 0.0), np.float64) for n in ("r", "theta"))
    assert np.all(r > 0)
    return {"r": float(np.mean(r**2)), "cos": float(np.mean(np.cos(theta)))}


@pytest.mark.parametrize(
    ("text", "place", "square", "cosine"),
    [
        (DISC, "equation", 2, 0),
        (RING, "equation", 5, 0),
        (BALL, "equation", 3 / 5, 1),
        (SHELL, "equation", (2**5 - 1) / 5 / ((2**3 - 1) / 3), (np.cos(0.5) + np.cos(2)) / 2),
        (SHELL, "boundary/theta=0.5", 5 / 2, np.cos(0.5)),
        (SHELL, "boundary/r=2", 4, (np.cos(0.5) + np.cos(2)) / 2),
    ],
)
def test_equal_numbers_lie_in_equal_volumes(text: str, place: str, square: float, cosine: float) -> None:
    found = means(text, place)
    assert found["r"] == pytest.approx(square, rel=2e-3)
    assert found["cos"] == pytest.approx(cosine, abs=2e-3)
