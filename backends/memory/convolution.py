"""Corrected convolution quadrature of BDF2: order 2 on equal steps, whatever the solution's start is like.

Σ_j ω_(n-j) (u_j - u_0 - t_j u_0') = R(u_n, t_n), with ½ R(u_0, t_0) added to the first step, ω_j τ^α the
coefficients of (3/2 - 2ζ + ζ²/2)^α: C. Lubich, SIAM J. Math. Anal. 17 (1986) 704, with the correction of
B. Jin, B. Li, Z. Zhou, SIAM J. Sci. Comput. 39 (2017) A3129. One formula for all orders in (0, 2], whole ones
among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Parameters, Vector
from nablax.backends.memory.history import Order
from nablax.backends.memory.implicit import ImplicitStep
from nablax.backends.memory.scheme import Past, Remembering, ticked
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.vectors import scaled


@dataclass(frozen=True, slots=True)
class Convolution:
    """A step over an anchored `Remembering` scheme."""

    scheme: Remembering
    implicit: ImplicitStep

    def attempt(self, t: Array, carry: Vector, h: Array, params: Parameters) -> Attempt[Vector, tuple[()]]:
        """The step from t (since the start) to t + h."""
        scheme = self.scheme
        y, past = scheme.split(carry)
        after = t + h
        taken = past.clock.taken.astype(jnp.int32)
        zero = jnp.asarray(scheme.plan.frames[0], h.dtype)
        at_start = lax.cond(taken == 0, lambda: self._rate(zero, y, params), lambda: _nothing(y))
        right, guess, anchors = list(y), list(y), []
        pulls = []
        for k, (line, orders) in enumerate(zip(scheme.lines, scheme.orders(params, zero), strict=True)):
            weights, first, second = self._weights(k, orders, h, params, taken + 1)
            pull = weights[0]
            pulls.append(pull)
            place = scheme.anchored.index(line.field)
            anchor = _anchor(past.anchors, place, after, line.rate is not None)
            anchors.append(anchor)
            seen = scheme.lags.past(past.kept[k], taken, weights, orders, h)
            rest = seen - at_start[line.top] / 2
            if first is not None:
                rest = rest + scaled(first, past.anchors[place])
            if second is not None:
                rest = rest + scaled(second, past.anchors[place + 1])
            right[line.field] = anchor - rest / pull.astype(rest.dtype)
            if line.rate is not None:
                right[line.rate] = jnp.zeros_like(y[line.rate])
        rates = [n.rate for n in scheme.lines if n.rate is not None]
        start = zero + after
        if rates:
            # u = a + s v and v = s r with s² one over the weight: u - r(u)/weight = a.
            root = 1 / jnp.sqrt(pulls[0])
            found = list(self.implicit.solve(start, root, tuple(right), tuple(guess), params))
        else:
            shift = tuple(1 / p for p in pulls) if scheme.is_uneven else 1 / pulls[0]
            found = list(self.implicit.solve(start, shift, tuple(right), tuple(guess), params))
        kept = []
        for k, (line, anchor) in enumerate(zip(scheme.lines, anchors, strict=True)):
            moved = found[line.field] - anchor
            kept.append(scheme.lags.push(past.kept[k], taken, moved))
            if line.rate is not None:
                found[line.rate] = self._slope(past.kept[k], moved, taken, h, past.anchors, line.rate)
        y = scheme.inner.finish(start, tuple(found), params)
        clock = ticked(past.clock, after, h)
        return Attempt(scheme.joined(y, Past(clock, tuple(kept), past.anchors)), (), None)

    def _weights(
        self, part: int, orders: Sequence[Order], h: Array, params: Parameters, step: Array
    ) -> tuple[Array, Array | None, Array | None]:
        """Σ c τ^(-α) e^(-λjτ) ω_j of a line, and what u_0 and u_0' count in this step besides.

        Where some λ is not 0, Σ ω_(n-j) e^(-λ(n-j)τ) (u_j - e^(-λjτ) u_0) stands in the place of differences
        from u_0, and above order 1 e^(-λjτ) (u_0 + t_j (u_0' + λ u_0)) in that of u_0 + t_j u_0'. Derivatives
        of orders up to 1 see t u_0', which is taken off for higher ones in the line.
        """
        scheme = self.scheme
        total, first, second = jnp.zeros((), h.dtype), None, None
        zero = jnp.asarray(scheme.plan.frames[0], h.dtype)
        for i, (c, a) in enumerate(orders):
            weights = c * h**-a * params[f"memory/{part}/{i}"]
            rate = scheme.parts[part].memory[i].rate
            numbers = jnp.arange(len(weights), dtype=h.dtype)
            is_sloped, is_low = scheme.lines[part].rate is not None, i in scheme.sloping[part]
            slope: Array | None = None
            if rate != 0:
                decay = scheme.number(rate, params, zero)
                decays = jnp.exp(-decay * h * numbers)
                plain, ramp = _sums(weights, step, h)
                weights = weights * decays
                share, slope = _sums(weights, step, h)
                share = share - decays[step] * plain
                if is_sloped and not is_low:
                    share, slope = share - decays[step] * decay * ramp, slope - decays[step] * ramp
                first = share if first is None else first + share
            elif is_low:
                _, slope = _sums(weights, step, h)
            if slope is not None and is_sloped:
                second = slope if second is None else second + slope
            total = total + weights
        return total, first, second

    def _rate(self, t: Array, y: Vector, params: Parameters) -> Vector:
        inner = self.scheme.inner
        return inner.rate(t, inner.embed(t, y, params), params)

    def _slope(self, kept: Array, moved: Array, taken: Array, h: Array, anchors: Vector, rate: int) -> Array:
        """u' by the formula of two steps."""
        before, second = (self.scheme.lags.last(kept, taken, lag) for lag in (1, 2))
        change = 1.5 * moved - 2 * before + 0.5 * second
        return anchors[self.scheme.anchored.index(rate)] + scaled(1 / h, change)


def _sums(weights: Array, step: Array, h: Array) -> tuple[Array, Array]:
    """Σ w_(n-j) and Σ w_(n-j) t_j up to the step n."""
    numbers = jnp.arange(len(weights), dtype=h.dtype)
    whole = jnp.cumsum(weights)[step]
    return whole, h * (whole * numbers[step] - jnp.cumsum(numbers * weights)[step])


def _anchor(anchors: Vector, index: int, t: Array, sloped: bool) -> Array:
    """u_0 + t u_0'."""
    return anchors[index] + scaled(t, anchors[index + 1]) if sloped else anchors[index]


def _nothing(y: Vector) -> Vector:
    return tuple(jnp.zeros_like(a) for a in y)
