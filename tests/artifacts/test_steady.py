"""Steady problems through a file: the fields, the derivative and the refusals of the solver itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.artifact.read import unpack
from nablax.backends.artifact.steady import SteadyArtifact
from nablax.backends.artifact.write import compile_artifact
from nablax.backends.frames import Unsolved
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

NONLINEAR = """
space { x in [0, 1] }
fields { u }
params { a = 1; b = 2*a }
equations { 0 = dxx(u) - a*u^3 + b*sin(x) }
initial { u = x }
boundary { x = 0: u = 0; x = 1: u = 1 }
solve { n = 12; order = 2 }
"""
RING = """
space { x in [0, 2*pi] periodic }
fields { u }
params { a = 1 }
equations { 0 = dxx(u) - a*u + cos(x) }
solve { n = 16 }
"""
NEUMANN = """
space { x in [0, 1] }
fields { u }
params { a = 0 }
equations { 0 = dxx(u) + a }
boundary { x = 0: dx(u) = 0; x = 1: dx(u) = 0 }
solve { n = 12; order = 2 }
"""


def both(text: str) -> tuple[SteadySolver, SteadyArtifact]:
    solver = nablax.parse(text, name="spec.pde").compile()
    artifact = unpack(compile_artifact(solver, platforms=("cpu",)))
    assert isinstance(solver, SteadySolver)
    assert isinstance(artifact, SteadyArtifact)
    return solver, artifact


def test_a_nonlinear_problem() -> None:
    solver, artifact = both(NONLINEAR)
    for params in ({"a": 1.5}, {"a": 1.5, "b": 0.5}):
        wanted = solver.solve(params)
        found = artifact.solve(params)
        np.testing.assert_allclose(found.fields["u"], wanted.fields["u"], atol=1e-11)
    guess = {"u": jnp.linspace(0.0, 1.0, 13) ** 2}
    (frame,) = artifact.stream()
    np.testing.assert_allclose(artifact.solve(initial=guess).fields["u"], frame.fields["u"], atol=1e-9)
    assert frame.residuals[-1] < 1e-6 * frame.residuals[0]
    with pytest.raises(ValueError, match="no parameter is named `c`"):
        artifact.solve({"c": 1.0})


@pytest.mark.slow
def test_derivatives() -> None:
    solver, artifact = both(NONLINEAR)

    def functional(of: SteadySolver | SteadyArtifact, a: jax.Array) -> jax.Array:
        return jnp.sum(of.solve({"a": a}).fields["u"] ** 2)

    values = jnp.asarray([1.0, 1.5])
    slopes = [jax.vmap(jax.grad(lambda a, of=of: functional(of, a)))(values) for of in (artifact, solver)]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-8)


@pytest.mark.slow
def test_a_ring() -> None:
    solver, artifact = both(RING)
    for params in ({}, {"a": 2.0}):
        wanted = solver.solve(params).fields["u"]
        np.testing.assert_allclose(artifact.solve(params).fields["u"], wanted, atol=1e-12)


@pytest.mark.slow
def test_data_that_are_not_compatible() -> None:
    _, artifact = both(NEUMANN)
    assert float(abs(artifact.solve().fields["u"]).max()) < 1e-12
    with pytest.raises(Unsolved, match="not compatible"):
        artifact.solve({"a": 1.0})
