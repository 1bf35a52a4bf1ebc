"""The Mittag-Leffler functions of one, two and three parameters.

E^γ_{α,β}(z) = Σ (γ)_k z^k / (k! Γ(αk + β)), entire in z for α > 0 (R. Gorenflo, A. A. Kilbas, F. Mainardi,
S. V. Rogosin, Mittag-Leffler Functions, Related Topics and Applications, Springer 2014, eqs. 4.1.1, 5.1.1).
"""

from typing import Self

import mpmath
import sympy as sp

LARGEST_ROOT = 500  # |z|^(1/α) up to which the series is summed: e to this power sets the digits it needs


class MittagLeffler(sp.Function):
    """E_{α,β}(z), or E^γ_{α,β}(z) with γ as a fourth argument. Arguments: α, β, z[, γ]."""

    nargs = (3, 4)

    @classmethod
    def eval(cls, alpha: sp.Expr, beta: sp.Expr, z: sp.Expr, gamma: sp.Expr = sp.S.One) -> sp.Expr | None:
        if len((alpha, beta, z)) == 3 and gamma == 1:
            if z.is_zero:
                return 1 / sp.gamma(beta)
            if alpha == 1 and beta.is_Integer and beta <= 1:
                return z ** (1 - beta) * sp.exp(z)
            if alpha == 2 and beta == 1 and z.could_extract_minus_sign():
                return sp.cos(sp.sqrt(-z))
            return None
        if z.is_zero or gamma.is_zero:
            return 1 / sp.gamma(beta)
        if alpha == 1 and beta == gamma:
            return sp.exp(z) / sp.gamma(beta)
        return None

    def __new__(cls, *args: sp.Expr, **options: bool) -> Self:
        arguments = tuple(map(sp.S, args))
        if len(arguments) == 4 and arguments[3] == 1:
            arguments = arguments[:3]
        made: Self = super().__new__(cls, *arguments, **options)
        return made

    @property
    def exponent(self) -> sp.Expr:
        """γ."""
        return self.args[3] if len(self.args) == 4 else sp.S.One

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """d/dz E^γ_{α,β} = γ E^{γ+1}_{α,α+β}; in α, β and γ the derivative stays inert."""
        if argindex != 3:
            return super().fdiff(argindex)
        alpha, beta, z = self.args[:3]
        gamma = self.exponent
        return gamma * MittagLeffler(alpha, alpha + beta, z, gamma + 1)

    def _eval_evalf(self, precision: int) -> sp.Expr | None:
        if not all(a.is_number for a in self.args):
            return None
        with mpmath.workprec(precision + 10):
            numbers = [a._to_mpmath(precision + 10) for a in self.args]
            value = mittag_leffler(*numbers)
        return sp.Expr._from_mpmath(value, precision)

    def _eval_rewrite_as_erfc(self, *args: sp.Expr, **hints: bool) -> sp.Expr:
        """E_{1/2}(z) = exp(z²) erfc(-z). Not done by itself: it would hide the eigenfunction of D^(1/2)."""
        if self.args[:2] == (sp.Rational(1, 2), sp.S.One) and self.exponent == 1:
            z = self.args[2]
            return sp.exp(z**2) * sp.erfc(-z)
        return self

    def _eval_is_real(self) -> bool | None:
        return True if all(a.is_real for a in self.args) else None

    def _latex(self, printer: object, exp: str | None = None) -> str:
        alpha, beta, z = (sp.latex(a) for a in self.args[:3])
        index = alpha if self.args[1] == 1 and self.exponent == 1 else rf"{alpha},{beta}"
        upper = "" if self.exponent == 1 else rf"^{{{sp.latex(self.exponent)}}}"
        text = rf"E_{{{index}}}{upper}\left({z}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


def mittag_leffler(
    alpha: mpmath.mpf, beta: mpmath.mpf, z: mpmath.mpf, gamma: mpmath.mpf | int = 1
) -> mpmath.mpf:
    """The value in the working precision of mpmath, by the series with the digits its cancellation costs.

    Where the asymptotic expansion reaches the working precision it is used (ibid., eqs. 4.4.16, 4.4.17;
    γ = 1, α < 2).

    Raises:
        ValueError: α is not positive, or |z| is beyond both.
    """
    if not alpha > 0:
        raise ValueError(f"a Mittag-Leffler function needs α > 0, and α is {alpha}")
    if z == 0:
        return mpmath.rgamma(beta)
    root = mpmath.mpf(abs(z)) ** (1 / mpmath.mpf(alpha))
    if gamma == 1 and alpha < 2 and root > 0.7 * mpmath.mp.prec + 20:
        return _asymptotic(mpmath.mpf(alpha), mpmath.mpf(beta), z)
    if root > LARGEST_ROOT:
        raise ValueError("the argument of this Mittag-Leffler function is too large")
    digits = int(2 * root / mpmath.log(2)) + 30
    with mpmath.extraprec(digits):
        total = mpmath.mpf(0)
        power = mpmath.mpf(1)
        k = 0
        while True:
            term = power * mpmath.rgamma(alpha * k + beta)
            total += term
            power *= z * (gamma + k) / (k + 1)
            k += 1
            if power == 0:
                break
            far = alpha * k + beta > max(2, 2 * root)
            if far and abs(term) <= mpmath.eps * (abs(total) + mpmath.mpf(2) ** -mpmath.mp.prec):
                break
    return +total


def _asymptotic(alpha: mpmath.mpf, beta: mpmath.mpf, z: mpmath.mpf) -> mpmath.mpf:
    total = mpmath.mpf(0)
    power = mpmath.mpf(1)
    last = int(abs(z) ** (1 / alpha) / alpha)  # from here on the terms grow
    for k in range(1, last):
        power /= z
        total -= power * mpmath.rgamma(beta - alpha * k)
        size = abs(power) * mpmath.gamma(abs(alpha * k - beta) + 1)
        if size < mpmath.eps * abs(total):
            break
    if abs(mpmath.arg(z)) < alpha * mpmath.pi:
        root = mpmath.mpmathify(z) ** (1 / alpha)
        roots = [root] if mpmath.im(z) or z > 0 else [root, mpmath.conj(root)]
        total += sum(r ** (1 - beta) * mpmath.exp(r) for r in roots) / alpha
    return mpmath.re(total) if not mpmath.im(z) else total
