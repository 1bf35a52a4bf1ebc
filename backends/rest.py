"""What a steady solve came to, looked at on the host."""

from types import MappingProxyType

import numpy as np
from jax import Array

from nablax.backends.frames import Frame, Standstill, Unsolved
from nablax.backends.interface import Rest
from nablax.backends.solution import SteadySolution

INCOMPATIBLE = 1e-2  # of the first residual: what the data may lack before it is more than the grid's error


def reported(residuals: Array) -> tuple[float, ...]:
    """The residuals of the iterations that were made."""
    values = np.asarray(residuals, np.float64)
    return tuple(float(v) for v in values[np.isfinite(values)])


def check_rest(found: Rest, dtype: str) -> None:
    """Raises `Unsolved` for an iteration that did not converge and for data that are not compatible."""
    residuals = reported(found.residuals)
    finite = all(bool(np.isfinite(np.asarray(a)).all()) for a in found.fields.values())
    if not bool(found.converged) or not finite:
        raise Unsolved(Standstill("iteration", next(iter(found.fields)), residuals, 0.0))
    for name, value in found.defects.items():
        # The first residual is that of the guess, and holds the data.
        if float(value) > INCOMPATIBLE * max(residuals[0], float(np.finfo(dtype).tiny)):
            raise Unsolved(Standstill("data", name, residuals, float(value)))


def frame_of(solution: SteadySolution) -> Frame:
    """The one frame of a steady run."""
    fields = {name: np.asarray(values) for name, values in solution.fields.items()}
    residuals = reported(solution.residuals)
    return Frame(0, 0.0, MappingProxyType(fields), max(len(residuals) - 1, 0), 0, 0.0, residuals)
