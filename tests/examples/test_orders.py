"""What the residual of a solver's answer has left between the nodes vanishes at the order of the scheme."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.frames import Frame

from .between_nodes import field_between, fourier, inside, with_history

EXAMPLES = Path(__file__).parents[2] / "pde_examples"
FRAMES = 7
SHARES = np.linspace(-1, 1, 9)[:, None]
"""Of a cell: where the residual is taken, about the point."""


def polynomials(count, averages):
    """Coefficients, by powers of the place in cells, of those that are 1 at one of the nodes about 0, or on
    the mean over its cell, and 0 at the others."""
    nodes, powers = np.arange(count) - count // 2, np.arange(count) + averages
    if averages:
        ends = np.append(nodes, nodes[-1] + 1)[:, None] - 0.5
        return np.linalg.inv(np.diff(ends**powers / powers, axis=0))
    return np.linalg.inv(nodes[:, None] ** powers)


def powers(x, count):
    found = [jnp.ones_like(x)]
    for _ in range(count - 1):
        found.append(found[-1] * x)
    return jnp.stack(found)


def answer(problem, point, apart, width, options):
    """Values [components, *axes, frames] near a point, time last, and where they are: per axis the middle,
    the step, and what interpolates: polynomials of `width` nodes, a whole Fourier sum where that is None."""
    solver = problem.compile(**options)
    spec = problem.stages.problem
    times = [] if spec.time is None else point[-1] + apart * (np.arange(FRAMES) - FRAMES // 2)
    found = (solver.solve(save_at=list(times)) if len(times) else solver.solve()).to_xarray()
    averages = solver.plan.method == "fv"
    values = np.stack([np.asarray(found[c.name]) for c in spec.components])
    values = np.moveaxis(values, 1, -1) if len(times) else values
    middles, steps, bases = [], [], []
    for k, (axis, x) in enumerate(zip(spec.axes, point, strict=False)):
        nodes = np.asarray(found[axis.name])
        nearest = np.argmin(abs(nodes - x)) if width else 0
        if width:
            near = nearest + np.arange(width) - width // 2
            values = np.take(values, near, axis=k + 1, mode="wrap" if axis.periodic else "raise")
        middles.append(nodes[nearest])
        steps.append(nodes[1] - nodes[0])
        bases.append(polynomials(width, averages) if width else None)
    if len(times):
        middles, steps = [*middles, point[-1]], [*steps, apart]
        bases.append(polynomials(FRAMES, averages=False))
    return bases, (jnp.asarray(values), jnp.array(middles), jnp.array(steps))


def order(name, point, apart, width, counts, **options):
    """How fast the median residual falls from one number of nodes to the other, as a power of the step."""
    problem = nablax.load(EXAMPLES / f"{name}.pde")
    answers = [answer(problem, point, apart, width, {**options, "n": n}) for n in counts]
    bases = answers[0][0]

    def net(params, z):
        total, *_ = params
        for basis, x in reversed(list(zip(bases, (z - params[1]) / params[2], strict=True))):
            count = total.shape[-1]
            total = total @ (fourier(x, count) if basis is None else powers(x, count) @ basis)
        return total

    residual = problem.residual(nablax.field(problem, net, answers[0][1]))
    axes = len(problem.stages.problem.axes)
    left = []
    for _, params in answers:
        offsets = np.where(np.arange(len(point)) < axes, SHARES * np.asarray(params[2]), 0)
        found = residual(params, jnp.asarray(point + offsets))
        left.append(max(float(np.median(np.abs(r))) for r in found.values()))
    return np.log(left[0] / left[1]) / np.log(counts[1] / counts[0])


@pytest.mark.slow
@pytest.mark.parametrize("of", [2, 8])
def test_differences_in_a_steady_example(of):
    assert order("poisson", (0.413, 0.413), None, 11, (12, 24), order=of) > of - 0.2


@pytest.mark.parametrize("of", [4, pytest.param(6, marks=pytest.mark.slow)])
def test_differences_in_an_example_that_evolves(of):
    assert order("rod_in_a_bath", (0.5, 0.1), 0.004, 11, (12, 24), order=of, tol=1e-11) > of - 0.2


def test_fourier_sums_in_an_example():
    """Faster than any power: here by a factor of a hundred where the number of modes doubles."""
    assert order("burgers_exact", (1.0, 0.9), 0.01, None, (24, 48), tol=1e-12) > 6.6


@pytest.mark.slow
def test_volumes_in_an_example():
    assert order("inviscid_burgers", (0.13, 0.04), 0.001, 9, (48, 96), tol=1e-11) > 4.8


OUTPUT = dict.fromkeys(("variable_order", "tempered_subdiffusion"), "output { every = 0.05 }")
"""Where frames would be as near to each other as steps."""


def order_of_a_history(name, measure, *cases, **options):
    """How fast the residual of a whole history falls from one case to the other, as a power of what is
    refined: the steps, whose number is the `measure` of a plan, or the nodes; the frames stay."""
    problem = with_history(EXAMPLES / f"{name}.pde", OUTPUT.get(name, ""))
    left, counts, residuals = [], [], {}
    for case in cases:
        solver = problem.compile(**options, **case)
        frames = [e for e in solver.stream() if isinstance(e, Frame)]
        counts.append(measure(solver.plan))
        field, points = field_between(problem, solver, frames), inside(problem, frames)
        residual = residuals.setdefault(solver.plan.shape, jax.jit(problem.residual(field)))
        (found,) = residual(field.params, points).values()
        left.append(float(np.median(np.abs(found))))
    return np.log(left[0] / left[1]) / np.log(counts[1] / counts[0])


def steps(plan):
    return plan.stepping.recall.capacity


def nodes(plan):
    return plan.shape[0] - 1


@pytest.mark.slow
@pytest.mark.brief
@pytest.mark.parametrize(
    ("name", "of", "measure", "cases", "options"),
    [
        ("slow_allen_cahn", 1.2, steps, ({"tol": 2e-2}, {"tol": 5e-3}), {}),
        ("subdiffusive_burgers", 1.3, steps, ({"tol": 2e-3}, {"tol": 5e-4}), {"n": 12}),
        ("variable_order", 1.4, steps, ({"dt": 0.02}, {"dt": 0.01}), {"n": 16, "order": 8}),
        ("tempered_subdiffusion", 2, steps, ({"dt": 0.01}, {"dt": 0.005}), {"n": 16, "order": 8}),
        ("subdiffusion", 4, nodes, ({"n": 8}, {"n": 16}), {}),
        ("fractional_wave", 4, nodes, ({"n": 8}, {"n": 16}), {}),
    ],
)  # steps of L1: 2 - α, with the order in the middle of time where it varies; of quadrature: 2
def test_histories_of_examples_with_memory(name, of, measure, cases, options):
    assert order_of_a_history(name, measure, *cases, **options) > of - 0.2
