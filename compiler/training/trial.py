"""Trial spaces for fields whose fractional derivatives in time make them start like a power of it.

A solution of D^α u = .. is u_0 + c t^α + .. near the start, which no smooth network follows; as
u_0 + t^α N_1 + t N_2 it is one with two smooth networks (M. Stynes, E. O'Riordan, J. L. Gracia, SIAM J.
Numer. Anal. 55 (2017) 1057, section 2, for how solutions start).
"""

from collections.abc import Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import (
    Caputo,
    DistributedCaputo,
    FractionalOperator,
    GrunwaldLetnikov,
    Hadamard,
    PsiCaputo,
    RiemannLiouville,
    Tempered,
    TemperedCaputo,
    VariableCaputo,
)
from nablax.passes.jets import base, jets, orders_of
from nablax.problem import Problem
from nablax.system import System

SINGULAR = (
    Caputo, DistributedCaputo, GrunwaldLetnikov, Hadamard, PsiCaputo, RiemannLiouville, Tempered,
    TemperedCaputo, VariableCaputo,
)  # fmt: skip
"""Derivatives whose solutions start like a power; kernels that are bounded have smooth ones."""


class Moving(Exception):
    """An order that the training moves."""


def starting_powers(system: System) -> Mapping[str, float]:
    """The power of the time that components start with beside whole ones, by name. Raises `Moving`."""
    problem = system.problem
    if problem.time is None:
        return {}
    values = [v for b in system.balances for v in b.values]
    found: dict[str, float] = {}
    for component in problem.components:
        operators = [op for v in values for op in v.atoms(*SINGULAR) if _is_of(op, component.value, problem)]
        if not operators:
            continue
        top = max(_order(op, problem) for op in operators)
        whole = _whole_order(component.value, values, problem)
        power = top if whole < top else 2 - top if whole == 1 else 0.0
        if power != int(power):
            found[component.name] = power
    return found


def _is_of(operator: FractionalOperator, field: AppliedUndef, problem: Problem) -> bool:
    assert problem.time is not None
    return bool(operator.variable == problem.time.symbol and operator.operand.has(field))


def _order(operator: FractionalOperator, problem: Problem) -> float:
    """The order at the start; the highest one of many."""
    assert problem.time is not None
    order = operator.further[2] if isinstance(operator, DistributedCaputo) else operator.order
    unknown = {p.symbol for p in problem.parameters if p.unknown}
    if order.free_symbols & unknown:
        raise Moving
    order = order.subs(problem.time.symbol, problem.time.lower)
    return float(order.subs({p.symbol: p.value for p in problem.parameters}))


def _whole_order(field: AppliedUndef, values: list[sp.Expr], problem: Problem) -> int:
    """The highest classical derivative in time."""
    held = {j for v in values for j in jets(v) if isinstance(j, sp.Derivative) and base(j) == field}
    return max((orders_of(j, problem.symbols)[-1] for j in held), default=0)
