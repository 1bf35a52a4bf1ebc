"""The exact solution of Riemann problems of the Euler equations, for an ideal gas.

Toro, "Riemann Solvers and Numerical Methods for Fluid Dynamics", chapter 4.
"""

import numpy as np
from scipy.optimize import brentq

State = tuple[float, float, float]
"""Density, velocity, pressure."""


def euler(left: State, right: State, gamma: float, xi: np.ndarray) -> np.ndarray:
    """Density, velocity and pressure on the rays x/t = xi; shape (3, len(xi))."""
    star = _star_pressure(left, right, gamma)
    speed = (left[1] + right[1] + _jump(star, right, gamma) - _jump(star, left, gamma)) / 2
    from_left = _side(left, star, speed, gamma, xi)
    mirrored = (right[0], -right[1], right[2])
    from_right = _side(mirrored, star, -speed, gamma, -xi)
    from_right[1] *= -1
    return np.where(xi < speed, from_left, from_right)


def _star_pressure(left: State, right: State, gamma: float) -> float:
    def balance(p: float) -> float:
        return _jump(p, left, gamma) + _jump(p, right, gamma) + right[1] - left[1]

    return float(brentq(balance, 1e-10, 1e4, xtol=1e-14, rtol=1e-14))


def _jump(p: float, state: State, gamma: float) -> float:
    """The change of velocity across the wave beside `state`."""
    rho, _, before = state
    if p > before:
        a, b = 2 / ((gamma + 1) * rho), (gamma - 1) / (gamma + 1) * before
        return float((p - before) * np.sqrt(a / (p + b)))
    sound = np.sqrt(gamma * before / rho)
    return float(2 * sound / (gamma - 1) * ((p / before) ** ((gamma - 1) / (2 * gamma)) - 1))


def _side(state: State, p: float, u: float, gamma: float, xi: np.ndarray) -> np.ndarray:
    """The solution left of the contact, with `state` far to the left."""
    rho, v, before = state
    sound = np.sqrt(gamma * before / rho)
    ratio = (gamma - 1) / (gamma + 1)
    far = np.array(state)[:, None]
    if p > before:
        front = v - sound * np.sqrt((gamma + 1) / (2 * gamma) * p / before + (gamma - 1) / (2 * gamma))
        dense = rho * (p / before + ratio) / (ratio * p / before + 1)
        return np.where(xi < front, far, np.array([dense, u, p])[:, None])
    dense = rho * (p / before) ** (1 / gamma)
    tail = u - sound * (p / before) ** ((gamma - 1) / (2 * gamma))
    base = 2 / (gamma + 1) + ratio / sound * (v - xi)
    fan = np.array(
        [
            rho * np.maximum(base, 0) ** (2 / (gamma - 1)),
            2 / (gamma + 1) * (sound + (gamma - 1) / 2 * v + xi),
            before * np.maximum(base, 0) ** (2 * gamma / (gamma - 1)),
        ]
    )
    return np.where(xi < v - sound, far, np.where(xi > tail, np.array([dense, u, p])[:, None], fan))
