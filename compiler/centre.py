"""The centre r = 0 of a disc, a cylinder or a ball: no wall, but a place that fields go straight through.

Along a line through the centre the radius goes on below 0: (-r, θ) is the place (r, θ + π), where the unit
vectors of the radius and the angle point the other way. Fields without an angle are their own mirror image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt, tau
from typing import Literal

import numpy as np
import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.geometry import Geometry
from nablax.problem import Axis, Problem
from nablax.sampling import sample
from nablax.system import LinearTerm, System, root_of

NEAR = 1e-5  # share of the radius at which coefficients are looked at for what they are at the centre
NEGLIGIBLE = 1e-3
Parity = Literal[1, -1]


@dataclass(frozen=True, slots=True)
class Centre:
    """The axis of the radius is the first one; `angle` is the axis around the centre, None where fields do
    not depend on it."""

    radius: int
    angle: int | None


def centre_of(problem: Problem) -> Centre | None:
    """The centre, where the radius begins there."""
    if problem.coordinates == "cartesian" or not problem.axes:
        return None
    if _nominal(problem, problem.axes[0].lower) != 0:
        return None
    return Centre(0, _geometry(problem).angle)


def has_centre(problem: Problem, axis: Axis) -> bool:
    """Whether an axis is the radius, and begins at the centre."""
    return centre_of(problem) is not None and axis.name == problem.axes[0].name


def parity(system: System, unknown: int) -> Parity:
    """What a field is multiplied by on its way through the centre: -1 for the components along the radius
    and the angle of a vector, 1 for all else."""
    name = system.unknowns[root_of(unknown, system.unknowns)].name
    return -1 if turned(system.problem, name) else 1


def turned(problem: Problem, component: str) -> bool:
    """Whether a component is along a unit vector that points the other way beyond the centre."""
    if centre_of(problem) is None:
        return False
    axes = (0, _geometry(problem).angle)
    return any(
        c.name == component and i in axes
        for f in problem.fields
        if f.rank
        for i, c in enumerate(f.components)
    )


def check_centre(problem: Problem, report: Report) -> bool:
    """Whether the radius keeps away from the centre, or the space goes all around it, without walls."""
    if problem.coordinates == "cartesian":
        return True
    radius = problem.axes[0]
    lower = _nominal(problem, radius.lower)
    if lower > 0:
        return True
    if lower < 0:
        report.error(
            "P402",
            radius.span,
            f"the radius {radius.name} of {problem.coordinates} coordinates is not negative",
            help=f"begin the axis at 0: `{radius.name} in [0, ...]`",
        )
        return False
    if radius.lower.free_symbols:
        report.error(
            "P402",
            radius.span,
            "a centre that a parameter moves away from is not available yet",
            help=f"write `{radius.name} in [0, ...]`",
        )
        return False
    if problem.coordinates == "spherical" and len(problem.axes) > 1:
        report.error(
            "P402",
            radius.span,
            f"the centre of spherical coordinates ({radius.name} = 0) with angles is not available yet",
            help=f"begin the axis above 0: `{radius.name} in [0.01, ...]` with a condition there, or leave "
            "out the angles",
        )
        return False
    angle = _geometry(problem).angle
    if angle is not None and not _all_around(problem, problem.axes[angle]):
        axis = problem.axes[angle]
        report.error(
            "P402",
            axis.span,
            f"the centre of a sector ({radius.name} = 0) is not available yet",
            label="not all the way around",
            help=f"let the angle go all the way around, `{axis.name} in [0, 2*pi] periodic`, or begin "
            f"`{radius.name}` above 0",
        )
        return False
    if radius.periodic:
        report.error("P402", radius.span, "a radius cannot be periodic", help="remove `periodic`")
        return False
    walls = [c for c in problem.boundary if c.axis == radius.name and c.side == 0]
    for condition in walls:
        report.error(
            "P301",
            condition.span,
            f"the centre {radius.name} = 0 is no wall, and takes no condition",
            label="fields go straight through",
            notes=(Note("here the radius begins", radius.span),),
            help="remove this condition: smooth fields need none there",
        )
    return not walls


def check_parities(system: System, report: Report) -> bool:
    """Whether fields go through the centre as their mirror images say.

    A field begins like r^m with m(m - 1) + a m + c = 0, a/r and c/r² the coefficients of its slope and of
    itself beside 1 of its second derivative along r: even fields have even m, odd ones odd.
    """
    if centre_of(system.problem) is None:
        return True
    good = True
    equations = [(e.unknown, e.terms) for e in system.evolution]
    equations += [(c.unknown, c.terms) for c in system.constraints if c.unknown is not None]
    for unknown, terms in equations:
        near = _near_centre(system, unknown, terms.linear)
        if near is None or abs(near[1]) < NEGLIGIBLE:
            continue
        slope, own = near
        inner = (1 - slope) ** 2 - 4 * own
        begins = (1 - slope + sqrt(inner)) / 2 if inner >= 0 else -1.0
        wanted = 0 if parity(system, unknown) == 1 else 1
        if begins < 0 or abs((begins - wanted) / 2 - round((begins - wanted) / 2)) > NEGLIGIBLE:
            name = system.unknowns[root_of(unknown, system.unknowns)].name
            report.error(
                "P402",
                system.problem.axes[0].span,
                f"`{name}` begins like r^{begins:.3g} at the centre, and grids mirror it as "
                f"an {'even' if wanted == 0 else 'odd'} function"
                if begins >= 0
                else f"`{name}` has no finite value at the centre",
                help="begin the radius above 0, or let the field depend on the angle",
            )
            good = False
    return good


def _near_centre(system: System, unknown: int, terms: Sequence[LinearTerm]) -> tuple[float, float] | None:
    """r times the coefficient of a field's slope along r and r² times its own, over that of its second
    derivative, near r = 0; None without such a derivative."""
    problem = system.problem
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    ends = [[float(sample(e, values)) for e in (a.lower, a.upper)] for a in problem.axes]
    radius = NEAR * ends[0][1]
    places = [radius, *(low + 0.37 * (high - low) for low, high in ends[1:])]
    values |= {a.symbol: np.asarray(x) for a, x in zip(problem.axes, places, strict=True)}
    if problem.time is not None:
        values[problem.time.symbol] = sample(problem.time.lower, values)

    def total(order: int) -> complex:
        wanted = (order, *(0 for _ in problem.axes[1:]))
        own = [t.coefficient for t in terms if t.unknown == unknown and t.orders == wanted and t.local]
        return complex(sample(sp.Add(*own), values))

    second = total(2)
    if second == 0:
        return None
    return float((radius * total(1) / second).real), float((radius**2 * total(0) / second).real)


def _all_around(problem: Problem, axis: Axis) -> bool:
    whole = float(_nominal(problem, axis.upper - axis.lower))
    return axis.periodic and abs(whole - tau) < 1e-9 * tau


def _geometry(problem: Problem) -> Geometry:
    return Geometry(problem.coordinates, tuple(a.symbol for a in problem.axes))


def _nominal(problem: Problem, value: sp.Expr) -> sp.Expr:
    return value.subs({p.symbol: p.value for p in problem.parameters})
