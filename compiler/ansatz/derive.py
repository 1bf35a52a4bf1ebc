"""From the conditions of a system to a function of a network that meets as many of them as can be met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.ansatz.conditions import Condition, Unsuitable, read_conditions
from nablax.ansatz.operators import applied, homogeneous, lift
from nablax.derivatives.statements import START, Statement, statements
from nablax.passes.jets import jets, orders_of
from nablax.problem import Axis, Problem
from nablax.sampling import sample
from nablax.system import Orders, System

POINTS = 16
SEED = 20
ROUNDING = 1e-9


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
    problem = system.problem
    stated = [s for s in statements(system) if s.place == START or s.place.startswith("boundary/")]
    stated.sort(key=lambda s: s.place == START)
    left: dict[str, str] = {}
    readable: list[tuple[Statement, tuple[Condition, ...]]] = []
    for statement in stated:
        try:
            readable.append((statement, read_conditions(system, statement)))
        except Unsuitable as reason:
            left[statement.name] = str(reason)
    kept = [c for _, conditions in readable for c in conditions]
    if not _hold(system, kept):
        kept = []
        for statement, conditions in readable:
            if _hold(system, [*kept, *conditions]):
                kept.extend(conditions)
            else:
                left[statement.name] = "its data disagree with those of other conditions where they meet"
    values: dict[AppliedUndef, sp.Expr] = {}
    derivatives: dict[sp.Symbol, tuple[AppliedUndef, Orders]] = {}
    for component in problem.components:
        own = [c for c in kept if c.unknown == component.value]
        bare = homogeneous(own, component.value)
        names: dict[sp.Basic, sp.Expr] = {}
        for jet in sorted(jets(bare), key=sp.default_sort_key):
            name = sp.Dummy(str(jet), real=component.value.is_real)
            names[jet] = name
            derivatives[name] = (component.value, orders_of(jet, problem.symbols))
        values[component.value] = lift(own) + bare.xreplace(names)
    exact = {c.statement for c in kept}
    return Ansatz(
        values,
        derivatives,
        tuple(s.name for s in stated if s.name in exact),
        tuple(left.items()),
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
        if not all(_closes(problem, value, axis, n) for axis, n in _periodic(system)):
            return False
    return True


def _equal(problem: Problem, a: sp.Expr, b: sp.Expr, c: Condition) -> bool:
    values = _random(problem)
    values[c.axis.symbol] = np.full(POINTS, float(sample(c.place, values)))
    return _agree(sample(_frozen(a, values), values), sample(b, values))


def _closes(problem: Problem, value: sp.Expr, axis: Axis, count: int) -> bool:
    """Whether a function and its derivatives agree at both ends of a periodic axis."""
    for k in range(count):
        slope = sp.diff(value, axis.symbol, k)
        ends = []
        for end in (axis.lower, axis.upper):
            values = _random(problem)
            values[axis.symbol] = np.full(POINTS, float(sample(end, values)))
            ends.append(sample(slope, values))
        if not _agree(ends[0], ends[1], 1e-6):
            return False
    return True


def _frozen(value: sp.Expr, values: dict[sp.Basic, np.ndarray]) -> sp.Expr:
    """Derivatives of the network as numbers of their own."""
    random = np.random.default_rng(SEED + 1)
    names: dict[sp.Basic, sp.Expr] = {}
    for jet in sorted(jets(value), key=sp.default_sort_key):
        names[jet] = sp.Dummy(real=True)
        values[names[jet]] = random.standard_normal(POINTS)
    return value.xreplace(names)


def _random(problem: Problem) -> dict[sp.Basic, np.ndarray]:
    """Parameters at their values, coordinates at random points of the domain."""
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    random = np.random.default_rng(SEED)
    for axis in problem.axes if problem.time is None else (*problem.axes, problem.time):
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        values[axis.symbol] = low + (high - low) * random.random(POINTS)
    return values


def _agree(a: np.ndarray, b: np.ndarray, tolerance: float = ROUNDING) -> bool:
    scale = 1 + np.max(np.abs(b), initial=0.0)
    return bool(np.all(np.abs(a - b) <= tolerance * scale))
