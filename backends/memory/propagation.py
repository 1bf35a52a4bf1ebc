"""Linear equations with memory at any time, from their start at once.

A mode of c D^α u = L u + f, f constant in time, is u_0 + τ^α E_{α,α+1}(λ τ^α/c) (λ u_0 + f)/c, τ the time
since the start; for 1 < α < 2 with τ E_{α,2}(λ τ^α/c) v_0 of the initial rate besides
(A. A. Kilbas, H. M. Srivastava, J. J. Trujillo, Theory and Applications of Fractional Differential Equations,
Elsevier 2006, eq. 4.1.62 with E_{α,β}(z) = 1/Γ(β) + z E_{α,α+β}(z)).
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array

from nablax.backends.interface import Diagonal, Eigenmodes, Parameters, Unsupported, Vector
from nablax.backends.memory.scheme import Past, Remembering, ticked
from nablax.backends.special import mittag_leffler
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.vectors import scaled
from nablax.past import Line, nominal_order


@dataclass(frozen=True, slots=True)
class Propagation:
    """A step over a `Remembering` scheme whose past is its start: to the end of the step, from there."""

    scheme: Remembering

    def attempt(self, t: Array, carry: Vector, h: Array, params: Parameters) -> Attempt[Vector, tuple[()]]:
        """The state at t + h since the start, whatever it is at t."""
        scheme = self.scheme
        y, past = scheme.split(carry)
        after = jnp.where(t + h > 0, t + h, 1)  # steps of no length are left out, but have derivatives
        begin = jnp.asarray(scheme.plan.frames[0], h.dtype)
        kept = dict(zip(scheme.anchored, past.anchors, strict=True))
        start = tuple(kept.get(i, a) for i, a in enumerate(y))
        pull = scheme.rate(begin, start, params)
        found = dict(enumerate(start))
        for line in scheme.lines:
            found |= self._line(line, begin, after, start, pull, params)
        fields = scheme.inner.finish(begin + after, tuple(found[i] for i in range(len(y))), params)
        return Attempt(scheme.joined(fields, Past(ticked(past.clock, after, h), (), past.anchors)), (), None)

    def _line(
        self, line: Line, begin: Array, after: Array, start: Vector, pull: Vector, params: Parameters
    ) -> dict[int, Array]:
        """The field of an equation, and its rate where it has one."""
        scheme = self.scheme
        (memory,) = line.whole
        nominal = nominal_order(memory, scheme.plan.system)
        # An order that parameters make whole stays so, or the spec is compiled again.
        order = jnp.asarray(float(nominal), begin.dtype)
        if not nominal.is_integer:
            order = scheme.order(memory, params, begin)
        coefficient = scheme.number(memory.coefficient, params, begin)
        modes = self._modes(line, params)
        values = scaled(1 / coefficient, modes.values)
        grown = scaled(after**order, values)

        def kernel(shift: Array, mode: Array) -> Array:
            weight = scaled(after ** (shift - 1), mittag_leffler(order, shift, grown))
            return weight.astype(mode.dtype) * mode if not jnp.iscomplexobj(weight) else weight * mode

        driven = scaled(1 / coefficient, modes.forward(pull[line.top]))
        change = kernel(order + 1, driven)
        if line.rate is None:
            return {line.field: start[line.field] + modes.backward(change)}
        speed = modes.forward(start[line.rate])
        one = jnp.ones_like(order)
        change = change + kernel(2 * one, speed)
        slope = kernel(order, driven) + kernel(one, speed)
        return {
            line.field: start[line.field] + modes.backward(change),
            line.rate: modes.backward(slope),
        }

    def _modes(self, line: Line, params: Parameters) -> Eigenmodes:
        inner = self.scheme.inner
        if not isinstance(inner, Diagonal):
            raise Unsupported("this scheme has no eigenvectors")
        return inner.eigenmodes(line.top, line.field, params)
