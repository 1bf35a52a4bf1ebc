"""What the compiled finite differences cost over the same loop written by hand.

    python benchmarks/overhead_differences.py

Explicit Euler in float64, both programs with the whole time loop inside one jit, run alternately; prints
the median time per cell and step of each and the median of the paired ratios. Contract: at most 1.05.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array, lax

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
jax.config.update("jax_enable_x64", True)

from nablax.backends.differences import build  # noqa: E402
from tests.numerics.systems import (  # noqa: E402
    Line,
    both,
    build_plan,
    build_system,
    dirichlet,
    function,
)

Fields = tuple[Array, ...]
STEPS, ROUNDS = 200, 15


def wrap(u: Array) -> Array:
    u = jnp.concatenate([u[-1:], u, u[:1]], 0)
    return jnp.concatenate([u[:, -1:], u, u[:, :1]], 1)


def laplacian(u: Array, h: float) -> Array:
    return (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]) / h**2


def loop(step: Callable[[Fields], Fields]) -> Callable[[Fields], Fields]:
    return lambda u: lax.fori_loop(0, STEPS, lambda _, v: step(v), u)


def by_hand_heat_periodic(h: float, dt: float, D: Array) -> Callable[[Fields], Fields]:
    def step(fields: Fields) -> Fields:
        (u,) = fields
        return (wrap(u[1:-1, 1:-1] + dt * D * laplacian(u, h)),)

    return lambda fields: tuple(a[1:-1, 1:-1] for a in loop(step)((wrap(fields[0]),)))


def by_hand_heat_dirichlet(h: float, dt: float, D: Array) -> Callable[[Fields], Fields]:
    # The fastest of five ways to keep the walls: 0.7 of concatenating zeros around the new interior.
    return loop(lambda fields: (fields[0] + jnp.pad(dt * D * laplacian(fields[0], h), 1),))


def by_hand_gray_scott(h: float, dt: float, p: dict[str, Array]) -> Callable[[Fields], Fields]:
    def step(fields: Fields) -> Fields:
        u, v = fields
        a, b = u[1:-1, 1:-1], v[1:-1, 1:-1]
        reaction = a * b * b
        new_u = a + dt * (p["Du"] * laplacian(u, h) - reaction + p["F"] * (1 - a))
        new_v = b + dt * (p["Dv"] * laplacian(v, h) + reaction - (p["F"] + p["k"]) * b)
        return wrap(new_u), wrap(new_v)

    def whole(fields: Fields) -> Fields:
        return tuple(a[1:-1, 1:-1] for a in loop(step)(tuple(wrap(f) for f in fields)))

    return whole


def by_nablax(lines, rates, dt, initial, walls, parameters) -> tuple[Callable, Fields, dict]:  # type: ignore[no-untyped-def]
    system = build_system(lines, rates, initial=initial, walls=walls, parameters=parameters)
    scheme = build(build_plan(system, lines))
    values = {p.name: jnp.asarray(float(p.value)) for p in system.parameters}

    def whole(y: Fields, params: dict[str, Array]) -> Fields:
        zero = jnp.zeros(())

        def step(i: Array, carry: Fields) -> Fields:
            t = i * dt
            rate = scheme.rate(t, carry, params)
            y = tuple(a + dt * r for a, r in zip(scheme.core(carry), rate, strict=True))
            return scheme.embed(t + dt, scheme.finish(t + dt, y, params), params)

        return scheme.core(lax.fori_loop(0, STEPS, step, scheme.embed(zero, y, params)))

    return whole, scheme.initial(values, {}), values


def compare(name: str, ours: Callable, twin: Callable, y: Fields, values: dict) -> float:  # type: ignore[type-arg]
    ours, twin = jax.jit(ours), jax.jit(twin)
    difference = max(
        float(jnp.max(jnp.abs(a - b))) for a, b in zip(ours(y, values), twin(y, values), strict=True)
    )
    assert difference < 1e-10, difference
    cells = y[0].size * STEPS
    times: dict[str, list[float]] = {"ours": [], "twin": []}
    for _ in range(ROUNDS):
        for key, program in (("ours", ours), ("twin", twin)):
            start = time.perf_counter()
            jax.block_until_ready(program(y, values))
            times[key].append((time.perf_counter() - start) / cells * 1e9)
    ratio = statistics.median(a / b for a, b in zip(times["ours"], times["twin"], strict=True))
    print(
        f"{name:32s} ours {statistics.median(times['ours']):6.2f} ns/cell"
        f"  twin {statistics.median(times['twin']):6.2f}  ratio {ratio:.3f}",
        flush=True,
    )
    return ratio


def main() -> None:
    n, D = 512, sp.Symbol("D", real=True)
    h = 1 / n
    bump = sp.exp(-40 * ((sp.Symbol("x", real=True) - 0.5) ** 2 + (sp.Symbol("y", real=True) - 0.5) ** 2))
    dt = 0.2 * h * h / 0.1
    for name, periodic in (("heat 512² periodic", True), ("heat 512² Dirichlet", False)):
        lines = [Line(a, 0.0, 1.0, n, periodic) for a in "xy"]
        u = function("u", lines)
        rate = D * sum(u.diff(line.symbol, 2) for line in lines)
        walls = () if periodic else [w for a in "xy" for w in both(dirichlet, "u", a)]
        ours, y, values = by_nablax(lines, {"u": rate}, dt, {"u": bump}, walls, {"D": 0.1})
        by_hand = by_hand_heat_periodic if periodic else by_hand_heat_dirichlet
        compare(name, ours, lambda y, p, f=by_hand: f(h, dt, p["D"])(y), y, values)

    lines = [Line(a, 0.0, 1.0, n, True) for a in "xy"]
    u, v = function("u", lines), function("v", lines)
    Du, Dv, F, k = sp.symbols("Du Dv F k", real=True)
    rates = {
        "u": Du * (u.diff(lines[0].symbol, 2) + u.diff(lines[1].symbol, 2)) - u * v**2 + F * (1 - u),
        "v": Dv * (v.diff(lines[0].symbol, 2) + v.diff(lines[1].symbol, 2)) + u * v**2 - (F + k) * v,
    }
    parameters = {"Du": 1e-6, "Dv": 5e-7, "F": 0.04, "k": 0.06}
    ours, y, values = by_nablax(lines, rates, 0.5, {"u": 1 - bump / 2, "v": bump / 4}, (), parameters)
    compare("Gray-Scott 512² periodic", ours, lambda y, p: by_hand_gray_scott(h, 0.5, p)(y), y, values)


if __name__ == "__main__":
    main()
