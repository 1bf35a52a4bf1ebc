"""Jets: the unknowns and their derivatives as the independent variables of an equation's algebra."""

from collections.abc import Mapping, Sequence
from math import comb

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import decided_by, without_moduli
from nablax.families import FamilyLaplacian, MemberDerivative
from nablax.integrals import INTEGRALS, Convolution
from nablax.limits import DIFFERENTIATED_NODES, EXPRESSION_TERMS, POWER, TooLarge, checked
from nablax.nonlocal_operators import Nonlocal, variables
from nablax.system import Orders

GOLDEN = 0.6180339887498949  # whose multiples fall evenly between whole numbers


def is_jet(node: sp.Basic) -> bool:
    """An unknown, a derivative of one, a nonlocal operator of either, or an integral of anything."""
    if isinstance(node, (AppliedUndef, *INTEGRALS)):
        return True
    if isinstance(node, sp.Derivative):
        return isinstance(node.expr, AppliedUndef)
    return isinstance(node, (*Nonlocal, FamilyLaplacian, MemberDerivative)) and is_jet(node.args[0])


def jets(expression: sp.Basic) -> frozenset[sp.Basic]:
    """The outermost jets of an expression."""
    found: set[sp.Basic] = set()
    pending = [expression]
    while pending:
        node = pending.pop()
        if is_jet(node):
            found.add(node)
        else:
            pending.extend(node.args)
    return frozenset(found)


def bases(expression: sp.Basic) -> frozenset[AppliedUndef]:
    """The unknowns that the jets of an expression belong to; those under integrals do not count."""
    return frozenset(base(j) for j in jets(expression) if not isinstance(j, INTEGRALS))


def jets_of(unknown: AppliedUndef, expression: sp.Basic) -> tuple[sp.Basic, ...]:
    """The jets of one unknown in an expression, those under integrals left out."""
    return tuple(
        sorted(
            (j for j in jets(expression) if not isinstance(j, INTEGRALS) and base(j) == unknown),
            key=sp.default_sort_key,
        )
    )


def base(jet: sp.Basic) -> AppliedUndef:
    """The unknown a jet belongs to, which is no integral."""
    while not isinstance(jet, AppliedUndef):
        jet = jet.args[0]
    return jet


def orders_of(jet: sp.Basic, symbols: Sequence[sp.Symbol]) -> Orders:
    """Derivative orders along the given symbols; none of an integral."""
    if isinstance(jet, (*Nonlocal, FamilyLaplacian, MemberDerivative)):
        return orders_of(jet.args[0], symbols)
    counts: Mapping[sp.Symbol, int] = (
        {s: int(n) for s, n in jet.variable_count} if isinstance(jet, sp.Derivative) else {}
    )
    return tuple(counts.get(s, 0) for s in symbols)


def frozen_at(expression: sp.Expr, start: float) -> sp.Expr:
    """The expression with a different number of no account for every jet, between 0 and 1 from `start` on:
    what stays is what its coefficients do."""
    found = sorted(jets(expression), key=sp.default_sort_key)
    return expression.xreplace({j: sp.Float((start + k * GOLDEN) % 1) for k, j in enumerate(found)})


def own_orders(jet: sp.Basic) -> Orders:
    """Derivative orders of a jet along the arguments of its unknown."""
    return orders_of(jet, base(jet).args)


def stand_ins(expression: sp.Expr) -> dict[sp.Basic, sp.Dummy]:
    """A name for every jet of an expression. Replaced all at once, they spare what is under integrals."""
    names: dict[sp.Basic, sp.Dummy] = {}
    for jet in sorted(jets(expression), key=sp.default_sort_key):
        real = all(value.is_real for value in jet.atoms(AppliedUndef))
        names[jet] = sp.Dummy(real=True if real else None)
    return names


FOLDED = (sp.conjugate, sp.Abs, sp.re, sp.im, sp.arg, sp.sign)
"""Functions without a slope along a complex value."""


def slope_of(expression: sp.Expr, jet: sp.Basic) -> sp.Expr | None:
    """The coefficient of a jet that stands linearly, else None."""
    names = stand_ins(expression)
    frozen, name = expression.xreplace(names), names[jet]
    if not name.is_real and any(node.has(name) for node in frozen.atoms(*FOLDED)):
        return None
    if any(side.has(name) for side in decided_by(frozen)):
        return None
    slope = sp.diff(frozen, name)
    return None if slope.has(name) else slope.xreplace({n: j for j, n in names.items()})


def without(expression: sp.Expr, jet: sp.Basic) -> sp.Expr:
    """The expression where a jet is zero, wherever it stands outside integrals."""
    names = stand_ins(expression)
    back = {name: sp.S.Zero if j == jet else j for j, name in names.items()}
    return expression.xreplace(names).xreplace(back)


def derivative(unknown: sp.Expr, symbols: Sequence[sp.Symbol], orders: Orders) -> sp.Expr:
    """The jet of an unknown with the given orders."""
    pairs = [(s, n) for s, n in zip(symbols, orders, strict=True) if n]
    return sp.Derivative(unknown, *pairs) if pairs else unknown


def expand(expression: sp.Expr, real: bool) -> sp.Expr:
    """A sum of products of jets: derivatives of composites carried out, products multiplied out.

    `real` says that no unknown is complex; otherwise |ψ|² becomes ψ ψ*. Raises `TooLarge`.
    """
    if not real:
        expression = without_moduli(expression)
    return _multiply_out(_sorted(_differentiate(expression)))


def _sorted(expression: sp.Expr) -> sp.Expr:
    """∂xy u and ∂yx u as one jet: SymPy keeps the order in which nested derivatives were taken."""
    found = {d: d.doit() for d in expression.atoms(sp.Derivative) if is_jet(d)}
    return expression.xreplace({d: s for d, s in found.items() if d != s})


def _differentiate(node: sp.Expr) -> sp.Expr:
    """Carry out the derivatives of composites, innermost first, one order at a time."""
    if isinstance(node, INTEGRALS):
        inner = _multiply_out(_differentiate(node.args[0]))
        if isinstance(node, Convolution):
            return node.func(node.args[0], _multiply_out(_differentiate(node.args[1])), *node.args[2:])
        return node.func(inner, *node.args[1:])
    if is_jet(node) or node.is_Atom:
        return node
    arguments = [_differentiate(a) for a in node.args] if not isinstance(node, sp.Derivative) else []
    if isinstance(node, Nonlocal):
        return _distribute(node, _multiply_out(arguments[0]))
    if not isinstance(node, sp.Derivative):
        return node.func(*arguments)
    inner = _differentiate(node.expr)
    for symbol, count in node.variable_count:
        for _ in range(int(count)):
            inner = _multiply_out(inner)
            if len(sp.Add.make_args(inner)) > EXPRESSION_TERMS // 4:
                raise TooLarge  # differentiating costs more than the sum itself
            inner = sp.diff(checked(inner, DIFFERENTIATED_NODES), symbol)
    return inner


def _distribute(node: sp.Expr, argument: sp.Expr) -> sp.Expr:
    """A linear operator over a sum, what is constant to it drawn out."""
    along = variables(node)
    total = sp.S.Zero
    for term in sp.Add.make_args(argument):
        fixed = [f for f in sp.Mul.make_args(term) if not f.has(AppliedUndef) and not f.free_symbols & along]
        moving = sp.Mul(*(f for f in sp.Mul.make_args(term) if f not in fixed))
        value = node.func(moving, *node.args[1:])
        total += sp.Mul(*fixed) * (value if moving.has(AppliedUndef) else value.doit())
    return total


def _multiply_out(expression: sp.Expr) -> sp.Expr:
    """Distribute products and whole powers over sums of jets.

    What holds no jet is left as it stands (multiplying out exp(-(x - 1)²) would make it overflow), and so
    are functions of jets.
    """
    if _expanded_size(expression) > EXPRESSION_TERMS:
        raise TooLarge
    frozen: dict[sp.Basic, sp.Dummy] = {}
    polynomial = _freeze(expression, frozen)
    thaw = {name: node for node, name in frozen.items()}
    return checked(sp.expand(polynomial, deep=True, power_exp=False, log=False, trig=False).xreplace(thaw))


def _freeze(node: sp.Basic, frozen: dict[sp.Basic, sp.Dummy]) -> sp.Expr:
    """The expression as a polynomial in stand-ins for jets, functions of jets, and jet-free parts."""
    if node.is_number:
        return node
    mixed = node.has(AppliedUndef)
    if mixed and isinstance(node, sp.Add | sp.Mul):
        return node.func(*(_freeze(a, frozen) for a in node.args))
    if mixed and isinstance(node, sp.Pow) and node.exp.is_Integer and node.exp > 0:
        return _freeze(node.base, frozen) ** node.exp
    if node not in frozen:
        frozen[node] = sp.Dummy()
    return frozen[node]


def _expanded_size(node: sp.Basic) -> int:
    """How many terms a sum would have after multiplying out (an upper bound)."""
    if not node.has(AppliedUndef):
        return 1  # left as it stands
    if isinstance(node, sp.Add):
        return sum(_expanded_size(a) for a in node.args)
    if isinstance(node, sp.Mul):
        size = 1
        for a in node.args:
            size = min(size * _expanded_size(a), EXPRESSION_TERMS + 1)
        return size
    if isinstance(node, sp.Pow) and node.exp.is_Integer and node.exp > 1:
        terms = _expanded_size(node.base)
        if terms > 1 and node.exp > POWER:
            return EXPRESSION_TERMS + 1
        return min(comb(int(node.exp) + terms - 1, terms - 1), EXPRESSION_TERMS + 1) if terms > 1 else 1
    return 1


def factors(term: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """A product as (what holds no jet, what does)."""
    plain: list[sp.Expr] = []
    moving: list[sp.Expr] = []
    for factor in sp.Mul.make_args(term):
        (moving if jets(factor) else plain).append(factor)
    return sp.Mul(*plain), sp.Mul(*moving)
