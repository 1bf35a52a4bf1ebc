"""The fractional operators as SymPy functions: inert until `doit`, linear, exact where the order is whole.

Every one takes (operand, variable, order, base, side, ceiling, ...): `side` 1 looks from the base point to
the right (x > base), -1 to the left; `ceiling` is the whole number n with n - 1 < order <= n, which an
order that is a symbol cannot tell. In y = side·(x - base) both sides read alike.
Definitions and names: I. Podlubny, Fractional Differential Equations, Academic Press 1999, chapter 2.
"""

from collections.abc import Callable
from typing import ClassVar, Literal, Self

import sympy as sp

from nablax.fractional_calculus import closed_forms
from nablax.fractional_calculus.closed_forms import Singular, Term
from nablax.fractional_calculus.special import MittagLeffler

__all__ = [
    "OPERATORS", "AtanganaBaleanu", "Caputo", "CaputoFabrizio", "DistributedCaputo", "FractionalIntegral",
    "FractionalOperator", "GrunwaldLetnikov", "Hadamard", "Kernel", "Kind", "PsiCaputo", "RiemannLiouville",
    "Singular", "Tempered", "TemperedCaputo", "VariableCaputo",
]  # fmt: skip


Arguments = tuple[sp.Expr, ...]
"""Operand, variable, order, base, side, and what an operator has further."""
Kind = Literal["caputo", "riemann-liouville"]
"""Whether derivatives of whole order are taken before the integral or after it."""
Kernel = Literal["power", "exponential", "mittag-leffler"]
"""What the past is weighted with: a singular power, or a bounded function."""


class FractionalOperator(sp.Function):
    """What the operators have in common. Not used by itself."""

    extra: ClassVar[int] = 0  # further arguments after the ceiling
    word: ClassVar[str]  # in the text of a spec
    family: ClassVar[Kind]
    kernel: ClassVar[Kernel] = "power"

    def __new__(
        cls,
        operand: sp.Expr,
        variable: sp.Symbol,
        order: sp.Expr,
        base: sp.Expr = sp.S.Zero,
        side: int = 1,
        ceiling: int | None = None,
        *further: sp.Expr,
    ) -> Self:
        """Raises ValueError for an order that is negative or not real, or without a known ceiling."""
        order, base = sp.S(order), sp.S(base)
        n = cls._checked_ceiling(order, variable, ceiling)
        if len(further) != cls.extra:
            raise TypeError(f"{cls.__name__} takes {6 + cls.extra} arguments")
        whole = cls._whole((sp.S(operand), variable, order, base, sp.S(side), *map(sp.S, further)))
        if whole is not None:
            made: Self = whole
            return made
        made = sp.Expr.__new__(
            cls, sp.S(operand), variable, order, base, sp.S(side), sp.S(n), *map(sp.S, further)
        )
        return made

    @classmethod
    def _checked_ceiling(cls, order: sp.Expr, variable: sp.Symbol, ceiling: int | None) -> int:
        if order.is_number:
            if not order.is_real or not order.is_finite or order.is_negative:
                raise ValueError(f"the order of a fractional derivative is real and not negative: {order}")
            return max(int(sp.ceiling(order)), 1)
        if ceiling is None:
            raise ValueError(f"between which whole numbers {order} lies must be given")
        return int(ceiling)

    @classmethod
    def _whole(cls, use: Arguments) -> sp.Expr | None:
        """The classical derivative that an order which is a whole number stands for."""
        operand, variable, order, _, side, *_ = use
        if not order.is_Integer:
            return None
        return side**order * sp.Derivative(operand, (variable, order)) if order > 0 else operand

    operand = property(lambda self: self.args[0])
    variable = property(lambda self: self.args[1])
    order = property(lambda self: self.args[2])
    base = property(lambda self: self.args[3])
    side = property(lambda self: self.args[4])
    ceiling = property(lambda self: int(self.args[5]))
    further = property(lambda self: self.args[6:])

    @property
    def free_symbols(self) -> set[sp.Basic]:
        found: set[sp.Basic] = set()
        for argument in self.args:
            found |= argument.free_symbols
        return found

    def of(self, operand: sp.Expr) -> sp.Expr:
        """The same operator on another operand."""
        return self.func(operand, *self.args[1:])

    def doit(self, **hints: bool) -> sp.Expr:
        """The closed form, or the operator itself where none is known. Raises `Singular`."""
        operand = self.operand.doit(**hints)
        closed = self._closed(operand)
        return self.of(operand) if closed is None else closed

    def _closed(self, operand: sp.Expr) -> sp.Expr | None:
        y = sp.Dummy("y", positive=True)
        parts = closed_forms.terms(self._seen_from_base(operand, y), y)
        if parts is None:
            return None
        values = [self._of_term(term, y) for term in parts]
        if None in values:
            return None
        return sp.Add(*(v for v in values if v is not None)).xreplace({y: self._distance()})

    def _seen_from_base(self, operand: sp.Expr, y: sp.Symbol) -> sp.Expr:
        return operand.subs(self.variable, self.base + self.side * y)

    def _distance(self) -> sp.Expr:
        return sp.expand(self.side * (self.variable - self.base))

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        raise TypeError("an operator says what it makes of a term")

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        if symbol == self.variable:
            return self._derivative_along()
        if any(a.has(symbol) for a in self.args[2:]):
            closed = self.doit()
            if closed.has(type(self)):
                return sp.Derivative(self, symbol, evaluate=False)
            return sp.diff(closed, symbol)
        return self.of(sp.diff(self.operand, symbol)) if self.operand.has(symbol) else sp.S.Zero

    def _derivative_along(self) -> sp.Expr:
        return sp.Derivative(self, self.variable, evaluate=False)

    def _eval_subs(self, old: sp.Basic, new: sp.Basic) -> sp.Expr | None:
        """A value at a point is the value of the closed form there; the variable is bound inside."""
        if old != self.variable:
            return None
        closed = self.doit()
        return sp.Subs(self, old, new) if closed.has(type(self)) else closed.subs(old, new)

    def _latex(self, printer: object, exp: str | None = None) -> str:
        base, variable, order = sp.latex(self.base), sp.latex(self.variable), sp.latex(self.order)
        text = f"{self._letter(base, variable, order)} {sp.latex(self.operand)}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _letter(self, base: str, variable: str, order: str) -> str:
        ends = (base, variable) if self.side == 1 else (variable, base)
        return rf"{{}}_{{{ends[0]}}}D_{{{ends[1]}}}^{{{order}}}"


class Caputo(FractionalOperator):
    """I^(n-α) u^(n): zero for polynomials of a degree below n."""

    word, family = "caputo", "caputo"

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        return closed_forms.caputo(term, self.order, self.ceiling, y)

    def _letter(self, base: str, variable: str, order: str) -> str:
        return r"{}^{C}" + super()._letter(base, variable, order)


class RiemannLiouville(FractionalOperator):
    """d^n/dy^n I^(n-α) u; d^m of it has the order α + m."""

    word, family = "rl", "riemann-liouville"

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        return closed_forms.integral(term, -self.order, y)

    def _derivative_along(self) -> sp.Expr:
        return self.side * self.func(
            self.operand, self.variable, self.order + 1, self.base, self.side, self.ceiling + 1
        )


class GrunwaldLetnikov(FractionalOperator):
    """lim h^(-α) Σ (-1)^k C(α, k) u(y - kh): that of Riemann and Liouville where u has n derivatives."""

    word, family = "gl", "riemann-liouville"

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        return closed_forms.integral(term, -self.order, y)


class FractionalIntegral(FractionalOperator):
    """1/Γ(α) ∫ (y - s)^(α-1) u(s) ds from the base point."""

    word, family = "fracint", "riemann-liouville"

    @classmethod
    def _whole(cls, use: Arguments) -> sp.Expr | None:
        return use[0] if use[2] == 0 else None

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        return closed_forms.integral(term, self.order, y)

    def _derivative_along(self) -> sp.Expr:
        u, x, order, base, side, n = self.args
        if order == 1:
            return side * u
        if n == 1 or (1 - order).is_positive:
            return side * RiemannLiouville(u, x, 1 - order, base, side, 1)
        if (order - 1).is_positive:
            return side * FractionalIntegral(u, x, order - 1, base, side, n - 1)
        return super()._derivative_along()

    def _letter(self, base: str, variable: str, order: str) -> str:
        return super()._letter(base, variable, order).replace("D", "I", 1)


class Tempered(FractionalOperator):
    """e^(-λy) D^α (e^(λy) u), D^α of Riemann and Liouville; normalised, minus λ^α u, and minus α λ^(α-1) u'
    for 1 < α < 2 (F. Sabzikar, M. M. Meerschaert, J. Chen, J. Comput. Phys. 293 (2015) 14). Further
    arguments: λ, and 1 where it is normalised."""

    word, family = "tempered", "riemann-liouville"
    extra = 2

    @classmethod
    def _whole(cls, use: Arguments) -> sp.Expr | None:
        return _whole_tempered(use)

    def _closed(self, operand: sp.Expr) -> sp.Expr | None:
        return _tempered(self, operand, lambda term, y: closed_forms.integral(term, -self.order, y))


class TemperedCaputo(FractionalOperator):
    """`Tempered` with the Caputo derivative in the place of that of Riemann and Liouville."""

    word, family = "tempered", "caputo"
    extra = 2

    @classmethod
    def _whole(cls, use: Arguments) -> sp.Expr | None:
        return _whole_tempered(use)

    def _closed(self, operand: sp.Expr) -> sp.Expr | None:
        return _tempered(
            self, operand, lambda term, y: closed_forms.caputo(term, self.order, self.ceiling, y)
        )


def _whole_tempered(use: Arguments) -> sp.Expr | None:
    operand, _, order, *_, normalised = use
    return operand if order == 0 and normalised == 0 else None


def _tempered(
    node: "Tempered | TemperedCaputo", operand: sp.Expr, of_term: Callable[[Term, sp.Symbol], sp.Expr | None]
) -> sp.Expr | None:
    """e^(-λy) D (e^(λy) u) with D as it acts on a term, and what a normalised one takes off."""
    rate, normalised = node.further
    y = sp.Dummy("y", positive=True)
    seen = node._seen_from_base(operand, y)
    parts = closed_forms.terms(sp.powsimp(sp.expand(seen * sp.exp(rate * y))), y)
    if parts is None:
        return None
    values = [of_term(t, y) for t in parts]
    if None in values:
        return None
    total = sp.exp(-rate * y) * sp.Add(*(v for v in values if v is not None))
    if normalised != 0:
        total -= rate**node.order * seen
        if node.ceiling == 2:
            total -= node.order * rate ** (node.order - 1) * sp.diff(seen, y)
    return total.xreplace({y: node._distance()})


class VariableCaputo(FractionalOperator):
    """The Caputo derivative whose order is the one at the point of evaluation (C. F. Lorenzo, T. T. Hartley,
    Nonlinear Dyn. 29 (2002) 57, first type): its closed forms are the ordinary ones with that order."""

    word, family = "vocaputo", "caputo"

    def _closed(self, operand: sp.Expr) -> sp.Expr | None:
        order = sp.Dummy("order", positive=True)
        fixed = Caputo(operand, self.variable, order, self.base, self.side, self.ceiling)
        closed = fixed._closed(operand)
        return None if closed is None else closed.xreplace({order: self.order})


class DistributedCaputo(FractionalOperator):
    """∫ w(a) C^a u da over [low, high] inside [n - 1, n]. `order` is the variable a; further arguments: w,
    low, high."""

    word, family = "distcaputo", "caputo"
    extra = 3

    @classmethod
    def _whole(cls, use: Arguments) -> sp.Expr | None:
        return None

    @property
    def free_symbols(self) -> set[sp.Basic]:
        return super().free_symbols - {self.order}

    def _closed(self, operand: sp.Expr) -> sp.Expr | None:
        weight, low, high = self.further
        order = sp.Dummy("order", positive=True)
        fixed = Caputo(operand, self.variable, order, self.base, self.side, self.ceiling)
        closed = fixed._closed(operand)
        if closed is None:
            return None
        return sp.Integral(weight.subs(self.order, order) * closed, (order, low, high))


class Hadamard(FractionalOperator):
    """The Riemann–Liouville derivative in y = log(x/base), base > 0 (Samko et al., section 18.3)."""

    word, family = "hadamard", "riemann-liouville"

    @classmethod
    def _whole(cls, use: Arguments) -> sp.Expr | None:
        operand, variable, order, base, side = use
        if base.is_positive is False:
            raise ValueError("a Hadamard derivative needs a positive base point")
        if not order.is_Integer:
            return None
        value = operand
        for _ in range(int(order)):
            value = side * variable * sp.diff(value, variable)
        return value

    def _seen_from_base(self, operand: sp.Expr, y: sp.Symbol) -> sp.Expr:
        seen = operand.subs(self.variable, self.base * sp.exp(self.side * y))
        return sp.expand(sp.expand_log(seen, force=True))

    def _distance(self) -> sp.Expr:
        return self.side * sp.log(self.variable / self.base)

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        return closed_forms.integral(term, -self.order, y)


class PsiCaputo(FractionalOperator):
    """The Caputo derivative in y = ψ(x) - ψ(base), ψ increasing (R. Almeida, Commun. Nonlinear Sci. 44 (2017)
    460). Further argument: ψ(x)."""

    word, family = "psicaputo", "caputo"
    extra = 1

    @classmethod
    def _whole(cls, use: Arguments) -> sp.Expr | None:
        operand, variable, order, _, side, psi = use
        if not order.is_Integer:
            return None
        value = operand
        for _ in range(int(order)):
            value = side * sp.diff(value, variable) / sp.diff(psi, variable)
        return value

    def _seen_from_base(self, operand: sp.Expr, y: sp.Symbol) -> sp.Expr:
        psi = self.further[0]
        at_base = psi.subs(self.variable, self.base)
        seen = operand.subs(psi, at_base + self.side * y)
        if not seen.has(self.variable):
            return seen
        if not psi.is_polynomial(self.variable):
            return seen
        inverse = sp.roots(sp.Poly(psi - at_base - self.side * y, self.variable))
        real = [r for r in inverse if r.is_nonnegative]
        return operand.subs(self.variable, real[0]) if len(real) == 1 else seen

    def _closed(self, operand: sp.Expr) -> sp.Expr | None:
        y = sp.Dummy("y", positive=True)
        if self._seen_from_base(operand, y).has(self.variable):
            return None
        return super()._closed(operand)

    def _distance(self) -> sp.Expr:
        psi = self.further[0]
        return self.side * (psi - psi.subs(self.variable, self.base))

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        return closed_forms.caputo(term, self.order, self.ceiling, y)


class CaputoFabrizio(FractionalOperator):
    """1/(1-α) ∫ u'(s) e^(-α(y-s)/(1-α)) ds, 0 < α < 1: a bounded kernel, so no fractional derivative in the
    sense of the others (K. Diethelm, R. Garrappa, A. Giusti, M. Stynes, Fract. Calc. Appl. Anal. 23 (2020)
    610 advise against it)."""

    word, family = "cf", "caputo"
    kernel = "exponential"

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        rate = self.order / (1 - self.order)
        return _memory(term, y, lambda t: _exponential_memory(t, rate, y), 1 / (1 - self.order))


class AtanganaBaleanu(FractionalOperator):
    """1/(1-α) ∫ u'(s) E_α(-α(y-s)^α/(1-α)) ds, 0 < α < 1, B(α) = 1; see `CaputoFabrizio`."""

    word, family = "abc", "caputo"
    kernel = "mittag-leffler"

    def _of_term(self, term: Term, y: sp.Symbol) -> sp.Expr | None:
        order = self.order
        rate = order / (1 - order)

        def memory(t: Term) -> sp.Expr | None:
            if t.kernel != 1 or (t.power + 1).is_positive is not True:
                return None
            kernel = MittagLeffler(order, t.power + 2, -rate * y**order)
            return t.coefficient * sp.gamma(t.power + 1) * y ** (t.power + 1) * kernel

        return _memory(term, y, memory, 1 / (1 - order))


def _memory(
    term: Term, y: sp.Symbol, memory: Callable[[Term], sp.Expr | None], weight: sp.Expr
) -> sp.Expr | None:
    """Σ weight · memory of the derivative's terms."""
    values = [memory(t) for t in closed_forms.derivative(term, y)]
    return None if None in values else weight * sp.Add(*values)


def _exponential_memory(term: Term, rate: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """∫_0^y f(s) e^(-rate (y-s)) ds."""
    c, p, kernel = term.coefficient, term.power, term.kernel
    if kernel == 1:
        if (p + 1).is_positive is not True:
            return None
        return c * sp.gamma(p + 1) * y ** (p + 1) * MittagLeffler(1, p + 2, -rate * y)
    if p != 0 or isinstance(kernel, MittagLeffler):
        return None
    inner = kernel.args[0] / y
    decayed = sp.exp(-rate * y)
    if isinstance(kernel, sp.exp):
        return c * (kernel - decayed) / (inner + rate)
    sine, cosine = sp.sin(inner * y), sp.cos(inner * y)
    if isinstance(kernel, sp.cos):
        return c * (rate * cosine + inner * sine - rate * decayed) / (rate**2 + inner**2)
    return c * (rate * sine - inner * cosine + inner * decayed) / (rate**2 + inner**2)


OPERATORS: tuple[type[FractionalOperator], ...] = (
    Caputo, RiemannLiouville, GrunwaldLetnikov, FractionalIntegral, Tempered, TemperedCaputo,
    VariableCaputo, DistributedCaputo, Hadamard, PsiCaputo, CaputoFabrizio, AtanganaBaleanu,
)  # fmt: skip
