"""Names and numbers as they are written under pictures: mathtext, Greek letters, multiples of π."""

from fractions import Fraction
from math import isclose, pi

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi "
    "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)


def mathtext(name: str) -> str:
    """A name as mathtext with its dollars: `T_air`, `U.x` and `nu1` get subscripts, `nu` becomes ν.

    Anything else that is no plain name is set as literal text.
    """
    head, _, tail = name.replace(".", "_", 1).partition("_")
    if not head.isalnum() or not head[0].isalpha() or not all(p.isalnum() for p in tail.split("_") if tail):
        return literal(name)
    stem = head.rstrip("0123456789")
    below = [*([head[len(stem) :]] if stem != head else []), *([p for p in tail.split("_")] if tail else [])]
    if not below:
        return f"${_symbol(stem)}$"
    return f"${_symbol(stem)}_{{{','.join(_symbol(b) for b in below)}}}$"


def _symbol(word: str) -> str:
    if word in GREEK:
        return f"\\{word}"
    return word if len(word) == 1 or word.isdigit() else f"\\mathrm{{{word}}}"


def literal(text: str) -> str:
    """Text that mathtext leaves alone."""
    return text.replace("$", r"\$")


def number(value: float) -> str:
    """Four digits at most: 0.5, 150, 2.5 × 10⁻⁵ as mathtext."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    factor = "" if digits == "1" else f"{digits} \\times "
    return f"${factor}10^{{{int(exponent)}}}$"


def pi_ticks(lower: float, upper: float) -> tuple[list[float], list[str]] | None:
    """Ticks at simple multiples of π when both ends are ones, else None."""
    if lower == upper:
        return None
    ends = [Fraction(end / pi).limit_denominator(4) for end in (lower, upper)]
    if not all(isclose(float(f) * pi, end, rel_tol=1e-9, abs_tol=1e-12) for f, end in zip(ends, (lower, upper), strict=True)):
        return None
    span = ends[1] - ends[0]
    step = next(
        s
        for s in (*(Fraction(1, q) for q in (4, 2)), *(Fraction(b * 10**e) for e in range(12) for b in (1, 2, 4, 5, 8)))
        if span / s <= 4
    )
    first = -(-ends[0] // step)
    ticks = []
    while (first * step) <= ends[1]:
        ticks.append(first * step)
        first += 1
    return [float(t) * pi for t in ticks], [_multiple(t) for t in ticks]


def _multiple(f: Fraction) -> str:
    if f == 0:
        return "0"
    sign = "-" if f < 0 else ""
    count = "" if abs(f.numerator) == 1 else str(abs(f.numerator))
    over = "" if f.denominator == 1 else f"/{f.denominator}"
    return f"${sign}{count}\\pi{over}$"
