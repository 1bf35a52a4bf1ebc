"""What is said about functions from files: on the grid's own points, or interpolated to them."""

from collections.abc import Sequence

import numpy as np
import sympy as sp

from nablax.plan import Choice, GridAxis
from nablax.system import System
from nablax.tables import Tabulated


def table_choices(system: System, grid: Sequence[GridAxis], choices: list[Choice]) -> None:
    """A line for every file that the problem reads."""
    found: dict[str, Tabulated] = {}
    for value in _values(system):
        for node in sorted(value.atoms(Tabulated), key=str):
            found.setdefault(node.table.name, node)
    axes = {a.symbol: g for a, g in zip(system.axes, grid, strict=True)}
    for name, node in found.items():
        sizes = " x ".join(str(len(p)) for p in node.table.points)
        places = zip(node.args[1:], node.table.points, strict=True)
        if all(place in axes and _alike(axes[place], points) for place, points in places):
            reason = f"its {sizes} points are those of the grid: nothing is interpolated on them"
        elif node.table.kind == "linear":
            reason = f"interpolated linearly between its {sizes} points"
        else:
            reason = f"a cubic spline through its {sizes} points; `kind=linear` makes no new extrema"
        choices.append(Choice("file", name, reason))


def reads_files(system: System) -> bool:
    """Whether any function comes from a file, or is given on the grid."""
    return bool(system.problem.coefficients or system.problem.arrays) or any(
        value.has(Tabulated) for value in _values(system)
    )


def _values(system: System) -> list[sp.Expr]:
    problem = system.problem
    return [
        *(s.value for e in problem.equations for s in e.summands),
        *(c.value for c in problem.initial),
        *(b.residual for b in problem.boundary),
    ]


def _alike(axis: GridAxis, points: np.ndarray) -> bool:
    grid = axis.first + axis.spacing * np.arange(axis.points)
    return len(points) == len(grid) and bool(np.abs(points - grid).max() <= 1e-9 * axis.length)
