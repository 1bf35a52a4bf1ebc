"""Devito's side of the grid problems: OpenMP on the machine's cores, everything else at its defaults."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Fields, Program

Update = Callable[..., dict[Any, Any]]


def settled() -> Any:
    """The module, told to use OpenMP and to be silent."""
    import devito

    devito.configuration["language"] = "openmp"
    devito.configuration["log-level"] = "ERROR"
    return devito


def periodic(
    start: dict[str, np.ndarray], spacing: float, numbers: dict[str, float], rates: Update
) -> Program:
    """Explicit Euler on a periodic square; `rates(u, v, ..., D=D, ...)` maps names to right-hand sides.

    Devito has no periodic box of its own: the ghosts of the new values are copied within the operator.
    """
    devito = settled()
    fields, constants, grid = _declared(devito, start, spacing, numbers)
    t, (x, y), n = grid.stepping_dim, grid.dimensions, grid.shape[0]
    dt = grid.time_dim.spacing
    right = rates(**fields, **constants)
    equations = [devito.Eq(u.forward, u + dt * right[name]) for name, u in fields.items()]
    for u in fields.values():
        equations += [
            devito.Eq(u[t + 1, -1, y], u[t + 1, n - 1, y]),
            devito.Eq(u[t + 1, n, y], u[t + 1, 0, y]),
            devito.Eq(u[t + 1, x, -1], u[t + 1, x, n - 1]),
            devito.Eq(u[t + 1, x, n], u[t + 1, x, 0]),
        ]

    def fill(u: Any, values: np.ndarray) -> None:
        ghosts = (u._data_with_outhalo.shape[1] - n) // 2
        around = np.pad(values, ghosts, mode="wrap")
        u._data_with_outhalo[0] = around

    return _program(devito, equations, fields, start, numbers["dt"], fill)


def walled(start: dict[str, np.ndarray], spacing: float, numbers: dict[str, float], rates: Update) -> Program:
    """Explicit Euler on a square whose outermost points are never written."""
    devito = settled()
    fields, constants, grid = _declared(devito, start, spacing, numbers)
    right = rates(**fields, **constants)
    dt = grid.time_dim.spacing
    equations = [
        devito.Eq(u.forward, u + dt * right[name], subdomain=grid.interior) for name, u in fields.items()
    ]

    def fill(u: Any, values: np.ndarray) -> None:
        u.data[0] = values
        u.data[1] = values

    return _program(devito, equations, fields, start, numbers["dt"], fill)


def _declared(
    devito: Any, start: dict[str, np.ndarray], spacing: float, numbers: dict[str, float]
) -> tuple[dict[str, Any], dict[str, Any], Any]:
    shape = next(iter(start.values())).shape
    extent = tuple((m - 1) * spacing for m in shape)
    grid = devito.Grid(shape=shape, extent=extent, dtype=np.float64)
    fields = {name: devito.TimeFunction(name=name, grid=grid, time_order=1, space_order=2) for name in start}
    constants = {
        name: devito.Constant(name=name, value=value, dtype=np.float64)
        for name, value in numbers.items()
        if name != "dt"
    }
    return fields, constants, grid


def _program(
    devito: Any,
    equations: list[Any],
    fields: dict[str, Any],
    start: dict[str, np.ndarray],
    dt: float,
    fill: Callable[[Any, np.ndarray], None],
) -> Program:
    operator = devito.Operator(equations)

    def program(steps: int) -> Fields:
        for name, u in fields.items():
            fill(u, start[name])
        operator.apply(time_M=steps - 1, dt=dt)
        return tuple(np.asarray(u.data[steps % 2]) for u in fields.values())

    return program
