"""Linear systems: A X = B, solved with A_0 degree by degree."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import jax
import jax.numpy as jnp
from jax.extend import core as jex

from nablax.backends.taylor.control import run
from nablax.backends.taylor.element import (
    Element,
    Terms,
    accumulate,
    contracted,
    lifted,
    padded,
    total,
)
from nablax.backends.taylor.interpreter import (
    Rule,
    Scope,
    algebraic,
    function_of,
    operation_of,
    shaped,
    value_of,
    zeros,
)
from nablax.derivatives.algebra import Algebra


def triangular(algebra: Algebra, equation: jex.JaxprEqn, inputs: Sequence[Element]) -> Element:
    matrix, right = inputs
    params = equation.params
    first = value_of(matrix, equation.invars[0])
    identity = jnp.eye(first.shape[-1], dtype=first.dtype)

    solver = operation_of(equation)

    def solve(b: jax.Array) -> jax.Array:
        return solver(first, b)

    def apply(a: jax.Array, x: jax.Array) -> jax.Array:
        part = jnp.tril(a) if params["lower"] else jnp.triu(a)
        if params["unit_diagonal"]:
            part = part * (1 - identity)
        part = part.conj() if params["conjugate_a"] else part
        part = jnp.swapaxes(part, -1, -2) if params["transpose_a"] else part
        result: jax.Array = part @ x if params["left_side"] else x @ part
        return result

    result: list[jax.Array | None] = [None if right[0] is None else solve(right[0])]
    for k in range(1, algebra.size):
        terms: Terms = {}
        own = right[k]
        if own is not None:
            accumulate(terms, Fraction(1), own)
        both = [(p.left, p.right, p.weight) for p in algebra.products[k]]
        for i, j, weight in [(k, 0, Fraction(1)), *both, *((j, i, w) for i, j, w in both if i != j)]:
            a, x = matrix[i], result[j]
            if a is not None and x is not None:
                value = lifted(algebra, apply, (i, j), (a, x))
                source = i if algebra.has_lanes(i) else j
                accumulate(terms, -weight, contracted(algebra, k, source, value))
        rest = total(terms)
        result.append(None if rest is None else lifted(algebra, solve, (k,), (rest,)))
    return tuple(result)


def implicit(scope: Scope, equation: jex.JaxprEqn, inputs: Sequence[Element]) -> list[Element]:
    """custom_linear_solve: A is a program; its solver is asked once per coefficient."""
    algebra, params = scope.algebra, equation.params
    lengths = params["const_lengths"]
    constants = sum(lengths)
    solver = function_of(equation)
    fixed = [value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True)][:constants]
    of_matrix = list(inputs[: lengths.matvec])
    right = [padded(x, algebra.size) for x in inputs[constants:]]
    nothing = [zeros(shaped(v)) for v in equation.invars[constants:]]
    solution: list[list[jax.Array | None]] = [
        [x]
        for x in solver(
            *fixed, *(value_of(b, v) for b, v in zip(right, equation.invars[constants:], strict=True))
        )
    ]
    for columns in solution:
        columns.extend([None] * (algebra.size - 1))
    for degree in sorted(set(algebra.degrees[1:])):
        applied = run(scope, params["jaxprs"].matvec, [*of_matrix, *(tuple(x) for x in solution)])
        applied = [padded(x, algebra.size) for x in applied]
        for k in (k for k, d in enumerate(algebra.degrees) if d == degree):
            rests = [_difference(b[k], a[k]) for b, a in zip(right, applied, strict=True)]
            present = [n for n, rest in enumerate(rests) if rest is not None]
            if not present:
                continue

            def solve(*given: jax.Array, present: Sequence[int] = present) -> list[jax.Array]:
                columns = list(nothing)
                for n, column in zip(present, given, strict=True):
                    columns[n] = column
                return solver(*fixed, *columns)

            arrays = [rest for rest in rests if rest is not None]
            for n, columns in enumerate(solution):
                columns[k] = lifted(
                    algebra, lambda *given, n=n, solve=solve: solve(*given)[n], [k] * len(arrays), arrays
                )
    return [tuple(columns) for columns in solution]


def _difference(x: jax.Array | None, y: jax.Array | None) -> jax.Array | None:
    if y is None:
        return x
    return -y if x is None else x - y


RULES: Mapping[str, Rule] = {
    "triangular_solve": algebraic(triangular),
    "custom_linear_solve": implicit,
    "linear_solve": implicit,
}
