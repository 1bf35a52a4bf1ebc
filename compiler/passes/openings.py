"""What stands at the ends of a bounded axis for a balance law.

A side is a mirror where turning the axis around, and the sign of some unknowns with it, leaves the law
as it is: a reflecting wall. Every other side is open: its conditions describe the state outside, and
the waves decide what of it comes in.
"""

from dataclasses import dataclass

import sympy as sp

from nablax.passes.divergence import Law
from nablax.passes.jets import jets
from nablax.problem import Side
from nablax.system import Boundary, System


@dataclass(frozen=True, slots=True)
class Opening:
    """One side of one bounded axis.

    `given[unknown]` is its condition, None where there is none; `signs[unknown]` is set for a mirror. The
    mirror is `exact` where the data vanish, so that it also continues the state smoothly.
    """

    axis: int
    side: Side
    given: tuple[Boundary | None, ...]
    signs: tuple[int, ...] | None
    exact: bool


def openings(system: System, law: Law) -> tuple[Opening, ...]:
    """Both sides of every bounded axis. At most one condition per unknown and side is looked at."""
    return tuple(
        _opening(system, law, k, side)
        for k, axis in enumerate(system.axes)
        if not axis.periodic
        for side in (0, 1)
    )


def _opening(system: System, law: Law, axis: int, side: Side) -> Opening:
    given = tuple(
        next((b for b in system.boundary if (b.unknown, b.axis, b.side) == (u, axis, side)), None)
        for u in range(len(system.unknowns))
    )
    signs = tuple(-1 if b is not None and b.dirichlet else 1 for b in given)
    plain = all(b is None or b.data == 0 for b in given)
    flux = law.fluxes[axis]
    if -1 in signs and (plain or _linear(system, flux)) and _mirrored(system, law, axis, signs):
        return Opening(axis, side, given, signs, plain)
    return Opening(axis, side, given, None, False)


def _linear(system: System, flux: tuple[sp.Expr, ...]) -> bool:
    names = {u.value: sp.Dummy(real=True) for u in system.unknowns}
    rows = [f.xreplace(names) for f in flux]
    return not any(sp.diff(f, n).has(*names.values()) for f in rows for n in names.values())


def _mirrored(system: System, law: Law, axis: int, signs: tuple[int, ...]) -> bool:
    """Whether F(T U) = -T F(U), with T the signs, and the same of diffusive fluxes."""
    turned: dict[sp.Basic, sp.Expr] = {}
    names: dict[sp.Basic, sp.Dummy] = {}
    symbol = system.axes[axis].symbol
    for jet in (j for row in (*law.fluxes, *law.diffusion) for f in row for j in jets(f)):
        name = names.setdefault(jet, sp.Dummy(real=True))
        across = isinstance(jet, sp.Derivative) and symbol in jet.variables
        index = next(i for i, u in enumerate(system.unknowns) if jet.has(u.value))
        turned[name] = (-1 if across else 1) * signs[index] * name
    for row in (law.fluxes[axis], law.diffusion[axis]):
        for flux, sign in zip(row, signs, strict=True):
            there = flux.xreplace(names)
            back = there.subs(turned, simultaneous=True)
            if sp.expand(sp.numer(sp.together(back + sign * there))) != 0:
                return False
    return True
