"""Burgers' equation told from others, where it has a solution in closed form: u_t + (a u + c) u_x = ν u_xx.

E. Hopf, The partial differential equation u_t + u u_x = μ u_xx, Commun. Pure Appl. Math. 3 (1950) 201;
J. D. Cole, On a quasi-linear parabolic equation occurring in aerodynamics, Q. Appl. Math. 9 (1951) 225.
"""

from dataclasses import dataclass

import numpy as np
import sympy as sp

from nablax.passes.jets import derivative, jets, slope_of, without
from nablax.problem import Axis
from nablax.sampling import sample
from nablax.system import System

ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Burgers:
    """v = `advection` u + `speed` obeys v_t + v v_x = `viscosity` v_xx. Its initial values on the whole line
    are those between the ends, periodic or, where u = 0 on both walls, odd about each of them."""

    component: str
    axis: Axis
    ends: tuple[float, float]
    times: tuple[float, float]
    advection: float
    speed: float
    viscosity: float
    odd: bool
    initial: sp.Expr


def read_burgers(system: System) -> Burgers | None:
    """The problem as Burgers' equation on a circle or between walls where u = 0; None for others."""
    problem = system.problem
    time, axes = problem.time, problem.axes
    if time is None or len(axes) != 1 or len(problem.components) != 1 or len(problem.initial) != 1:
        return None
    component, axis = problem.components[0], axes[0]
    start = problem.initial[0].value
    if component.complex or axis.size is not None or problem.coordinates != "cartesian" or jets(start):
        return None
    known = {p.symbol: p.value for p in problem.parameters}
    found = _coefficients(system, known)
    if found is None:
        return None
    advection, speed, viscosity = found
    odd = not axis.periodic
    if odd and (speed != 0 or not _rests(system)):
        return None
    low, high, first, last = (
        float(sample(end, {s: np.asarray(float(v)) for s, v in known.items()}))
        for end in (axis.lower, axis.upper, time.lower, time.upper)
    )
    initial = start.subs(known)
    if initial.free_symbols - {axis.symbol}:
        return None
    return Burgers(
        component.name, axis, (low, high), (first, last), advection, speed, viscosity, odd, initial
    )


def _coefficients(system: System, known: dict[sp.Symbol, sp.Expr]) -> tuple[float, float, float] | None:
    """(a, c, ν), or None where the equation has other terms."""
    problem = system.problem
    if len(system.balances) != 1 or len(system.balances[0].values) != 1:
        return None
    value = system.balances[0].values[0]
    u = problem.components[0].value
    rate, slope, bend = (derivative(u, problem.symbols, orders) for orders in ((0, 1), (1, 0), (2, 0)))
    if not {rate, slope, bend} <= jets(value) <= {u, rate, slope, bend}:
        return None
    own = [s.subs(known) for jet in (rate, slope, bend) if (s := slope_of(value, jet)) is not None]
    if len(own) < 3 or without(without(without(value, rate), slope), bend) != 0:
        return None
    mass, carried, spread = own
    speed = without(carried, u)
    advection = sp.expand((carried - speed) / u)
    numbers = [sp.simplify(v / mass) for v in (advection, speed, -spread)]
    if not all(v.is_number and v.is_real and v.is_finite for v in numbers):
        return None
    a, c, nu = (float(v) for v in numbers)
    return (a, c, nu) if a != 0 and nu > 0 else None


def _rests(system: System) -> bool:
    """Whether u = 0 is what every condition on a wall says."""
    u = system.problem.components[0].value
    stated = [b.residual for b in system.problem.boundary]
    return len(stated) == 2 and all(sp.expand(r / u).is_nonzero and (r / u).is_number for r in stated)
