"""Integral terms: inert SymPy functions that hold the unknowns under an integral.

They are jets of the normal form's algebra (`nablax.passes.jets`): a term is a product of unknowns, their
derivatives and such values, and a scheme evaluates each value once before the terms that read it.
"""

from collections.abc import Iterator

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.logic import fuzzy_and

from nablax.reductions import Integral


class Running(sp.Function):
    """∫ integrand dy along one axis. Arguments: integrand, y, the axis' symbol, lower, upper.

    The bounds are ends of the axis or its symbol; fields in the integrand are functions of y in place of
    the axis, whose symbol in the integrand is the place where the value is taken.
    """

    nargs = 5

    @property
    def free_symbols(self) -> set[sp.Basic]:
        return set(super().free_symbols) - {self.args[1]}

    def _eval_is_real(self) -> bool | None:
        found: bool | None = self.args[0].is_real
        return found

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        integrand, inner, axis, lower, upper = self.args
        inside = sp.diff(integrand, symbol)
        total = self.func(inside, inner, axis, lower, upper) if inside != 0 else sp.S.Zero
        if symbol == axis:  # Leibniz's rule
            for bound, sign in ((lower, -1), (upper, 1)):
                if bound == axis:
                    total += sign * integrand.xreplace({inner: axis})
        return total


class Convolution(sp.Function):
    """∫ kernel(x - y) field(y) dy over periodic axes. Arguments: kernel, field, the axes' symbols.

    The kernel is written in the axes' symbols, which stand for the offset there, in [-L/2, L/2).
    """

    def _eval_is_real(self) -> bool | None:
        found: bool | None = fuzzy_and([self.args[0].is_real, self.args[1].is_real])
        return found

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        kernel, value, *axes = self.args
        inside = sp.diff(value, symbol)
        total = self.func(kernel, inside, *axes) if inside != 0 else sp.S.Zero
        if symbol not in axes and kernel.has(symbol):
            total += self.func(sp.diff(kernel, symbol), value, *axes)
        return total


INTEGRALS = (Integral, Running, Convolution)


def integrals_in(expression: sp.Basic) -> Iterator[sp.Expr]:
    """The integral terms in an expression, those inside another first."""
    for argument in expression.args:
        yield from integrals_in(argument)
    if isinstance(expression, INTEGRALS):
        yield expression


def whole(node: sp.Basic, space: tuple[sp.Symbol, ...]) -> bool:
    """Whether the value is one number: an integral over all axes."""
    return isinstance(node, Integral) and set(node.args[1:] or space) == set(space)


def fields_in(node: sp.Basic) -> frozenset[str]:
    """Names of the unknowns under an integral."""
    return frozenset(f.func.__name__ for f in node.atoms(AppliedUndef))


def split_kernel(integrand: sp.Expr, axis: sp.Symbol, inner: sp.Symbol) -> list[tuple[sp.Expr, sp.Expr]]:
    """Terms kernel(x, y) · density(y) with their sum; factors without x join the density."""
    found: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand_mul(integrand)):
        kernel, density = sp.S.One, sp.S.One
        for factor in sp.Mul.make_args(term):
            if factor.has(axis):
                kernel *= factor
            else:
                density *= factor
        found[kernel] = found.get(kernel, sp.S.Zero) + density
    return list(found.items())


def at_axis(part: sp.Basic, node: sp.Basic) -> sp.Basic:
    """An argument of an integral term with its variable of integration named like the axis."""
    return part.xreplace({node.args[1]: node.args[2]}) if isinstance(node, Running) else part
