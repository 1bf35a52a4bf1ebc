"""From the conditions of a system to a function of a network that meets as many of them as can be met."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.ansatz.conditions import Condition, Refusal, Unsuitable, read_conditions
from nablax.ansatz.operators import applied, homogeneous, lift
from nablax.ansatz.ties import Values, tied
from nablax.ansatz.trials import POINTS, agree, closes, frozen, random_values
from nablax.derivatives.statements import START, Statement, statements
from nablax.passes.jets import base, jets, orders_of
from nablax.problem import Axis, Problem
from nablax.sampling import sample
from nablax.system import Orders, System


@dataclass(frozen=True, slots=True)
class Ansatz:
    """Every component as `values`, in coordinates, parameters and `derivatives` of a network's outputs.

    `derivatives` maps a stand-in to its component and its orders along the space axes and time. `exact` are
    the statements that hold whatever the network, `left` those that do not, each with the reason.
    `periodic` has the axes along which the network is to be periodic, with the number of its derivatives
    (the value among them) that agree at both ends.
    """

    values: Mapping[AppliedUndef, sp.Expr]
    derivatives: Mapping[sp.Symbol, tuple[AppliedUndef, Orders]]
    exact: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    periodic: tuple[tuple[Axis, int], ...]

    @property
    def order(self) -> int:
        """The highest derivative of the network that is part of the field."""
        return max((sum(orders) for _, orders in self.derivatives.values()), default=0)


def derive(system: System) -> Ansatz:
    """Conditions go in as they stand in the text, those on walls before those at the start: where data
    disagree at a corner, the first condition wins, as on a grid."""
    kept, left = _fitting(system)
    periodic = _periodic(system)
    values, more, left = tied(system, _values(system, kept), kept, left, periodic)
    return _assembled(system, values, {c.statement for c in kept} | more, left)


def derive_onward(system: System) -> Ansatz:
    """The same for a window of time whose initial data are the state that the one before ends with.

    `system` has that window's interval, and a symbol for each initial value. Such a state meets the
    conditions on walls as soon as they are built into the window before: any smooth function that does stands
    for it where the conditions are tested.
    """
    problem = system.problem
    assert problem.time is not None
    kept, left = _fitting(replace(system, problem=replace(problem, initial=())))
    data = [(statement, c) for statement, group in _at_start(system) for c in group]
    before = {c.value: _ended(system, kept, c.value) for c in problem.components}
    t, start = problem.time.symbol, problem.time.lower
    tried = [replace(c, data=sp.diff(before[c.unknown], t, c.order).subs(t, start)) for _, c in data]
    if _hold(system, [*kept, *tried]):
        kept = [*kept, *(c for _, c in data)]
    else:
        reason = "what the window before ends with cannot be kept together with the conditions on walls"
        left |= dict.fromkeys((statement for statement, _ in data), Refusal(reason))
    return _assembled(system, _values(system, kept), {c.statement for c in kept}, left)


def _at_start(system: System) -> list[tuple[str, list[Condition]]]:
    """Initial statements whose data are symbols, as conditions."""
    problem = system.problem
    assert problem.time is not None
    found = []
    for statement in statements(system):
        if statement.place == START:
            parts = [_started(problem, statement.name, problem.time, value) for value in statement.values]
            found.append((statement.name, parts))
    return found


def _started(problem: Problem, name: str, time: Axis, value: sp.Expr) -> Condition:
    (jet,) = jets(value)
    order = orders_of(jet, problem.symbols)[-1]
    unknown = base(jet)
    return Condition(name, unknown, time, 0, {order: sp.S.One}, jet - value)


def _ended(system: System, walls: Sequence[Condition], unknown: AppliedUndef) -> sp.Expr:
    """Some smooth function that meets the conditions on walls, periodic ones included, at all times."""
    own = [c for c in walls if c.unknown == unknown]
    turning = {
        a.symbol: 2 * sp.pi * (a.symbol - a.lower) / (a.upper - a.lower) for a in system.axes if a.periodic
    }
    phase = sp.Add(*(
        sp.sin(turning[x]) if x in turning else sp.Rational(3 + 2 * i, 5) * x
        for i, x in enumerate(unknown.args)
    ))  # fmt: skip
    wave = sp.sin(phase + sp.Rational(1, 3))
    return lift(own) + homogeneous(own, unknown).subs(unknown, wave).doit()


def _fitting(system: System) -> tuple[list[Condition], dict[str, Refusal]]:
    """The conditions that go in, and the reasons of the statements that do not."""
    stated = _stated(system)
    left: dict[str, Refusal] = {}
    readable: list[tuple[Statement, tuple[Condition, ...]]] = []
    for statement in stated:
        try:
            readable.append((statement, read_conditions(system, statement)))
        except Unsuitable as unfit:
            left[statement.name] = unfit.refusal
    kept = [c for _, conditions in readable for c in conditions]
    if not _hold(system, kept):
        kept = []
        for statement, conditions in readable:
            if _hold(system, [*kept, *conditions]):
                kept.extend(conditions)
            else:
                reason = "its data disagree with those of other conditions where they meet"
                left[statement.name] = Refusal(reason)
    return kept, left


def _stated(system: System) -> list[Statement]:
    """Initial and boundary statements, those on walls first."""
    stated = [s for s in statements(system) if s.place == START or s.place.startswith("boundary/")]
    return sorted(stated, key=lambda s: s.place == START)


def _values(system: System, kept: Sequence[Condition]) -> Values:
    """Every component in networks of the same names, and derivatives of these."""
    found = {}
    for component in system.problem.components:
        own = [c for c in kept if c.unknown == component.value]
        found[component.value] = lift(own) + homogeneous(own, component.value)
    return found


def _assembled(system: System, values: Values, exact: Set[str], left: Mapping[str, Refusal]) -> Ansatz:
    problem = system.problem
    named: dict[AppliedUndef, sp.Expr] = {}
    names: dict[sp.Basic, sp.Symbol] = {}
    for unknown, value in values.items():
        for jet in sorted(jets(value) - set(names), key=sp.default_sort_key):
            names[jet] = sp.Dummy(str(jet), real=base(jet).is_real)
        named[unknown] = value.xreplace(names)
    return Ansatz(
        named,
        {name: (base(jet), orders_of(jet, problem.symbols)) for jet, name in names.items()},
        tuple(s.name for s in _stated(system) if s.name in exact),
        tuple((name, refusal.reason) for name, refusal in left.items()),
        _periodic(system),
    )


def _periodic(system: System) -> tuple[tuple[Axis, int], ...]:
    """Every periodic axis with the highest order of a derivative along it, which is how often values and
    derivatives have to agree at its ends."""
    problem = system.problem
    held = [j for b in system.balances for v in b.values for j in jets(v) if isinstance(j, sp.Derivative)]
    return tuple(
        (axis, max([1, *(orders_of(j, problem.symbols)[i] for j in held)]))
        for i, axis in enumerate(problem.axes)
        if axis.periodic and axis.size is None
    )


def _hold(system: System, conditions: Sequence[Condition]) -> bool:
    """Whether the functions built from the conditions meet them: tested at random points of each wall with
    random values for the network and its derivatives, where nothing but an identity holds."""
    problem = system.problem
    for component in problem.components:
        own = [c for c in conditions if c.unknown == component.value]
        if not own:
            continue
        network, value = homogeneous(own, component.value), lift(own)
        for c in own:
            x = c.axis.symbol
            met = applied(c.coefficients, value, x), c.data
            if not _equal(problem, *met, c) or not _equal(
                problem, applied(c.coefficients, network, x), sp.S.Zero, c
            ):
                return False
        if not all(closes(problem, value, axis, n) for axis, n in _periodic(system)):
            return False
    return True


def _equal(problem: Problem, a: sp.Expr, b: sp.Expr, c: Condition) -> bool:
    values = random_values(problem)
    values[c.axis.symbol] = np.full(POINTS, float(sample(c.place, values)))
    return agree(sample(frozen(a, values), values), sample(b, values))
