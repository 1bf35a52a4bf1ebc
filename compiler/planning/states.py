"""Initial states of a balance law and its flux Jacobians there, as numbers."""

import numpy as np
import sympy as sp

from nablax.passes.divergence import Law
from nablax.planning.spectrum import nominal
from nablax.sampling import sample
from nablax.system import System


def ends(system: System, axis: int, values: dict[sp.Basic, np.ndarray]) -> tuple[float, float]:
    """The ends of an axis."""
    a = system.axes[axis]
    return float(sample(a.lower, values)), float(sample(a.upper, values))


def at(system: System, places: np.ndarray) -> dict[sp.Basic, np.ndarray]:
    """Coordinates of places, shape (axes, count), and the time at the start."""
    found: dict[sp.Basic, np.ndarray] = {a.symbol: places[i] for i, a in enumerate(system.axes)}
    if system.time is not None:
        found[system.time.symbol] = sample(system.time.lower, nominal(system))
    return found


def states(system: System, values: dict[sp.Basic, np.ndarray], count: int) -> dict[sp.Basic, np.ndarray]:
    """The initial values of the unknowns at places that `values` holds the coordinates of."""
    return {
        u.value: np.broadcast_to(sample(sp.S.Zero if v is None else v, values), (count,))
        for u, v in zip(system.unknowns, system.initial, strict=True)
    }


def jacobians(
    system: System, law: Law, axis: int, values: dict[sp.Basic, np.ndarray], count: int
) -> np.ndarray:
    """∂F/∂U at the initial state: shape (count, unknowns, unknowns)."""
    names = {u.value: sp.Dummy(real=True) for u in system.unknowns}
    known = dict(values)
    known |= {names[v]: array for v, array in states(system, values, count).items()}
    rows = [
        [np.broadcast_to(sample(sp.diff(f.xreplace(names), n), known), (count,)) for n in names.values()]
        for f in law.fluxes[axis]
    ]
    return np.moveaxis(np.array(rows, dtype=float), -1, 0)
