"""Need analysis: the linear differential functionals of the unknowns that statements are functions of.

Derivatives that enter only through one combination with constant coefficients become one functional: the
Laplacian, the biharmonic, u_t - ν u_xx. They do so exactly when the slopes of every statement with respect
to them are proportional with one constant factor throughout, so that also the square of a Laplacian, long
since multiplied out, is found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import decided_by
from nablax.derivatives.lines import NO_HISTORIES, Histories
from nablax.derivatives.statements import Statement
from nablax.derivatives.surroundings import NO_SURROUNDINGS, Surroundings
from nablax.families import FamilyLaplacian, FamilySum, MemberDerivative, laplacians_of
from nablax.notation import text
from nablax.passes.jets import base, jets, own_orders
from nablax.system import Orders

Form = tuple[tuple[Orders, sp.Rational], ...]
"""A polynomial in the derivations: orders along the arguments, with their coefficients."""

_FOLDED = (sp.conjugate, sp.Abs, sp.re, sp.im, sp.arg, sp.sign, sp.Derivative, sp.Subs)


@dataclass(frozen=True, slots=True)
class Functional:
    """A derivative, or a sum of derivatives, of `value`, an applied unknown."""

    value: AppliedUndef
    form: Form
    stand_in: sp.Dummy

    @property
    def order(self) -> int:
        return max(sum(orders) for orders, _ in self.form)


def homogeneous(form: Form) -> tuple[Form, ...]:
    """The parts of a form of one order each, the highest first."""
    degrees = sorted({sum(orders) for orders, _ in form}, reverse=True)
    return tuple(tuple(term for term in form if sum(term[0]) == degree) for degree in degrees)


@dataclass(frozen=True, slots=True)
class MemberSum:
    """Σ_k body over the members of a family, where the body holds derivatives along member k.

    `derivatives` are the ones it holds, each with its stand-in in `body`, where `bound` is the member.
    """

    body: sp.Expr
    bound: sp.Symbol
    family: sp.Symbol
    size: int
    derivatives: tuple[tuple[MemberDerivative, sp.Dummy], ...]
    stand_in: sp.Dummy

    @property
    def laplacian(self) -> AppliedUndef | None:
        """The unknown of which this is the Laplacian along the family, if it is one."""
        if len(self.derivatives) == 1 and self.body == self.derivatives[0][1]:
            value, _, order = self.derivatives[0][0].args
            return value if order == 2 else None
        return None


@dataclass(frozen=True, slots=True)
class FamilyPower:
    """Laplacians along families, each with its size, one after the other, of `jet`.

    The jet is an unknown, or a derivative of one along other axes.
    """

    jet: sp.Expr
    along: tuple[tuple[sp.Symbol, int], ...]
    stand_in: sp.Dummy

    @property
    def order(self) -> int:
        return sum(own_orders(self.jet)) + 2 * len(self.along)


@dataclass(frozen=True, slots=True)
class Needs:
    """Statements of one place, written in coordinates, parameters and the stand-ins of what they need."""

    statements: tuple[Statement, ...]
    functionals: tuple[Functional, ...]
    sums: tuple[MemberSum, ...] = ()
    powers: tuple[FamilyPower, ...] = ()
    histories: Histories = NO_HISTORIES
    surroundings: Surroundings = NO_SURROUNDINGS

    @property
    def order(self) -> int:
        highest = [f.order for f in self.functionals] + [p.order for p in self.powers]
        highest += [sum(own_orders(r.jet)) for r in self.histories.remotes]
        highest += [2 + sum(own_orders(r.jet)) for r in self.surroundings.rays]
        highest += [sum(own_orders(r.jet)) for r in self.surroundings.lattices]
        return max(highest + [int(d.args[2]) for s in self.sums for d, _ in s.derivatives], default=0)


def needs(
    statements: Sequence[Statement],
    expansions: Mapping[sp.Basic, sp.Expr],
    histories: Histories,
    surroundings: Surroundings,
    numbers: Mapping[sp.Symbol, sp.Expr],
    mixed: bool = True,
) -> Needs:
    """What the statements, all of one place, need to know of the unknowns.

    `expansions` has what stands for each nonlocal operator, in jets and the stand-ins of `histories` and
    `surroundings`; `numbers` the values of the parameters that keep them. Derivatives of several orders share
    a functional where they may be `mixed`.
    """
    statements = _rewritten(statements, expansions)
    statements, powers = _family_powers(statements)
    statements, sums = _member_sums(statements)
    held = [v for s in statements for v in s.values] + [s.body for s in sums]
    held += [m.inside for m in histories.moments]
    found = sorted({j for v in held for j in jets(v)}, key=sp.default_sort_key)
    names = {jet: sp.Dummy(real=base(jet).is_real) for jet in found}
    frozen = [v.xreplace(names) for v in held]
    # A slope does not tell what a condition depends on: both have to be functions of the same combinations.
    frozen += sorted({side for v in frozen for side in decided_by(v)}, key=sp.default_sort_key)
    slopes = {jet: _slopes(frozen, name) for jet, name in names.items()}
    groups: list[dict[sp.Basic, sp.Expr]] = []
    for jet in found:
        for group in groups:
            leader = next(iter(group))
            one_order = sum(own_orders(jet)) == sum(own_orders(leader))
            if (mixed or one_order) and (factor := _factor(jet, leader, slopes, numbers)) is not None:
                group[jet] = factor
                break
        else:
            groups.append({jet: sp.S.One})
    functionals = []
    values: dict[sp.Basic, sp.Expr] = {}
    for group in groups:
        leader = next(iter(group))
        form = tuple((own_orders(jet), _rational(factor, numbers)) for jet, factor in group.items())
        functional = Functional(base(leader), form, sp.Dummy(_title(group), real=base(leader).is_real))
        functionals.append(functional)
        values |= dict.fromkeys(group, sp.S.Zero) | {leader: functional.stand_in}
    sums = tuple(replace(s, body=s.body.xreplace(values)) for s in sums)
    moments = tuple(replace(m, inside=m.inside.xreplace(values)) for m in histories.moments)
    return Needs(
        _rewritten(statements, values),
        tuple(functionals),
        sums,
        powers,
        replace(histories, moments=moments),
        surroundings,
    )


def _family_powers(statements: Sequence[Statement]) -> tuple[Sequence[Statement], tuple[FamilyPower, ...]]:
    """Repeated Laplacians along families, and those of derivatives, become symbols of their own."""
    found: dict[sp.Basic, FamilyPower] = {}
    nodes = {n for s in statements for v in s.values for n in v.atoms(FamilySum, FamilyLaplacian)}
    for node in sorted(nodes, key=sp.default_sort_key):
        held = laplacians_of(node)
        if held is not None and (len(held[1]) > 1 or isinstance(held[0], sp.Derivative)):
            jet, along = held
            stand_in = sp.Dummy(text(node), real=base(jet).is_real)
            found[node] = FamilyPower(jet, tuple((x, int(n)) for x, n in along), stand_in)
    stand_ins: dict[sp.Basic, sp.Expr] = {node: power.stand_in for node, power in found.items()}
    return _rewritten(statements, stand_ins), tuple(found.values())


def _member_sums(statements: Sequence[Statement]) -> tuple[Sequence[Statement], tuple[MemberSum, ...]]:
    """Sums over members that hold an unknown become symbols of their own."""
    nodes = sorted(
        {n for s in statements for v in s.values for n in v.atoms(FamilySum) if n.has(AppliedUndef)},
        key=sp.default_sort_key,
    )
    found: dict[sp.Basic, MemberSum] = {}
    for node in nodes:
        body, bound, family, size = node.args
        inside = sorted(
            (d for d in body.atoms(MemberDerivative) if d.args[1] == bound), key=sp.default_sort_key
        )
        names = {d: sp.Dummy(str(d), real=base(d).is_real) for d in inside}
        stand_in = sp.Dummy(text(node), real=True)
        found[node] = MemberSum(
            body.xreplace(names), bound, family, int(size), tuple(names.items()), stand_in
        )
    stand_ins: dict[sp.Basic, sp.Expr] = {node: s.stand_in for node, s in found.items()}
    return _rewritten(statements, stand_ins), tuple(found.values())


def _slopes(frozen: Sequence[sp.Expr], name: sp.Symbol) -> tuple[sp.Expr, ...] | None:
    found = tuple(sp.expand(sp.diff(value, name)) if value.has(name) else sp.S.Zero for value in frozen)
    return None if any(slope.has(*_FOLDED) for slope in found) else found


def _factor(
    jet: sp.Basic,
    leader: sp.Basic,
    slopes: Mapping[sp.Basic, tuple[sp.Expr, ...] | None],
    numbers: Mapping[sp.Symbol, sp.Expr],
) -> sp.Expr | None:
    """The constant q with ∂E/∂jet = q ∂E/∂leader for every statement E, where there is one."""
    mine, other = slopes[jet], slopes[leader]
    if mine is None or other is None or base(jet) != base(leader):
        return None
    if not any(own_orders(jet)) or not any(own_orders(leader)):
        return None
    pairs = [(a, b) for a, b in zip(mine, other, strict=True) if a != 0 or b != 0]
    if not pairs or any(a == 0 or b == 0 for a, b in pairs):
        return None
    quotient = sp.cancel(pairs[0][0] / pairs[0][1])
    if not quotient.free_symbols <= set(numbers) or not _rational(quotient, numbers):
        return None
    return None if any(sp.expand(a - quotient * b) != 0 for a, b in pairs) else quotient


def _rational(factor: sp.Expr, numbers: Mapping[sp.Symbol, sp.Expr]) -> sp.Rational:
    """Its value: exact where that is rational, else that of the nearest double; 0 where it has none."""
    value = factor.subs(numbers)
    if value.is_Rational:
        return value
    if not value.is_real or not value.is_finite:
        return sp.S.Zero
    return sp.Rational(float(value))


def _title(group: Mapping[sp.Basic, sp.Expr]) -> str:
    return text(sp.Add(*(factor * jet for jet, factor in group.items())))


def _rewritten(statements: Sequence[Statement], values: Mapping[sp.Basic, sp.Expr]) -> tuple[Statement, ...]:
    return tuple(replace(s, values=tuple(v.xreplace(values) for v in s.values)) for s in statements)
