"""Trial spaces for fields whose fractional derivatives in time make them start like a power of it.

A solution of D^α u = .. is u_0 + c t^α + .. near the start, which no smooth network follows; as
u_0 + t^α N_1 + t N_2 it is one with two smooth networks (M. Stynes, E. O'Riordan, J. L. Gracia, SIAM J.
Numer. Anal. 55 (2017) 1057, section 2, for how solutions start).
"""

from collections.abc import Mapping
from itertools import count

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.ansatz.derive import derive
from nablax.derivatives.statements import START, statements
from nablax.fractional_calculus.operators import (
    OPERATORS,
    DistributedCaputo,
    FractionalIntegral,
    FractionalOperator,
    PsiCaputo,
)
from nablax.passes.jets import base, bases, jets, orders_of
from nablax.problem import Problem
from nablax.system import System

SINGULAR = tuple(operator for operator in OPERATORS if operator.kernel == "power")
"""Operators whose solutions start like a power; kernels that are bounded have smooth ones."""


class NoPower(Exception):
    """A field that starts like no one known power; the message says why."""


def starting_powers(system: System) -> Mapping[str, float]:
    """The power of the time that components start with beside whole ones, by name. Raises `NoPower`.

    An operator D that takes t^p to t^(p-s) has the strength s. Where the largest one, S, is that of a
    derivative of whole order, u = u_0 + c t + .. makes D u start like t^(j-s), with t^j the first power of
    u that D does not take to 0, and so u like t^(S+j-s) besides. Otherwise u starts like t^S.
    """
    problem = system.problem
    if problem.time is None:
        return {}
    values = [v for b in system.balances for v in b.values]
    found: dict[str, float] = {}
    for component in problem.components:
        operators = [op for v in values for op in v.atoms(*SINGULAR) if _is_of(op, component.value, problem)]
        strengths = {op: _strength(op, component.name, problem) for op in operators}
        whole = _whole_order(component.value, values, problem)
        largest = max([whole, *strengths.values()])
        powers = [largest + _first(op, problem) - s for op, s in strengths.items() if s < largest]
        fractional = [power for power in (largest, *powers) if abs(power - round(power)) > 1e-9]
        if fractional:
            found[component.name] = min(fractional)
    return found


def built_in(system: System) -> dict[str, int]:
    """How many conditions at the start hold by construction, by component."""
    exact = derive(system).exact
    found: dict[str, int] = {}
    for statement in statements(system):
        if statement.place == START and statement.name in exact:
            for name in (unknown.func.__name__ for value in statement.values for unknown in bases(value)):
                found[name] = found.get(name, 0) + 1
    return found


def _is_of(operator: FractionalOperator, field: AppliedUndef, problem: Problem) -> bool:
    assert problem.time is not None
    return bool(operator.variable == problem.time.symbol and operator.operand.has(field))


def _strength(operator: FractionalOperator, name: str, problem: Problem) -> float:
    """How much lower a power of the time it leaves: its order, the highest one of many, at the start."""
    order = operator.further[2] if isinstance(operator, DistributedCaputo) else operator.order
    unknown = {p.symbol for p in problem.parameters if p.unknown}
    if order.free_symbols & unknown:
        raise NoPower("the order of a derivative in time is to be found")
    assert problem.time is not None
    order = _at_nominal(order.subs(problem.time.symbol, problem.time.lower), problem)
    if not order.is_number:
        raise NoPower(f"the power that `{name}` starts with is another one at every place")
    if isinstance(operator, FractionalIntegral):
        order = -order
    return float(order * _growth(operator, problem)) + _operand_order(operator, problem)


def _growth(operator: FractionalOperator, problem: Problem) -> sp.Expr:
    """The power of the time that the distance from the start, in the operator's own scale, starts with."""
    if not isinstance(operator, PsiCaputo):
        return sp.S.One
    time, scale = operator.variable, operator.further[0]
    passed = sp.Dummy("passed", positive=True)
    at_base = _at_nominal(operator.base, problem)
    scale = _at_nominal(scale, problem)
    distance = scale.subs(time, at_base + passed) - scale.subs(time, at_base)
    return sp.nsimplify(distance, rational=True).as_leading_term(passed).as_coeff_exponent(passed)[1]


def _first(operator: FractionalOperator, problem: Problem) -> int:
    """The first whole power of the time in its operand that the operator does not take to 0."""
    lower = _operand_order(operator, problem)
    if operator.family == "riemann-liouville":
        return lower + _starts_at_zero(operator.operand, problem)
    growth = _growth(operator, problem)
    lost = [lower + growth * k for k in range(operator.ceiling)]
    return next(j for j in count(lower) if j not in lost)


def _operand_order(operator: FractionalOperator, problem: Problem) -> int:
    """The highest classical derivative in time that it is applied to."""
    return max((orders_of(j, problem.symbols)[-1] for j in jets(operator.operand)), default=0)


def _starts_at_zero(operand: sp.Expr, problem: Problem) -> bool:
    """Whether the initial data prove that an operand is 0 at the start."""
    assert problem.time is not None
    time, start = problem.time.symbol, problem.time.lower
    value = operand
    for jet in jets(operand):
        order = orders_of(jet, problem.symbols)[-1]
        name = base(jet).func.__name__
        data = next((c.value for c in problem.initial if (c.component, c.order) == (name, order)), None)
        if data is None:
            return False
        along = [(x, n) for x, n in zip(problem.symbols, orders_of(jet, problem.symbols), strict=True) if n]
        value = value.xreplace({jet: sp.diff(data, *((x, n) for x, n in along if x != time))})
    return bool(sp.expand(value.doit().subs(time, start)) == 0)


def _at_nominal(value: sp.Expr, problem: Problem) -> sp.Expr:
    return value.subs({p.symbol: p.value for p in problem.parameters})


def _whole_order(field: AppliedUndef, values: list[sp.Expr], problem: Problem) -> int:
    """The highest classical derivative in time."""
    held = {j for v in values for j in jets(v) if isinstance(j, sp.Derivative) and base(j) == field}
    return max((orders_of(j, problem.symbols)[-1] for j in held), default=0)
