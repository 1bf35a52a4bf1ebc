"""Expressions as plain data: what is left of them where no SymPy is at hand.

A formula is a list of steps in the order of evaluation; each names its operands by their index, and the
last step is the value. Shared subexpressions are one step. `nablax.formulate` writes formulas from SymPy,
`nablax.backends.formulas` evaluates them on nodal values.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on earlier steps.

    `number` (value: real, imaginary), `name` (of a coordinate, parameter or component), `wavenumber`
    (along axis `along[0]`), `noise` (seed `along[0]`) have no operands; `derivative` has its order along
    each axis in `along`; `integral`, `mean` the axes they run over; `maximum`, `minimum` reduce to one
    number; `multiplier` scales the Fourier modes of its first operand by the second; `piecewise` has
    values and conditions in turn. Any other operation is a function of `nablax.pointwise`.
    """

    operation: str
    operands: tuple[int, ...] = ()
    along: tuple[int, ...] = ()
    value: tuple[float, float] = (0.0, 0.0)
    name: str = ""


Formula = tuple[Step, ...]
