"""Gray–Scott, two reacting fields on a periodic square, second order, explicit Euler."""

import numpy as np

from benchmarks import by_devito, by_nablax, by_pypde
from benchmarks.case import TWIN, Case, Contender, Fields, Program
from benchmarks.twins import Numbers, State, bundled, inner, laplacian, looped, wrapped

POINTS = 512
NUMBERS = {"Du": 1e-6, "Dv": 5e-7, "F": 0.04, "k": 0.06, "dt": 0.5}

SPEC = """pde 1
space  { x in [0, 1] periodic; y in [0, 1] periodic }
time   { t in [0, 5000] }
fields { u, v }
params { Du = 1e-6; Dv = 5e-7; F = 0.04; k = 0.06 }
let { spot = exp(-40*((x - 0.4)^2 + (y - 0.5)^2)) }
equations {
  dt(u) = Du*laplacian(u) - u*v^2 + F*(1 - u)
  dt(v) = Dv*laplacian(v) + u*v^2 - (F + k)*v
}
initial { u = 1 - spot/2; v = spot/4 }
solve { n = [512, 512]; method = fd; order = 2; step = euler; dt = 0.5 }
output { every = 50 }
"""


def gray_scott() -> Case:
    contenders = (
        *by_nablax.contenders(SPEC),
        Contender(TWIN, lambda: bundled(start(), NUMBERS, step, 8)),
        Contender("hand-written JAX, ghosts every step", twin),
        Contender("Devito", devito, "devito"),
        Contender("py-pde, numba", lambda: pypde("numba"), "pde"),
        Contender("py-pde, JAX", lambda: pypde("jax"), "pde"),
    )
    return Case(
        "Gray–Scott, 512² points, float64, Euler, order 2, periodic",
        SPEC, contenders, POINTS**2, 56, 96, 1e-10, {"Devito": 0.45, TWIN: 1.05},
    )  # fmt: skip


def start() -> Fields:
    x = np.arange(POINTS) / POINTS
    spot = np.exp(-40 * ((x[:, None] - 0.4) ** 2 + (x[None] - 0.5) ** 2))
    return 1 - spot / 2, spot / 4


def step(y: State, p: Numbers) -> State:
    """Of arrays with ghosts, to those without."""
    u, v = y
    h = 1 / POINTS
    a, b = inner(u), inner(v)
    reaction = a * b * b
    new_u = a + p["dt"] * (p["Du"] * laplacian(u, h) - reaction + p["F"] * (1 - a))
    new_v = b + p["dt"] * (p["Dv"] * laplacian(v, h) + reaction - (p["F"] + p["k"]) * b)
    return new_u, new_v


def twin() -> Program:
    return looped(
        start(),
        NUMBERS,
        lambda y, p: tuple(wrapped(u) for u in step(y, p)),
        enter=lambda y: tuple(wrapped(a) for a in y),
        leave=lambda y: tuple(inner(a) for a in y),
    )


def devito() -> Program:
    u, v = start()
    return by_devito.periodic(
        {"u": u, "v": v},
        1 / POINTS,
        NUMBERS,
        lambda u, v, Du, Dv, F, k: {
            "u": Du * u.laplace - u * v * v + F * (1 - u),
            "v": Dv * v.laplace + u * v * v - (F + k) * v,
        },
    )


def pypde(backend: str) -> Program:
    u, v = start()
    rates = {
        "u": "Du*laplace(u) - u*v**2 + F*(1 - u)",
        "v": "Dv*laplace(v) + u*v**2 - (F + k)*v",
    }
    return by_pypde.program(rates, {"u": u, "v": v}, (0, 1), "periodic", NUMBERS, backend)
