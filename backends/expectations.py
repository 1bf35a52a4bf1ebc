"""`expect`: statements about a run, judged frame by frame as the frames come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Literal

import numpy as np

from nablax.backends.cell_formulas import average_formula
from nablax.backends.formulas import FormulaError, Place, evaluate_formula, frame_values
from nablax.backends.frames import Frame
from nablax.backends.quadrature import norm
from nablax.formula import Formula
from nablax.frontend.source import Span
from nablax.outline import Outline, Statement

TOLERANCE = 1e-6  # of `≈` without `within`
SLACK = 1e-9  # of inequalities, relative to max(1, |right side|)

Evaluate = Callable[[Formula, Mapping[str, np.ndarray], Place], np.ndarray]
Measure = Literal["relative L2 error", "L2 error", "relative error", "error", "value", "excess"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one statement of `expect`.

    `measured` is an error for `≈`, the extreme of the left side for an inequality with a number on the
    right, and the largest excess of the left side over the right for one with a field; None when its
    frame was not reached or the statement could not be evaluated (`reason` says which). `t` is the frame
    that decided: for `always` the worst one.
    """

    text: str
    span: Span
    passed: bool
    measure: Measure
    measured: float | None
    bound: float
    t: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One statement on one frame. `margin` > 0 misses; the larger, the worse."""

    margin: float
    measure: Measure
    measured: float
    bound: float
    t: float


class Judge:
    """Sees every frame once and keeps, per statement, the reading that decides."""

    def __init__(self, outline: Outline, params: Mapping[str, float]) -> None:
        self._outline = outline
        self._params = params
        self._place = Place(outline.grid, outline.accuracy)
        # Averages are compared with averages, and values at nodes with values there.
        self._evaluate: Evaluate = average_formula if outline.method == "fv" else evaluate_formula
        self._frames = [_frame_index(s, outline, params) for s in outline.statements]
        self._readings: dict[int, _Reading] = {}
        self._refusals = {i: s.refusal for i, s in enumerate(outline.statements) if s.refusal}

    def see(self, frame: Frame) -> None:
        values = None
        for i, (statement, index) in enumerate(zip(self._outline.statements, self._frames, strict=True)):
            if i in self._refusals or (index is not None and index != frame.index):
                continue
            if values is None:
                values = frame_values(self._outline, frame.t, frame.fields, self._params)
            try:
                reading = _read(statement, values, self._place, frame.t, self._evaluate)
            except FormulaError as error:
                self._refusals[i] = str(error)
                continue
            before = self._readings.get(i)
            if before is None or not reading.margin <= before.margin:
                self._readings[i] = reading

    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict per statement, in the order of the text."""
        return tuple(self._verdict(i, s) for i, s in enumerate(self._outline.statements))

    def _verdict(self, i: int, statement: Statement) -> Verdict:
        text = " ".join(self._outline.source.slice(statement.span).split())
        reading = self._readings.get(i)
        if reading is None or i in self._refusals:
            reason = self._refusals.get(i, "the run did not get there")
            measure: Measure = "error" if statement.relation == "≈" else "value"
            return Verdict(text, statement.span, False, measure, None, np.nan, None, reason)
        passed = bool(reading.margin <= 0)
        return Verdict(
            text, statement.span, passed, reading.measure, reading.measured, reading.bound, reading.t
        )


def _frame_index(statement: Statement, outline: Outline, params: Mapping[str, float]) -> int | None:
    """The frame a statement speaks of; None for every frame."""
    if statement.always:
        return None
    if statement.at is None:
        return len(outline.frames) - 1
    values = {name: np.asarray(value) for name, value in params.items()}
    place = Place(outline.grid, outline.accuracy)
    at = float(np.real(evaluate_formula(statement.at, values, place)))
    return int(np.argmin(np.abs(np.asarray(outline.frames) - at)))


def _read(
    statement: Statement, values: Mapping[str, np.ndarray], place: Place, t: float, evaluate: Evaluate
) -> _Reading:
    left = [evaluate(f, values, place) for f in statement.left]
    right = [evaluate(f, values, place) for f in statement.right]
    if statement.relation == "≈":
        within = TOLERANCE
        if statement.within is not None:
            within = float(np.real(evaluate_formula(statement.within, values, place)))
        return _closeness(left, right, within, place, t)
    sign = 1.0 if statement.relation in ("<", "<=") else -1.0
    return _inequality(left[0], right[0], sign, t)


def _closeness(
    left: Sequence[np.ndarray], right: Sequence[np.ndarray], within: float, place: Place, t: float
) -> _Reading:
    if len(right) == 1:
        right = [right[0]] * len(left)
    if all(v.ndim == 0 for v in (*left, *right)):
        error = _euclid([abs(complex(a) - complex(b)) for a, b in zip(left, right, strict=True)])
        scale = _euclid([abs(complex(b)) for b in right])
        relative: Measure = "relative error"
        absolute: Measure = "error"
    else:
        a, b = ([np.broadcast_to(v, place.shape) for v in side] for side in (left, right))
        error = _euclid([norm(p - q, place.grid) for p, q in zip(a, b, strict=True)])
        scale = _euclid([norm(q, place.grid) for q in b])
        relative, absolute = "relative L2 error", "L2 error"
    if scale == 0.0:
        return _Reading(_margin(error - within), absolute, error, within, t)
    return _Reading(_margin(error / scale - within), relative, error / scale, within, t)


def _euclid(parts: Sequence[float]) -> float:
    return hypot(*parts)


def _inequality(left: np.ndarray, right: np.ndarray, sign: float, t: float) -> _Reading:
    excess = sign * (left.real - right.real)
    margin = _margin(float(np.max(excess - SLACK * np.maximum(1.0, np.abs(right)))))
    if right.ndim == 0:
        return _Reading(margin, "value", sign * float(np.max(sign * left.real)), float(right.real), t)
    return _Reading(margin, "excess", float(np.max(excess)), 0.0, t)


def _margin(value: float) -> float:
    # A NaN is a miss, and the worst one.
    return np.inf if np.isnan(value) else value
