"""`surrogate(f, g)`: the value of f with the gradient of g, for steps and other terms without a slope."""

import sympy as sp
from sympy.core.logic import fuzzy_and


def smooth(expression: sp.Expr) -> sp.Expr:
    """The expression with the second argument for every surrogate: what a program's derivatives are of."""
    return expression.replace(Surrogate, lambda value, slope: slope)


class Surrogate(sp.Function):
    """f wherever a value is asked for; g where a program that evaluates it is differentiated by JAX.

    Symbolic derivatives are part of the equations, so they are of the value: ∂ surrogate(f, g) is
    surrogate(∂f, ∂g). It is never linear in an unknown that it holds, however f and g are.
    """

    nargs = 2

    @classmethod
    def eval(cls, value: sp.Expr, slope: sp.Expr) -> sp.Expr | None:
        constant = not value.free_symbols and not slope.free_symbols
        return value if value == slope or constant else None

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        value, slope = self.args
        return Surrogate(sp.diff(value, symbol), sp.diff(slope, symbol))

    def _eval_is_real(self) -> bool | None:
        found: bool | None = fuzzy_and(a.is_real for a in self.args)
        return found
