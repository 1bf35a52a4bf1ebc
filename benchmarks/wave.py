"""The wave equation on 1024² points, eighth order in space, leapfrog, float32.

A pulse in the middle of a box that it does not leave in the steps that are compared: Devito has zeros
around its grid, the others a periodic box.
"""

import jax.numpy as jnp
import numpy as np

from benchmarks import by_nablax
from benchmarks.by_devito import settled
from benchmarks.case import TWIN, Case, Contender, Fields, Program
from benchmarks.twins import Numbers, State, looped, wrapped

POINTS, DT, RADIUS = 1024, 2.0**-12, 4
WEIGHTS = (-205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560)
SPEC = """pde 1
space  { x in [0, 1] periodic; y in [0, 1] periodic }
time   { t in [0, 64] }
fields { w }
equations { dtt(w) = laplacian(w) }
initial { w = exp(-900*((x - 1/2)^2 + (y - 1/2)^2)); dt(w) = 0 }
solve { n = 1024; method = fd; order = 8; step = leapfrog; dt = 2^(-12); dtype = float32 }
output { every = 1 }
"""


def wave() -> Case:
    contenders = (
        *by_nablax.contenders(SPEC),
        Contender(TWIN, twin),
        Contender("Devito", devito, "devito"),
    )
    return Case(
        "Wave 2-D, 1024² points, float32, leapfrog, order 8",
        SPEC, contenders, POINTS**2, 40, 40, 1e-4, {"Devito": 1.5, TWIN: 1.05},
    )  # fmt: skip


def start() -> np.ndarray:
    x = np.arange(POINTS) / POINTS
    pulse = np.exp(-900 * ((x[:, None] - 0.5) ** 2 + (x[None] - 0.5) ** 2))
    return pulse.astype(np.float32)


def twin() -> Program:
    """Half a drift, a kick, half a drift, with ghosts every step: the form that any text would give."""

    def step(y: State, numbers: Numbers) -> State:
        u, v = y
        dt = jnp.float32(DT)
        u = u + dt / 2 * v
        v = v + dt * _laplacian(wrapped(u, RADIUS))
        return u + dt / 2 * v, v

    first: Fields = (start(), np.zeros_like(start()))
    program = looped(first, {}, step)
    return lambda steps: program(steps)[:1]


def _laplacian(u: jnp.ndarray) -> jnp.ndarray:
    inside = slice(RADIUS, -RADIUS)
    total = 2 * WEIGHTS[0] * u[inside, inside]
    for j, weight in enumerate(WEIGHTS[1:], 1):
        ahead, behind = slice(RADIUS + j, POINTS + RADIUS + j), slice(RADIUS - j, POINTS + RADIUS - j)
        total += weight * (u[ahead, inside] + u[behind, inside] + u[inside, ahead] + u[inside, behind])
    return total * POINTS**2


def devito() -> Program:
    """Leapfrog in its two-level form, begun with the exact second time derivative of the grid."""
    library = settled()
    extent = ((POINTS - 1) / POINTS,) * 2
    grid = library.Grid(shape=(POINTS, POINTS), extent=extent, dtype=np.float32)
    u = library.TimeFunction(name="u", grid=grid, time_order=2, space_order=8)
    operator = library.Operator([library.Eq(u.forward, library.solve(u.dt2 - u.laplace, u.forward))])
    first = start().astype(np.float64)
    around = np.pad(first, RADIUS, mode="wrap")
    half = first + DT**2 / 2 * np.asarray(_laplacian(jnp.asarray(around)))

    def program(steps: int) -> Fields:
        u.data[:] = 0
        u.data[0], u.data[1] = first, half
        operator.apply(time_m=1, time_M=steps - 1, dt=DT)
        return (np.array(u.data[steps % 3]),)

    return program
