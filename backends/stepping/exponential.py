"""Exponential time differencing: the linear part exactly, the rest by a Runge–Kutta method.

Cox and Matthews, J. Comput. Phys. 176 (2002) 430: ETD2RK, equations 20 to 22, and ETD4RK, equations 26 to
29; coefficients after Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214, written in φ-functions.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Block, Carry, Exponential, Parameters, Vector
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.phi import Phi, doubled, phi, phi_matrix, times


@dataclass(frozen=True, slots=True)
class ExponentialRungeKutta(Generic[Carry]):
    """ETDRK4 or ETDRK2 by `order`. The aid holds the coefficients per block, the step multiplied in."""

    scheme: Exponential[Carry]
    order: int

    @property
    def error_order(self) -> int:
        return 0

    @property
    def aided(self) -> bool:
        return True

    def aid(self, h: Array, params: Parameters) -> tuple[tuple[Array, ...], ...]:
        build = _fourth if self.order == 4 else _second
        return tuple(build(h, block) for block in self.scheme.symbol(params))

    def start(self, t: Array, carry: Carry, params: Parameters) -> tuple[()]:
        return ()

    def step(
        self,
        t: Array,
        carry: Carry,
        memory: tuple[()],
        h: Array,
        aid: tuple[tuple[Array, ...], ...],
        params: Parameters,
    ) -> Attempt[Carry, tuple[()]]:
        blocks = self.scheme.symbol(params)
        advance = _step_fourth if self.order == 4 else _step_second
        new = advance(self.scheme, blocks, t, carry, h, aid, params)
        after = t + h
        new = self.scheme.finish(after, new, params)
        return Attempt(self.scheme.embed(after, new, params), (), None)


def _phi(h: Array, block: Block) -> Phi:
    z = h.astype(block.symbol.dtype) * block.symbol
    return phi_matrix(z) if block.coupled else phi(z)


def _doubled(p: Phi, block: Block) -> Phi:
    return doubled(p, times if block.coupled else operator.mul)


def _fourth(h: Array, block: Block) -> tuple[Array, ...]:
    """e^z, e^(z/2), h/2 φ1(z/2), and the weights of N(u), of N(a) + N(b) and of N(c)."""
    half = _phi(h / 2, block)
    whole = _doubled(half, block)
    step = h.astype(block.symbol.dtype)
    return (
        whole.exponential,
        half.exponential,
        step / 2 * half.one,
        step * (whole.one - 3 * whole.two + 4 * whole.three),
        step * (2 * whole.two - 4 * whole.three),
        step * (4 * whole.three - whole.two),
    )


def _step_fourth(
    scheme: Exponential[Carry],
    blocks: Sequence[Block],
    t: Array,
    carry: Carry,
    h: Array,
    aid: Sequence[Sequence[Array]],
    params: Parameters,
) -> Vector:
    E, E2, Q, f1, f2, f3 = zip(*aid, strict=True)
    y, middle, after = scheme.core(carry), t + h / 2, t + h
    half = _apply(blocks, E2, y)
    n = scheme.explicit_rate(t, carry, params)
    a = _plus(half, _apply(blocks, Q, n))
    na = scheme.explicit_rate(middle, scheme.embed(middle, a, params), params)
    b = _plus(half, _apply(blocks, Q, na))
    nb = scheme.explicit_rate(middle, scheme.embed(middle, b, params), params)
    twice = tuple(2 * p - q for p, q in zip(nb, n, strict=True))
    c = _plus(_apply(blocks, E2, a), _apply(blocks, Q, twice))
    nc = scheme.explicit_rate(after, scheme.embed(after, c, params), params)
    total = _plus(_apply(blocks, E, y), _apply(blocks, f1, n))
    return _plus(_plus(total, _apply(blocks, f2, _plus(na, nb))), _apply(blocks, f3, nc))


def _second(h: Array, block: Block) -> tuple[Array, ...]:
    """e^z, h φ1(z), h φ2(z)."""
    whole = _phi(h, block)
    step = h.astype(block.symbol.dtype)
    return whole.exponential, step * whole.one, step * whole.two


def _step_second(
    scheme: Exponential[Carry],
    blocks: Sequence[Block],
    t: Array,
    carry: Carry,
    h: Array,
    aid: Sequence[Sequence[Array]],
    params: Parameters,
) -> Vector:
    E, one, two = zip(*aid, strict=True)
    y, after = scheme.core(carry), t + h
    n = scheme.explicit_rate(t, carry, params)
    a = _plus(_apply(blocks, E, y), _apply(blocks, one, n))
    na = scheme.explicit_rate(after, scheme.embed(after, a, params), params)
    change = tuple(p - q for p, q in zip(na, n, strict=True))
    return _plus(a, _apply(blocks, two, change))


def _apply(blocks: Sequence[Block], coefficients: Sequence[Array], y: Vector) -> Vector:
    result = list(y)
    for block, c in zip(blocks, coefficients, strict=True):
        for p, i in enumerate(block.members):
            if block.coupled:
                rows = [_times(c[p, q], y[j]) for q, j in enumerate(block.members)]
                total = rows[0]
                for row in rows[1:]:
                    total = total + row
                result[i] = total
            else:
                result[i] = _times(c, y[i])
    return tuple(result)


def _times(c: Array, a: Array) -> Array:
    if jnp.iscomplexobj(a) and not jnp.iscomplexobj(c):
        return lax.complex(c * a.real, c * a.imag)
    return c * a


def _plus(a: Vector, b: Vector) -> Vector:
    return tuple(p + q for p, q in zip(a, b, strict=True))
