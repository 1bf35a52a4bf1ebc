"""The centre r = 0 of a disc, a cylinder or a ball: no wall, but a place that fields go straight through.

Along a line through the centre the radius goes on below 0: (-r, θ) is the place (r, θ + π), where the unit
vectors of the radius and the angle point the other way. Fields without an angle are their own mirror image.
"""

from dataclasses import dataclass
from typing import Literal

import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.geometry import Geometry
from nablax.problem import Axis, Problem
from nablax.system import System, root_of

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


def _all_around(problem: Problem, axis: Axis) -> bool:
    return axis.periodic and bool(sp.simplify(axis.upper - axis.lower - 2 * sp.pi) == 0)


def _geometry(problem: Problem) -> Geometry:
    return Geometry(problem.coordinates, tuple(a.symbol for a in problem.axes))


def _nominal(problem: Problem, value: sp.Expr) -> sp.Expr:
    return value.subs({p.symbol: p.value for p in problem.parameters})
