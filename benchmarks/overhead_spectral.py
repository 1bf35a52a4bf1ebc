"""What the compiler costs over a hand-written JAX program of the same method; exponax beside it.

Kuramoto–Sivashinsky on 1024 points, ETDRK4, float64. Runs are interleaved; medians, microseconds a step,
and the ratio to the twin. Usage: python benchmarks/overhead_spectral.py [points] [steps]
"""

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

jax.config.update("jax_enable_x64", True)

LENGTH, DT = 32 * np.pi, 0.05
ROUNDS = 15
SPEC = """
space  {{ x in [0, 32*pi] periodic }}
time   {{ t in [0, 150] }}
fields {{ u }}
equations {{ u_t + u*u_x + u_xx + u_xxxx = 0 }}
initial {{ u = cos(x/16)*(1 + sin(x/16)) }}
solve  {{ n = {n}; step = etdrk4; dt = 0.05 }}
"""


def twin(n: int, truncated: bool) -> tuple[Callable[[Array, int], Array], Array]:
    """As one would write it: spectral state, coefficients made once, 2/3 of the modes kept.

    `truncated` stores the kept modes only; otherwise a mask cuts the others.
    """
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
        return g * jnp.fft.rfft(jnp.fft.irfft(v, n) ** 2)[:kept]

    def step(_: int, v: Array) -> Array:
        nv = nonlinear(v)
        a = E2 * v + Q * nv
        na = nonlinear(a)
        b = E2 * v + Q * na
        nb = nonlinear(b)
        c = E2 * a + Q * (2 * nb - nv)
        nc = nonlinear(c)
        return E * v + f1 * nv + f2 * (na + nb) + f3 * nc

    x = np.linspace(0, LENGTH, n, endpoint=False)
    start = jnp.asarray(np.fft.rfft(np.cos(x / 16) * (1 + np.sin(x / 16)))[:kept] * mask)
    return jax.jit(lambda v, count: jax.lax.fori_loop(0, count, step, v)), start


def ours(n: int) -> tuple[Callable[[Array, int], Array], Array]:
    """The program that `stream` drives."""
    from nablax.backends.solver import build
    from nablax.frontend.source import read_source
    from nablax.pipeline import run_stages

    plan = run_stages(read_source("ks", SPEC.format(n=n))).plan
    assert plan is not None
    solver = build(plan)
    state = solver.initial()
    ready = solver.compiled.prepare({})
    h = np.float64(DT)
    aid = solver.compiled.aid(h, ready)

    def run(v: Array, count: int) -> Array:
        return solver.compiled.march(state.t, (v,), h, np.int32(count), aid, ready).y[0]

    return run, state.y[0]


def exponax_twin(n: int) -> tuple[Callable[[Array, int], Array], Array] | None:
    try:
        import exponax
    except ImportError:
        return None
    stepper = exponax.stepper.KuramotoSivashinskyConservative(1, LENGTH, n, DT, order=4)
    x = np.linspace(0, LENGTH, n, endpoint=False)
    start = jnp.asarray(np.cos(x / 16) * (1 + np.sin(x / 16)))[None]
    return jax.jit(lambda u, count: jax.lax.fori_loop(0, count, lambda _, v: stepper(v), u)), start


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    candidates = {
        "twin, masked": twin(n, False),
        "twin, kept modes only": twin(n, True),
        "nablax": ours(n),
    }
    peer = exponax_twin(n)
    if peer is not None:
        candidates["exponax"] = peer
    times: dict[str, list[float]] = {name: [] for name in candidates}
    ends = {}
    for name, (run, start) in candidates.items():
        ends[name] = np.asarray(run(start, 20))
    reference = ends["twin, kept modes only"]
    apart = np.abs(ends["nablax"] - reference).max() / np.abs(reference).max()
    print(f"difference after 20 steps: {apart:.1e}")
    for _ in range(ROUNDS):
        for name, (run, start) in candidates.items():
            before = perf_counter()
            jax.block_until_ready(run(start, steps))
            times[name].append((perf_counter() - before) / steps * 1e6)
    base = median(times["twin, masked"])
    device = jax.devices()[0].device_kind
    print(f"KS, N = {n}, {steps} steps, {ROUNDS} rounds, {device}, jax {jax.__version__}")
    for name, values in times.items():
        ratio = median(values) / base
        print(f"{name:24s} {median(values):8.2f} µs a step   {ratio:5.2f}   best {min(values):.2f}")


if __name__ == "__main__":
    main()
