"""Names and numbers as they are written under pictures: mathtext, Greek letters, multiples of π."""

from fractions import Fraction
from math import ceil, floor, isclose, pi

_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi "
    "psi omega"
)
_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = frozenset(f"{_LETTERS} {_CAPITALS}".split(" "))


def mathtext(name: str) -> str:
    """A name as mathtext with its dollars: `T_air`, `U.x` and `nu1` get subscripts, `nu` becomes ν.

    Anything else that is no plain name is set as literal text.
    """
    head, *tail = name.replace(".", "_", 1).split("_")
    if not head[:1].isalpha() or not all(part.isalnum() for part in (head, *tail)):
        return literal(name)
    stem = head.rstrip("0123456789")
    below = [part for part in (head[len(stem) :], *tail) if part]
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


def place(value: float, lower: float, upper: float) -> str:
    """A coordinate on an axis between two ends: a multiple of π where the ends are ones."""
    fraction = _fraction_of_pi(value)
    return number(value) if fraction is None or pi_ticks(lower, upper) is None else _multiple(fraction)


STEPS = (Fraction(1, 4), Fraction(1, 2), *(Fraction(b * 10**e) for e in range(12) for b in (1, 2, 4, 5, 8)))


def pi_ticks(lower: float, upper: float) -> tuple[list[float], list[str]] | None:
    """Ticks at simple multiples of π when both ends are ones, else None."""
    first, last = _fraction_of_pi(lower), _fraction_of_pi(upper)
    if first is None or last is None or first == last:
        return None
    step = next((s for s in STEPS if (last - first) / s <= 4), None)
    if step is None:
        return None
    ticks = [k * step for k in range(ceil(first / step), floor(last / step) + 1)]
    return [float(t) * pi for t in ticks], [_multiple(t) for t in ticks]


def _fraction_of_pi(value: float) -> Fraction | None:
    fraction = Fraction(value / pi).limit_denominator(4)
    return fraction if isclose(float(fraction) * pi, value, rel_tol=1e-9, abs_tol=1e-12) else None


def _multiple(f: Fraction) -> str:
    if f == 0:
        return "0"
    sign = "-" if f < 0 else ""
    count = "" if abs(f.numerator) == 1 else str(abs(f.numerator))
    over = "" if f.denominator == 1 else f"/{f.denominator}"
    return f"${sign}{count}\\pi{over}$"
