"""Heat in two dimensions, second order, explicit Euler: a periodic box and one with cold walls."""

import jax.numpy as jnp
import numpy as np

from benchmarks import by_devito, by_nablax, by_pypde
from benchmarks.case import TWIN, Case, Contender, Fields, Program
from benchmarks.twins import Numbers, State, bundled, inner, laplacian, looped, wrapped

POINTS = 512
D, DT = 0.1, 2.0**-17  # three quarters of the stable step
NUMBERS = {"D": D, "dt": DT}
GOALS = {"Devito": 0.35, TWIN: 1.05}

PERIODIC = """pde 1
space  { x in [0, 1] periodic; y in [0, 1] periodic }
time   { t in [0, 1] }
fields { u }
params { D = 0.1 }
equations { dt(u) = D*laplacian(u) }
initial { u = exp(-40*((x - 0.4)^2 + (y - 0.5)^2)) }
solve { n = [512, 512]; method = fd; order = 2; step = euler; dt = 2^(-17) }
output { every = 0.01 }
"""
WALLED = """pde 1
space  { x in [0, 1]; y in [0, 1] }
time   { t in [0, 1] }
fields { u }
params { D = 0.1 }
equations { dt(u) = D*laplacian(u) }
initial { u = 16*x*(1 - x)*y*(1 - y)*exp(x) }
boundary { x = 0, x = 1, y = 0, y = 1: u = 0 }
solve { n = [511, 511]; method = fd; order = 2; step = euler; dt = 2^(-17) }
output { every = 0.01 }
"""


def periodic() -> Case:
    contenders = (
        *by_nablax.contenders(PERIODIC),
        Contender(TWIN, lambda: bundled(periodic_start(), NUMBERS, periodic_step, 8)),
        Contender("hand-written JAX, ghosts every step", periodic_twin),
        Contender("Devito", periodic_devito, "devito"),
        Contender("py-pde, numba", lambda: periodic_pypde("numba"), "pde"),
        Contender("py-pde, JAX", lambda: periodic_pypde("jax"), "pde"),
    )
    return Case(
        "Heat 2-D, 512² points, float64, Euler, order 2, periodic",
        PERIODIC, contenders, POINTS**2, 96, 96, 1e-10, GOALS,
    )  # fmt: skip


def walled() -> Case:
    contenders = (
        *by_nablax.contenders(WALLED),
        Contender(TWIN, lambda: walled_twin(concatenated=True)),
        Contender("hand-written JAX, padded", lambda: walled_twin(concatenated=False)),
        Contender("Devito", walled_devito, "devito"),
        Contender("py-pde, numba", lambda: walled_pypde("numba"), "pde"),
        Contender("py-pde, JAX", lambda: walled_pypde("jax"), "pde"),
    )
    return Case(
        "Heat 2-D, 512² points, float64, Euler, order 2, walls at zero",
        WALLED, contenders, POINTS**2, 96, 96, 1e-10, GOALS,
    )  # fmt: skip


def periodic_start() -> Fields:
    x = np.arange(POINTS) / POINTS
    return (np.exp(-40 * ((x[:, None] - 0.4) ** 2 + (x[None] - 0.5) ** 2)),)


def walled_start() -> Fields:
    x = np.linspace(0, 1, POINTS)
    hump = 4 * x * (1 - x)
    return ((hump * np.exp(x))[:, None] * hump[None],)


def periodic_step(y: State, numbers: Numbers) -> State:
    """Of arrays with ghosts, to those without."""
    (u,) = y
    return (inner(u) + numbers["dt"] * numbers["D"] * laplacian(u, 1 / POINTS),)


def periodic_twin() -> Program:
    return looped(
        periodic_start(),
        NUMBERS,
        lambda y, numbers: tuple(wrapped(u) for u in periodic_step(y, numbers)),
        enter=lambda y: tuple(wrapped(u) for u in y),
        leave=lambda y: tuple(inner(u) for u in y),
    )


def walled_twin(concatenated: bool) -> Program:
    """Zero walls concatenated around the new inner points, or the increment padded with zeros."""
    h = 1 / (POINTS - 1)

    def padded(y: State, numbers: Numbers) -> State:
        (u,) = y
        return (u + jnp.pad(numbers["dt"] * numbers["D"] * laplacian(u, h), 1),)

    def surrounded(y: State, numbers: Numbers) -> State:
        (u,) = y
        new = inner(u) + numbers["dt"] * numbers["D"] * laplacian(u, h)
        side = jnp.zeros((1, POINTS - 2))
        end = jnp.zeros((POINTS, 1))
        return (jnp.concatenate([end, jnp.concatenate([side, new, side], 0), end], 1),)

    return looped(walled_start(), NUMBERS, surrounded if concatenated else padded)


def periodic_devito() -> Program:
    (u,) = periodic_start()
    return by_devito.periodic({"u": u}, 1 / POINTS, NUMBERS, lambda u, D: {"u": D * u.laplace})


def walled_devito() -> Program:
    (u,) = walled_start()
    return by_devito.walled({"u": u}, 1 / (POINTS - 1), NUMBERS, lambda u, D: {"u": D * u.laplace})


def periodic_pypde(backend: str) -> Program:
    (u,) = periodic_start()
    return by_pypde.program({"u": "D*laplace(u)"}, {"u": u}, (0, 1), "periodic", NUMBERS, backend)


def walled_pypde(backend: str) -> Program:
    # Its unknowns sit at centres of cells: here cells around the inner points, and u' + 2u/h = 0 halfway
    # to the walls, which makes the ghosts, the values on the walls, zero. (Its JAX backend refuses
    # `virtual_point`, which says so directly.)
    (u,) = walled_start()
    h = 1 / (POINTS - 1)
    conditions = {"type": "mixed", "value": 2 / h, "const": 0}
    bounds = (h / 2, 1 - h / 2)
    inside = by_pypde.program(
        {"u": "D*laplace(u)"}, {"u": u[1:-1, 1:-1]}, bounds, conditions, NUMBERS, backend
    )
    return lambda steps: tuple(np.pad(a, 1) for a in inside(steps))
