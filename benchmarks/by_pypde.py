"""py-pde's side of the grid problems: its Euler solver without error control."""

from typing import Any

import numpy as np

from benchmarks.case import Fields, Program


def program(
    rates: dict[str, str],
    start: dict[str, np.ndarray],
    bounds: tuple[float, float],
    conditions: Any,
    numbers: dict[str, float],
    backend: str,
) -> Program:
    """A square with cells as wide as the points of `start` are apart; `conditions` are py-pde's own."""
    import pde
    from pde.solvers import EulerSolver

    periodic = conditions == "periodic"
    shape = next(iter(start.values())).shape
    grid = pde.CartesianGrid([bounds, bounds], list(shape), periodic=periodic)
    fields = [pde.ScalarField(grid, values, label=name) for name, values in start.items()]
    state = fields[0] if len(fields) == 1 else pde.FieldCollection(fields)
    consts = {name: value for name, value in numbers.items() if name != "dt"}
    equation = pde.PDE(rates, bc=conditions, consts=consts)
    dt = numbers["dt"]
    stepper = EulerSolver(equation, backend=backend).make_stepper(state, dt)

    def run(steps: int) -> Fields:
        current = state.copy()
        stepper(current, 0.0, steps * dt)
        data = np.asarray(current.data)
        return tuple(data) if len(fields) > 1 else (data,)

    return run
