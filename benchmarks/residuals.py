"""Residuals of a network, from their text, against other ways to the same numbers.

python -m benchmarks.residuals [ROW ...]

An MLP 4 × 128 with tanh on 1024 points in single precision: the value of the residual at all points, and
the gradient of its mean square with respect to the parameters. Every contender computes the same residual;
only the way to the derivatives differs.
"""

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import jet

import nablax
from benchmarks.table import number, table
from nablax.backends.lowering import evaluate
from nablax.backends.residuals import nested
from nablax.backends.residuals.networks import Part
from nablax.backends.residuals.tables import tables
from nablax.derivatives.evaluation import make_evaluation
from nablax.derivatives.needs import Form
from nablax.derivatives.plans import DerivativePlan
from nablax.derivatives.statements import INSIDE, places, statements
from nablax.derivatives.waring import power_sum

WIDTH, DEPTH, POINTS = 128, 4, 1024
Net = Callable[[Array], Array]
Derive = Callable[[Net, Array, Sequence[Form]], tuple[Array, ...]]
"""Values of forms of a scalar network at one point."""


def spec(axes: str, equation: str, time_axis: bool = False) -> str:
    space = "; ".join(f"{a} in [0, 1] periodic" for a in axes.split())
    clock = "time { t in [0, 1] }\ninitial { u = 0 }\n" if time_axis else ""
    return f"space {{ {space} }}\nfields {{ u }}\n{clock}equations {{ {equation} }}\n"


ROWS: Mapping[str, str] = {
    "Burgers": spec("x", "dt(u) + u*dx(u) = 0.01*dxx(u)", True),
    "KdV": spec("x", "dt(u) + 6*u*dx(u) + dxxx(u) = 0", True),
    "Laplacian d=3": spec("x y z", "laplacian(u) = 0"),
    "Laplacian d=10": spec("a b c f g h j k l m", "laplacian(u) = 0"),
    "u_xxxx": spec("x y", "dxxxx(u) = 0"),
    "u_xxyy": spec("x y", "dxxyy(u) = 0"),
    "sixth order": spec("x", "dxxxxxx(u) = 0"),
    "biharmonic d=2": spec("x y", "biharmonic(u) = 0"),
    "biharmonic d=3": spec("x y z", "biharmonic(u) = 0"),
    "Navier-Stokes 2-D, stream function": spec(
        "x y", "dt(laplacian(u)) + dy(u)*dx(laplacian(u)) - dx(u)*dy(laplacian(u)) = 0.01*biharmonic(u)", True
    ),
}
GRAD, JVP, JET, FOLX, OURS = "nested jax.grad", "nested jvp", "jax.experimental.jet", "folx", "nablax"


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds (best and median), bytes of temporaries, lines of the program, seconds of compilation."""

    best: float
    median: float
    memory: int
    lines: int
    compile: float


def by_grad(net: Net, point: Array, forms: Sequence[Form]) -> tuple[Array, ...]:
    def slope(f: Callable[[Array], Array], axis: int) -> Callable[[Array], Array]:
        return lambda z: jax.grad(f)(z)[axis]

    found = []
    for form in forms:
        total = jnp.zeros((), point.dtype)
        for orders, weight in form:
            f: Callable[[Array], Array] = lambda z: net(z)[0]  # noqa: E731
            for axis, order in enumerate(orders):
                for _ in range(order):
                    f = slope(f, axis)
            total = total + float(weight) * f(point)
        found.append(total[None])
    return tuple(found)


def by_jvp(net: Net, point: Array, forms: Sequence[Form]) -> tuple[Array, ...]:
    return nested.derivatives(net, point, forms, range(point.shape[0]))


def by_jet(net: Net, point: Array, forms: Sequence[Form]) -> tuple[Array, ...]:
    """Univariate jets along the directions of a power sum; one jet per direction serves all orders."""
    sums = [power_sum(form) for form in forms]
    highest: dict[tuple[object, ...], int] = {}
    for found in sums:
        assert found is not None
        for v in found.directions:
            highest[v] = max(highest.get(v, 0), found.degree)
    series: dict[tuple[object, ...], Sequence[Array]] = {}
    for v, order in highest.items():
        along = jnp.array([float(e) for e in v], point.dtype)  # type: ignore[arg-type]
        if order == 0:
            continue
        zeros = [jnp.zeros_like(point)] * (order - 1)
        primal, rest = jet.jet(net, (point,), ([along, *zeros],))
        series[v] = [primal, *rest]
    results = []
    for found in sums:
        assert found is not None
        if found.degree == 0:
            results.append(net(point))
            continue
        results.append(
            sum(
                float(w) * series[v][found.degree]
                for v, w in zip(found.directions, found.weights, strict=True)
            )
        )
    return tuple(results)  # type: ignore[arg-type]


def by_folx(net: Net, point: Array, forms: Sequence[Form]) -> tuple[Array, ...]:
    """Laplacians in all arguments only."""
    import folx

    found = folx.forward_laplacian(lambda z: net(z)[0])(point)
    return tuple(found.laplacian[None] for _ in forms)


def network(key: Array, inputs: int) -> list[tuple[Array, Array]]:
    sizes = [inputs, *[WIDTH] * DEPTH, 1]
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (a, b), jnp.float32) / math.sqrt(a), jnp.zeros(b, jnp.float32))
        for k, a, b in zip(keys, sizes, sizes[1:], strict=False)
    ]


def apply(params: list[tuple[Array, Array]], z: Array) -> Array:
    *hidden, (last, shift) = params
    for weight, bias in hidden:
        z = jnp.tanh(z @ weight + bias)
    return z @ last + shift


def programs(name: str) -> tuple[dict[str, Callable[..., Array]], tuple[object, Array]]:
    """Residuals (params, points) by contender, and the arguments."""
    problem = nablax.parse(ROWS[name])
    system = problem.system
    evaluation = make_evaluation(system.problem, places(statements(system))[INSIDE], None)
    plan = evaluation.groups[0].plan
    symbols = system.problem.symbols
    inputs = len(symbols)
    params = network(jax.random.key(0), inputs)
    points = jax.random.uniform(jax.random.key(1), (POINTS, inputs), jnp.float32)
    value = evaluation.needs.statements[0].values[0]

    def assembled(found: Sequence[Array], z: Array) -> Array:
        by_form = dict(zip(plan.forms, found, strict=True))
        values = {s: z[:, i] for i, s in enumerate(symbols)}
        values |= {f.stand_in: by_form[f.form][:, 0] for f in evaluation.needs.functionals}
        (result,) = evaluate((value,), values)  # type: ignore[arg-type]
        return jnp.asarray(result)

    def rival(derive: Derive, p: list[tuple[Array, Array]], z: Array) -> Array:
        return assembled(jax.vmap(lambda point: derive(partial(apply, p), point, plan.forms))(z), z)

    def planned(chosen: DerivativePlan, p: list[tuple[Array, Array]], z: Array) -> Array:
        axes = tuple(range(inputs))
        part = Part(frozenset(), axes, axes, partial(apply, p), lambda _: {})
        return assembled(tables(part, chosen, z), z)

    contenders: dict[str, Callable[..., Array]] = {OURS: partial(planned, plan)}
    for candidate in plan.candidates[1:]:
        if candidate.algebra is not None:
            only = DerivativePlan(plan.forms, (candidate,))
            contenders[f"  {candidate.name}"] = partial(planned, only)
    contenders |= {GRAD: partial(rival, by_grad), JVP: partial(rival, by_jvp), JET: partial(rival, by_jet)}
    if name.startswith("Laplacian") and find_spec("folx") is not None:
        contenders[FOLX] = partial(rival, by_folx)
    return contenders, (params, points)


def measure(name: str, seconds: float) -> dict[str, dict[str, Figures]]:
    """{value, gradient} to contender to figures; rounds are interleaved until the time is up."""
    contenders, arguments = programs(name)
    expected = np.asarray(contenders[JVP](*arguments))
    found: dict[str, dict[str, Figures]] = {}
    for mode in ("value", "gradient"):
        compiled = {}
        static: dict[str, tuple[int, int, float]] = {}
        for contender, residual in contenders.items():
            function = residual if mode == "value" else jax.grad(partial(_loss, residual))
            lines = str(jax.make_jaxpr(function)(*arguments)).count("\n")
            start = time.process_time()
            compiled[contender] = jax.jit(function).lower(*arguments).compile()
            memory = compiled[contender].memory_analysis()
            static[contender] = (memory.temp_size_in_bytes, lines, time.process_time() - start)
            result = jax.block_until_ready(compiled[contender](*arguments))
            if mode == "value":
                apart = np.abs(np.asarray(result) - expected).max() / np.abs(expected).max()
                assert apart < 1e-3, f"{contender} computes something else: {apart:.1e}"
        times: dict[str, list[float]] = {contender: [] for contender in compiled}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times[OURS]) < 3:
            for contender, program in compiled.items():
                start = time.perf_counter()
                jax.block_until_ready(program(*arguments))
                times[contender].append(time.perf_counter() - start)
        found[mode] = {c: Figures(min(t), float(np.median(t)), *static[c]) for c, t in times.items()}
    return found


def _loss(residual: Callable[..., Array], params: object, points: Array) -> Array:
    return jnp.mean(residual(params, points) ** 2)


def main(names: Sequence[str], seconds: float = 1.0) -> None:
    for name in names or ROWS:
        found = measure(name, seconds)
        for mode, figures in found.items():
            base = figures[GRAD]
            rows = [
                (
                    contender,
                    number(f.best * 1e3),
                    number(base.best / f.best),
                    number(f.memory / 2**20),
                    str(f.lines),
                    number(f.compile),
                )
                for contender, f in figures.items()
            ]
            head = (f"{name}, {mode}", "ms", "over nested grad", "MiB temporary", "lines", "compile, CPU s")
            print(f"\n{table(head, rows)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
