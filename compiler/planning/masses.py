"""Whether the time derivatives are determined for every Fourier mode of the grid."""

import numpy as np

from nablax.frontend.diagnostics import Report
from nablax.plan import GridAxis
from nablax.planning.spectrum import exact_symbol, linearise, mass_determinants
from nablax.system import System

MODES = 1 << 16  # of one check; larger grids are looked at up to this many along each axis
SMALL = 1e-12


def check_masses(system: System, grid: tuple[GridAxis, ...], report: Report) -> None:
    """An error where an operator on the time derivatives (dt(u) + dxx(dt(u))) cannot be inverted."""
    heavy = [e for e in system.evolution if any(any(m.orders) or not m.local for m in e.mass)]
    if not heavy:
        return
    most = int(MODES ** (1 / len(grid)))
    modes = [
        2 * np.pi / a.length * np.arange(-min(a.n // 2, most // 2), min(a.n // 2, most // 2) + 1)
        for a in grid
    ]
    found = np.abs(mass_determinants(system, linearise(system, 1), modes, exact_symbol))
    singular = np.flatnonzero(found <= SMALL * found.max())
    if not len(singular):
        return
    wave = np.array(np.meshgrid(*modes, indexing="ij")).reshape(len(grid), -1)[:, singular[0]]
    shown = ", ".join(f"k_{a.name} = {k:.4g}" for a, k in zip(grid, wave, strict=True))
    report.error(
        "P305",
        heavy[0].span,
        f"the time derivative of the Fourier mode {shown} is not determined",
        label="the operator on the time derivatives vanishes there",
        help="add a multiple of the time derivative itself, such as `dt(u) - dxx(dt(u))`",
    )
