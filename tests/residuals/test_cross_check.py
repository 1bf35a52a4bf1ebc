"""The exact solutions that examples state leave no residual."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
import sympy as sp

import nablax
from nablax.backends.lowering import evaluate
from nablax.nonlocal_operators import Nonlocal

EXAMPLES = sorted((Path(__file__).parents[2] / "pde_examples").glob("*.pde"))


def exact_values(problem):
    """What the spec expects of every component at all times and places, or None."""
    spec = problem.stages.problem
    found = {}
    for expectation in spec.expectations:
        left, right = expectation.left, expectation.right
        approximate = expectation.within is not None and expectation.within > sp.Rational(1, 200)
        if expectation.relation == "≈" and not (approximate or expectation.at or expectation.always):
            sides = zip(left, right, strict=True) if hasattr(left, "__len__") else ((left, right),)
            found |= dict(sides)
    values = [found.get(c.value) for c in spec.components]
    known = set(spec.symbols) | {p.symbol for p in spec.parameters}
    rough = (sp.Max, sp.Min, sp.Abs, sp.Piecewise)
    exact = all(v is not None and v.free_symbols <= known and not v.has(*rough) for v in values)
    return values if exact else None


def solved():
    """The examples that state their exact solution."""
    found = []
    for path in EXAMPLES:
        problem = nablax.load(path)
        local = not any(v.has(*Nonlocal) for b in problem.system.balances for v in b.values)
        if local and exact_values(problem) is not None:
            found.append(pytest.param(path, id=path.stem))
    return found


@pytest.mark.parametrize("path", solved())
def test_exact_solutions_of_the_examples(path):
    problem = nablax.load(path)
    spec, values = problem.stages.problem, exact_values(problem)
    numbers = {p.symbol: float(p.value) for p in spec.parameters}

    def net(_, z):
        found = evaluate(values, {**dict(zip(spec.symbols, z, strict=True)), **numbers})
        parts = []
        for component, value in zip(spec.components, found, strict=True):
            value = jnp.asarray(value)
            parts += [value.real, value.imag] if component.complex else [value]
        return jnp.stack([jnp.broadcast_to(p, ()).astype(z.dtype) for p in parts])

    field = nablax.field(problem, net, ())
    batch = problem.sample(jax.random.key(0), {"equation": 32})["equation"]
    found = problem.residual(field)(field.params, batch)
    table = problem.derivatives(field)(field.params, batch)
    scale = max(float(jnp.abs(v).max()) for v in table.values())
    for name, residual in found.items():
        assert float(jnp.abs(residual).max()) < 1e-11 * max(scale, 1.0), name
