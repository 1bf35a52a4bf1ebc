"""Formulas averaged over the cells of finite volumes, in plain NumPy.

What the fields hold are averages, so what they are compared with has to be averages too: of points, the two
differ at second order. Inside a cell a field is the polynomial of degree four with its own average and
those of the nearest cells, flattened beside jumps; whatever a formula makes of it, and of coordinates, is
taken at Gauss nodes and averaged. Derivatives and reductions act on averages.
"""

from collections.abc import Mapping
from functools import cache
from itertools import product

import numpy as np

from nablax.backends.formulas import FormulaError, Place, apply
from nablax.backends.quadrature import cell_rule
from nablax.backends.smooth_rows import smoothness
from nablax.formula import Formula, Step

WIDTH = 5  # averages that make the polynomial in a cell
GATHERING = ("derivative", "integral", "mean", "maximum", "minimum", "multiplier", "noise")
JUMPING = ("piecewise", "sign", "floor", "ceiling", "Heaviside", "Abs", "Max", "Min", "arg")


def average_formula(formula: Formula, values: Mapping[str, np.ndarray], place: Place) -> np.ndarray:
    """The average over every cell, an array that broadcasts to the grid; 0-dimensional if constant.

    `values` holds coordinates, time, parameters, and the cell averages of components, by name. Raises
    `FormulaError` for anything that averages cannot answer.
    """
    with np.errstate(all="ignore"):
        return _Averages(formula, values, place).of(len(formula) - 1)


class _Averages:
    """The averages of the steps of one formula, each computed once."""

    def __init__(self, formula: Formula, values: Mapping[str, np.ndarray], place: Place) -> None:
        self._formula = formula
        self._values = values
        self._place = place
        self._axes = {axis.name: k for k, axis in enumerate(place.grid)}
        self._found: dict[int, np.ndarray] = {}

    def of(self, index: int) -> np.ndarray:
        if index not in self._found:
            self._found[index] = self._average(index)
        return self._found[index]

    def _average(self, index: int) -> np.ndarray:
        step = self._formula[index]
        if step.operation == "name" and step.name not in self._axes:
            return apply(step, [], self._values, self._place)
        if step.operation == "multiplier":
            factor = self._pointwise(step.operands[1], {}, {})
            return apply(step, [self.of(step.operands[0]), factor], self._values, self._place)
        if step.operation in GATHERING:
            return apply(step, [self.of(i) for i in step.operands], self._values, self._place)
        held = self._held(index)
        arrays = any(self.of(i).ndim for i in held if self._gathered(self._formula[i]))
        used = {self._axes[s.name] for i in held if (s := self._formula[i]).name in self._axes}
        along = range(len(self._place.grid)) if arrays else sorted(used)
        rough = not arrays and any(self._formula[i].operation in JUMPING for i in held)
        nodes, weights = cell_rule(len(self._place.grid), rough)
        total: np.ndarray | None = None
        for picked in product(range(len(nodes)), repeat=len(along)):
            shifts = {k: float(nodes[i]) for k, i in zip(along, picked, strict=True)}
            part = np.prod(weights[list(picked)]) * self._pointwise(index, shifts, {})
            total = part if total is None else total + part
        assert total is not None
        return np.asarray(total)

    def _gathered(self, step: Step) -> bool:
        """Whether a step has an average of its own, and is no function of other averages at a point."""
        return step.operation in GATHERING or (step.operation == "name" and step.name not in self._axes)

    def _held(self, index: int) -> set[int]:
        """A step and those that it is made of at a point."""
        found, waiting = set(), [index]
        while waiting:
            i = waiting.pop()
            if i not in found:
                found.add(i)
                if not self._gathered(self._formula[i]):
                    waiting += self._formula[i].operands
        return found

    def _pointwise(self, index: int, shifts: Mapping[int, float], done: dict[int, np.ndarray]) -> np.ndarray:
        """The value at the centres of the cells, moved by `shifts` (cells) along axes."""
        if index in done:
            return done[index]
        step = self._formula[index]
        if self._gathered(step):
            value = inside(self.of(index), self._place, shifts)
        elif step.operation == "name":
            axis = self._axes[step.name]
            moved = shifts.get(axis, 0.0) * self._place.grid[axis].spacing
            value = self._place.coordinate(axis) + moved
        else:
            operands = [self._pointwise(i, shifts, done) for i in step.operands]
            value = apply(step, operands, self._values, self._place)
        done[index] = value
        return value


def inside(averages: np.ndarray, place: Place, shifts: Mapping[int, float]) -> np.ndarray:
    """Values in every cell at one place, `shifts` cells from the centre along each axis, from averages."""
    for k, shift in shifts.items():
        if averages.ndim == 0 or averages.shape[k] == 1:
            continue
        axis = place.grid[k]
        if axis.n < WIDTH:
            raise FormulaError(f"`{axis.name}` has fewer than {WIDTH} cells")
        columns, offsets = _windows(axis.n, axis.periodic)
        lines = np.moveaxis(averages, k, -1)
        near = lines[..., columns]
        weights = np.array([_weights(int(o), shift) for o in offsets])
        curved = np.sum(near * weights, axis=-1)
        smooth = smoothness([near[..., j] for j in range(WIDTH)])
        averages = np.moveaxis(lines + smooth * (curved - lines), -1, k)
    return averages


def _windows(n: int, periodic: bool) -> tuple[np.ndarray, np.ndarray]:
    """The cells that each cell reads, shape (n, WIDTH), and where it stands among them."""
    cells = np.arange(n)
    first = cells - WIDTH // 2
    if not periodic:
        first = np.clip(first, 0, n - WIDTH)
    return (first[:, None] + np.arange(WIDTH)) % n, cells - first


@cache
def _weights(offset: int, shift: float) -> tuple[float, ...]:
    """Weights of averages over WIDTH cells in a row for the value in the `offset`-th of them."""
    powers = np.arange(WIDTH)
    left = np.arange(WIDTH)[:, None] - offset - 0.5
    averages = ((left + 1) ** (powers + 1) - left ** (powers + 1)) / (powers + 1)
    return tuple(np.linalg.solve(averages.T, shift**powers).tolist())
