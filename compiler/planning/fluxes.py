"""Linear diffusion in divergence form, at order 2: differences of fluxes between the nodes.

With k± = k(x ± h/2), A = (k+ + k-)/2 and B = (k+ - k-)/h the centred differences of A u_xx + B u_x are
(k+ (u_{i+1} - u_i) - k- (u_i - u_{i-1}))/h²: conservative, and for k > 0 bounded by the values on the walls,
however steep k is. So coefficients alone are exchanged, and no scheme knows of it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy as sp

from nablax.continuity import suspect
from nablax.grid_functions import GridFunction
from nablax.plan import Choice, GridAxis
from nablax.planning.spectrum import nominal
from nablax.sampling import sample
from nablax.system import LinearTerm, System, Terms

PLACES = (0.13, 0.5, 0.81)  # shares of the other axes where values beyond a wall are looked at


def divergences(system: System, terms: Terms) -> dict[tuple[int, int], tuple[LinearTerm, LinearTerm]]:
    """By (unknown, axis) the terms k u_xx and (k_x + b) u_x of d_x(k d_x u) + b u_x, k a function of x."""
    found = {}
    local = {(t.unknown, t.orders): t for t in terms.linear if t.local}
    for k, axis in enumerate(system.axes):
        first = tuple(int(j == k) for j in range(len(system.axes)))
        second = tuple(2 * n for n in first)
        for (unknown, orders), term in local.items():
            slope = local.get((unknown, first))
            if orders != second or slope is None or axis.symbol not in term.coefficient.free_symbols:
                continue
            rest = sp.expand(slope.coefficient - sp.diff(term.coefficient, axis.symbol))
            if _size(rest) < _size(sp.expand(slope.coefficient)):
                found[unknown, k] = term, slope
    return found


def _size(expression: sp.Expr) -> int:
    return 0 if expression == 0 else len(sp.Add.make_args(expression))


def in_fluxes(system: System, grid: Sequence[GridAxis], choices: list[Choice]) -> System:
    """The system with the coefficients that make its divergences differences of fluxes; for order 2."""
    changed: list[LinearTerm] = []

    def rewritten(terms: Terms) -> Terms:
        new: dict[LinearTerm, LinearTerm] = {}
        for (_, k), (term, slope) in divergences(system, terms).items():
            if not _reaches(system, term.coefficient, k, grid):
                continue
            symbol, h = system.axes[k].symbol, grid[k].spacing
            above, below = (term.coefficient.xreplace({symbol: symbol + s * h / 2}) for s in (1, -1))
            rest = sp.expand(slope.coefficient - sp.diff(term.coefficient, symbol))
            new[term] = replace(term, coefficient=(above + below) / 2)
            new[slope] = replace(slope, coefficient=(above - below) / h + rest)
            changed.append(term)
        return replace(terms, linear=tuple(new.get(t, t) for t in terms.linear)) if new else terms

    evolution = tuple(replace(e, terms=rewritten(e.terms)) for e in system.evolution)
    constraints = tuple(replace(c, terms=rewritten(c.terms)) for c in system.constraints)
    if not changed:
        return system
    choices.append(
        Choice(
            "fluxes", "between the nodes", "at order 2 the divergence form keeps bounds and is conservative"
        )
    )
    return replace(system, evolution=evolution, constraints=constraints)


def _reaches(system: System, coefficient: sp.Expr, along: int, grid: Sequence[GridAxis]) -> bool:
    """Whether a coefficient has values half a spacing beyond the walls; arrays and pieces keep to nodes."""
    axis = grid[along]
    if axis.folded or suspect(coefficient) or coefficient.has(GridFunction):
        return False
    if axis.periodic:
        return True
    values = nominal(system)
    if system.time is not None:
        values[system.time.symbol] = sample(system.time.lower, values)
    ends = np.array([axis.lower - axis.spacing / 2, axis.upper + axis.spacing / 2])
    for share in PLACES:
        values |= {
            a.symbol: np.asarray(g.lower + share * g.length) for a, g in zip(system.axes, grid, strict=True)
        }
        found = sample(coefficient, values | {system.axes[along].symbol: ends})
        if not np.isfinite(found).all() or np.iscomplexobj(found):
            return False
    return True
