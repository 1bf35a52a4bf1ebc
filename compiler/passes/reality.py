"""Real values written with i: proven real by their imaginary parts, which cancel identically."""

from collections.abc import Sequence

import sympy as sp

from nablax.passes.jets import jets

MOST_OPERATIONS = 400  # of an expression that is taken apart
MOST_NESTED = 3  # functions of complex arguments in each other: each level doubles both parts


def real_parts(terms: Sequence[sp.Expr]) -> tuple[sp.Expr, ...] | None:
    """The real parts of terms whose sum is real; None where that is not proven.

    Coordinates, parameters and fields are real. The proof is symbolic: the imaginary part of the sum is
    zero after it is multiplied out.
    """
    names = {jet: sp.Dummy(real=True) for term in terms for jet in jets(term)}
    bare = [term.xreplace(names) for term in terms]
    if any(b.count_ops() > MOST_OPERATIONS or _nested(b) > MOST_NESTED for b in bare):
        return None
    parts = [b.as_real_imag() for b in bare]
    imaginary = sp.expand(sp.Add(*(im for _, im in parts)))
    if imaginary != 0 and sp.expand(sp.trigsimp(imaginary)) != 0:
        return None
    if any(re.has(sp.I, sp.re, sp.im) for re, _ in parts):
        return None
    back = {name: jet for jet, name in names.items()}
    return tuple(re.xreplace(back) for re, _ in parts)


def _nested(expression: sp.Expr) -> int:
    if not expression.has(sp.I):
        return 0
    inner = max((_nested(a) for a in expression.args), default=0)
    return inner + (not isinstance(expression, sp.Add | sp.Mul) and not expression.is_Atom)
