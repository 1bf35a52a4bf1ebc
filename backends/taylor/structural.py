"""Linear and piecewise linear equations: they act on every coefficient, or choose by the value."""

from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core as jex

from nablax.backends.taylor.element import Element, constant, each, is_constant, lifted, padded
from nablax.backends.taylor.interpreter import (
    Rule,
    Scope,
    algebraic,
    bind,
    function_of,
    operation_of,
    shaped,
    value_of,
)
from nablax.derivatives.algebra import Algebra

Inputs = Sequence[Element]


def linear(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    """Linear in the first operand; the others stand still."""
    x, *fixed = inputs
    rest = [value_of(c, v) for c, v in zip(fixed, equation.invars[1:], strict=True)]
    operation = operation_of(equation)
    return each(algebra, lambda c: operation(c, *rest), x)


def collective(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    """Sums and permutations over mesh axes: linear in each of any number of operands."""
    return [each(scope.algebra, operation_of(equation), padded(x, scope.algebra.size)) for x in inputs]


def conversion(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    if jnp.issubdtype(equation.params["new_dtype"], jnp.inexact):
        return linear(algebra, equation, inputs)
    return locally_constant(algebra, equation, inputs)


def gather(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    """Out of bounds, the value is what the program says and its derivatives are zero."""
    operand, indices = inputs
    at = value_of(indices, equation.invars[1])
    derivative = operation_of(equation.replace(params={**equation.params, "fill_value": 0}))
    value = None if operand[0] is None else operation_of(equation)(operand[0], at)
    return (value, *each(algebra, lambda c: derivative(c, at), operand)[1:])


def jointly_linear(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    """Linear in all its floating-point operands together; indices and predicates stand still."""
    function = operation_of(equation)
    moving = [bool(jnp.issubdtype(shaped(v).dtype, jnp.inexact)) for v in equation.invars]
    values = [value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True)]
    result: list[jax.Array | None] = []
    for k in range(algebra.size):
        present = [n for n, x in enumerate(inputs) if moving[n] and x[k] is not None]
        if not present:
            result.append(None)
            continue

        def operation(*arrays: jax.Array, present: Sequence[int] = present) -> jax.Array:
            given = dict(zip(present, arrays, strict=True))
            arguments = [
                given[n] if n in given else (jnp.zeros_like(v) if moving[n] else v)
                for n, v in enumerate(values)
            ]
            return function(*arguments)

        arrays = [c for c in (inputs[n][k] for n in present) if c is not None]
        result.append(lifted(algebra, operation, [k] * len(arrays), arrays))
    return tuple(result)


def locally_constant(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    """No derivatives: rounding, signs, stopped gradients."""
    (value,) = bind(equation, [value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True)])
    return padded(constant(value), algebra.size)


def masked(algebra: Algebra, value: jax.Array, choices: Sequence[tuple[jax.Array, Element]]) -> Element:
    """The value, and Σ mask · coefficient above it: weights that do not change with the point."""
    result: list[jax.Array | None] = [value]
    for k in range(1, algebra.size):
        coefficient: jax.Array | None = None
        for mask, x in choices:
            own = x[k]
            if own is not None:
                part = lifted(algebra, jnp.multiply, (0, k), (mask, own))
                coefficient = part if coefficient is None else coefficient + part
        result.append(coefficient)
    return tuple(result)


def larger(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    """max and min: where the operands are equal, half of each, as JAX differentiates them."""
    x, y = (value_of(c, v) for c, v in zip(inputs, equation.invars, strict=True))
    (value,) = bind(equation, [x, y])
    tie = jnp.where(x == y, 0.5, 1.0).astype(value.dtype)
    choices = [(jnp.where(v == value, tie, 0), c) for v, c in zip((x, y), inputs, strict=True)]
    return masked(algebra, value, choices)


def clamp(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    low, x, high = (value_of(c, v) for c, v in zip(inputs, equation.invars, strict=True))
    (value,) = bind(equation, [low, x, high])
    masks = (low > x, (low < x) & (x < high), high < x)
    choices = [(mask.astype(value.dtype), c) for mask, c in zip(masks, inputs, strict=True)]
    return masked(algebra, value, choices)


def absolute(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> Sequence[Element]:
    if jnp.issubdtype(shaped(equation.invars[0]).dtype, jnp.complexfloating):
        return scope.fallback(scope, equation, inputs)
    return algebraic(_absolute)(scope, equation, inputs)


def _absolute(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    (x,) = inputs
    value = value_of(x, equation.invars[0])
    return masked(algebra, jnp.abs(value), [(jnp.sign(value), x)])


def remainder(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    x, y = (value_of(c, v) for c, v in zip(inputs, equation.invars, strict=True))
    value = lax.rem(x, y)
    return masked(algebra, value, [(jnp.ones_like(value), inputs[0]), (-((x - value) / y), inputs[1])])


def extremum(algebra: Algebra, equation: jex.JaxprEqn, inputs: Inputs) -> Element:
    """reduce_max and reduce_min: the mean over the places where it is taken."""
    (x,) = inputs
    operand = value_of(x, equation.invars[0])
    (value,) = bind(equation, [operand])
    axes = tuple(equation.params["axes"])
    places = (operand == jnp.expand_dims(value, axes)).astype(operand.dtype)
    weights = places / jnp.sum(places, axis=axes, keepdims=True)
    above = each(algebra, lambda c: jnp.sum(weights * c, axis=axes), x)
    return (value, *above[1:])


def sorting(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    """The permutation that sorts the values carries the coefficients along."""
    values = [value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True)]
    axis = equation.params["dimension"]
    places = lax.broadcasted_iota(jnp.int32, values[0].shape, axis)
    *results, order = lax.sort(
        (*values, places),
        dimension=axis,
        is_stable=equation.params["is_stable"],
        num_keys=equation.params["num_keys"],
    )
    carried = partial(jnp.take_along_axis, indices=order, axis=axis)
    return [
        constant(r)
        if is_constant(x)
        else (r, *each(scope.algebra, carried, padded(x, scope.algebra.size))[1:])
        for r, x in zip(results, inputs, strict=True)
    ]


def barrier(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    """All coefficients of all operands cross an optimisation barrier together."""
    leaves, tree = jax.tree.flatten(list(inputs))
    result: list[Element] = jax.tree.unflatten(tree, function_of(equation)(*leaves))
    return result


LINEAR = (
    *(
        "neg",
        "reduce_sum",
        "reshape",
        "broadcast_in_dim",
        "transpose",
        "squeeze",
        "expand_dims",
        "slice",
        "rev",
    ),
    *(
        "real",
        "imag",
        "conj",
        "copy",
        "cumsum",
        "reduce_precision",
        "reduce_window_sum",
        "fft",
        "dynamic_slice",
    ),
    *("select_and_scatter_add", "select_and_gather_add", "sharding_constraint", "reshard", "mesh_cast"),
    *("layout_constraint", "name"),
)
COLLECTIVE = (
    *("psum", "psum2", "psum_invariant", "all_gather", "all_gather_invariant", "all_to_all", "ppermute"),
    *("reduce_scatter", "pbroadcast", "pvary", "pcast", "device_put", "copy_p"),
)
JOINTLY_LINEAR = (
    *("concatenate", "pad", "select_n", "dynamic_update_slice", "complex"),
    *("scatter", "scatter-add", "scatter_add", "scatter_sub"),
)
LOCALLY_CONSTANT = ("floor", "ceil", "round", "stop_gradient", "nextafter")

RULES: Mapping[str, Rule] = {
    **{name: algebraic(linear) for name in LINEAR},
    **dict.fromkeys(COLLECTIVE, collective),
    **{name: algebraic(jointly_linear) for name in JOINTLY_LINEAR},
    **{name: algebraic(locally_constant) for name in LOCALLY_CONSTANT},
    "convert_element_type": algebraic(conversion),
    "gather": algebraic(gather),
    "max": algebraic(larger),
    "min": algebraic(larger),
    "abs": absolute,
    "clamp": algebraic(clamp),
    "rem": algebraic(remainder),
    "reduce_max": algebraic(extremum),
    "reduce_min": algebraic(extremum),
    "sort": sorting,
    "optimization_barrier": barrier,
}
