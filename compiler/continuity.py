"""Whether a function may jump, and so has no derivative: steps, boxes, pieces that do not meet."""

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

_STEPS = (sp.Heaviside, sp.sign, sp.floor, sp.ceiling, sp.arg)
_KINKS = (sp.Abs, sp.Max, sp.Min)  # continuous, and their derivatives are not
_SIMPLE = 200  # operations of a difference that is worth simplifying


class Jump(Exception):
    """A function that may jump is differentiated."""


def suspect(expression: sp.Expr) -> bool:
    """Whether differentiating it, perhaps more than once, could meet a jump."""
    return bool(expression.has(sp.Piecewise, *_STEPS, *_KINKS))


def may_jump(expression: sp.Expr, symbol: sp.Symbol) -> bool:
    """Whether the expression is not proven to be continuous along `symbol`."""
    for node in sp.preorder_traversal(expression):
        if isinstance(node, _STEPS) and node.has(symbol):
            return True
        if isinstance(node, sp.Piecewise) and not _meets(node, symbol):
            return True
    return False


def decided_by(expression: sp.Expr) -> frozenset[sp.Expr]:
    """What steps and the conditions of pieces depend on, of which a derivative tells nothing."""
    found = {node.args[0] for node in expression.atoms(*_STEPS)}
    found |= {r.lhs - r.rhs for p in expression.atoms(sp.Piecewise) for r in p.atoms(Relational)}
    return frozenset(found)


def without_moduli(expression: sp.Expr) -> sp.Expr:
    """|z|² as z z*: smooth, where |z| is not."""
    return expression.replace(
        lambda n: isinstance(n, sp.Pow) and isinstance(n.base, sp.Abs) and n.exp.is_even is True,
        lambda n: (n.base.args[0] * sp.conjugate(n.base.args[0])) ** (n.exp / 2),
    )


def check_differentiable(expression: sp.Expr, symbol: sp.Symbol, order: int) -> None:
    """Raises `Jump` where one of the first `order` derivatives may not exist."""
    if not suspect(expression):
        return
    value = without_moduli(expression.doit())
    for k in range(order):
        if may_jump(value, symbol):
            raise Jump
        if k + 1 < order:
            value = sp.diff(value, symbol)


def _meets(pieces: sp.Piecewise, symbol: sp.Symbol) -> bool:
    """Whether neighbouring pieces agree on the borders between them."""
    arms = pieces.args
    for k, (value, condition) in enumerate(arms[:-1]):
        rest = sp.Piecewise(*arms[k + 1 :])
        for relation in condition.atoms(Relational):
            if relation.has(symbol) and not _vanishes(value - rest, relation.lhs - relation.rhs):
                return False
    return True


def _vanishes(difference: sp.Expr, border: sp.Expr) -> bool:
    """Whether the first is zero wherever the second is."""
    nodes = difference.atoms(sp.Derivative, AppliedUndef) | border.atoms(sp.Derivative, AppliedUndef)
    names = {node: sp.Dummy(real=True) for node in nodes}
    difference, border = difference.xreplace(names), border.xreplace(names)
    if difference.is_zero:
        return True
    if difference.count_ops() > _SIMPLE or border.count_ops() > _SIMPLE:
        return False
    for symbol in sorted(border.free_symbols, key=sp.default_sort_key):
        slope = sp.diff(border, symbol)
        if slope != 0 and not slope.has(symbol):
            return bool(sp.simplify(difference.subs(symbol, sp.expand(symbol - border / slope))) == 0)
    for symbol in sorted(border.free_symbols, key=sp.default_sort_key):
        numerator = sp.numer(sp.together(difference))
        if numerator.is_polynomial(symbol) and border.is_polynomial(symbol):
            return bool(sp.rem(numerator, border, symbol) == 0)
    return False
