"""The Poisson equation in a square with cold walls, second order: a fast transform against scipy's."""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
from jax import Array

import nablax
from benchmarks.case import NABLAX, TWIN, Case, Contender, Fields, Program

CELLS = 512
GOALS = {"scipy, DST-I": 1.5}

SPEC = """pde 1
space  { x in [0, 1]; y in [0, 1] }
fields { u }
equations { laplacian(u) = x*(1 - y) }
boundary  { all: u = 0 }
solve { n = [512, 512]; order = 2 }
"""


def poisson() -> Case:
    """A step is one solve, the source included."""
    contenders = (
        Contender(NABLAX, solved_by_nablax),
        Contender("scipy, DST-I", solved_by_scipy, "scipy"),
        Contender(TWIN, solved_by_twin),
    )
    return Case(
        "Poisson 2-D, 511² points, float64, order 2, one solve",
        SPEC, contenders, (CELLS - 1) ** 2, 20, 1, 1e-10, GOALS,
    )  # fmt: skip


def source() -> np.ndarray:
    x = np.arange(1, CELLS) / CELLS
    return np.asarray(x[:, None] * (1 - x[None]))


def eigenvalues() -> np.ndarray:
    one = -((2 * CELLS * np.sin(np.pi * np.arange(1, CELLS) / (2 * CELLS))) ** 2)
    return np.asarray(one[:, None] + one[None])


def solved_by_nablax() -> Program:
    solver = nablax.parse(SPEC).compile()

    def run(steps: int) -> Fields:
        for _ in range(steps):
            u = solver.solve().fields["u"]
        return (np.asarray(u)[1:-1, 1:-1],)

    return run


def solved_by_scipy() -> Program:
    right, symbol = source(), eigenvalues()

    def run(steps: int) -> Fields:
        for _ in range(steps):
            u = scipy.fft.idstn(scipy.fft.dstn(right, type=1) / symbol, type=1)
        return (np.asarray(u),)

    return run


def solved_by_twin() -> Program:
    """DST-I by real FFTs of odd extensions, as one writes it down."""

    def transform(a: Array) -> Array:
        edge = jnp.zeros((*a.shape[:-1], 1), a.dtype)
        mirrored = jnp.concatenate([edge, a, edge, -a[..., ::-1]], axis=-1)
        return -jnp.imag(jnp.fft.rfft(mirrored))[..., 1:-1] / 2

    @jax.jit
    def solve(right: Array, symbol: Array) -> Array:
        hat = transform(transform(right).T) / symbol
        return transform(transform(hat).T) * (2 / CELLS) ** 2

    right, symbol = jnp.asarray(source()), jnp.asarray(eigenvalues())

    def run(steps: int) -> Fields:
        for _ in range(steps):
            u = solve(right, symbol).block_until_ready()
        return (np.asarray(u),)

    return run
