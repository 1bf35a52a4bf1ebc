"""Equations without a rule, exactly: by their derivative rule in the algebra, or by nested forward mode.

The grading gives a derivation D of the algebra, D e_k = deg(k) e_k, so deg(k) y_k is coefficient k of Dy
= f'(z)[Dz]: the equation's own derivative rule, interpreted on z and on Dz. As Dz has no value,
coefficient k needs f'(z) in lower degrees only; a rule that calls its function again therefore comes to
an end, and custom rules are honoured as they are. What is left (a primitive without a rule applied to
tangents and to moving values at once) expands into directional derivatives of higher order, by nested
forward mode of that one equation.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
from jax.extend import core as jex

from nablax.backends.taylor.element import (
    Element,
    Terms,
    accumulate,
    contracted,
    is_constant,
    lifted,
    padded,
    scaled,
    total,
)
from nablax.backends.taylor.interpreter import Scope, function_of, interpret, shaped, value_of
from nablax.derivatives.algebra import Algebra

Function = Callable[..., list[jax.Array]]


def fallback(scope: Scope, equation: jex.JaxprEqn, inputs: Sequence[Element]) -> list[Element]:
    """Any equation that JAX can differentiate."""
    if not any(_moves(v) for v in equation.outvars):
        return _values(equation, inputs)
    if any(x[0] is None for x in inputs):
        moving = [x for x in inputs if not is_constant(x)]
        if all(x[0] is None for x in moving):
            return _linearly(scope, equation, inputs)
        return _nested(scope, equation, inputs)
    return derived(scope, equation, inputs, function_of(equation))


def derived(
    scope: Scope, equation: jex.JaxprEqn, inputs: Sequence[Element], function: Function
) -> list[Element]:
    """By the derivative rule of `function`: the equation as a function for forward mode."""
    live = [n for n, x in enumerate(inputs) if not is_constant(x) and _moves(equation.invars[n])]
    values = [value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True)]
    outputs = [n for n, v in enumerate(equation.outvars) if _moves(v)]

    def of_live(*moving: jax.Array) -> list[jax.Array]:
        arguments = list(values)
        for n, value in zip(live, moving, strict=True):
            arguments[n] = value
        results = function(*arguments)
        return [results[n] for n in outputs]

    def tangents(moving: Sequence[jax.Array], along: Sequence[jax.Array]) -> list[jax.Array]:
        pushed: list[jax.Array] = jax.jvp(of_live, moving, along)[1]
        return pushed

    point = [values[n] for n in live]
    rule = jax.make_jaxpr(tangents)(point, point)
    algebra = scope.algebra
    size = algebra.size
    lower = algebra.degrees.index(algebra.order)
    moving = [padded(inputs[n], size) for n in live]
    arguments = [x[:lower] for x in moving] + [_differentiated(algebra, x) for x in moving]
    slopes = interpret(scope, rule.jaxpr, rule.consts, arguments)
    result = _values(equation, inputs, function)
    for n, slope in zip(outputs, slopes, strict=True):
        result[n] = (result[n][0], *_integrated(algebra, padded(slope, size)))
    return result


def _differentiated(algebra: Algebra, x: Element) -> Element:
    """Dx."""
    graded = zip(algebra.degrees, x, strict=True)
    return tuple(None if d == 0 or c is None else scaled(Fraction(d), c) for d, c in graded)


def _integrated(algebra: Algebra, x: Element) -> Element:
    """D⁻¹x, without a value."""
    graded = zip(algebra.degrees[1:], x[1:], strict=True)
    return tuple(None if c is None else scaled(Fraction(1, d), c) for d, c in graded)


def _moves(atom: jex.Var | jex.Literal) -> bool:
    """Whether values of this type have derivatives."""
    return bool(jnp.issubdtype(shaped(atom).dtype, jnp.inexact))


def _values(
    equation: jex.JaxprEqn, inputs: Sequence[Element], function: Function | None = None
) -> list[Element]:
    values = (value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True))
    return [(value,) for value in (function or function_of(equation))(*values)]


def _linearly(scope: Scope, equation: jex.JaxprEqn, inputs: Sequence[Element]) -> list[Element]:
    """An equation that is linear in its moving inputs, all of them tangents, taken together."""
    function = function_of(equation)
    tangents = [n for n, x in enumerate(inputs) if x[0] is None]
    columns = [padded(inputs[n], scope.algebra.size) for n in tangents]
    results: list[list[jax.Array | None]] = [[None] for _ in equation.outvars]
    for k in range(1, scope.algebra.size):
        present = [column[k] for column in columns]
        if all(c is None for c in present):
            for result in results:
                result.append(None)
            continue

        there = [n for n, c in zip(tangents, present, strict=True) if c is not None]

        def at(*moving: jax.Array, there: Sequence[int] = there) -> list[jax.Array]:
            given = dict(zip(there, moving, strict=True))
            arguments = [
                given[n] if n in given else value_of(x, v)
                for n, (x, v) in enumerate(zip(inputs, equation.invars, strict=True))
            ]
            return function(*arguments)

        arrays = [c for c in present if c is not None]
        for n, result in enumerate(results):
            result.append(lifted(scope.algebra, lambda *a, n=n: at(*a)[n], [k] * len(arrays), arrays))
    return [tuple(result) for result in results]


def _nested(scope: Scope, equation: jex.JaxprEqn, inputs: Sequence[Element]) -> list[Element]:
    """f(z_0 + N) = Σ_m D^m f(z_0)[N, .., N] / m!, each directional derivative by nested forward mode."""
    algebra = scope.algebra
    function = function_of(equation)
    live = [n for n, x in enumerate(inputs) if not is_constant(x) and _moves(equation.invars[n])]
    values = [value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True)]
    coefficients = [padded(inputs[n], algebra.size) for n in live]
    result = _values(equation, inputs)
    for n, variable in enumerate(equation.outvars):
        if not _moves(variable):
            continue

        def of_live(*moving: jax.Array, n: int = n) -> jax.Array:
            arguments = list(values)
            for at, value in zip(live, moving, strict=True):
                arguments[at] = value
            return function(*arguments)[n]

        result[n] = (result[n][0], *_expansion(algebra, of_live, [values[m] for m in live], coefficients))
    return result


def _expansion(
    algebra: Algebra,
    function: Callable[..., jax.Array],
    point: Sequence[jax.Array],
    inputs: Sequence[Element],
) -> list[jax.Array | None]:
    present = [k for k in range(1, algebra.size) if any(x[k] is not None for x in inputs)]
    power: dict[int, dict[tuple[int, ...], Fraction]] = {k: {(k,): Fraction(1)} for k in present}
    sums: list[Terms] = [{} for _ in range(algebra.size)]
    m = 1
    while power:
        for k, factors in power.items():
            for word, weight in factors.items():
                arrays = [
                    tuple(_direction(algebra, x[i], value, i) for x, value in zip(inputs, point, strict=True))
                    for i in word
                ]
                value = lifted_tuples(algebra, partial(_directional, function, point), word, arrays)
                accumulate(sums[k], weight / math.factorial(m), contracted(algebra, k, word[0], value))
        power = _multiplied(algebra, power, present)
        m += 1
    return [total(terms) for terms in sums[1:]]


def _multiplied(
    algebra: Algebra, power: dict[int, dict[tuple[int, ...], Fraction]], present: Sequence[int]
) -> dict[int, dict[tuple[int, ...], Fraction]]:
    result: dict[int, dict[tuple[int, ...], Fraction]] = {}
    for k in range(1, algebra.size):
        for p in algebra.products[k]:
            for i, j in {(p.left, p.right), (p.right, p.left)}:
                if j not in present:
                    continue
                for word, weight in power.get(i, {}).items():
                    target = result.setdefault(k, {})
                    longer = tuple(sorted((*word, j)))
                    target[longer] = target.get(longer, Fraction(0)) + weight * p.weight
    return result


def _directional(
    function: Callable[..., jax.Array], point: Sequence[jax.Array], *directions: Sequence[jax.Array]
) -> jax.Array:
    """D^m f(point)[directions]."""
    if not directions:
        return function(*point)
    *others, last = directions
    pushed: jax.Array = jax.jvp(lambda *x: _directional(function, x, *others), tuple(point), tuple(last))[1]
    return pushed


def lifted_tuples(
    algebra: Algebra,
    operation: Callable[..., jax.Array],
    at: Sequence[int],
    arrays: Sequence[tuple[jax.Array, ...]],
) -> jax.Array:
    """As `lifted`, for operands that are tuples of arrays."""
    axes = tuple(0 if algebra.has_lanes(k) else None for k in at)
    if all(axis is None for axis in axes):
        return operation(*arrays)
    return jax.vmap(operation, in_axes=axes)(*arrays)


def _direction(algebra: Algebra, coefficient: jax.Array | None, value: jax.Array, k: int) -> jax.Array:
    if coefficient is not None:
        return coefficient
    shape = (algebra.lanes, *value.shape) if algebra.has_lanes(k) else value.shape
    return jnp.zeros(shape, value.dtype)
