"""`expect` for a trained field: both sides at 10⁴ Sobol points, derivatives by the network's own."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from scipy.stats import qmc

from nablax.backends.expectations import SLACK, TOLERANCE, Measure, Verdict
from nablax.backends.residuals.evaluate import values_at
from nablax.backends.residuals.field import Field, FieldError, PyTree
from nablax.backends.residuals.layout import columns, layout
from nablax.backends.residuals.regions import inside
from nablax.derivatives.evaluation import make_evaluation
from nablax.derivatives.statements import INSIDE, Statement
from nablax.passes.expansion import is_real
from nablax.passes.jets import expand
from nablax.problem import Expectation, Problem
from nablax.reductions import Integral, Maximum, Mean, Minimum, Noise
from nablax.region import share
from nablax.sampling import sample

POINTS = 10_000
MOST_DRAWN = 1 << 22  # of a thin region, which then has fewer points
MOMENTS = 21  # of `always`
_REDUCTIONS = (Integral, Mean, Maximum, Minimum)


class Unanswerable(Exception):
    """A statement that scattered points cannot answer; the message says why."""


@dataclass(frozen=True, slots=True)
class _Sides:
    left: tuple[Array, ...]
    right: tuple[Array, ...]
    within: float


def judge(field: Field, params: PyTree, members: int, dtype: str) -> tuple[Verdict, ...]:
    """One verdict a statement, in the order of the text; sides are means over the members of an ensemble."""
    return tuple(_verdict(e, field, params, members, dtype) for e in field.problem.expectations)


def _verdict(e: Expectation, field: Field, params: PyTree, members: int, dtype: str) -> Verdict:
    problem = field.problem
    text = " ".join(problem.source.slice(e.span).split())
    worst: tuple[float, Measure, float, float, float | None] | None = None
    try:
        for t in _moments(problem, e):
            found = (*_measured(e, _sides(e, field, params, members, _points(problem, t, dtype))), t)
            if worst is None or found[0] > worst[0]:
                worst = found
    except (Unanswerable, FieldError, KeyError, TypeError, ValueError) as error:
        measure: Measure = "error" if e.relation == "≈" else "value"
        return Verdict(text, e.span, False, measure, None, np.nan, None, str(error))
    assert worst is not None
    margin, measure, value, bound, t = worst
    return Verdict(text, e.span, margin <= 0, measure, value, bound, t)


def _moments(problem: Problem, e: Expectation) -> tuple[float | None, ...]:
    if problem.time is None:
        return (None,)
    slot = layout(problem)[-1]
    if e.always:
        return tuple(float(t) for t in np.linspace(slot.low, slot.high, MOMENTS))
    nominal = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    return (slot.high if e.at is None else float(sample(e.at, nominal)),)


def _points(problem: Problem, t: float | None, dtype: str) -> Array:
    """Sobol points of the box [POINTS, axes], or about as many of a region; at one time if there is one."""
    slots = layout(problem)
    free = [s for s in slots if t is None or s.axis is not problem.time]
    count = min(int(POINTS / share(problem)), MOST_DRAWN)
    cube = qmc.Sobol(sum(s.size for s in free), rng=0).random_base2(count.bit_length())[:count]
    z = np.zeros((count, columns(problem)))
    taken = 0
    for slot in slots:
        if slot in free:
            z[:, slot.columns] = slot.low + (slot.high - slot.low) * cube[:, taken : taken + slot.size]
            taken += slot.size
        else:
            z[:, slot.columns] = t
    points = jnp.asarray(z, dtype)
    return points[np.flatnonzero(inside(problem, z))] if problem.cuts else points


def _sides(e: Expectation, field: Field, params: PyTree, members: int, z: Array) -> _Sides:
    reader = _Reader(field, params, members, z)
    left, right = (tuple(reader.value(v) for v in _entries(side)) for side in (e.left, e.right))
    within = TOLERANCE if e.within is None else float(np.real(np.asarray(reader.value(e.within))))
    return _Sides(left, right, within)


def _entries(side: sp.Basic) -> tuple[sp.Expr, ...]:
    if isinstance(side, sp.MatrixBase):
        return tuple(side)
    return tuple(side.args) if isinstance(side, sp.Tuple) else (side,)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Expressions of a spec as values at points: [points], or a number where there are reductions only."""

    field: Field
    params: PyTree
    members: int
    z: Array

    def value(self, expression: sp.Expr) -> Array:
        if expression.has(Noise):
            raise Unanswerable("noise has no values between the points of a grid")
        reductions = sorted(expression.atoms(*_REDUCTIONS), key=lambda r: -sp.count_ops(r))
        outer = [r for r in reductions if not any(r is not o and o.has(r) for o in reductions)]
        known = {r: (sp.Dummy(), self._reduced(r)) for r in outer}
        plain = expression.xreplace({r: stand_in for r, (stand_in, _) in known.items()})
        found = self._plain(plain, dict(known.values()))
        fields = plain.free_symbols & set(self.field.problem.symbols)
        return found if fields or plain.atoms(sp.core.function.AppliedUndef) else found[0]

    def _plain(self, expression: sp.Expr, extra: dict[sp.Basic, Array]) -> Array:
        problem = self.field.problem
        value = expand(expression, is_real(problem))
        statement = Statement("value", INSIDE, (value,), False, problem.span)
        evaluation = make_evaluation(problem, (statement,), "exact")

        def one(params: PyTree) -> Array:
            return values_at(self.field, evaluation, params, self.z, extra)["value"]

        if self.members == 1:
            return one(self.params)
        return jnp.mean(jax.vmap(one)(self.params), axis=0)

    def _reduced(self, reduction: sp.Function) -> Array:
        problem = self.field.problem
        if len(reduction.args) > 1 and len(reduction.args) - 1 < len(problem.axes):
            raise Unanswerable("an integral along some axes only needs a grid")
        if problem.coordinates != "cartesian" and isinstance(reduction, Integral | Mean):
            raise Unanswerable("integrals in curvilinear coordinates need a grid")
        inner = jnp.broadcast_to(self.value(reduction.args[0]), self.z.shape[:1])
        if isinstance(reduction, Maximum):
            return jnp.max(inner)
        if isinstance(reduction, Minimum):
            return jnp.min(inner)
        mean = jnp.mean(inner)
        if isinstance(reduction, Mean):
            return mean
        slots = layout(problem)[: len(problem.axes)]
        return mean * share(problem) * float(np.prod([(s.high - s.low) ** s.size for s in slots]))


def _measured(e: Expectation, sides: _Sides) -> tuple[float, Measure, float, float]:
    """(margin, measure, measured, bound): a margin above 0 is a miss."""
    if e.relation == "≈":
        return _closeness(sides)
    sign = 1.0 if e.relation in ("<", "<=") else -1.0
    left, right = np.asarray(sides.left[0]).real, np.asarray(sides.right[0]).real
    excess = sign * (left - right)
    margin = float(np.max(excess - SLACK * np.maximum(1.0, np.abs(right))))
    margin = np.inf if np.isnan(margin) else margin
    if right.ndim == 0:
        return margin, "value", sign * float(np.max(sign * left)), float(right)
    return margin, "excess", float(np.max(excess)), 0.0


def _closeness(sides: _Sides) -> tuple[float, Measure, float, float]:
    right = sides.right * len(sides.left) if len(sides.right) == 1 else sides.right
    error = _size([a - b for a, b in zip(sides.left, right, strict=True)])
    scale = _size(right)
    scalar = all(np.ndim(v) == 0 for v in (*sides.left, *right))
    measures: tuple[Measure, Measure] = (
        ("relative error", "error") if scalar else ("relative L2 error", "L2 error")
    )
    value = error / scale if scale else error
    margin = value - sides.within
    return (np.inf if np.isnan(margin) else margin), measures[0 if scale else 1], value, sides.within


def _size(parts: Sequence[Array]) -> float:
    """Root of the sum over parts of their mean squares."""
    return float(np.sqrt(sum(np.mean(np.abs(np.asarray(p)) ** 2) for p in parts)))
