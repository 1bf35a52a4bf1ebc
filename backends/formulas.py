"""Formulas evaluated in plain NumPy: slow, obvious, and independent of the lowering to JAX. No SymPy."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nablax.backends.noise import noise
from nablax.backends.quadrature import integrate
from nablax.formula import Formula, Step
from nablax.outline import Outline
from nablax.plan import GridAxis
from nablax.pointwise import POINTWISE


class FormulaError(Exception):
    """A formula that these nodes cannot answer; the message says what in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The grid a formula is evaluated on. `accuracy` is the order of differences and integrals."""

    grid: tuple[GridAxis, ...]
    accuracy: int

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(a.points for a in self.grid)

    def coordinate(self, axis: int) -> np.ndarray:
        """The points of an axis, shaped to broadcast: (1, points, 1) and so on."""
        line = self.grid[axis]
        return self._along(axis, line.first + line.spacing * np.arange(line.points))

    def wavenumber(self, axis: int) -> np.ndarray:
        """The angular wavenumbers of an axis in the order of NumPy's FFT, shaped to broadcast."""
        line = self.grid[axis]
        return self._along(axis, 2 * np.pi * np.fft.fftfreq(line.points, line.spacing))

    def _along(self, axis: int, values: np.ndarray) -> np.ndarray:
        return values.reshape([-1 if i == axis else 1 for i in range(len(self.grid))])


def frame_values(
    outline: Outline, t: float, fields: Mapping[str, np.ndarray], params: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """What formulas may name on a frame: coordinates, time, parameters and the components in `fields`."""
    place = Place(outline.grid, outline.accuracy)
    values = {axis.name: place.coordinate(i) for i, axis in enumerate(outline.grid)}
    if outline.time is not None:
        values[outline.time] = np.asarray(t)
    return values | {name: np.asarray(value) for name, value in params.items()} | dict(fields)


def evaluate_formula(formula: Formula, values: Mapping[str, np.ndarray], place: Place) -> np.ndarray:
    """The formula's value on the nodes: an array that broadcasts to the grid, 0-dimensional if constant.

    `values` holds coordinates, time, parameters and components by name. Derivatives along an axis are
    spectral where it is periodic and finite differences elsewhere; reductions act on this one frame.
    Raises `FormulaError` for anything the nodes cannot answer.
    """
    found: list[np.ndarray] = []
    with np.errstate(all="ignore"):
        for step in formula:
            found.append(apply(step, [found[i] for i in step.operands], values, place))
    return found[-1]


def apply(
    step: Step, operands: Sequence[np.ndarray], values: Mapping[str, np.ndarray], place: Place
) -> np.ndarray:
    """The value of one step from those of its operands. Raises `FormulaError`."""

    def full() -> np.ndarray:
        return np.broadcast_to(operands[0], place.shape)

    match step.operation:
        case "number":
            real, imaginary = step.value
            return np.asarray(real if imaginary == 0 else complex(real, imaginary))
        case "name":
            if step.name not in values:
                raise FormulaError(f"`{step.name}` has no values on the grid")
            return np.asarray(values[step.name])
        case "wavenumber":
            return place.wavenumber(step.along[0])
        case "noise":
            return noise(step.along[0], place.shape)
        case "derivative":
            return differentiate(full(), place, step.along)
        case "integral" | "mean":
            return _integrated(full(), place, step.along, step.operation == "mean")
        case "maximum":
            return np.asarray(np.max(full()))
        case "minimum":
            return np.asarray(np.min(full()))
        case "multiplier":
            return _multiplied(step.name, full(), operands[1], place)
        case "piecewise":
            return _piecewise(list(zip(operands[::2], operands[1::2], strict=True)))
    try:
        return np.asarray(POINTWISE[step.operation](*operands))
    except (TypeError, ValueError) as error:
        raise FormulaError(f"`{step.operation}` cannot take its arguments ({error})") from None


def _integrated(values: np.ndarray, place: Place, along: Sequence[int], mean: bool) -> np.ndarray:
    result = integrate(values, place.grid, along, place.accuracy)
    if mean:
        result = result / np.prod([place.grid[i].length for i in along])
    return result.reshape(()) if len(along) == len(place.grid) else result


def _piecewise(branches: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    result = np.asarray(np.nan)
    for value, condition in reversed(branches):
        result = np.where(condition, value, result)
    return result


def _multiplied(name: str, field: np.ndarray, factor: np.ndarray, place: Place) -> np.ndarray:
    if not all(a.periodic for a in place.grid):
        raise FormulaError(f"`{name}` is evaluated on periodic axes only")
    result = np.fft.ifftn(np.fft.fftn(field) * factor)
    return result if np.iscomplexobj(field) else result.real


def differentiation_matrix(axis: GridAxis, order: int, accuracy: int) -> np.ndarray:
    """The dense matrix (points, points) of d^order/dx^order on nodal values.

    Periodic: the derivative of the trigonometric interpolant, where the highest mode of an even number
    of points counts as a cosine. Bounded: the derivative at each node of the polynomial through the
    nearest nodes, with an error of O(h^accuracy).
    """
    n = axis.points
    if order == 0:
        return np.eye(n)
    if axis.periodic:
        k = 2 * np.pi * np.fft.fftfreq(n, axis.spacing)
        symbol = (1j * k) ** order
        if order % 2 and n % 2 == 0:
            symbol[n // 2] = 0
        transform = np.fft.fft(np.eye(n), axis=0)
        return np.real(np.conj(transform.T) / n @ (symbol[:, None] * transform))
    width = min(n, order + accuracy)
    matrix = np.zeros((n, n))
    for row in range(n):
        first = min(max(row - width // 2, 0), n - width)
        columns = np.arange(first, first + width)
        # Weights that are exact for 1, s, ..., s^(width-1) with s the distance in cells.
        powers = np.vander((columns - row).astype(float), width, increasing=True).T
        moments = np.zeros(width)
        if order < width:
            moments[order] = math.factorial(order)
        matrix[row, columns] = np.linalg.solve(powers, moments) / axis.spacing**order
    return matrix


def differentiate(values: np.ndarray, place: Place, orders: Sequence[int]) -> np.ndarray:
    """The derivative with the given order along each axis, of nodal values of the grid's shape."""
    for i, (axis, order) in enumerate(zip(place.grid, orders, strict=True)):
        if order > 0:
            matrix = differentiation_matrix(axis, order, place.accuracy)
            values = np.moveaxis(np.tensordot(matrix, values, axes=(1, i)), 0, i)
    return values
