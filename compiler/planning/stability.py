"""Stability regions of the explicit steppers, and the largest step for a set of eigenvalues."""

from collections.abc import Mapping

import numpy as np

from nablax.plan import StepperName

POLYNOMIALS: Mapping[StepperName, tuple[float, ...]] = {
    # Coefficients of 1, z, z², ... of the stability function.
    "euler": (1, 1),
    "rk2": (1, 1, 1 / 2),
    "ssprk3": (1, 1, 1 / 2, 1 / 6),
    "rk4": (1, 1, 1 / 2, 1 / 6, 1 / 24),
    # Dormand & Prince, J. Comput. Appl. Math. 6 (1980) 19-26: seven stages, order 5.
    "dopri5": (1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 600),
}


def amplification(name: StepperName, z: np.ndarray) -> np.ndarray:
    """|R(z)|; for leapfrog the larger root of g² - (2 + z²) g + 1 = 0."""
    if name == "leapfrog":
        middle, apart = 1 + z**2 / 2, z * np.sqrt(1 + z**2 / 4 + 0j)
        return np.asarray(np.maximum(np.abs(middle + apart), np.abs(middle - apart)))
    value = np.zeros_like(z)
    for coefficient in reversed(POLYNOMIALS[name]):
        value = value * z + coefficient
    return np.asarray(np.abs(value))


def largest_step(name: StepperName, eigenvalues: np.ndarray) -> float:
    """The largest dt with |R(dt λ)| <= 1 for all λ; growth that the equation itself has is set aside.

    0 when no step is stable (imaginary eigenvalues under Euler); inf when there is nothing to bound.
    """
    spectrum = eigenvalues.ravel()
    spectrum = np.minimum(spectrum.real, 0) + 1j * spectrum.imag
    spectrum = spectrum[np.abs(spectrum) > 0]
    if not len(spectrum):
        return float("inf")
    largest = float(np.abs(spectrum).max())
    tolerance = 1 + 1e-10

    def stable(dt: float) -> bool:
        return bool((amplification(name, dt * spectrum) <= tolerance).all())

    low, high = 0.0, 8.0 / largest
    for _ in range(40):
        middle = (low + high) / 2
        # Regions are star-shaped enough for bisection from the origin outwards.
        if stable(middle) and stable(middle / 2) and stable(0.75 * middle):
            low = middle
        else:
            high = middle
    return low if low * largest > 1e-3 else 0.0
