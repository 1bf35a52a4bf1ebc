"""A Caputo derivative of a network against an ordinary one: cost of the residual's gradient, and its error.

python -m benchmarks.fractional_networks [ROUNDS]

An MLP 3 × 64 with tanh on 1024 points in single precision. The reference of the error is the same operator
in double precision with 24 nodes.
"""

import sys
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import nablax
from benchmarks.table import number, ranged, table, verdict
from benchmarks.timing import interleaved, ratio
from nablax.backends.precision import precise

POINTS, WIDTH, DEPTH = 1024, 64, 3
DEAREST, LARGEST_ERROR = 5.0, 1e-5
ORDINARY = "dt(u)"
TERMS = {
    ORDINARY: "dt(u)",
    "caputo, α = 0.5": "caputo(u, t, 0.5)",
    "caputo, α = 0.9": "caputo(u, t, 0.9)",
    "caputo, α = 0.5, quotient(5)": "caputo(u, t, 0.5)",
    "caputo, α unknown": "caputo(u, t, a)",
    "caputo, α = 1.5": "caputo(u, t, 1.5)",
}


def problem(name: str, quadrature: str = "") -> nablax.Problem:
    """The residual `term - x` of one term."""
    chosen = quadrature or (name.partition(", ")[2].partition(", ")[2])
    train = f"train {{ quadrature = {chosen} }}\n" if chosen else ""
    start = "u = 0, dt(u) = 0" if "1.5" in name else "u = 0"
    return nablax.parse(
        "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
        f"params {{ a {'~ 0.5 in [0.1, 0.9]' if 'unknown' in name else '= 0.5'} }}\n"
        f"equations {{ {TERMS[name]} = x }}\ninitial {{ {start.replace(', ', '; ')} }}\n{train}"
    )


def network(dtype: str) -> eqx.nn.MLP:
    return eqx.nn.MLP(2, 1, WIDTH, DEPTH, jnp.tanh, dtype=jnp.dtype(dtype), key=jax.random.key(0))


def gradient(name: str, points: Array) -> Callable[[], object]:
    """The compiled gradient of the mean square with respect to all parameters."""
    stated = problem(name)
    field = nablax.field(stated, network("float32"))
    residual = stated.residual(field)
    params = jax.tree.map(lambda leaf: leaf.astype("float32"), field.params)

    @jax.jit
    def slope(given: object) -> object:
        return jax.grad(lambda p: jnp.mean(residual(p, points)["equation/u"] ** 2))(given)

    return lambda: jax.block_until_ready(slope(params))


def error(name: str, points: np.ndarray) -> float:
    """Root mean square of what single precision and few nodes leave, over that of the operator."""
    with precise("float64"):
        values = []
        for stated, dtype in ((problem(name), "float32"), (problem(name, "slope(24)"), "float64")):
            net = jax.tree.map(
                lambda leaf: leaf.astype(dtype) if eqx.is_array(leaf) else leaf,  # noqa: B023
                network("float32"),
            )
            field = nablax.field(stated, net)
            params = jax.tree.map(lambda leaf: leaf.astype(dtype), field.params)  # noqa: B023
            found = stated.residual(field)(params, jnp.asarray(points, dtype))["equation/u"]
            values.append(np.asarray(found, float) + points[:, 0])
    single, double = values
    return float(np.sqrt(np.mean((single - double) ** 2) / np.mean(double**2)))


def main(rounds: int = 41) -> None:
    host = np.random.default_rng(0).uniform(0, 1, (POINTS, 2))
    points = jnp.asarray(host, "float32")
    programs = {name: gradient(name, points) for name in TERMS}
    interleaved(programs, 2)
    times = interleaved(programs, rounds)
    rows = []
    for name in TERMS:
        if name == ORDINARY:
            continue
        cost = ratio(times[name].wall, times[ORDINARY].wall)
        apart = error(name, host)
        rows.append((name, ranged(cost), verdict(cost.middle, DEAREST), number(apart),
                     verdict(apart, LARGEST_ERROR)))  # fmt: skip
    print(table(("Residual's gradient", "cost over dt(u)", "goal", "relative error", "goal"), rows))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
