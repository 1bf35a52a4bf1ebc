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
NOTHING = 1e-12  # a right side so far below the largest of its frames is rounding
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


@dataclass(frozen=True, slots=True)
class _Distance:
    """`≈` on one frame: the norm of the difference, and that of the right side."""

    error: float
    scale: float
    within: float
    numbers: bool
    t: float

    def read(self, largest: float) -> _Reading:
        """Judged by the size of the right side, `largest` over all frames: where it is 0 up to rounding on
        this one, by `largest`, and absolutely where it is 0 on all."""
        scale = self.scale if self.scale > NOTHING * largest else largest
        relative: Measure = "relative error" if self.numbers else "relative L2 error"
        absolute: Measure = "error" if self.numbers else "L2 error"
        error = self.error / scale if scale else self.error
        return _Reading(
            _margin(error - self.within), relative if scale else absolute, error, self.within, self.t
        )


class Judge:
    """Sees every frame once and keeps, per statement, the reading that decides."""

    def __init__(self, outline: Outline, params: Mapping[str, float]) -> None:
        self._outline = outline
        self._params = params
        self._place = Place(outline.grid, outline.accuracy)
        # Averages are compared with averages, and values at nodes with values there.
        self._evaluate: Evaluate = average_formula if outline.method == "fv" else evaluate_formula
        self._frames = [_frame_index(s, outline, params) for s in outline.statements]
        self._readings: dict[int, _Reading] = {}  # of inequalities
        self._distances: dict[int, list[_Distance]] = {}  # of `≈`
        self._largest: dict[int, float] = {}  # norms of its right side
        self._refusals = {i: s.refusal for i, s in enumerate(outline.statements) if s.refusal}

    def see(self, frame: Frame) -> None:
        values = frame_values(self._outline, frame.t, frame.fields, self._params)
        changing = {*frame.fields, *((self._outline.time,) if self._outline.time else ())}
        for i, (statement, index) in enumerate(zip(self._outline.statements, self._frames, strict=True)):
            judged = index is None or index == frame.index
            if i in self._refusals or not (judged or _names(statement.right) & changing):
                continue
            try:
                if statement.relation == "≈":
                    self._compare(i, statement, values, frame.t, judged)
                elif judged:
                    reading = self._order(statement, values, frame.t)
                    before = self._readings.get(i)
                    if before is None or not reading.margin <= before.margin:
                        self._readings[i] = reading
            except FormulaError as error:
                self._refusals[i] = str(error)

    def _compare(
        self, i: int, statement: Statement, values: Mapping[str, np.ndarray], t: float, judged: bool
    ) -> None:
        """The size of the right side of `≈`, and where the frame is judged the distance from it."""
        place = self._place
        right = [self._evaluate(f, values, place) for f in statement.right]
        if not judged:
            numbers = all(v.ndim == 0 for v in right)
            self._enlarge(i, _size(right, numbers, place))
            return
        left = [self._evaluate(f, values, place) for f in statement.left]
        within = TOLERANCE
        if statement.within is not None:
            within = float(np.real(evaluate_formula(statement.within, values, place)))
        found = _distance(left, right, within, place, t)
        self._enlarge(i, found.scale)
        self._distances.setdefault(i, []).append(found)

    def _enlarge(self, i: int, size: float) -> None:
        if np.isfinite(size):
            self._largest[i] = max(self._largest.get(i, 0.0), size)

    def _order(self, statement: Statement, values: Mapping[str, np.ndarray], t: float) -> _Reading:
        left, right = (
            self._evaluate(side[0], values, self._place) for side in (statement.left, statement.right)
        )
        return _inequality(left, right, 1.0 if statement.relation in ("<", "<=") else -1.0, t)

    def _deciding(self, i: int) -> _Reading | None:
        """The worst reading of a statement, the first of equal ones."""
        largest = self._largest.get(i, 0.0)
        readings = [d.read(largest) for d in self._distances.get(i, [])]
        return max(readings, key=lambda r: r.margin) if readings else self._readings.get(i)

    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict per statement, in the order of the text."""
        return tuple(self._verdict(i, s) for i, s in enumerate(self._outline.statements))

    def _verdict(self, i: int, statement: Statement) -> Verdict:
        text = " ".join(self._outline.source.slice(statement.span).split())
        reading = self._deciding(i)
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


def _names(formulas: Sequence[Formula]) -> set[str]:
    return {step.name for formula in formulas for step in formula if step.operation == "name"}


def _distance(
    left: Sequence[np.ndarray], right: Sequence[np.ndarray], within: float, place: Place, t: float
) -> _Distance:
    if len(right) == 1:
        right = [right[0]] * len(left)
    numbers = all(v.ndim == 0 for v in (*left, *right))
    error = _size([a - b for a, b in zip(left, right, strict=True)], numbers, place)
    return _Distance(error, _size(right, numbers, place), within, numbers, t)


def _size(values: Sequence[np.ndarray], numbers: bool, place: Place) -> float:
    """The modulus of numbers, the L2 norm of fields, over all components."""
    if numbers:
        return hypot(*(abs(complex(v)) for v in values))
    return hypot(*(norm(np.broadcast_to(v, place.shape), place.grid) for v in values))


def _inequality(left: np.ndarray, right: np.ndarray, sign: float, t: float) -> _Reading:
    excess = sign * (left.real - right.real)
    margin = _margin(float(np.max(excess - SLACK * np.maximum(1.0, np.abs(right)))))
    if right.ndim == 0:
        return _Reading(margin, "value", sign * float(np.max(sign * left.real)), float(right.real), t)
    return _Reading(margin, "excess", float(np.max(excess)), 0.0, t)


def _margin(value: float) -> float:
    # A NaN is a miss, and the worst one.
    return np.inf if np.isnan(value) else value
