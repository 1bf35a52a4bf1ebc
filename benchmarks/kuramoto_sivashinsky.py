"""Kuramoto–Sivashinsky, 1024 points, ETDRK4, 2/3 of the modes kept, the state in Fourier space."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks import by_nablax
from benchmarks.case import TWIN, Case, Contender, Program

POINTS, LENGTH, DT = 1024, 32 * np.pi, 0.05

SPEC = """pde 1
space  { x in [0, 32*pi] periodic }
time   { t in [0, 150] }
fields { u }
equations { u_t + u*u_x + u_xx + u_xxxx = 0 }
initial { u = cos(x/16)*(1 + sin(x/16)) }
solve { n = 1024; step = etdrk4; dt = 0.05 }
"""


def kuramoto_sivashinsky() -> Case:
    contenders = (
        *by_nablax.contenders(SPEC),
        Contender(TWIN, lambda: twin(truncated=True)),
        Contender("hand-written JAX, masked", lambda: twin(truncated=False)),
        Contender("exponax", exponax, "exponax"),
    )
    return Case(
        "Kuramoto–Sivashinsky, 1024 points, float64, ETDRK4",
        SPEC, contenders, POINTS, 1000, 100, 1e-8, {"exponax": 0.8, TWIN: 1.05},
    )  # fmt: skip


def start() -> np.ndarray:
    x = np.linspace(0, LENGTH, POINTS, endpoint=False)
    return np.asarray(np.cos(x / 16) * (1 + np.sin(x / 16)))


def twin(truncated: bool) -> Program:
    """Kassam and Trefethen's scheme as one would write it, the coefficients made once.

    `truncated` stores the kept modes only; otherwise a mask cuts the others.
    """
    n = POINTS
    kept = -(-n // 3) if truncated else n // 2 + 1
    k = 2 * np.pi / LENGTH * np.arange(kept)
    linear = k**2 - k**4
    roots = np.exp(2j * np.pi * (np.arange(32) + 0.5) / 32)
    z = DT * linear[:, None] + roots
    E, E2 = np.exp(DT * linear), np.exp(DT * linear / 2)
    Q = DT * np.mean((np.exp(z / 2) - 1) / z, 1).real
    f1 = DT * np.mean((-4 - z + np.exp(z) * (4 - 3 * z + z**2)) / z**3, 1).real
    f2 = DT * np.mean((2 + z + np.exp(z) * (-2 + z)) / z**3, 1).real * 2
    f3 = DT * np.mean((-4 - 3 * z - z**2 + np.exp(z) * (4 - z)) / z**3, 1).real
    mask = 3 * np.arange(kept) < n
    g = -0.5j * k * mask

    def nonlinear(v: Array) -> Array:
        return jnp.asarray(g) * jnp.fft.rfft(jnp.fft.irfft(v, n) ** 2)[:kept]

    def step(_: int, v: Array) -> Array:
        nv = nonlinear(v)
        a = E2 * v + Q * nv
        na = nonlinear(a)
        b = E2 * v + Q * na
        nb = nonlinear(b)
        c = E2 * a + Q * (2 * nb - nv)
        nc = nonlinear(c)
        following: Array = E * v + f1 * nv + f2 * (na + nb) + f3 * nc
        return following

    @jax.jit
    def whole(v: Array, count: Array) -> Array:
        return jnp.fft.irfft(lax.fori_loop(0, count, step, v), n)

    first = jnp.asarray(np.fft.rfft(start())[:kept] * mask)
    return lambda steps: (np.asarray(whole(first, np.int32(steps))),)


def exponax() -> Program:
    import exponax as ex

    stepper = ex.stepper.KuramotoSivashinskyConservative(1, LENGTH, POINTS, DT, order=4)
    first = jnp.asarray(start())[None]

    @jax.jit
    def whole(u: Array, count: Array) -> Array:
        end: Array = lax.fori_loop(0, count, lambda _, v: stepper(v), u)
        return end

    return lambda steps: (np.asarray(whole(first, np.int32(steps)))[0],)
