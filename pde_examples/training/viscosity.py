"""Measurements for `viscosity.pde`: Cole-Hopf quadrature (Basdevant et al., Computers & Fluids 14, 1986)."""

from pathlib import Path

import numpy as np

NU, POINTS, NOISE, SEED = 0.02, 200, 0.01, 7
rng = np.random.default_rng(SEED)
x, t = rng.uniform(-1, 1, POINTS), rng.uniform(0.02, 1, POINTS)
nodes, weights = np.polynomial.hermite.hermgauss(120)
eta = x[:, None] - np.sqrt(4 * NU * t[:, None]) * nodes
kernel = weights * np.exp((-np.cos(np.pi * eta) - 1) / (2 * np.pi * NU))
u = -(np.sin(np.pi * eta) * kernel).sum(1) / kernel.sum(1) + NOISE * rng.standard_normal(POINTS)
rows = [f"{a:.6f},{b:.6f},{c:.6f}" for a, b, c in zip(x, t, u, strict=True)]
Path(__file__).with_suffix(".csv").write_text("x,t,u\n" + "\n".join(rows) + "\n")
