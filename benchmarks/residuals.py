"""Residuals of a network, from their text, against other ways to the same numbers.

python -m benchmarks.residuals [--seconds 2] [ROW ...]

An MLP 4 × 128 with tanh on 1024 points in single precision: the value of the residual at all points, and
the gradient of its mean square with respect to the parameters. Every contender computes the same residual;
only the way to the derivatives differs. `nablax` is what `problem.residual` gives; the indented rows are
the other candidates of its planner. CPU seconds of a call are those of all threads: on a machine with
other work the ratio of them says more than that of the times on the wall.
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from jax.extend import core as jex

import nablax
from benchmarks import derivatives as ways
from benchmarks.derivatives import Derive
from benchmarks.table import number, table
from nablax.backends.lowering import evaluate
from nablax.backends.residuals.evaluate import values_at
from nablax.backends.residuals.field import Field
from nablax.derivatives.evaluation import Evaluation, Group, make_evaluation
from nablax.derivatives.plans import DerivativePlan
from nablax.derivatives.statements import INSIDE, places, statements

WIDTH, DEPTH, POINTS = 128, 4, 1024
Params = list[tuple[Array, Array]]
Contender = Callable[[Params, Array], Array]
"""(parameters, points [n, axes]) to residuals [n]."""


def spec(axes: str, equation: str, time_axis: bool = False) -> str:
    space = "; ".join(f"{a} in [0, 1] periodic" for a in axes.split())
    clock = "time { t in [0, 1] }\ninitial { u = 0 }\n" if time_axis else ""
    return f"space {{ {space} }}\nfields {{ u }}\n{clock}equations {{ {equation} }}\n"


ROWS: Mapping[str, str] = {
    "Burgers": spec("x", "dt(u) + u*dx(u) = 0.01*dxx(u)", True),
    "KdV": spec("x", "dt(u) + 6*u*dx(u) + dxxx(u) = 0", True),
    "Laplacian d=3": spec("x y z", "laplacian(u) = 0"),
    "Laplacian d=10": spec("a b c f g h j k l m", "laplacian(u) = 0"),
    "Laplacian d=100": spec("x[1..100]", "laplacian(u) = 0"),
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
    """Seconds of a call (shortest on the wall, least of CPU), bytes of temporaries, equations of the program
    with those inside its sub-programs, CPU seconds of compilation."""

    wall: float
    cpu: float
    memory: int
    equations: int
    compile: float


def network(key: Array, inputs: int) -> Params:
    sizes = [inputs, *[WIDTH] * DEPTH, 1]
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (a, b), jnp.float32) / math.sqrt(a), jnp.zeros(b, jnp.float32))
        for k, a, b in zip(keys, sizes, sizes[1:], strict=False)
    ]


def apply(params: Params, z: Array) -> Array:
    *hidden, (last, shift) = params
    for weight, bias in hidden:
        z = jnp.tanh(z @ weight + bias)
    return z @ last + shift


def programs(name: str) -> tuple[dict[str, Contender], tuple[Params, Array]]:
    """Residuals by contender, and the arguments."""
    problem = nablax.parse(ROWS[name])
    inputs = sum(a.size or 1 for a in problem.system.problem.axes) + (problem.system.problem.time is not None)
    params = network(jax.random.key(0), inputs)
    points = jax.random.uniform(jax.random.key(1), (POINTS, inputs), jnp.float32)
    field = nablax.field(problem, lambda p, z: apply(p, z), params)
    residual = problem.residual(field)

    def ours(p: Params, z: Array) -> Array:
        (found,) = residual(p, z).values()
        return found

    evaluation = make_evaluation(
        problem.system.problem, places(statements(problem.system))[INSIDE], "exact" if inputs > 10 else None
    )
    contenders: dict[str, Contender] = {OURS: ours}
    if evaluation.needs.sums:
        return contenders | _laplacians(), (params, points)
    return contenders | _candidates(field, evaluation) | _rivals(name, evaluation), (params, points)


def _candidates(field: Field, evaluation: Evaluation) -> dict[str, Contender]:
    """The planner's other candidates, through the same doors as its choice."""
    (group,) = evaluation.groups
    found: dict[str, Contender] = {}
    for candidate in group.plan.candidates[1:]:
        only = Group(group.unknowns, DerivativePlan(group.plan.forms, (candidate,)))
        tried = replace(evaluation, groups=(only,))

        def other(p: Params, z: Array, tried: Evaluation = tried) -> Array:
            (values,) = values_at(field, tried, p, z, {}).values()
            return values

        found[f"  {candidate.name}"] = other
    return found


def _rivals(name: str, evaluation: Evaluation) -> dict[str, Contender]:
    (group,) = evaluation.groups
    forms = group.plan.forms
    symbols = group.unknowns[0].args
    value = evaluation.needs.statements[0].values[0]

    def rival(derive: Derive, p: Params, z: Array) -> Array:
        found = jax.vmap(lambda point: derive(partial(apply, p), point, forms))(z)
        by_form = dict(zip(forms, found, strict=True))
        values: dict[sp.Basic, Array] = {s: z[:, i] for i, s in enumerate(symbols)}
        values |= {f.stand_in: by_form[f.form][:, 0] for f in evaluation.needs.functionals}
        (result,) = evaluate((value,), values)
        return jnp.asarray(result)

    found = {GRAD: ways.by_grad, JVP: ways.by_jvp, JET: ways.by_jet}
    contenders: dict[str, Contender] = {n: partial(rival, derive) for n, derive in found.items()}
    return contenders | (_laplacians(only=FOLX) if name.startswith("Laplacian") else {})


def _laplacians(only: str | None = None) -> dict[str, Contender]:
    """The Laplacian in all arguments, however many."""
    found = {
        GRAD: ways.grad_laplacian,
        "jax.hessian": ways.hessian_laplacian,
        JVP: ways.jvp_laplacian,
        JET: ways.jet_laplacian,
    }
    if find_spec("folx") is not None:
        found[FOLX] = ways.folx_laplacian

    def rival(derive: Callable[[ways.Net, Array], Array], p: Params, z: Array) -> Array:
        return jax.vmap(lambda point: derive(partial(apply, p), point))(z)

    return {n: partial(rival, derive) for n, derive in found.items() if only in (None, n)}


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
            size = equations(jax.make_jaxpr(function)(*arguments).jaxpr)
            start = time.process_time()
            compiled[contender] = jax.jit(function).lower(*arguments).compile()
            memory = compiled[contender].memory_analysis()
            assert memory is not None
            static[contender] = (memory.temp_size_in_bytes, size, time.process_time() - start)
            result = jax.block_until_ready(compiled[contender](*arguments))
            if mode == "value":
                apart = np.abs(np.asarray(result) - expected).max() / np.abs(expected).max()
                assert apart < 1e-3, f"{contender} computes something else: {apart:.1e}"
        walls: dict[str, list[float]] = {contender: [] for contender in compiled}
        cpus: dict[str, list[float]] = {contender: [] for contender in compiled}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(walls[OURS]) < 3:
            for contender, program in compiled.items():
                wall, cpu = time.perf_counter(), time.process_time()
                jax.block_until_ready(program(*arguments))
                walls[contender].append(time.perf_counter() - wall)
                cpus[contender].append(time.process_time() - cpu)
        found[mode] = {c: Figures(min(walls[c]), min(cpus[c]), *static[c]) for c in compiled}
    return found


def equations(program: jex.Jaxpr) -> int:
    """Equations that do something; those of a program count as often as it is called."""
    return sum(
        sum(map(equations, inside)) if (inside := _called(equation)) else 1 for equation in program.eqns
    )


def _called(equation: jex.JaxprEqn) -> list[jex.Jaxpr]:
    found = []
    for value in equation.params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, jex.ClosedJaxpr):
                found.append(item.jaxpr)
            elif isinstance(item, jex.Jaxpr):
                found.append(item)
    return found


def _loss(residual: Contender, params: Params, points: Array) -> Array:
    return jnp.mean(residual(params, points) ** 2)


def main(names: Sequence[str], seconds: float) -> None:
    for name in names or ROWS:
        found = measure(name, seconds)
        for mode, figures in found.items():
            base = figures[GRAD]
            rows = [
                (
                    contender,
                    number(f.wall * 1e3),
                    number(base.wall / f.wall),
                    number(base.cpu / f.cpu),
                    number(f.memory / 2**20),
                    str(f.equations),
                    number(f.compile),
                )
                for contender, f in figures.items()
            ]
            head = (
                f"{name}, {mode}",
                *("ms", "over nested grad, wall", "CPU", "MiB temporary", "equations", "compile, CPU s"),
            )
            print(f"\n{table(head, rows)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names of rows (default: all)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a row's value and gradient each")
    given = parser.parse_args()
    main(given.rows, given.seconds)
