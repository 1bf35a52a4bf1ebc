"""What manufactured solutions are made of: patterns in space that move in time, and their ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from nablax.centre import centre_of, has_centre, turned
from nablax.fractional_calculus.operators import FractionalOperator, Tempered, TemperedCaputo
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.determination import free_constants
from nablax.problem import Axis, Component, Equation, Field, Problem
from nablax.reductions import Noise
from nablax.sampling import sample
from nablax.system import System

_PLACES = {1: 41, 2: 15, 3: 9}  # points per axis where candidates are looked at
HIGHEST_POWER = 3  # of the time, in solutions of equations that remember the past
_RANGES = ((1.5, 0.25), (0.5, 0.2), (-0.5, 0.2), (0.0, 0.5))
"""Mean and amplitude to try when those of the initial data leave a term without a value."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The spatial pattern of a component and its range: mean + amplitude · pattern."""

    mean: float
    amplitude: float


def candidate_ranges(problem: Problem, system: System) -> list[dict[str, Shape]]:
    """Ranges to try: first those of the initial data."""
    found = []
    starts = {c.component: c.value for c in problem.initial if c.order == 0}
    names = [c.name for c in problem.components]
    free = [system.unknowns[i].name for i in free_constants(system)]
    free += [n for n in names if n not in starts and problem.time is not None]
    found.append({n: _range(problem, starts.get(n)) for n in names})
    found += [dict.fromkeys(names, Shape(*r)) for r in _RANGES]
    # What is known up to a constant has zero mean, as the solvers fix it.
    return [{n: replace(s, mean=0.0) if n in free else s for n, s in f.items()} for f in found]


def _range(problem: Problem, value: sp.Expr | None) -> Shape:
    if value is None:
        return Shape(0.0, 0.5)
    quiet = value.replace(lambda n: isinstance(n, Noise), lambda n: sp.S.Zero)
    found = np.real(np.ravel(sample(quiet, points_of(problem, 0.0))))
    found = found[np.isfinite(found)]
    if not found.size:
        return Shape(0.5, 0.2)
    low, high = float(found.min()), float(found.max())
    middle, half = (low + high) / 2, (high - low) / 2
    least = 0.1 * abs(middle) or 0.5
    return Shape(middle, max(half, least) if half > 1e-3 * least else least)


def solution_of(
    problem: Problem, shapes: Mapping[str, Shape], duration: float | None, swings: bool
) -> dict[str, sp.Expr]:
    return {
        c.name: _function(problem, c, i, shapes[c.name], duration, swings)
        for i, c in enumerate(problem.components)
    }


def _function(
    problem: Problem, component: Component, index: int, shape: Shape, duration: float | None, swings: bool
) -> sp.Expr:
    if turned(problem, component.name):
        shape = replace(shape, mean=0.0)  # a smooth vector has no mean along the radius
    value = _real_function(problem, component, index, shape, duration, swings)
    if not component.complex:
        return value
    other = _real_function(problem, component, index + 7, replace(shape, mean=0.0), duration, swings)
    return value + sp.I * other


def _real_function(
    problem: Problem, component: Component, index: int, shape: Shape, duration: float | None, swings: bool
) -> sp.Expr:
    """mean + amplitude · pattern, which moves in time; `swings` as `manufacture` says.

    Where a derivative in time remembers the past it moves like whole powers of the time, whose fractional
    derivatives are known: linearly, as the L1 scheme follows exactly, and swinging like the third.
    """
    modes = any(s.value.has(*Nonlocal) for e in problem.equations for s in e.summands)
    centre = centre_of(problem)
    through = () if centre is None else tuple(k for k in (centre.radius, centre.angle) if k is not None)
    along = [(a, _factor(a, index + 3 * i, modes)) for i, a in enumerate(problem.axes) if i not in through]
    around = [_through_centre(problem, component, index)] if through else []
    factors = [*(f for _, f in along), *around]
    pattern = sp.Mul(*(f for f, _ in factors)) - sp.Mul(*(m for _, m in factors))
    size = _number(2 * shape.amplitude / 3)
    mean = _number(shape.mean)
    if problem.time is None:
        return mean + size * pattern
    if duration is None:
        return mean + size * pattern
    unit = (problem.time.symbol - problem.time.lower) / _number(duration)
    power = 2 + max(_order(e) for e in problem.equations)
    flat = sp.Mul(
        *(f if a.periodic else _bump(a, power) for a, (f, _) in along),
        *(
            _bump(problem.axes[k], power, centre=True) * f
            for k, (f, _) in zip(through[:1], around, strict=True)
        ),
    )
    remembering = [
        n for e in problem.equations for s in e.summands for n in s.value.atoms(FractionalOperator)
    ]
    if remembering:
        late = unit**HIGHEST_POWER * flat if swings else sp.S.Zero
        fading = _fading(remembering, problem.time)
        # Derivatives of Riemann and Liouville are infinite at the start for whatever is not zero there.
        if any(n.family == "riemann-liouville" for n in remembering):
            return fading * size * (pattern * unit ** max(n.ceiling for n in remembering) + late)
        return fading * (mean + size * (pattern * (1 - unit / 4) + late))
    swing = sp.sin(2 * unit + sp.Rational(index % 5 + 3, 7)) / 2
    if all(a.periodic for a in problem.axes):
        return mean + size * pattern * (1 + swing)
    if not swings:
        return mean + size * pattern * (1 - unit / 4)
    return mean + size * (pattern * (1 - unit / 4) + flat * swing)


def _fading(remembering: Sequence[FractionalOperator], time: Axis) -> sp.Expr:
    """e^(-λ (t - start)) where every derivative with memory is tempered at the rate λ, else 1."""
    rates = {rate_of(n) for n in remembering}
    rate = rates.pop()
    return sp.exp(-rate * (time.symbol - time.lower)) if not rates and rate != 0 else sp.S.One


def rate_of(node: FractionalOperator) -> sp.Expr:
    """The rate at which the memory of an operator is tempered."""
    return node.further[0] if isinstance(node, Tempered | TemperedCaputo) else sp.S.Zero


def _factor(axis: Axis, index: int, modes: bool) -> tuple[sp.Expr, sp.Expr]:
    """A factor of the pattern along an axis, within [-1, 1], and its mean over the axis."""
    s = (axis.symbol - axis.lower) / (axis.upper - axis.lower)
    phase = sp.Rational(2 * (index % 7) + 1, 5)
    if axis.periodic and modes:
        return (3 * sp.cos(2 * sp.pi * s + phase) + sp.sin(4 * sp.pi * s + 2 * phase)) / 4, sp.S.Zero
    if axis.periodic:
        return sp.exp(sp.sin(2 * sp.pi * s + phase) - 1), sp.besseli(0, 1) * sp.exp(-1)
    rate = sp.Rational(11, 5) + sp.Rational(index % 3, 5)
    return sp.sin(rate * s + phase / 2), (sp.cos(phase / 2) - sp.cos(rate + phase / 2)) / rate


def _through_centre(problem: Problem, component: Component, index: int) -> tuple[sp.Expr, sp.Expr]:
    """A factor in the radius and the angle, within [-1, 1], that is smooth at the centre, and its mean.

    With an angle a plane wave, or the component of a vector of two of them; without one, a function of the
    square of the radius, times the radius for a component along it.
    """
    centre = centre_of(problem)
    assert centre is not None
    radius = problem.axes[centre.radius]
    s = radius.symbol / radius.upper
    phase = sp.Rational(2 * (index % 7) + 1, 5)
    odd = turned(problem, component.name)
    if centre.angle is None:
        pattern = sp.sin(sp.Rational(11, 5) * s**2 + phase / 2) * (s if odd else 1)
    else:
        theta = problem.axes[centre.angle].symbol

        def wave(shift: sp.Expr) -> sp.Expr:
            return sp.sin(2 * s * sp.cos(theta - phase - shift) + phase / 2 + shift)

        pattern = wave(sp.S.Zero)
        if odd:
            # One vector for both components: the index of the first tells its waves.
            first = index - next(
                i for i in (0, 1) if component is _field_of(problem, component).components[i]
            )
            phase = sp.Rational(2 * (first % 7) + 1, 5)
            along, across = wave(sp.S.Zero), wave(sp.S.One)
            turn = theta if index == first else theta + sp.pi / 2
            pattern = (along * sp.cos(turn) + across * sp.sin(turn)) / 2
    places = points_of(problem, 0.0)
    found = np.real(np.broadcast_to(sample(pattern, places), np.shape(places[radius.symbol])))
    return pattern, _number(float(np.mean(found[np.isfinite(found)])))


def _field_of(problem: Problem, component: Component) -> Field:
    return next(f for f in problem.fields if f.name == component.field)


def _bump(axis: Axis, power: int, centre: bool = False) -> sp.Expr:
    """Within [0, 1]; derivatives below `power` vanish at both ends, or at the end that is no centre."""
    s = (axis.symbol - axis.lower) / (axis.upper - axis.lower)
    return (1 - s**2) ** power if centre else (4 * s * (1 - s)) ** power


def _order(equation: Equation) -> int:
    """The highest order of its derivatives."""
    found = (d for s in equation.summands for d in s.value.atoms(sp.Derivative))
    return max((sum(int(n) for _, n in d.variable_count) for d in found), default=0)


def _number(value: float) -> sp.Expr:
    """Three digits are enough, and stay readable."""
    return sp.Rational(f"{value:.3g}")


def points_of(problem: Problem, elapsed: float) -> dict[sp.Basic, np.ndarray]:
    """Parameters, and places over the whole box, walls included and centres not."""
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    ends = [(float(sample(a.lower, values)), float(sample(a.upper, values))) for a in problem.axes]
    lines = [np.linspace(low, high, _PLACES[len(ends)]) for low, high in ends]
    for line, axis in zip(lines, problem.axes, strict=True):
        if has_centre(problem, axis):
            line[0] = line[1] / 2
    values |= {
        a.symbol: g.ravel() for a, g in zip(problem.axes, np.meshgrid(*lines, indexing="ij"), strict=True)
    }
    if problem.time is not None:
        start = float(sample(problem.time.lower, values))
        values[problem.time.symbol] = np.asarray(start + elapsed)
    return values


def still_solution(problem: Problem, shapes: Mapping[str, Shape]) -> Sequence[sp.Expr]:
    return tuple(solution_of(problem, shapes, None, False).values())
