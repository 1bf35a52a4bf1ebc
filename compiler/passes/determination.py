"""Which unknown without a time derivative each constraint determines, and which free constants are left."""

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from nablax.integrals import INTEGRALS, fields_in
from nablax.nonlocal_operators import Between, SpectralLaplacian, total_order
from nablax.passes.jets import base, jets, orders_of
from nablax.passes.matching import matched
from nablax.system import Constraint, Evolution, LinearTerm, System, Terms, Unknown

Highest = dict[int, int]
"""Unknown to the highest total order of its derivatives."""


def highest_orders(terms: Terms, unknowns: Sequence[Unknown]) -> Highest:
    """Every unknown that stands in the terms, with the highest order of derivative taken of it."""
    index = {u.value: i for i, u in enumerate(unknowns)}
    found: Highest = {}
    for term in terms.linear:
        axes = unknowns[term.unknown].value.args
        order = max(sum(term.orders), total_order(term.operator, axes))
        found[term.unknown] = max(found.get(term.unknown, 0), order)
    for flux in terms.nonlinear:
        for jet in jets(flux.flux):
            if isinstance(jet, INTEGRALS):
                for i in (i for i, u in enumerate(unknowns) if u.name in fields_in(jet)):
                    found.setdefault(i, 0)
                continue
            unknown = base(jet)
            order = sum(orders_of(jet, unknown.args))
            if isinstance(jet, Between):
                order = total_order(jet, unknown.args)
            found[index[unknown]] = max(found.get(index[unknown], 0), order)
    return found


def determined(constraints: Sequence[Terms], unknowns: Sequence[Unknown]) -> tuple[int | None, ...]:
    """Per constraint the algebraic unknown it is an equation for, None where it holds none that is left.

    A constraint goes to the unknown that it takes the highest derivatives of, as far as all of them can be
    served. A divergence holds evolving unknowns only: what it acts through is a multiplier.
    """
    wishes: list[list[int]] = []
    for terms in constraints:
        orders = {u: n for u, n in highest_orders(terms, unknowns).items() if unknowns[u].algebraic}
        wishes.append([u for _, u in sorted((-n, u) for u, n in orders.items())])
    found = matched(wishes)
    return tuple(found.get(i) for i in range(len(constraints)))


def saddle_points(system: System) -> tuple[int, ...]:
    """Constraints of a system that are saddle points, see `saddles`."""
    return saddles([e.terms for e in system.evolution], system.constraints, system.unknowns)


def saddles(
    evolution: Sequence[Terms], constraints: Sequence[Constraint], unknowns: Sequence[Unknown]
) -> tuple[int, ...]:
    """Constraints that determine an unknown through lower derivatives than other equations take of it.

    The pressure of a flow is of this kind: no operator on the unknown itself could be inverted.
    """
    held = [highest_orders(c.terms, unknowns) for c in constraints]
    tops: Highest = {}
    for orders in (*held, *(highest_orders(terms, unknowns) for terms in evolution)):
        for unknown, order in orders.items():
            tops[unknown] = max(tops.get(unknown, 0), order)
    return tuple(
        i
        for i, c in enumerate(constraints)
        if c.unknown is not None and held[i].get(c.unknown, 0) < tops[c.unknown]
    )


def free_constants(system: System) -> tuple[int, ...]:
    """Determined unknowns of which equations and conditions hold derivatives only: up to a constant."""
    wanted = {c.unknown for c in system.constraints if c.unknown is not None}
    for terms in system.right_sides:
        wanted -= {t.unknown for t in terms.linear if _sees_constants(t)}
        found = {j for f in terms.nonlinear for j in jets(f.flux)}
        under = {name for j in found if isinstance(j, INTEGRALS) for name in fields_in(j)}
        wanted -= {i for i in wanted if system.unknowns[i].value in found or system.unknowns[i].name in under}
    wanted -= {b.unknown for b in system.boundary if any(t.order == 0 for t in b.terms)}
    return tuple(sorted(wanted))


def _sees_constants(term: LinearTerm) -> bool:
    if term.operator is not None:
        return not isinstance(term.operator, SpectralLaplacian)
    return not any(term.orders) and term.multiplier == 1


def relaxed(system: System) -> System:
    """The evolution that comes to rest where the constraints hold.

    Every constraint that determines an unknown becomes its evolution equation, d/dt = terms, so that a
    scheme built for time knows the equation's terms, its unknown and its boundary conditions.
    """
    zero = (0,) * len(system.axes)
    moved = {c.unknown for c in system.constraints if c.unknown is not None}
    evolution = list(system.evolution)
    for c in system.constraints:
        if c.unknown is not None:
            mass = (LinearTerm(sp.S.One, c.unknown, zero, sp.S.One, c.span),)
            evolution.append(Evolution(c.name, c.unknown, mass, c.terms, c.span))
    return replace(
        system,
        unknowns=tuple(
            replace(u, algebraic=u.algebraic and i not in moved) for i, u in enumerate(system.unknowns)
        ),
        evolution=tuple(sorted(evolution, key=lambda e: e.unknown)),
        constraints=tuple(c for c in system.constraints if c.unknown is None),
        initial=tuple(
            sp.S.Zero if value is None and i in moved else value for i, value in enumerate(system.initial)
        ),
    )
