"""Whole-domain values a spec may speak of: `integral(u)`, `mean(u)`, `max(u)`, `min(u)`.

They are inert SymPy functions; a backend evaluates them on a frame.
"""

import sympy as sp
from sympy.printing.str import StrPrinter


class Integral(sp.Function):
    """∫ over the whole box, or over the axes given after the integrand (in equations always given)."""

    def _eval_is_real(self) -> bool | None:
        return _real(self)

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        integrand, *axes = self.args
        inside = sp.S.Zero if symbol in axes else sp.diff(integrand, symbol)
        return self.func(inside, *axes) if inside != 0 else sp.S.Zero

    def _sympystr(self, printer: StrPrinter) -> str:
        # Without it the printer takes the class name for SymPy's own integral.
        return f"integral({', '.join(printer.doprint(a) for a in self.args)})"


class Mean(sp.Function):
    """Integral divided by the volume, over the whole box or the axes given."""

    def _eval_is_real(self) -> bool | None:
        return _real(self)


class Maximum(sp.Function):
    """Largest value over the grid of a frame (one argument; pointwise max has two or more)."""

    nargs = 1

    def _eval_is_real(self) -> bool | None:
        return _real(self)


class Minimum(sp.Function):
    """Smallest value over the grid of a frame."""

    nargs = 1

    def _eval_is_real(self) -> bool | None:
        return _real(self)


class Noise(sp.Function):
    """noise(seed): uniform on [-1, 1], zero mean over the grid, NumPy's PCG64."""

    nargs = 1


def _real(reduction: sp.Function) -> bool | None:
    found: bool | None = reduction.args[0].is_real
    return found
