"""The flux through a face between two states: Harten, Lax and van Leer's, block by block.

SIAM Rev. 25 (1983) 35; the slowest and fastest wave are those of either state (Davis, SIAM J. Sci. Stat.
Comput. 9 (1988) 445). For one unknown this upwinds, and is Rusanov's flux where speeds differ in sign
alone; it is monotone, because speeds between the states are looked at as well where they may lie beyond.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.lowering import Environment, Operand, evaluate
from nablax.passes.divergence import Law
from nablax.passes.waves import Block, Characteristics

BETWEEN = (0.25, 0.5, 0.75)  # states looked at between two where speeds are not monotone


def flux(
    law: Law,
    waves: Characteristics,
    axis: int,
    unknowns: Sequence[sp.Basic],
    around: Environment,
    left: Sequence[Array],
    right: Sequence[Array],
    even: bool = False,
) -> tuple[Array, ...]:
    """The numerical flux of every unknown. `around` holds coordinates of the faces, time, parameters.

    `even` takes waves to run as fast either way (V. V. Rusanov, USSR Comput. Math. Math. Phys. 1 (1961) 267):
    what it leaves of a state keeps its density and pressure positive.
    """
    shape = jnp.broadcast_shapes(*(a.shape for a in left))
    there = [dict(around) | dict(zip(unknowns, state, strict=True)) for state in (left, right)]
    fluxes = [
        [_full(f, shape, left[0]) for f in evaluate(law.fluxes[axis], environment)] for environment in there
    ]
    result: list[Array] = [left[0]] * len(left)
    for block in waves.blocks:
        if not any(law.fluxes[axis][i] != 0 for i in block.members):
            for i in block.members:
                result[i] = jnp.zeros_like(left[i])
            continue
        slow, fast = _interval(block, axis, unknowns, around, left, right, there)
        zero = jnp.zeros((), left[0].dtype)
        if even:
            fast = jnp.maximum(jnp.abs(slow), jnp.abs(fast))
            slow = -fast
        low, high = jnp.minimum(slow, zero), jnp.maximum(fast, zero)
        width = high - low
        moving = width > 0
        safe = jnp.where(moving, width, jnp.ones_like(width))
        for i in block.members:
            a, b = fluxes[0][i], fluxes[1][i]
            upwinded = (high * a - low * b + low * high * (right[i] - left[i])) / safe
            result[i] = jnp.where(moving, upwinded, (a + b) / 2)
    return tuple(result)


def speeds(block: Block, axis: int, environment: Environment) -> tuple[Operand, Operand]:
    """The slowest and the fastest wave of a block for a state."""
    waves = block.waves[axis]
    values = evaluate([e for w in waves for e in (w.centre, w.square)], environment)
    slow: Operand | None = None
    fast: Operand | None = None
    for wave, centre, square in zip(waves, values[::2], values[1::2], strict=True):
        half = 0.0 if wave.square == 0 else root(square)
        low, high = centre - half, centre + half
        slow = low if slow is None else jnp.minimum(slow, low)
        fast = high if fast is None else jnp.maximum(fast, high)
    assert slow is not None
    assert fast is not None
    return slow, fast


def _interval(
    block: Block,
    axis: int,
    unknowns: Sequence[sp.Basic],
    around: Environment,
    left: Sequence[Array],
    right: Sequence[Array],
    there: Sequence[Environment],
) -> tuple[Operand, Operand]:
    states = list(there)
    for share in () if block.monotone else BETWEEN:
        between = [a + share * (b - a) for a, b in zip(left, right, strict=True)]
        states.append(dict(around) | dict(zip(unknowns, between, strict=True)))
    slow, fast = speeds(block, axis, states[0])
    for state in states[1:]:
        low, high = speeds(block, axis, state)
        slow, fast = jnp.minimum(slow, low), jnp.maximum(fast, high)
    return slow, fast


def root(square: Operand) -> Operand:
    """The root of what is positive up to rounding, with a derivative that is finite at 0."""
    positive = jnp.asarray(square) > 0
    safe = jnp.where(positive, square, jnp.ones_like(square))
    return jnp.where(positive, jnp.sqrt(safe), jnp.zeros_like(safe))


def _full(value: Operand, shape: tuple[int, ...], like: Array) -> Array:
    return jnp.broadcast_to(jnp.asarray(value, like.dtype), shape)
