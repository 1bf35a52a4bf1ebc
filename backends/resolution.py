"""Whether a grid carries the solution on it: an indicator per field and axis, watched through a run.

Spectral: the energy in the top third of the retained modes along an axis, as a share of the energy of all
variation. It decays exponentially with n once a smooth solution is resolved. Differences: the values at
every second point along an axis, interpolated cubically to the points between, compared with the values
there; relative L2 norm of the difference, which falls as h^4 once resolved. Volumes: the same in the mean
and relative to the range, since a jump is as sharp as the cells on any grid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nablax.backends.frames import Frame
from nablax.outline import Outline
from nablax.plan import GridAxis

SPECTRAL_LIMIT = 1e-4  # of the energy: 1 % in amplitude
DIFFERENCE_LIMIT = 1e-1  # relative L2 at twice the spacing: about 1 % on the grid itself
VOLUME_LIMIT = 5e-2  # mean over the range, at twice the spacing
FLOOR = 1e-6  # of the field's scale: smaller variations are rounding and step errors, not shape
INTERPOLATION = np.array([-1.0, 9.0, 9.0, -1.0]) / 16.0


@dataclass(frozen=True, slots=True)
class Resolution:
    """The worst indicator seen for a field, with the axis and the time it was seen at."""

    field: str
    axis: str
    t: float
    indicator: float
    limit: float
    kind: Literal["modes", "points", "cells"]

    @property
    def resolved(self) -> bool:
        return self.indicator <= self.limit


class ResolutionWatch:
    """Sees every frame. The first of a run in time is left out: initial data may be as rough as they like."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._worst: dict[str, Resolution] = {}
        self._scale: dict[str, float] = {}

    def see(self, frame: Frame) -> None:
        for field in self._outline.fields:
            parts = [frame.fields[c] for c in field.components if c in frame.fields]
            if not parts:
                continue
            scale = max(self._scale.get(field.name, 0.0), *(float(np.max(np.abs(p))) for p in parts))
            self._scale[field.name] = scale
            first = frame.index == 0 and self._outline.time is not None
            if first or scale == 0.0 or not np.isfinite(scale):
                continue
            for part in parts:
                for i, axis in enumerate(self._outline.grid):
                    if self._outline.method == "spectral" and not axis.periodic:
                        continue  # nodes are where the field is shown, and no unknowns
                    self._keep(self._reading(field.name, part / scale, i, axis, frame.t))

    def _reading(self, field: str, values: np.ndarray, i: int, axis: GridAxis, t: float) -> Resolution:
        if self._outline.method == "spectral":
            indicator = spectral_tail(values, i, self._outline.dealias[i])
            return Resolution(field, axis.name, t, indicator, SPECTRAL_LIMIT, "modes")
        if self._outline.method == "fv":
            indicator = coarse_deviation(values, i, axis.periodic)
            return Resolution(field, axis.name, t, indicator, VOLUME_LIMIT, "cells")
        indicator = coarse_difference(values, i, axis.periodic)
        return Resolution(field, axis.name, t, indicator, DIFFERENCE_LIMIT, "points")

    def _keep(self, reading: Resolution) -> None:
        before = self._worst.get(reading.field)
        if before is None or reading.indicator > before.indicator:
            self._worst[reading.field] = reading

    def worst(self) -> Mapping[str, Resolution]:
        """The worst reading by field."""
        return dict(self._worst)


def spectral_tail(values: np.ndarray, axis: int, kept: float = 1.0) -> float:
    """Share of the energy of all modes that lies in the top third of the kept modes along an axis.

    `values` are nodal values of order 1, of any dimension; the mean counts as no mode.
    """
    coefficients = np.abs(np.fft.fftn(values)) ** 2 / values.size**2
    coefficients[(0,) * values.ndim] = 0.0
    n = values.shape[axis]
    modes = np.abs(np.fft.fftfreq(n, 1 / n))
    highest = kept * n / 2
    tail = np.take(coefficients, np.flatnonzero((modes > 2 * highest / 3) & (modes <= highest)), axis=axis)
    return float(np.sum(tail)) / max(float(np.sum(coefficients)), FLOOR**2)


def coarse_difference(values: np.ndarray, axis: int, periodic: bool) -> float:
    """Relative L2 difference between the values and a cubic interpolation from every second point.

    `values` are nodal values of order 1, of any dimension; relative to their deviation from the mean.
    """
    difference = _beside_coarse(values, axis, periodic)
    variation = float(np.std(values))
    return float(np.sqrt(np.mean(np.abs(difference) ** 2))) / max(variation, FLOOR)


def coarse_deviation(values: np.ndarray, axis: int, periodic: bool) -> float:
    """The mean of the same difference, relative to the range of the values."""
    difference = _beside_coarse(values, axis, periodic)
    return float(np.mean(np.abs(difference))) / max(float(np.ptp(values)), FLOOR)


def _beside_coarse(values: np.ndarray, axis: int, periodic: bool) -> np.ndarray:
    """Values less the cubic interpolation from every second point, at the points between; 0 for an axis
    with too few of them to tell."""
    line = np.moveaxis(values, axis, 0)
    n = len(line)
    if n < 8:
        return np.zeros(1)
    if periodic:
        # Every second point of an odd ring is every point of it: go around twice.
        ring = line if n % 2 == 0 else np.concatenate([line, line])
        line = np.concatenate([ring[-4:], ring, ring[:4]])
    coarse = line[::2]
    between = sum(w * coarse[j : len(coarse) - 3 + j] for j, w in enumerate(INTERPOLATION))
    fine = line[3 : 3 + 2 * len(between) : 2][: len(between)]
    return np.asarray(fine - between[: len(fine)])
