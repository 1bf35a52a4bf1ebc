"""Elementwise functions of an element: f(z_0 + N) = Σ_m f^(m)(z_0)/m! N^m, with N nilpotent.

The powers of N are common to all functions, and sums over directions happen in them, before f's
derivatives come in. Reverse mode does not go through these sums: the derivative of y = f(z) is dy =
f'(z)·dz, one product in the algebra, so that only y (or z) is kept for it and the backward pass costs one
product more. Measured on a 4x128 tanh network: 1.6 times faster than differentiating the sums (biharmonic
operator in two dimensions, parameter gradient).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from nablax.backends.taylor.element import (
    Element,
    added,
    head,
    lifted,
    perturbation,
    product,
    square,
)
from nablax.derivatives.algebra import Algebra

Tower = Callable[[jax.Array, jax.Array, int], Sequence[jax.Array]]
"""(z_0, f(z_0), n) ↦ f^(m)(z_0)/m! for m = 0 .. n."""


@dataclass(frozen=True, slots=True)
class Elementary:
    """An elementwise function: its value, its Taylor coefficients and, where it follows from y, its slope."""

    value: Callable[[jax.Array], jax.Array]
    tower: Tower
    slope: Callable[[Algebra, Element], Element] | None = None


def powers(algebra: Algebra, z: Element) -> list[Element]:
    """N, N², .. as long as they do not vanish, N being z without its value."""
    nilpotent = perturbation(z)
    result: list[Element] = []
    power = nilpotent
    while any(c is not None for c in power):
        result.append(power)
        m = len(result) + 1
        power = square(algebra, result[m // 2 - 1]) if m % 2 == 0 else product_of(algebra, power, nilpotent)
    return result


def product_of(algebra: Algebra, x: Element, y: Element) -> Element:
    return product(algebra, jnp.multiply, x, y)


def expanded(algebra: Algebra, tower: Sequence[jax.Array], powers: Sequence[Element]) -> Element:
    """Σ_m tower[m] N^m."""
    result: list[jax.Array | None] = [tower[0]]
    for k in range(1, algebra.size):
        coefficient: jax.Array | None = None
        for derivative, power in zip(tower[1:], powers, strict=True):
            part = power[k]
            if part is not None:
                coefficient = added(coefficient, lifted(algebra, jnp.multiply, (0, k), (derivative, part)))
        result.append(coefficient)
    return tuple(result)


def compose(algebra: Algebra, function: Elementary, z: Element) -> Element:
    """f(z), with its derivative with respect to z as one product.

    Not so at order two with lanes: the product's factors f''(z_0)·z_1 would be kept for the reverse pass lane
    by lane, and the sums need z alone (Laplacian of a 4x128 tanh network in 100 dimensions, its gradient:
    0.63 times the memory).
    """

    def value(z: Element) -> Element:
        nilpotent = powers(algebra, z)
        primal = head(z)
        return expanded(algebra, function.tower(primal, function.value(primal), len(nilpotent)), nilpotent)

    short = bool(algebra.lanes) and algebra.order <= 2
    return value(z) if short else _by_slope(algebra, function, value)(z)


def _by_slope(
    algebra: Algebra, function: Elementary, value: Callable[[Element], Element]
) -> Callable[[Element], Element]:
    whole = jax.custom_jvp(value)

    @whole.defjvp
    def derivative(primals: tuple[Element], tangents: tuple[Element]) -> tuple[Element, Element]:
        (z,), (dz,) = primals, tangents
        y = whole(z)
        dy = product_of(algebra, slope(algebra, function, z, y), dz)
        return y, tuple(
            None if c is None else (jnp.zeros_like(c) if d is None else d) for c, d in zip(y, dy, strict=True)
        )

    return whole


def slope(algebra: Algebra, function: Elementary, z: Element, y: Element) -> Element:
    """f'(z)."""
    if function.slope is not None:
        return function.slope(algebra, y)
    nilpotent = powers(algebra, z)
    tower = function.tower(head(z), head(y), len(nilpotent) + 1)
    return expanded(algebra, [m * f if m > 1 else f for m, f in enumerate(tower)][1:], nilpotent)
