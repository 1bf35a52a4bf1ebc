"""A training step of the fractional Poisson problem on an interval against DeepXDE's, and operators' errors.

DDE_BACKEND=tensorflow.compat.v1 python -m benchmarks.fractional_poisson [ROUNDS]

DeepXDE's own example with its auxiliary points made for every point (`meshtype="dynamic"`, resolution 100; G.
Pang, L. Lu, G. E. Karniadakis, SIAM J. Sci. Comput. 41 (2019) A2603): D^α u from the left and from the right,
α = 3/2, u = x³(1 - x)³, an MLP 4 × 20 with tanh on 100 points, Adam, single precision. Needs TensorFlow and
DeepXDE, which are no part of the other benchmarks' requirements.
"""

import os
import sys
from collections.abc import Callable
from math import gamma
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import nablax
from benchmarks.table import number, ranged, table
from benchmarks.timing import interleaved, ratio

ORDER, POINTS, STEPS, GOAL = 1.5, 100, 50, 5.0
BOTH = "rl({0}, x, 3/2) + rl({0}, x, 3/2, side=right)"
SPEC = f"""
space {{ x in [0, 1] }}
fields {{ u }}
equations {{ {BOTH.format("u")} = {BOTH.format("x^3*(1 - x)^3")} }}
boundary {{ all: u = 0 }}
"""


def exact(x: np.ndarray) -> np.ndarray:
    return np.asarray(x**3 * (1 - x) ** 3)


def operator(x: np.ndarray) -> np.ndarray:
    """Of the exact solution, in closed form."""
    total = np.zeros_like(x)
    for k, sign in ((3, 1.0), (4, -3.0), (5, 3.0), (6, -1.0)):
        total += sign * gamma(k + 1) / gamma(k + 1 - ORDER) * (x ** (k - ORDER) + (1 - x) ** (k - ORDER))
    return total


def ours(x: np.ndarray, quadrature: str) -> tuple[Callable[[], object], float]:
    """`STEPS` steps of Adam, and the relative error of the operator of the exact solution."""
    problem = nablax.parse(SPEC + quadrature)
    points = jnp.asarray(x, "float32")
    field = nablax.field(problem, eqx.nn.MLP(1, 1, 20, 4, jnp.tanh, key=jax.random.key(0)))
    losses = problem.losses(field)
    walls = {"boundary/x=0": jnp.zeros((1, 1)), "boundary/x=1": jnp.ones((1, 1))}
    batch = {"equation": points, **walls}
    rule = optax.adam(1e-3)

    @jax.jit
    def step(params: object, state: object) -> tuple[object, object]:
        slope = jax.grad(lambda p: sum(losses(p, batch).values()))(params)
        change, state = rule.update(slope, state)
        return optax.apply_updates(params, change), state

    at = [(field.params, rule.init(field.params))]

    def several() -> None:
        for _ in range(STEPS):
            at[0] = step(*at[0])
        jax.block_until_ready(at[0])

    known = nablax.field(problem, lambda _, z: (z[0] ** 3 * (1 - z[0]) ** 3)[None], ())
    left = np.asarray(problem.residual(known)((), points)["equation/u"], float)
    return several, float(np.sqrt(np.mean(left**2) / np.mean(operator(x) ** 2)))


def deepxde() -> tuple[Callable[[], object], float, np.ndarray]:
    """The same of DeepXDE, and the points it takes."""
    os.environ.setdefault("DDE_BACKEND", "tensorflow.compat.v1")
    import deepxde as dde
    from deepxde.backend import tf

    def equation(x: Any, y: object, matrix: object) -> object:  # tensors of TensorFlow
        assert isinstance(matrix, list | tuple)
        left = tf.sparse_tensor_dense_matmul(tf.SparseTensor(*matrix), y)
        right: Any = sum(
            sign * gamma(k + 1) / gamma(k + 1 - ORDER) * (x ** (k - ORDER) + (1 - x) ** (k - ORDER))
            for k, sign in ((3, 1.0), (4, -3.0), (5, 3.0), (6, -1.0))
        )
        return left - right[: tf.size(left)]

    line = dde.geometry.Interval(0, 1)
    walls = dde.icbc.DirichletBC(line, exact, lambda _, on_boundary: on_boundary)
    data = dde.data.FPDE(
        line, equation, ORDER, walls, [100], meshtype="dynamic", num_domain=POINTS, num_boundary=2,
        solution=exact,
    )  # fmt: skip
    model = dde.Model(data, dde.nn.FNN([1, *[20] * 4, 1], "tanh", "Glorot normal"))
    model.compile("adam", lr=1e-3, verbose=0)
    model.train(iterations=1, display_every=10**9, verbose=0)
    inputs, targets = data.train_next_batch()

    def several() -> None:
        for _ in range(STEPS):
            model._train_step(inputs, targets, None)

    indices, values, shape = data.get_int_matrix(True)
    matrix = np.zeros(shape)
    np.add.at(matrix, tuple(np.asarray(indices).T), np.asarray(values, float))
    found = (matrix @ exact(np.asarray(inputs, float)))[2:, 0]
    places = np.asarray(inputs, float)[2 : 2 + len(found)]
    wanted = operator(places)[:, 0]
    error = float(np.sqrt(np.mean((found - wanted) ** 2) / np.mean(wanted**2)))
    return several, error, places


def main(rounds: int = 15) -> None:
    theirs, their_error, places = deepxde()
    made = {
        "nablax": ours(places, ""),
        "nablax, slope(3)": ours(places, "train { quadrature = slope(3) }\n"),
        "DeepXDE, dynamic": (theirs, their_error),
    }
    times = interleaved({name: program for name, (program, _) in made.items()}, rounds + 1)
    kept = {name: found.wall[1:] for name, found in times.items()}
    rows = []
    for name, (_, error) in made.items():
        gain = ratio(kept["DeepXDE, dynamic"], kept[name])
        met = f"≥ {GOAL:g}: {'met' if gain.middle >= GOAL else 'MISSED'}"
        took = number(float(np.median(kept[name])) / STEPS * 1e3)
        rows.append((name, took, ranged(gain), "" if name.startswith("Deep") else met, number(error)))
    print(
        table(("Fractional Poisson", "ms a step", "DeepXDE over it", "goal", "error of the operator"), rows)
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
