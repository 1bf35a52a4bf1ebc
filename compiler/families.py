"""Indexed families of axes, `x[1..100]`: sums over their members stay one node, differentiated by index rule.

The family is one symbol `x`, an argument of every unknown that stands for all its members. A member is the
symbol `x[k]`; inside a sum it is bound. Nothing here grows with the number of members.
"""

import sympy as sp
from sympy.core.function import AppliedUndef


class MemberDerivative(sp.Function):
    """The n-th derivative of an unknown along one member. Arguments: u, member, n."""

    nargs = 3

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        return MemberDerivative(sp.Derivative(self.args[0], symbol), *self.args[1:])


class FamilySum(sp.Function):
    """Σ_k body, k over a family. Arguments: body, the bound member, the family, its size."""

    nargs = 4

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        body, bound, family, size = self.args
        return family_sum(sp.diff(body, symbol), bound, family, size)


class FamilyLaplacian(sp.Function):
    """Laplacians along families, one after the other, of an unknown: two or more. Arguments: u, then a family
    and its size for each."""

    @classmethod
    def of(cls, value: sp.Expr, along: "tuple[tuple[sp.Symbol, sp.Integer], ...]") -> "FamilyLaplacian":
        """In one canonical order: they commute."""
        ordered = sorted(along, key=lambda pair: str(pair[0]))
        return cls(value, *(entry for pair in ordered for entry in pair))

    @property
    def along(self) -> "tuple[tuple[sp.Symbol, sp.Integer], ...]":
        """Families with their sizes, as often as there are Laplacians."""
        return tuple(zip(self.args[1::2], self.args[2::2], strict=True))

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        return FamilyLaplacian(sp.Derivative(self.args[0], symbol), *self.args[1:])


class IndexRuleError(Exception):
    """A derivative that has no rule here; the message says which."""


def member(family: sp.Symbol, index: str) -> sp.Symbol:
    """`x[k]`."""
    return sp.Symbol(f"{family.name}[{index}]", real=True)


def is_member(symbol: sp.Basic, family: sp.Symbol) -> bool:
    return isinstance(symbol, sp.Symbol) and symbol.name.startswith(f"{family.name}[")


def family_sum(body: sp.Expr, bound: sp.Symbol, family: sp.Symbol, size: sp.Integer) -> sp.Expr:
    """Σ_k body in one canonical form: term by term, what does not depend on k drawn out."""
    total = sp.S.Zero
    # A sum inside that does not hold this index, or binds one of the same name itself, is a constant here.
    closed = {n: sp.Dummy(real=True) for n in body.atoms(FamilySum) if n.args[1] == bound or not n.has(bound)}
    opened = {name: node for node, name in closed.items()}
    frozen = body.xreplace(closed)
    canonical = member(family, "k")
    if frozen.has(canonical):
        canonical = bound  # the index of an outer sum stands inside: keep the two apart
    for term in sp.Add.make_args(sp.expand(frozen)):
        fixed, moving = term.as_independent(bound, as_Add=False)
        if moving == 1:
            total += size * fixed
        else:
            total += fixed * FamilySum(moving.xreplace({bound: canonical}), canonical, family, size)
    return total.xreplace(opened)


def along(expression: sp.Expr, place: sp.Symbol, family: sp.Symbol) -> sp.Expr:
    """∂/∂x[place]: ∂ Σ_k f(x[k]) = f'(x[place]), by the chain rule through every sum and every unknown.

    Raises `IndexRuleError` for mixed derivatives of an unknown.
    """
    nodes = _outermost(expression)
    names = {node: sp.Dummy(real=True) for node in nodes}
    frozen = expression.xreplace(names)
    total = sp.diff(frozen, place)
    for node, name in names.items():
        slope = sp.diff(frozen, name)
        if slope != 0:
            total += slope * _of_node(node, place, family)
    return total.xreplace({name: node for node, name in names.items()})


def _outermost(expression: sp.Basic) -> list[sp.Basic]:
    """Sums, unknowns and their derivatives, in a fixed order."""
    found: set[sp.Basic] = set()
    pending = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, FamilySum | FamilyLaplacian | MemberDerivative | sp.Derivative | AppliedUndef):
            found.add(node)
        else:
            pending.extend(node.args)
    return sorted(found, key=sp.default_sort_key)


def _of_node(node: sp.Expr, place: sp.Symbol, family: sp.Symbol) -> sp.Expr:
    if isinstance(node, FamilySum):
        body, bound, own, size = node.args
        inner = family_sum(along(body, place, family), bound, own, size)
        return inner + (along(body, bound, family).xreplace({bound: place}) if own == family else 0)
    if not node.has(family):
        return sp.S.Zero
    if isinstance(node, FamilyLaplacian):
        raise IndexRuleError("a derivative of a repeated Laplacian along a member of a family")
    if isinstance(node, MemberDerivative):
        if node.args[1] != place:
            raise IndexRuleError("a derivative along two members of a family")
        return MemberDerivative(node.args[0], place, node.args[2] + 1)
    if isinstance(node, sp.Derivative):
        raise IndexRuleError("a derivative along a family and another axis")
    return MemberDerivative(node, place, 1)


def laplacian(expression: sp.Expr, family: sp.Symbol, size: sp.Integer) -> sp.Expr:
    """Σ_k ∂²/∂x[k]². Of derivatives along families, those of Laplacians with constant factors.

    Raises `IndexRuleError` for any others.
    """
    place = member(family, "·")  # no index of the text is called so
    whole = sp.S.Zero
    rest = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(expression)):
        factor, node = term.as_independent(FamilySum, FamilyLaplacian, sp.Derivative, as_Add=False)
        held = None if _moves(factor, family) else laplacians_of(node)
        if held is not None and held[1]:
            whole += factor * FamilyLaplacian.of(held[0], (*held[1], (family, size)))
        elif held is not None and node.has(family):
            whole += factor * family_sum(MemberDerivative(node, place, 2), place, family, size)
        elif term.has(MemberDerivative, FamilyLaplacian):
            raise IndexRuleError("the Laplacian of other derivatives along a family than Laplacians")
        else:
            rest += term
    twice = along(along(rest, place, family), place, family)
    return whole + family_sum(twice, place, family, size)


def _moves(factor: sp.Expr, family: sp.Symbol) -> bool:
    """Whether a factor changes along a family."""
    return factor.has(AppliedUndef, family) or any(is_member(s, family) for s in factor.free_symbols)


def laplacians_of(node: sp.Basic) -> "tuple[sp.Expr, tuple[tuple[sp.Symbol, sp.Integer], ...]] | None":
    """A derivative of an unknown along other axes, or Laplacians along families of it or of the unknown: what
    they are of, and the families; None for anything else."""
    if isinstance(node, FamilyLaplacian):
        return node.args[0], node.along
    if isinstance(node, FamilySum):
        body, bound, family, size = node.args
        if isinstance(body, MemberDerivative) and body.args[1:] == (bound, 2):
            return body.args[0], ((family, size),)
    if isinstance(node, sp.Derivative) and isinstance(node.expr, AppliedUndef):
        return node, ()
    return None
