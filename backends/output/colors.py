"""Colour maps and ranges: a diverging map centred at zero for signed data, a sequential one for the rest."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.colors import Colormap, ListedColormap, Normalize

SIGNED_SHARE = 0.15  # of the largest magnitude that the smaller side must reach to call data signed


@dataclass(frozen=True, slots=True)
class Scale:
    """A colour map with its range."""

    cmap: Colormap
    lower: float
    upper: float

    @property
    def norm(self) -> Normalize:
        return Normalize(self.lower, self.upper)


def scale_of(lower: float, upper: float) -> Scale:
    """The scale for data between two values."""
    from matplotlib import colormaps

    if not (np.isfinite(lower) and np.isfinite(upper)):
        lower, upper = 0.0, 1.0
    largest = max(abs(lower), abs(upper))
    if lower < 0 < upper and min(-lower, upper) > SIGNED_SHARE * largest:
        return Scale(diverging(), -largest, largest)
    if upper - lower <= 1e-9 * largest or upper == lower:
        half = 0.5 * largest or 0.5
        return Scale(colormaps["viridis"], lower - half, upper + half)
    return Scale(colormaps["viridis"], lower, upper)


def modulus_scale(upper: float) -> Scale:
    """From 0 up: speeds and moduli."""
    from matplotlib import colormaps

    return Scale(colormaps["magma"], 0.0, upper if np.isfinite(upper) and upper > 0 else 1.0)


def phase_scale() -> Scale:
    """A cyclic map over [-π, π]."""
    from matplotlib import colormaps

    return Scale(colormaps["twilight_shifted"], -np.pi, np.pi)


@cache
def diverging() -> Colormap:
    """Blue through near-white to red, with lightness falling linearly to both sides in OKLab.

    OKLab: B. Ottosson, "A perceptual color space for image processing" (2020).
    """
    # Lightness, then a and b (green-red, blue-yellow) from the centre outwards.
    blue = np.array([[0.97, 0.0, 0.0], [0.80, -0.035, -0.075], [0.58, -0.035, -0.145], [0.32, -0.01, -0.115]])
    red = np.array([[0.97, 0.0, 0.0], [0.80, 0.075, 0.055], [0.58, 0.155, 0.085], [0.32, 0.105, 0.045]])
    knots = np.linspace(0, 1, len(blue))
    s = np.linspace(0, 1, 128)

    def side(anchors: np.ndarray) -> np.ndarray:
        lightness = np.interp(s, [0, 1], anchors[[0, -1], 0])
        ab = [np.interp(s, knots, anchors[:, c]) for c in (1, 2)]
        return _srgb(np.stack([lightness, *ab], axis=1))

    return ListedColormap(np.concatenate([side(blue)[::-1], side(red)]), name="nablax_diverging")


def _srgb(lab: np.ndarray) -> np.ndarray:
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((lab @ to_lms.T) ** 3 @ to_rgb.T, 0, 1)
    encoded: np.ndarray = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded
