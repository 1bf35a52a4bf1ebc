"""What a field that is known outside an interval or a ball continues into it: the function that (-Δ)^s
takes to 0.

Poisson's formula h(x) = Γ(d/2) sin(πs)/π^(d/2+1) ∫ ((1 - |x|²)/(|y|² - 1))^s g(y)/|x - y|^d dy over |y| > 1
(N. S. Landkof, Foundations of Modern Potential Theory, Springer 1972, chapter I). Of functions of the
radius in a disc or a ball the angles are integrated out, and with |y|² = 1 + (1 - |x|²) τ what is left is
the same in both: a mean of g under the Beta distribution sin(πs)/π τ^(-s)/(1 + τ) dτ.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.spectral.polynomials import edged

NODES = 161
FARTHEST = {"float64": 600.0, "float32": 80.0}  # the largest |log τ|


def continued(
    outside: Callable[[Array], Array], s: Array, dimension: int, places: np.ndarray, edges: np.ndarray
) -> Array:
    """h at places inside, in an interval between -1 and 1 or at distances from the centre of a unit ball.

    `outside` takes distances from the centre (in an interval, points of the line) beyond 1; `edges` is 1 -
    |x|² to full relative precision. At the wall it is g there.
    """
    farthest = FARTHEST[str(s.dtype)]
    top = float(np.arcsinh(farthest / np.pi))
    # The rule of double exponentials: smooth g with a power at each end of (0, ∞).
    grid, step = np.linspace(-top, top, NODES, retstep=True)
    logarithm = jnp.asarray(np.pi * np.sinh(grid), s.dtype)
    tau = jnp.exp(logarithm)
    lengths = jnp.asarray(step * np.pi * np.cosh(grid), s.dtype)
    weights = jnp.sin(jnp.pi * s) / jnp.pi * lengths * jnp.exp((1 - s) * logarithm) / (1 + tau)
    if dimension > 1:
        inside = jnp.asarray(edges, s.dtype)[:, None]
        return outside(jnp.sqrt(1 + inside * tau[None])) @ weights
    total = jnp.zeros(len(places), s.dtype)
    for side in (-1, 1):
        toward = side * places
        # 1 - side x, without cancellation where edges are given so.
        near = np.where(1 + toward > 0, edges / np.where(1 + toward > 0, 1 + toward, 1.0), 2.0)
        distance = 1 + jnp.asarray(near, s.dtype)[:, None] * tau[None]
        opposite = edged(1 + toward, s)[:, None]
        total = total + (outside(side * distance) * opposite / (1 + distance) ** s) @ weights
    return total
