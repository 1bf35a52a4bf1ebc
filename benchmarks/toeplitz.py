"""Fractional differences as products: the dense matrix against the FFT, by nodes and lines.

`python -m benchmarks.toeplitz` prints where one overtakes the other on this device; the numbers in
`backends/differences/toeplitz.py` are such crossings.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.table import number, table
from benchmarks.timing import Times, interleaved, ratio
from nablax.backends.differences.toeplitz import centred_weights, dense_product, prepared, product

NODES = (64, 128, 256, 400, 512, 1024, 2048)
LINES = (1, 64)
ROUNDS = 15
WORK = 3e7  # products of numbers in a dense run


def crossing(dtype: str, lines: int) -> list[tuple[str, ...]]:
    """Per number of nodes: time of the dense product over that of the FFT, and which one is chosen."""
    rows: list[tuple[str, ...]] = []
    for nodes in NODES:
        weights = centred_weights(jnp.asarray(1.5, dtype), nodes, 1.0)
        diagonals = jnp.concatenate([weights[:0:-1], weights])
        shape = (nodes,) if lines == 1 else (nodes, lines)
        u = jnp.asarray(np.random.default_rng(0).normal(size=shape), dtype)
        repeats = max(int(WORK / (nodes**2 * lines)), 3)
        programs = {}
        for dense in (True, False):
            kernel = prepared(diagonals, nodes, dense)
            run = jax.jit(partial(_repeated, dense=dense, repeats=repeats))
            programs["dense" if dense else "FFT"] = partial(_call, run, kernel, u)
        interleaved(programs, 2)
        times: dict[str, Times] = interleaved(programs, ROUNDS)
        shown = ratio(times["dense"].cpu, times["FFT"].cpu).middle
        chosen = "dense" if dense_product(nodes, lines, jnp.dtype(dtype)) else "FFT"
        rows.append((f"{nodes} nodes, {lines} line{'s' * (lines > 1)}, {dtype}", number(shown), chosen))
    return rows


def _call(run: Callable[..., jax.Array], kernel: jax.Array, u: jax.Array) -> None:
    run(kernel, u).block_until_ready()


def _repeated(kernel: jax.Array, u: jax.Array, dense: bool, repeats: int) -> jax.Array:
    """One product after another, each on the last one's result."""

    def one(_: jax.Array, v: jax.Array) -> jax.Array:
        return product(kernel, v, 0, dense) * 0.1 + u * 0.5

    last: jax.Array = jax.lax.fori_loop(0, repeats, one, u)
    return last


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    rows = [row for dtype in ("float64", "float32") for lines in LINES for row in crossing(dtype, lines)]
    print(table(("Product", "dense / FFT", "chosen"), rows))


if __name__ == "__main__":
    main()
