"""Diffusion in finite volumes: the cells its fluxes read, the steps it allows, and what keeps its bounds."""

from collections.abc import Sequence

import sympy as sp

from nablax.passes.divergence import Law
from nablax.passes.jets import jets, orders_of
from nablax.passes.waves import Characteristics
from nablax.plan import GridAxis
from nablax.system import System

GHOSTS = {2: 2, 5: 4}
"""Cells beyond an end of an axis that a scheme of this order reads."""
BESIDE = {2: 1, 5: 3}
SYMBOL = {2: 4.0, 5: 272 / 45}
"""The largest rate of the second difference that fluxes of this order make, times the spacing squared."""
WALLED = {2: 6.0, 5: 9.2}
"""The same between walls with values, computed for 16 and 32 cells."""
REAL_AXIS = 2.0
"""An Euler step of a rate is stable up to here; a Runge–Kutta step that averages them likewise."""


def cells_beside(order: int) -> int:
    """Cells on either side of a face that a diffusive flux reads."""
    return BESIDE[order]


def ghost_cells(system: System, law: Law, order: int) -> int:
    """Cells beyond an end of an axis; more where derivatives along a face are taken of its points."""
    space = [a.symbol for a in system.axes]
    return GHOSTS[order] + (cells_beside(order) if order > 2 and law.mixed(space) else 0)


def diffusion_rates(system: System, law: Law, order: int, grid: Sequence[GridAxis]) -> tuple[sp.Expr, ...]:
    """For every unknown the steps per time that its diffusion calls for: a row sum of ∂G/∂∇U, with the
    spacings, against the real axis."""
    space = [a.symbol for a in system.axes]
    found = []
    for i in range(len(system.unknowns)):
        total = sp.S.Zero
        for axis, row in enumerate(law.diffusion):
            slopes = [j for j in jets(row[i]) if isinstance(j, sp.Derivative)]
            names = {j: sp.Dummy(real=True) for j in slopes}
            for jet, name in sorted(names.items(), key=lambda pair: sp.default_sort_key(pair[0])):
                along = next(k for k, n in enumerate(orders_of(jet, space)) if n)
                symbol = (SYMBOL if grid[axis].periodic else WALLED)[order]
                size = sp.Float(symbol / (REAL_AXIS * grid[axis].spacing * grid[along].spacing))
                total += size * sp.Abs(sp.diff(row[i].xreplace(names), name))
        if total != 0:
            found.append(total)
    return tuple(found)


def maximum_principle(system: System, law: Law, waves: Characteristics) -> tuple[int, ...]:
    """The unknowns with bounds that stay: those of the waves whose own gradient alone drives diffusion, with
    walls of given values or without slope."""
    kept = []
    for i in waves.bounded:
        value = system.unknowns[i].value
        own = all(
            isinstance(j, sp.Derivative) and j.expr == value and j.variables == (a.symbol,)
            for a, row in zip(system.axes, law.diffusion, strict=True)
            for j in jets(row[i])
            if isinstance(j, sp.Derivative)
        ) and all(
            g == 0 or all(any(isinstance(j, sp.Derivative) for j in jets(t)) for t in sp.Add.make_args(g))
            for row in law.diffusion
            for g in (sp.expand(row[i]),)
        )
        spread = any(row[i] != 0 for row in law.diffusion)
        pushed = any(b.unknown == i and not b.dirichlet and b.data != 0 for b in system.boundary)
        if own and not (spread and pushed):
            kept.append(i)
    return tuple(kept)
