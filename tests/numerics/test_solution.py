"""A solution in memory: a pytree, a dataset, a picture, a file."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray

import nablax
from nablax.backends.output.store import open_run

TEXT = """
space { x in [0, 2*pi] periodic; y in [0, 1] periodic }
time { t in [0, 0.1] }
fields { U: vector; psi: complex }
params { nu = 0.3 }
equations { dt(U) = nu*laplacian(U); i*dt(psi) = -laplacian(psi) }
initial { U = (sin(x), cos(x)); psi = exp(i*x) }
solve { n = [16, 8]; dt = 0.01 }
output { every = 0.05 }
"""


@pytest.fixture(scope="module")
def solver():
    return nablax.parse(TEXT).compile()


def test_dataset_has_named_dimensions_and_variables(solver):
    data = solver.solve().to_xarray()
    assert data["U_x"].dims == ("t", "x", "y")
    assert dict(data.sizes) == {"t": 3, "x": 16, "y": 8}
    assert data["psi"].dtype == np.complex128
    decay = np.exp(-0.3 * 0.1)
    np.testing.assert_allclose(data["U_x"][-1, :, 0], decay * np.sin(data["x"]), atol=1e-12)


@pytest.mark.parametrize("suffix", ["zarr", "nc"])
def test_saved_solution_reads_back(solver, tmp_path, suffix):
    path = tmp_path / f"run.{suffix}"
    solution = solver.solve()
    solution.save(path)
    with open_run(path) as saved:
        xarray.testing.assert_allclose(saved["U_y"].load(), solution.to_xarray()["U_y"])
        assert saved.attrs["complete"] == 1


def test_picture(solver):
    figure = solver.solve().plot()
    assert figure.get_size_inches().min() > 1
    assert len(figure.axes) >= 3


def test_pytree_through_transformations(solver):
    many = jax.vmap(lambda nu: solver.solve(params={"nu": nu}))(jnp.array([0.1, 0.2]))
    assert many.fields["U.x"].shape == (2, 3, 16, 8)
    assert many.params["nu"].shape == (2,)
