"""What the equations of a system remember, as steppers read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp

from nablax.fractional_calculus.operators import Kernel
from nablax.plan import ANCHORED, EQUAL, PROPAGATED, Plan, StepperName
from nablax.system import Memory, System


@dataclass(frozen=True, slots=True)
class Part:
    """An unknown whose past is kept: its derivatives are those of `memory`, their orders less `less`. Where
    its slopes are kept, and not itself, all have one kernel and one rate."""

    unknown: int
    memory: tuple[Memory, ...]
    less: int

    @property
    def kernel(self) -> Kernel:
        return self.memory[0].kernel

    @property
    def rate(self) -> sp.Expr:
        return self.memory[0].rate

    @property
    def known(self) -> bool:
        """Whether its kernel is a positive combination of known ones, which can be fitted before the run."""
        numbers = all(m.coefficient.is_number and m.order.is_number for m in self.memory)
        return numbers and all(m.coefficient > 0 for m in self.memory)


@dataclass(frozen=True, slots=True)
class Line:
    """The memory of one equation: of the field with the index `field`, and of its rate `rate` where the
    equation is one for that (None otherwise)."""

    field: int
    rate: int | None
    slow: tuple[Memory, ...]  # orders below 1, of the field, and what tempered ones above leave of it
    fast: tuple[Memory, ...]  # orders between 1 and 2: those less 1 of the rate
    first: sp.Expr  # the coefficient of d/dt of the field
    second: sp.Expr  # of d²/dt²
    whole: tuple[Memory, ...]  # all of them, as derivatives of the field

    @property
    def top(self) -> int:
        return self.field if self.rate is None else self.rate

    @property
    def classical(self) -> bool:
        """Whether the highest derivative of whole order is one of the top unknown's, of first order."""
        return bool((self.first if self.rate is None else self.second) != 0)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The arrays whose past is kept."""
        slow = tuple(Part(self.field, group, 0) for group in _alike(self.slow))
        if self.rate is None:
            return slow
        return (*slow, *(Part(self.rate, group, 1) for group in _alike(self.fast)))


def _alike(memory: Sequence[Memory]) -> tuple[tuple[Memory, ...], ...]:
    """Grouped by what is kept of their past."""
    found: dict[tuple[Kernel, sp.Expr], tuple[Memory, ...]] = {}
    for m in memory:
        found[m.kernel, m.rate] = (*found.get((m.kernel, m.rate), ()), m)
    return tuple(found.values())


def signature(memory: Sequence[Memory]) -> frozenset[tuple[sp.Basic | str | None, ...]]:
    """What equations have in common that remember alike. The kind is no part of it: a derivative of Riemann
    and Liouville is taken where it is that of Caputo (P330)."""
    return frozenset((m.coefficient, m.order, m.kernel, m.rate, m.scale) for m in memory)


def nominal_order(memory: Memory, system: System) -> sp.Expr:
    """The order at the parameters' values, in the middle of time where it varies."""
    time = system.time
    middle = {} if time is None else {time.symbol: (time.lower + time.upper) / 2}
    return memory.order.subs(middle).subs({p.symbol: p.value for p in system.parameters})


def lines_of(system: System) -> tuple[Line, ...]:
    """The memory of every equation of a system that has one; d/dt itself of an equation without."""
    if not system.has_memory:
        return ()
    found = []
    rated = {u.rate_of for u in system.unknowns}
    for equation in system.evolution:
        if equation.unknown in rated:
            continue  # the definition of a rate
        memory = equation.memory or (Memory(sp.S.One, sp.S.One, "caputo", equation.span),)
        parent = system.unknowns[equation.unknown].rate_of
        field = equation.unknown if parent is None else parent
        whole = [(nominal_order(m, system), m) for m in memory]
        fast = tuple(m for a, m in whole if 1 < a < 2)
        found.append(
            Line(
                field,
                None if parent is None else equation.unknown,
                (*(m for a, m in whole if a < 1), *(_left(m) for m in fast if m.rate != 0)),
                fast,
                sp.Add(*(m.coefficient for a, m in whole if a == 1)),
                sp.Add(*(m.coefficient for a, m in whole if a == 2)),
                memory,
            )
        )
    return tuple(found)


def _left(memory: Memory) -> Memory:
    """λ D^(α-1) u: what e^(-λt) D^α e^(λt) u is beside e^(-λt) D^(α-1) e^(λt) u', for 1 < α < 2."""
    return replace(memory, coefficient=memory.coefficient * memory.rate, order=memory.order - 1)


def scale_of(system: System) -> sp.Expr | None:
    """The ψ(t) that all derivatives of no whole order measure the time by; None for t itself."""
    scales = (m.scale for e in system.evolution for m in e.memory)
    return next((s for s in scales if s is not None), None)


def parts_of(lines: Sequence[Line], stepper: StepperName) -> tuple[Part, ...]:
    """The arrays whose past is kept: changes, or the fields themselves from their start on."""
    if stepper in PROPAGATED:
        return ()
    if stepper in EQUAL:
        return tuple(Part(n.field, n.whole, 0) for n in lines)
    return tuple(p for n in lines for p in n.parts)


def anchors_of(lines: Sequence[Line], stepper: StepperName) -> tuple[int, ...]:
    """Unknowns of which one more array is kept: the start of fields and rates, or the last change of those
    whose last two changes count at once."""
    if stepper in ANCHORED:
        return tuple(i for n in lines for i in (n.field, n.rate) if i is not None)
    if stepper == "l21sigma":
        return tuple(n.field for n in lines)
    return tuple(n.top for n in lines if n.classical)


def order_in_time(plan: Plan) -> float:
    """The order of the steps where the solution is smooth in time."""
    if plan.stepping.name != "l1":
        return 2.0
    system = plan.system
    values = {p.symbol: p.value for p in system.parameters}
    time = system.time
    ends = [{}] if time is None else [{time.symbol: e} for e in (time.lower, time.upper)]
    found = [m.strength.subs(end).subs(values) for e in system.evolution for m in e.memory for end in ends]
    return min(2.0, *(2 - float(a - sp.floor(a)) for a in found))


def arrays_of(plan: Plan) -> int:
    """How many arrays of a state hold the past: the clock's three, and those of every line."""
    lines = lines_of(plan.system)
    name = plan.stepping.name
    return 3 + len(parts_of(lines, name)) + len(anchors_of(lines, name)) if lines else 0
