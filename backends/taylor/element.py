"""Elements of a truncated algebra over arrays, and their arithmetic.

An element is the tuple of its coefficients, each an array of the value's shape (with a leading axis of
directions where the algebra has lanes), or None where it is zero by structure: such a coefficient never
costs an operation. A tuple shorter than the algebra stops at a degree: what lies beyond is zero, or never
asked for.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

import jax
import jax.numpy as jnp

from nablax.derivatives.algebra import Algebra

Element: TypeAlias = tuple[jax.Array | None, ...]
Terms: TypeAlias = dict[Fraction, jax.Array]

ONE = Fraction(1)


def constant(value: jax.Array) -> Element:
    return (value,)


def is_constant(x: Element) -> bool:
    """A value that no direction moves."""
    return x[0] is not None and all(c is None for c in x[1:])


def head(x: Element) -> jax.Array:
    """The value."""
    value = x[0]
    assert value is not None, "an element without a value is no argument"
    return value


def padded(x: Element, size: int) -> Element:
    return x + (None,) * (size - len(x))


def perturbation(x: Element) -> Element:
    """x without its value."""
    return (None, *x[1:])


def scaled(weight: Fraction, value: jax.Array) -> jax.Array:
    if weight == 1:
        return value
    return -value if weight == -1 else value * float(weight)


def accumulate(terms: Terms, weight: Fraction, value: jax.Array) -> None:
    """Add a term to a sum whose terms are grouped by weight, so that each weight is applied once."""
    terms[weight] = terms[weight] + value if weight in terms else value


def total(terms: Terms) -> jax.Array | None:
    result: jax.Array | None = None
    for weight, value in terms.items():
        if result is None:
            result = scaled(weight, value)
        elif weight == -1:
            result = result - value
        else:
            result = result + scaled(weight, value)
    return result


def added(x: jax.Array | None, y: jax.Array | None) -> jax.Array | None:
    if x is None or y is None:
        return y if x is None else x
    return x + y


def lifted(
    algebra: Algebra, operation: Callable[..., jax.Array], at: Sequence[int], arrays: Sequence[jax.Array]
) -> jax.Array:
    """The operation on the coefficients `at` of its operands, lane by lane where they have lanes."""
    axes = tuple(0 if algebra.has_lanes(k) else None for k in at)
    if all(axis is None for axis in axes):
        return operation(*arrays)
    return jax.vmap(operation, in_axes=axes)(*arrays)


def each(algebra: Algebra, operation: Callable[[jax.Array], jax.Array], x: Element) -> Element:
    """A linear operation."""
    return tuple(None if c is None else lifted(algebra, operation, (k,), (c,)) for k, c in enumerate(x))


def contracted(algebra: Algebra, target: int, source: int, value: jax.Array) -> jax.Array:
    """The value for coefficient `target`: summed over the lanes where only its source has them."""
    if algebra.has_lanes(target) or not algebra.has_lanes(source):
        return value
    weights = algebra.lane_weights
    if len(set(weights)) == 1:
        return scaled(weights[0], jnp.sum(value, axis=0))
    column = jnp.asarray([float(w) for w in weights], value.dtype).reshape((-1,) + (1,) * (value.ndim - 1))
    return jnp.sum(column * value, axis=0)


def pairs(algebra: Algebra, target: int) -> Iterable[tuple[int, int, Fraction]]:
    """All ordered products (i, j, weight) that go into this coefficient, the value's included."""
    yield 0, target, ONE
    if target:
        yield target, 0, ONE
    for p in algebra.products[target]:
        yield p.left, p.right, p.weight
        if p.left != p.right:
            yield p.right, p.left, p.weight


def product(
    algebra: Algebra, operation: Callable[[jax.Array, jax.Array], jax.Array], x: Element, y: Element
) -> Element:
    """A bilinear operation."""
    result: list[jax.Array | None] = []
    for k in range(algebra.size):
        terms: Terms = {}
        for i, j, weight in pairs(algebra, k):
            left, right = x[i], y[j]
            if left is not None and right is not None:
                value = lifted(algebra, operation, (i, j), (left, right))
                source = i if algebra.has_lanes(i) else j
                accumulate(terms, weight, contracted(algebra, k, source, value))
        result.append(total(terms))
    return tuple(result)


def multiply(algebra: Algebra, x: Element, y: Element) -> Element:
    return square(algebra, x) if x is y else product(algebra, jnp.multiply, x, y)


def square(algebra: Algebra, x: Element, sign: int = 1) -> Element:
    """x·x, or -x·x, in half the products: the sign is one of the weights and costs nothing."""
    value = x[0]
    result: list[jax.Array | None] = [None if value is None else scaled(Fraction(sign), value * value)]
    for k in range(1, algebra.size):
        terms: Terms = {}
        own = x[k]
        if value is not None and own is not None:
            accumulate(terms, Fraction(2 * sign), lifted(algebra, jnp.multiply, (0, k), (value, own)))
        for p in algebra.products[k]:
            left, right = x[p.left], x[p.right]
            if left is not None and right is not None:
                term = lifted(algebra, jnp.multiply, (p.left, p.right), (left, right))
                weight = p.weight if p.left == p.right else 2 * p.weight
                accumulate(terms, sign * weight, contracted(algebra, k, p.left, term))
        result.append(total(terms))
    return tuple(result)


def sum_of(x: Element, y: Element) -> Element:
    return tuple(added(a, b) for a, b in zip(x, y, strict=True))
