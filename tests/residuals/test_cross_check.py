"""Both exits of the compiler on one text: exact solutions and solvers' answers satisfy the residual."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
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


def lagrange(nodes, s):
    """Values at s of the polynomials that are 1 at one node."""
    return jnp.stack(
        [
            jnp.prod(jnp.stack([(s - b) / (a - b) for j, b in enumerate(nodes) if j != i]))
            for i, a in enumerate(nodes)
        ]
    )


def test_a_spectral_solution_between_its_nodes():
    problem = nablax.load("pde_examples/burgers_exact.pde")
    times = [0.9 + 0.02 * i for i in range(9)]
    solution = problem.compile(n=64, tol=1e-12).solve(save_at=times)
    modes = jnp.fft.fft(solution.fields["u"], axis=1) / 64
    k = jnp.fft.fftfreq(64, 1 / 64)

    def net(_, z):
        x, t = z
        at = lagrange(times, t)
        waves = (modes.real * jnp.cos(k * x)[None] - modes.imag * jnp.sin(k * x)[None]).sum(axis=1)
        return (at @ waves)[None]

    field = nablax.field(problem, net, ())
    z = jnp.stack([jnp.linspace(0.1, 6.1, 23), jnp.full(23, 0.983)], axis=1)
    found = problem.residual(field)(field.params, z)["equation/u"]
    assert float(jnp.abs(found).max()) < 1e-6


def test_a_difference_solution_at_the_order_of_its_scheme():
    text = (
        "space { x in [0, 1] }\ntime { t in [0, 0.1] }\nfields { u }\n"
        "equations { dt(u) = dxx(u) + u*(1 - u) }\ninitial { u = sin(pi*x) }\nboundary { all: u = 0 }\n"
    )
    problem = nablax.parse(text)
    times = [0.04 + 0.004 * i for i in range(7)]
    errors = []
    for n in (16, 32):
        solver = problem.compile(n=n, order=4, tol=1e-11)
        values = solver.solve(save_at=times).fields["u"]
        near = slice(n // 2 - 4, n // 2 + 5)
        nodes = (np.arange(n + 1) / n)[near]
        patch = values[:, near]

        def net(_, z, nodes=nodes, patch=patch):
            return (lagrange(times, z[1]) @ patch @ lagrange(nodes, z[0]))[None]

        field = nablax.field(problem, net, ())
        found = problem.residual(field)(field.params, jnp.array([[0.5, 0.052]]))["equation/u"]
        errors.append(float(jnp.abs(found[0])))
    assert np.log2(errors[0] / errors[1]) > 3.5


@pytest.mark.slow
def test_a_steady_solution_at_the_order_of_its_scheme():
    problem = nablax.load("pde_examples/poisson.pde")
    at = (0.413, 0.413)
    errors = []
    for n in (16, 32):
        found = problem.compile(n=n).solve().to_xarray()
        nodes = [np.asarray(found[a.name]) for a in problem.system.problem.axes]
        point = [x[0] + s * (x[-1] - x[0]) for x, s in zip(nodes, at, strict=True)]
        near = [
            slice(i - 4, i + 5) for i in (np.argmin(abs(x - p)) for x, p in zip(nodes, point, strict=True))
        ]
        patch = jnp.asarray(np.asarray(found["u"])[-1] if found["u"].ndim == 3 else found["u"])[tuple(near)]
        x, y = (a[s] for a, s in zip(nodes, near, strict=True))

        def net(_, z, x=x, y=y, patch=patch):
            return (lagrange(x, z[0]) @ patch @ lagrange(y, z[1]))[None]

        field = nablax.field(problem, net, ())
        (values,) = problem.residual(field)(field.params, jnp.asarray([point])).values()
        errors.append(float(jnp.abs(values).max()))
    assert np.log2(errors[0] / errors[1]) > 3.5
