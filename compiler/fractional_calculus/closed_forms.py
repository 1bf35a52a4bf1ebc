"""Closed forms of fractional integrals and derivatives, term by term.

Everything rests on one operator in y = x - base > 0: J^μ, the Riemann–Liouville integral of order μ, and
for μ < 0 the derivative of order -μ, which continues the same formulas (S. G. Samko, A. A. Kilbas,
O. I. Marichev, Fractional Integrals and Derivatives, Gordon and Breach 1993, table 9.1). None is the
answer where no closed form is known.
"""

from dataclasses import dataclass

import sympy as sp
from sympy.simplify.fu import TR8

from nablax.fractional_calculus.special import MittagLeffler


class Singular(ValueError):
    """The derivative does not exist: the function is too singular at the base point."""


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient · y^power · kernel, the kernel 1, exp, sin, cos or a Mittag-Leffler function."""

    coefficient: sp.Expr
    power: sp.Expr
    kernel: sp.Expr


def terms(expression: sp.Expr, y: sp.Symbol) -> tuple[Term, ...] | None:
    """The expression as a sum of terms with closed forms."""
    flat = sp.expand(expression.rewrite((sp.sinh, sp.cosh), sp.exp))
    if flat.has(sp.sin, sp.cos):
        flat = sp.expand(TR8(flat))
        waves = {f: _opened(f, y) for f in flat.atoms(sp.sin, sp.cos) if f.has(y)}
        if None in waves.values():
            return None
        flat = sp.expand(flat.xreplace(waves))
    found = [_term(part, y) for part in sp.Add.make_args(flat) if part != 0]
    return None if None in found else tuple(t for t in found if t is not None)


def integral(term: Term, order: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """J^order of a term; a negative order is a derivative."""
    c, p, kernel = term.coefficient, term.power, term.kernel
    above = (p + 1).is_positive
    if kernel == 1:
        if above is None:
            return None
        if not above:
            raise Singular(f"y^({p}) is not integrable at the base point")
        return c * sp.gamma(p + 1) * _over_gamma(p + 1 + order) * y ** (p + order)
    if isinstance(kernel, sp.exp):
        rate = sp.cancel(kernel.args[0] / y)
        if not above:
            return None
        return c * sp.gamma(p + 1) * y ** (p + order) * MittagLeffler(1, p + 1 + order, rate * y, p + 1)
    if isinstance(kernel, MittagLeffler):
        excess = p - (kernel.args[1] - 1)
        return _leibniz(c, excess, kernel, order, y)
    return _leibniz(c, p, kernel, order, y)


def derivative(term: Term, y: sp.Symbol) -> tuple[Term, ...]:
    """d/dy of a term, as terms."""
    c, p, kernel = term.coefficient, term.power, term.kernel
    if isinstance(kernel, MittagLeffler) and p == kernel.args[1] - 1:
        alpha, beta, z = kernel.args[:3]
        lower = MittagLeffler(alpha, beta - 1, z, kernel.exponent)
        return (Term(c, p - 1, lower),)
    found = [Term(c * p, p - 1, kernel)] if p != 0 else []
    if isinstance(kernel, MittagLeffler):
        alpha, beta, z = kernel.args[:3]
        gamma = kernel.exponent
        higher = MittagLeffler(alpha, alpha + beta, z, gamma + 1)
        found.append(Term(c * gamma * alpha * z / y**alpha, p + alpha - 1, higher))
    elif kernel != 1:
        inner = kernel.args[0] / y
        slope = {sp.exp: kernel, sp.sin: sp.cos(inner * y), sp.cos: -sp.sin(inner * y)}[kernel.func]
        sign, plain = (-1, -slope) if slope.could_extract_minus_sign() else (1, slope)
        found.append(Term(sign * c * inner, p, plain))
    return tuple(found)


def caputo(term: Term, order: sp.Expr, n: int, y: sp.Symbol) -> sp.Expr | None:
    """J^(n - order) of the n-th derivative."""
    c, p, kernel = term.coefficient, term.power, term.kernel
    if kernel == 1:
        if p.is_integer and p.is_nonnegative and (n - 1 - p).is_nonnegative:
            return sp.S.Zero
        above = (p - (n - 1)).is_positive
        if above is None:
            return None
        if not above:
            raise Singular(f"the Caputo derivative of y^({p}) needs a power above {n - 1}")
        return integral(term, -order, y)
    if isinstance(kernel, MittagLeffler):
        return _caputo_of_mittag_leffler(c, p, kernel, order, n, y)
    parts = [term]
    for _ in range(n):
        parts = [d for t in parts for d in derivative(t, y)]
    return _sum(parts, n - order, y)


def _caputo_of_mittag_leffler(
    c: sp.Expr, p: sp.Expr, kernel: MittagLeffler, order: sp.Expr, n: int, y: sp.Symbol
) -> sp.Expr | None:
    """Whole powers below n are dropped from y^(β-1) E_{α,β}(λ y^α), and what is left is J^(-order)-ed.

    E_{α,β}(z) = Σ_{k<K} z^k/Γ(αk + β) + z^K E_{α,β+αK}(z).
    """
    alpha, beta, z = kernel.args[:3]
    if p != beta - 1:
        return None
    if (p - (n - 1)).is_positive:
        return integral(Term(c, p, kernel), -order, y)
    if kernel.exponent != 1:
        return None
    dropped = 0
    while not (lead := alpha * dropped + p - (n - 1)).is_positive:
        power = alpha * dropped + p
        if lead.is_positive is None or not power.is_number:
            return None
        if not (power.is_integer and power.is_nonnegative):
            raise Singular(f"the Caputo derivative of y^({power}) needs a power above {n - 1}")
        dropped += 1
    rate = z / y**alpha
    start = beta + alpha * dropped
    rest = Term(c * rate**dropped, start - 1, MittagLeffler(alpha, start, z))
    return integral(rest, -order, y)


def _leibniz(c: sp.Expr, whole: sp.Expr, kernel: sp.Expr, order: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """J^μ (y^m g) = Σ C(-μ, k) (y^m)^(k) J^(μ+k) g, m a whole number (Samko et al., eq. 15.11)."""
    if not (whole.is_Integer and whole >= 0):
        return None
    m = int(whole)
    total = sp.S.Zero
    for k in range(m + 1):
        weight = sp.ff(-order, k) / sp.factorial(k) * sp.ff(m, k)
        total += weight * y ** (m - k) * _plain(kernel, order + k, y)
    return c * total


def _plain(kernel: sp.Expr, order: sp.Expr, y: sp.Symbol) -> sp.Expr:
    """J^μ of sin ωy, cos ωy and y^(β-1) E_{α,β}(λ y^α)."""
    if isinstance(kernel, MittagLeffler):
        alpha, beta, z = kernel.args[:3]
        return y ** (beta - 1 + order) * MittagLeffler(alpha, beta + order, z, kernel.exponent)
    inner = kernel.args[0] / y
    z = -((inner * y) ** 2)
    if isinstance(kernel, sp.sin):
        return inner * y ** (1 + order) * MittagLeffler(2, 2 + order, z)
    return y**order * MittagLeffler(2, 1 + order, z)


def _sum(parts: list[Term], order: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    values = [integral(t, order, y) for t in parts]
    return None if None in values else sp.Add(*(v for v in values if v is not None))


def _over_gamma(z: sp.Expr) -> sp.Expr:
    return sp.S.Zero if z.is_integer and z.is_nonpositive else 1 / sp.gamma(z)


def _opened(wave: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """sin(ωy + φ) and cos(ωy + φ) in waves without a phase."""
    inner = sp.Poly(wave.args[0], y) if wave.args[0].is_polynomial(y) else None
    if inner is None or inner.degree() != 1:
        return None
    frequency, phase = inner.all_coeffs()
    a = frequency * y
    if isinstance(wave, sp.sin):
        return sp.sin(a) * sp.cos(phase) + sp.cos(a) * sp.sin(phase)
    return sp.cos(a) * sp.cos(phase) - sp.sin(a) * sp.sin(phase)


def _term(part: sp.Expr, y: sp.Symbol) -> Term | None:
    coefficient, moving = part.as_independent(y, as_Add=False)
    power: sp.Expr = sp.S.Zero
    kernel: sp.Expr = sp.S.One
    exponent_rate: sp.Expr = sp.S.Zero
    for factor in sp.Mul.make_args(moving):
        if factor == 1:
            continue
        root, exponent = factor.as_base_exp()
        if root == y and not exponent.has(y):
            power += exponent
        elif root == sp.E:
            inner = sp.Poly(exponent, y) if exponent.is_polynomial(y) else None
            if inner is None or inner.degree() != 1:
                return None
            rate, shift = inner.all_coeffs()
            coefficient *= sp.exp(shift)
            exponent_rate += rate
        elif kernel == 1 and isinstance(factor, sp.sin | sp.cos | MittagLeffler):
            kernel = factor
        else:
            return None
    if isinstance(kernel, MittagLeffler) and not _of_power(kernel, y):
        return None
    if exponent_rate != 0:
        if kernel != 1:
            return None
        kernel = sp.exp(exponent_rate * y, evaluate=False)
    return Term(coefficient, power, kernel)


def _of_power(kernel: MittagLeffler, y: sp.Symbol) -> bool:
    """Whether the argument is λ y^α."""
    alpha, beta, z = kernel.args[:3]
    if alpha.has(y) or beta.has(y) or kernel.exponent.has(y):
        return False
    return not sp.powsimp(sp.expand_power_base(z / y**alpha), force=True).has(y)
