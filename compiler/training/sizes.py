"""How many numbers a network trains, and what least squares on them needs: known before any is drawn."""

from collections.abc import Sequence

from nablax.models import Fourier, Model
from nablax.problem import Axis, Problem

DOUBLE = 8  # bytes


def trained_numbers(problem: Problem, model: Model) -> int:
    """Weights of the network of the fields and of every unknown field, and the unknown parameters."""
    axes = problem.axes if problem.time is None else (*problem.axes, problem.time)
    total = _network(model, axes, model.outputs(problem)) + sum(p.unknown for p in problem.parameters)
    for coefficient in problem.coefficients:
        own = [next(a for a in axes if a.symbol == x) for x in coefficient.value.args]
        total += _network(model, own, 1)
    return total


def least_squares_bytes(numbers: int, rows: int) -> int:
    """Memory of a Levenberg–Marquardt step: the rows of the Jacobian of one place, twice, and
    the normal matrix, damped and factored."""
    return DOUBLE * numbers * (2 * rows + 3 * numbers)


def _network(model: Model, axes: Sequence[Axis], outputs: int) -> int:
    sizes = [(a.size or 1) * (2 * model.harmonics if a.periodic else 1) for a in axes]
    if model.architecture == "separable":
        return sum(_body(model, n, model.rank * outputs) for n in sizes)
    return _body(model, sum(sizes), outputs)


def _body(model: Model, inputs: int, outputs: int) -> int:
    """One network behind its features."""
    features, width, depth = model.features, model.width, model.depth
    if features is None and model.architecture == "pirate":
        features = Fourier(max(width // 2, 1))
    frequencies = 0
    if features is not None:
        frequencies, inputs = features.count * inputs, 2 * features.count
    outer, inner = model.factorised is not None, model.factorised is not None and not model.ternary
    first, last = _affine(inputs, width, outer), _affine(width, outputs, outer)
    hidden = _affine(width, width, inner)
    match model.architecture:
        case "mlp" | "separable":
            return frequencies + first + (depth - 1) * hidden + last
        case "modified_mlp":
            return frequencies + 3 * first + (depth - 1) * hidden + last
        case "pirate":
            lift = 0 if inputs == width else first
            return frequencies + lift + 2 * hidden + depth * (3 * hidden + 1) + last


def _affine(inputs: int, outputs: int, factorised: bool) -> int:
    return inputs * outputs + (2 if factorised else 1) * outputs
