"""A solver's answer between the nodes of its grid and its frames, as a field that residuals take."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

import nablax
from nablax.backends.frames import Frame
from nablax.backends.output.dataset import layout
from nablax.backends.residuals.field import Field
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.facade import Problem
from nablax.planning.stepping import depends_on_time

NODES = 8  # of the polynomial along a bounded axis
FRAMES = 6
POWERS = 14  # of the time, in the history of a field with memory
FEW_OPTIMISATIONS = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Of the residual's program, which runs three times; the solver's own has XLA's defaults."""
ROUNDED = 1e-10  # combinations of powers that differ by less from none are left out
GRADED = "graded(24)"  # the quadrature of residuals that look back to such a start
WITHOUT_RESIDUAL = ("levy_flight_disc",)
"""Networks have no fractional Laplacian of a function of the radius (P402)."""


def with_history(path: Path, further: str = "") -> Problem:
    """An example; where it remembers, with a quadrature for fields that start like a fractional power."""
    problem = nablax.load(path)
    if not problem.system.has_memory:
        return problem
    return nablax.parse(f"{path.read_text()}\ntrain {{ quadrature = {GRADED} }}\n{further}\n")


def close_frames(solver: Solver, first: Frame, apart: float) -> list[Frame]:
    """Frames close together from this one on, by the program that is compiled already."""
    times = tuple(first.t + k * apart for k in range(FRAMES))
    shorter = replace(solver, plan=replace(solver.plan, frames=times))
    return [e for e in shorter.stream(initial=first.state) if isinstance(e, Frame)]


def field_between(problem: Problem, solver: Solver | SteadySolver, frames: Sequence[Frame]) -> Field:
    """Fourier sums along the axes of a spectral answer; else, and in time, polynomials through near nodes.
    Over a past that is remembered, the powers of the time that such solutions start with.

    Its parameters: the size, in that of each component, of a smooth wave that is added, which is no solution;
    and the values [blocks, frames, *axes] at the nodes, with some from beyond the ends of periodic axes.
    """
    spec = problem.stages.problem
    axes = layout(solver.outline, {n: float(v) for n, v in solver.parameters.items()}).axes
    lines = [np.asarray(a.points) for a in axes]
    blocks = []
    for component in spec.components:
        values = np.stack([np.asarray(f.fields[component.name]) for f in frames])
        blocks += [values.real, values.imag] if component.complex else [values]
    found = np.stack(blocks)
    size = np.abs(found).max(axis=tuple(range(1, found.ndim)))
    sums = summed(problem, solver)
    ghosts = [NODES if axis.periodic and not s else 0 for axis, s in zip(spec.axes, sums, strict=True)]
    given = jnp.asarray(np.pad(found, [(0, 0), (0, 0), *((g, g) for g in ghosts)], mode="wrap"))
    times = np.array([f.t for f in frames])
    over_time = started(problem, times) if problem.system.has_memory else equally_apart(times)

    def call(params: tuple[Array, Array], z: Array) -> Array:
        bend, held = params
        starts, sizes, weights, wave = [0, 0], list(held.shape[:2]), [], jnp.ones(())
        for axis, nodes, whole, ghost, x in zip(spec.axes, lines, sums, ghosts, z, strict=False):
            place = (x - nodes[0]) / (nodes[1] - nodes[0])
            wave = wave * jnp.cos(8 * jnp.pi * place / (len(nodes) - (not axis.periodic)) + 0.3)
            total = len(nodes) + 2 * ghost
            count = total if whole else min(NODES, total)
            below, most = jnp.sum(place + ghost >= np.arange(float(total))) - count // 2, total - count
            first = jnp.where(below < 0, 0, jnp.where(below > most, most, below))
            starts.append(first)
            sizes.append(count)
            weights.append(
                fourier(place, total) if whole else lagrange(place + ghost - first.astype(float), count)
            )
        window = lax.dynamic_slice(held, starts, sizes)
        for weight in reversed(weights):
            window = window @ weight
        values = window @ over_time(z[-1]) if len(frames) > 1 else window[:, 0]
        return values + bend * size * wave

    return nablax.field(problem, call, (jnp.zeros(()), given))


def equally_apart(times: np.ndarray) -> Callable[[Array], Array]:
    """Weights [frames] of the polynomial through all frames."""
    return lambda t: lagrange((t - times[0]) / (times[1] - times[0]), len(times))


def started(problem: Problem, times: np.ndarray) -> Callable[[Array], Array]:
    """Weights [frames] of the combination of the lowest powers of the time that comes next to all frames in
    the mean square: of the powers kα, with α the order at the start, where the equations do not know the time
    (from rest for orders above 1), else of j + kα (K. Diethelm, The Analysis of Fractional Differential
    Equations, 2010, section 6.4)."""
    time = problem.stages.problem.time
    assert time is not None
    assert times[0] == float(time.lower) == 0
    numbers = {p.symbol: p.value for p in problem.stages.problem.parameters}
    (memory,) = {m for e in problem.system.evolution for m in e.memory}
    order = float(memory.order.subs(time.symbol, time.lower).subs(numbers))
    known = depends_on_time(problem.system) or memory.rate != 0 or memory.order.has(time.symbol)
    sums = {round(j + k * order, 9) for j in range(POWERS if known else 1) for k in range(POWERS)}
    powers = sorted(sums)[: min(POWERS, len(times) // 2)]
    weights = np.linalg.pinv((times[:, None] / times[-1]) ** powers, rcond=ROUNDED)
    return lambda t: jnp.stack([jnp.ones_like(t), *((t / times[-1]) ** p for p in powers[1:])]) @ weights


def summed(problem: Problem, solver: Solver | SteadySolver) -> list[bool]:
    """The axes along which the answer is a Fourier sum."""
    return [axis.periodic and solver.plan.method == "spectral" for axis in problem.stages.problem.axes]


def coarser(values: Array, solver: Solver | SteadySolver, sums: Sequence[bool]) -> Array:
    """The values [blocks, frames, *axes] without the top third of the modes that the grid keeps."""
    for k in np.flatnonzero(sums):
        lines = np.moveaxis(np.asarray(values), k + 2, -1)
        n = lines.shape[-1]
        kept = np.fft.rfftfreq(n, 1 / n) <= solver.plan.dealias[k] * n / 3
        values = jnp.asarray(np.moveaxis(np.fft.irfft(np.fft.rfft(lines) * kept, n), -1, k + 2))
    return values


def lagrange(place: Array, count: int) -> Array:
    """Values [count] of the polynomials that are 1 at one of the nodes 0 .. count - 1."""
    middle = (count - 1) / 2
    powers = [jnp.ones_like(place)]
    for _ in range(count - 1):
        powers.append(powers[-1] * (place - middle))
    return jnp.stack(powers[::-1]) @ np.linalg.inv(np.vander(np.arange(count) - middle))


def fourier(place: Array, count: int) -> Array:
    """Values [count] of the trigonometric polynomials that are 1 at one of the nodes 0 .. count - 1."""
    k = np.arange(count // 2 + 1) * (2 * np.pi / count)
    share = np.where((k == 0) | (2 * np.arange(len(k)) == count), 1, 2) / count
    nodes = np.outer(k, np.arange(count))
    return jnp.cos(k * place) @ (share[:, None] * np.cos(nodes)) + jnp.sin(k * place) @ (
        share[:, None] * np.sin(nodes)
    )


def inside(problem: Problem, frames: Sequence[Frame], count: int = 16) -> dict[str, Array]:
    """Points away from the walls, in the middle of the frames' time."""
    spec = problem.stages.problem
    numbers = {p.symbol: p.value for p in spec.parameters}
    shares = np.random.default_rng(0).uniform(0.25, 0.75, (len(spec.axes), count))
    found = {}
    for axis, share in zip(spec.axes, shares, strict=True):
        low, high = (float(end.subs(numbers)) for end in (axis.lower, axis.upper))
        found[axis.name] = jnp.asarray(low + (high - low) * share)
    if spec.time is not None:
        found[spec.time.name] = jnp.full(count, (frames[0].t + frames[-1].t) / 2)
    return found


def shares_left(
    problem: Problem, solver: Solver | SteadySolver, frames: Sequence[Frame]
) -> dict[str, tuple[float, float]]:
    """By equation, the residual of the answer over that of the answer bent by a tenth, and the same of the
    answer without the highest modes of its Fourier sums: of the largest values at some points, of the medians
    where there may be shocks."""
    field, points = field_between(problem, solver, frames), inside(problem, frames)
    _, values = field.params
    residual = jax.jit(problem.residual(field)).lower(field.params, points).compile(FEW_OPTIMISATIONS)
    fewer = coarser(values, solver, summed(problem, solver))
    cases = ((0.0, values), (0.0, fewer), (0.1, values))
    typical = np.median if solver.plan.method == "fv" else np.max
    found = [
        {name: float(typical(np.abs(r))) for name, r in residual((jnp.asarray(bend), held), points).items()}
        for bend, held in cases
    ]
    plain, coarse, bent = found
    return {name: (plain[name] / size, coarse[name] / size) for name, size in bent.items()}
