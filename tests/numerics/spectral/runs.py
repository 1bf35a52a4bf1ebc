"""Shorthand for periodic problems: a system, a Fourier plan, a solver, the answer at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import pi

import numpy as np
import sympy as sp

from nablax.backends.solver import Solver, build
from nablax.plan import Dtype, StepperName
from nablax.system import LinearTerm, System
from tests.numerics.systems import NOWHERE, Line, build_plan, function

x, y, z = (sp.Symbol(name, real=True) for name in "xyz")


def circle(name: str, n: int, length: float = 2 * pi, lower: float = 0.0) -> Line:
    return Line(name, lower, lower + length, n, periodic=True)


def solver_for(
    system: System,
    lines: Sequence[Line],
    stepper: StepperName = "etdrk4",
    *,
    end: float = 1.0,
    dt: float | None = None,
    dealias: float = 2 / 3,
    frames: Sequence[float] | None = None,
    dtype: Dtype = "float64",
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> Solver:
    plan = build_plan(
        system,
        lines,
        method="spectral",
        stepper=stepper,
        dt=dt,
        frames=frames if frames is not None else (0.0, end),
        dealias=dealias,
        dtype=dtype,
        rtol=rtol,
        atol=atol,
    )
    return build(plan)


def final(solver: Solver, params: Mapping[str, float] | None = None) -> dict[str, np.ndarray]:
    """The last frame."""
    return {name: np.asarray(a[-1]) for name, a in solver.solve(params).fields.items()}


def nodes(lines: Sequence[Line]) -> tuple[np.ndarray, ...]:
    """Coordinates, one array per axis of the grid's full shape."""
    ends = [np.linspace(a.lower, a.upper, a.n, endpoint=False) for a in lines]
    return tuple(np.meshgrid(*ends, indexing="ij"))


def error(got: np.ndarray, exact: np.ndarray) -> float:
    """Largest difference over the largest exact magnitude."""
    return float(np.max(np.abs(got - exact)) / np.max(np.abs(exact)))


def measured_orders(errors: Sequence[float]) -> list[float]:
    """Between runs whose step was halved each time."""
    return [float(np.log2(a / b)) for a, b in pairwise(errors)]


def with_mass(
    system: System, unknown: int, terms: Sequence[tuple[sp.Expr | float, int, tuple[int, ...]]]
) -> System:
    """The same system with Σ coefficient · D^orders of rates in place of a plain time derivative."""
    mass = tuple(LinearTerm(sp.Add(c), u, orders, sp.Integer(1), NOWHERE) for c, u, orders in terms)
    evolution = list(system.evolution)
    evolution[unknown] = replace(evolution[unknown], mass=mass)
    return replace(system, evolution=tuple(evolution))


__all__ = [
    "Callable",
    "circle",
    "error",
    "final",
    "function",
    "measured_orders",
    "nodes",
    "solver_for",
    "with_mass",
    "x",
    "y",
    "z",
]
