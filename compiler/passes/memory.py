"""Derivatives in time that remember the past: taken out of the equations, each field's in one place.

    Σ c_i D^(α_i) u + rest = 0    becomes    ∂t^n u + rest / c = 0    with the memory Σ (c_i / c) D^(α_i) u

n is the whole number from the highest order upwards and c the coefficient of the highest order: the normal
form goes on as if the derivative were ∂t^n, and a stepper puts the memory in its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp
from numpy.polynomial.legendre import leggauss
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import (
    DistributedCaputo,
    FractionalIntegral,
    FractionalOperator,
    Hadamard,
    PsiCaputo,
    Tempered,
    TemperedCaputo,
    VariableCaputo,
)
from nablax.frontend.diagnostics import Report
from nablax.notation import text
from nablax.passes.expansion import Expanded
from nablax.passes.jets import base, jets, orders_of
from nablax.problem import Problem, Summand
from nablax.system import Evolution, Memory, Refusal, Unknown, root_of

NODES = 8  # of the orders of a distributed derivative, by Gauss and Legendre
Taken = dict[AppliedUndef, tuple[Memory, ...]]


@dataclass(frozen=True, slots=True)
class Remembered:
    """The equations with whole orders in the place of memory, and what each field remembers."""

    expanded: tuple[Expanded, ...]
    memory: Mapping[AppliedUndef, tuple[Memory, ...]]


def has_memory(expanded: Sequence[Expanded]) -> bool:
    return any(s.value.has(FractionalOperator) for summands in expanded for s in summands)


def refuse(refusal: Refusal, report: Report) -> None:
    """Say that no grid takes these equations."""
    report.error(
        "P402",
        refusal.span,
        f"{refusal.reason} not available yet on a grid",
        help="use the residual of a network: `problem.residual(field)`",
    )


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def remembered(
    problem: Problem, expanded: Sequence[Expanded], heights: Mapping[AppliedUndef, int]
) -> Remembered | Refusal:
    """The equations without memory and the memory beside them, or why no stepper can take them.

    `heights` are the whole orders in time of every field.
    """
    if not has_memory(expanded):
        return Remembered(tuple(expanded), {})
    taken: Taken = {}
    try:
        rewritten = tuple(
            _without_memory(problem, summands, heights, taken) if has_memory([summands]) else summands
            for summands in expanded
        )
        _check_alone(problem, expanded, taken)
    except _Refused as refusal:
        return refusal.refusal
    return Remembered(rewritten, taken)


def with_memory(evolution: Evolution, unknowns: Sequence[Unknown], found: Remembered) -> Evolution:
    """The equation with the memory of its field, if it determines the highest derivative of one that has."""
    top = all(u.rate_of != evolution.unknown for u in unknowns)
    memory = found.memory.get(unknowns[root_of(evolution.unknown, unknowns)].value, ())
    return replace(evolution, memory=memory) if top and memory else evolution


def _without_memory(
    problem: Problem, summands: Expanded, heights: Mapping[AppliedUndef, int], taken: Taken
) -> Expanded:
    time = problem.time
    kept: list[sp.Expr] = []
    found: list[Memory] = []
    field: AppliedUndef | None = None
    for summand in summands:
        rest = sp.S.Zero
        for term in sp.Add.make_args(summand.value):
            if not term.has(FractionalOperator):
                rest += term
                continue
            node = _operator(term, summand)
            if time is None or node.variable != time.symbol:
                raise _refused(node, summand, "along space")
            if field is not None and base(node) != field:
                raise _refused(node, summand, "beside that of another field in one equation")
            field = base(node)
            coefficient = sp.cancel(term / node)
            found += _orders(problem, node, coefficient, summand)
            rest -= sum(coefficient * taken for taken in _taken_off(node))
        kept.append(rest)
    assert field is not None
    assert time is not None
    for i, summand in enumerate(summands):
        for term in sp.Add.make_args(kept[i]):
            order = _own_order(term, field, time.symbol)
            if order:
                jet = sp.Derivative(field, (time.symbol, order))
                found.append(Memory(term / jet, sp.Integer(order), "caputo", summand.span))
                kept[i] -= term
    leading = max(
        found, key=lambda m: (float(_nominal(problem, m.strength)), float(_nominal(problem, m.order)))
    )
    scaled = tuple(replace(m, coefficient=sp.cancel(m.coefficient / leading.coefficient)) for m in found)
    for m in scaled:
        if m.coefficient.free_symbols & set(problem.symbols) or m.coefficient.has(AppliedUndef):
            raise _Refused(
                Refusal("derivatives in time whose coefficients vary against each other are", m.span)
            )
    if field in taken:
        raise _Refused(Refusal(f"derivatives in time of `{field.func}` in two equations are", leading.span))
    taken[field] = scaled
    top = leading.coefficient * sp.Derivative(field, (time.symbol, heights[field]))
    first = next(i for i, summand in enumerate(summands) if summand.span == leading.span)
    return tuple(
        Summand(rest + top if i == first else rest, summand.span)
        for i, (rest, summand) in enumerate(zip(kept, summands, strict=True))
    )


def _operator(term: sp.Expr, summand: Summand) -> FractionalOperator:
    """The one operator of a term, which stands in it as a factor."""
    nodes = [f for f in sp.Mul.make_args(term) if isinstance(f, FractionalOperator)]
    if len(nodes) != 1 or (term / nodes[0]).has(FractionalOperator):
        node = min(term.atoms(FractionalOperator), key=sp.default_sort_key)
        raise _refused(node, summand, "under a power or a function")
    node = nodes[0]
    if not isinstance(node.operand, AppliedUndef):
        raise _refused(node, summand, "of anything but a field")
    return node


def _orders(
    problem: Problem, node: FractionalOperator, coefficient: sp.Expr, summand: Summand
) -> list[Memory]:
    """The derivatives of one order each that an operator stands for."""
    assert problem.time is not None
    start, space = problem.time.lower, {a.symbol for a in problem.axes}
    if sp.simplify(node.base - start) != 0 or node.side != 1:
        raise _refused(node, summand, "that does not look back to the start of time")
    if isinstance(node, DistributedCaputo):
        weight, low, high = node.further
        middle, half = (low + high) / 2, (high - low) / 2
        found = []
        for z, w in zip(*(a.tolist() for a in leggauss(NODES)), strict=True):
            order = middle + half * sp.Float(z, 17)
            density = weight.subs(node.order, order)
            found.append(
                Memory(coefficient * half * sp.Float(w, 17) * density, order, "caputo", summand.span)
            )
        return found
    if isinstance(node, VariableCaputo) and node.ceiling == 1 and not node.order.free_symbols & space:
        return [Memory(coefficient, node.order, "caputo", summand.span)]
    if isinstance(node, FractionalIntegral | VariableCaputo):
        raise _refused(node, summand, "in time")
    nominal = _nominal(problem, node.order)
    if nominal > 2:
        raise _refused(node, summand, "in time of an order above 2")
    rate = node.further[0] if isinstance(node, Tempered | TemperedCaputo) else sp.S.Zero
    scale = _scale(node)
    if nominal.is_integer and (rate != 0 or scale is not None):
        raise _refused(node, summand, "in time of an order that its parameters make whole")
    if scale is not None and nominal > 1:
        slope = sp.N(_nominal(problem, sp.diff(scale, node.variable).subs(node.variable, start)))
        if not slope.is_positive:
            where = "in time of an order above 1 in a function without a positive finite slope at the start"
            raise _refused(node, summand, where)
    return [Memory(coefficient, node.order, node.family, summand.span, node.kernel, rate, scale)]


def _scale(node: FractionalOperator) -> sp.Expr | None:
    """ψ(t), in which the operator measures time; None for t."""
    if isinstance(node, Hadamard):
        return sp.log(node.variable)
    if not isinstance(node, PsiCaputo):
        return None
    return None if node.further[0] == node.variable else node.further[0]


def _taken_off(node: FractionalOperator) -> tuple[sp.Expr, ...]:
    """λ^α u of a normalised tempered derivative, and α λ^(α-1) u' above order 1."""
    if not isinstance(node, Tempered | TemperedCaputo) or node.further[1] == 0:
        return ()
    rate, order = node.further[0], node.order
    value = rate**order * node.operand
    if node.ceiling == 1:
        return (value,)
    return value, order * rate ** (order - 1) * sp.Derivative(node.operand, node.variable)


def _own_order(value: sp.Expr, field: AppliedUndef, t: sp.Symbol) -> int | None:
    """The order of a plain derivative in time of the field that a term is linear in; None for other terms."""
    found = sorted(jets(value), key=sp.default_sort_key)
    if len(found) != 1 or found[0] == field or base(found[0]) != field:
        return None
    jet = found[0]
    order = orders_of(jet, (t,))[0]
    plain = jet == sp.Derivative(field, (t, order)) if order else False
    return order if plain and not (value / jet).has(AppliedUndef) else None


def _check_alone(problem: Problem, expanded: Sequence[Expanded], taken: Taken) -> None:
    """A field with memory is differentiated in time in its own equation only, and there nothing else is."""
    assert problem.time is not None
    t = problem.time.symbol
    for summands in expanded:
        own = {base(n) for s in summands for n in s.value.atoms(FractionalOperator)}
        for s in summands:
            for jet in jets(s.value):
                if isinstance(jet, FractionalOperator) or not isinstance(jet, sp.Derivative):
                    continue
                if not orders_of(jet, (t,))[0]:
                    continue
                if base(jet) in taken and base(jet) not in own:
                    name = base(jet).func
                    raise _Refused(Refusal(f"derivatives in time of `{name}` in two equations are", s.span))
                if own and (base(jet) not in own or _own_order(s.value, base(jet), t) is None):
                    raise _Refused(
                        Refusal("a derivative in time beside one that remembers the past is", s.span)
                    )


def _nominal(problem: Problem, order: sp.Expr) -> sp.Expr:
    """An order at the parameters' values, in the middle of time where it varies."""
    time = problem.time
    middle = {} if time is None else {time.symbol: (time.lower + time.upper) / 2}
    return order.subs(middle).subs({p.symbol: p.value for p in problem.parameters})


def _refused(node: FractionalOperator, summand: Summand, where: str) -> _Refused:
    return _Refused(Refusal(f"`{text(node)}` {where} is", summand.span))
