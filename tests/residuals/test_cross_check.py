"""The exact solutions that examples state leave no residual."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
from scipy.special import rgamma

import nablax
from nablax.backends.lowering import evaluate
from nablax.fractional_calculus.special import MittagLeffler
from tests.examples.between_nodes import WITHOUT_RESIDUAL, with_history

SPECS = sorted((Path(__file__).parents[2] / "pde_examples").glob("*.pde"))
EXAMPLES = [path for path in SPECS if path.stem not in WITHOUT_RESIDUAL]
TERMS = 64  # of Mittag-Leffler's power series: to rounding up to |z| = 8 for orders above 1
LEFT_OUT = {
    "dam_break": "jumps at the shock",
    "gas_vortex": "the density alone is stated, of four fields",
    "keller_segel": "the signal alone is stated, at the start",
    "porous_medium": "has no slope at its front",
    "sod_tube": "jumps at the shock, and the density alone is stated, of three fields",
    "swift_hohenberg": "stated to the lowest order in r",
}
"""Examples that state values at places, and not the whole of a solution that an equation can be asked of."""


def exact_values(problem):
    """What the spec expects of every component at all times and places, or None."""
    spec = problem.stages.problem
    found = {}
    for expectation in spec.expectations:
        left, right = expectation.left, expectation.right
        approximate = expectation.within is not None and expectation.within > sp.Rational(1, 200)
        if expectation.relation == "≈" and not approximate and expectation.at != 0:
            sides = zip(left, right, strict=True) if hasattr(left, "__len__") else ((left, right),)
            found |= dict(sides)
    values = [found.get(c.value) for c in spec.components]
    known = set(spec.symbols) | {p.symbol for p in spec.parameters}
    rough = (sp.Max, sp.Min, sp.Abs, sp.Piecewise)
    exact = all(v is not None and v.free_symbols <= known and not v.has(*rough) for v in values)
    return values if exact else None


def states_a_field(problem):
    """Whether it expects a field to have certain values at places."""
    spec = problem.stages.problem
    fields = {c.value for c in spec.components}
    lefts = [e.left for e in spec.expectations if e.relation == "≈"]
    return any(fields & set(left if hasattr(left, "__len__") else (left,)) for left in lefts)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_exact_solutions_of_the_examples(path):
    """Every example that states a field's values at places is checked, or is left out for a reason."""
    problem = with_history(path)
    spec, values = problem.stages.problem, exact_values(problem)
    if values is None:
        assert states_a_field(problem) == (path.stem in LEFT_OUT)
        return
    assert path.stem not in LEFT_OUT
    numbers = {p.symbol: float(p.value) for p in spec.parameters}
    decays = {m: sp.Dummy("decay") for v in values for m in v.atoms(MittagLeffler)}
    values = [v.xreplace(decays) for v in values]

    def net(_, z):
        known = {**dict(zip(spec.symbols, z, strict=True)), **numbers}
        for function, stand_in in decays.items():
            order, further, place = function.args
            steps = float(order.subs(numbers)) * np.arange(TERMS) + float(further)
            (rate,) = evaluate((-place,), known)
            known[stand_in] = rgamma(steps) * (-1.0) ** np.arange(TERMS) @ rate ** np.arange(float(TERMS))
        found = evaluate(values, known)
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
