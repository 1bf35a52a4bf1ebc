"""Heat on grids beyond the cache: 2048² points, and 128³; second order, explicit Euler, walls at zero."""

from collections.abc import Callable
from functools import reduce

import jax.numpy as jnp
import numpy as np

from benchmarks import by_devito, by_nablax
from benchmarks.case import TWIN, Case, Contender, Fields, Program
from benchmarks.twins import Numbers, State, inner, laplacian, looped

D = 0.1
AXES = "xyz"


def plane() -> Case:
    return _case("Heat 2-D, 2048² points, float64, Euler, order 2, walls at zero", 2, 2048, 2.0**-21, 1.1, 10)


def cube() -> Case:
    return _case("Heat 3-D, 128³ points, float64, Euler, order 2, walls at zero", 3, 128, 2.0**-14, 1.3, 20)


def spec(dimension: int, points: int, dt: float) -> str:
    axes = AXES[:dimension]
    lines = "; ".join(f"{a} in [0, 1]" for a in axes)
    walls = ", ".join(f"{a} = {end}" for a in axes for end in (0, 1))
    hump = "*".join(f"4*{a}*(1 - {a})" for a in axes)
    return f"""pde 1
space  {{ {lines} }}
time   {{ t in [0, 1] }}
fields {{ u }}
params {{ D = {D} }}
equations {{ dt(u) = D*laplacian(u) }}
initial {{ u = {hump}*exp(x) }}
boundary {{ {walls}: u = 0 }}
solve {{ n = {points - 1}; method = fd; order = 2; step = euler; dt = {dt!r} }}
output {{ every = 0.01 }}
"""


def start(dimension: int, points: int) -> Fields:
    x = np.linspace(0, 1, points)
    hump = 4 * x * (1 - x)
    lines = [hump * np.exp(x), *[hump] * (dimension - 1)]
    return (reduce(np.multiply.outer, lines),)


def _case(title: str, dimension: int, points: int, dt: float, goal: float, steps: int) -> Case:
    text = spec(dimension, points, dt)
    numbers = {"D": D, "dt": dt}
    first, spacing = start(dimension, points), 1 / (points - 1)
    contenders = (
        *by_nablax.contenders(text),
        Contender(TWIN, lambda: twin(first, spacing, numbers, _padded)),
        Contender("hand-written JAX, walls put around", lambda: twin(first, spacing, numbers, _surrounded)),
        Contender("Devito", lambda: devito(first, spacing, numbers), "devito"),
    )
    return Case(title, text, contenders, points**dimension, 4 * steps, 8, 1e-10, {"Devito": goal, TWIN: 1.05})


def twin(
    first: Fields, spacing: float, numbers: Numbers, step: Callable[[State, Numbers, float], State]
) -> Program:
    return looped(first, numbers, lambda y, p: step(y, p, spacing))


def _padded(y: State, numbers: Numbers, h: float) -> State:
    (u,) = y
    return (u + jnp.pad(numbers["dt"] * numbers["D"] * laplacian(u, h), 1),)


def _surrounded(y: State, numbers: Numbers, h: float) -> State:
    (u,) = y
    new = inner(u) + numbers["dt"] * numbers["D"] * laplacian(u, h)
    for k in range(u.ndim):
        wall = jnp.zeros_like(new, shape=tuple(1 if j == k else m for j, m in enumerate(new.shape)))
        new = jnp.concatenate([wall, new, wall], k)
    return (new,)


def devito(first: Fields, spacing: float, numbers: Numbers) -> Program:
    (u,) = first
    return by_devito.walled({"u": u}, spacing, numbers, lambda u, D: {"u": D * u.laplace})
