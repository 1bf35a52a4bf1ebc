"""One Adam step of training, the same network, points and optimiser for all.

An MLP 4 × 64 with tanh on 2000 points in single precision. Equations are written once by hand, over
derivatives along the axes, for every contender but this project, which has them from a text. All compute
the same loss before anything is timed.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.experimental import jet

import nablax
from benchmarks.table import ranged, table
from benchmarks.timing import Times, interleaved, ratio
from nablax.backends.residuals.field import PyTree

POINTS, WIDTH, DEPTH, ROUNDS, RATE = 2000, 64, 4, 15, 1e-3
OURS = "nablax"

Net: TypeAlias = Callable[[Array], Array]
Along: TypeAlias = Sequence[Sequence[Array]]
"""Derivatives [..., components] by axis and order, the value first."""
Step: TypeAlias = Callable[[], object]
"""One step of training from where the last one ended; gives what to wait for."""


@dataclass(frozen=True, slots=True)
class Case:
    """Equations as text, and by hand: what they leave, one entry each, from derivatives up to `orders`.

    `goal` is what the text asks for: how many times faster than the best library (`peer`: than DeepXDE).
    """

    name: str
    text: str
    components: int
    orders: tuple[int, ...]
    by_hand: Callable[[Along], Sequence[Array]]
    goal: float
    peer: str | None = None


def _spec(space: str, fields: str, equations: str) -> str:
    blocks = {"space": space, "time": "t in [0, 1]", "fields": fields, "equations": equations}
    initial = "; ".join(f"{name} = 0" for name in fields.split(", ") if name != "p")
    return "\n".join(f"{name} {{ {inside} }}" for name, inside in (blocks | {"initial": initial}).items())


def _scalar(equation: str) -> str:
    return _spec("x in [-1, 1] periodic", "u", equation)


def _navier_stokes(d: Along) -> Sequence[Array]:
    (value, dx, dxx), (_, dy, dyy), (_, dt) = d
    u, v, _p = _split(value)
    (u_x, v_x, p_x), (u_y, v_y, p_y), (u_t, v_t, _) = _split(dx), _split(dy), _split(dt)
    (u_xx, v_xx, _), (u_yy, v_yy, _) = _split(dxx), _split(dyy)
    return (
        u_t + u * u_x + v * u_y + p_x - 0.01 * (u_xx + u_yy),
        v_t + u * v_x + v * v_y + p_y - 0.01 * (v_xx + v_yy),
        u_x + v_y,
    )


def _split(values: Array) -> list[Array]:
    return [values[..., i : i + 1] for i in range(values.shape[-1])]


CASES = (
    Case("Burgers", _scalar("dt(u) + u*dx(u) = 0.01*dxx(u)"), 1, (2, 1),
         lambda d: (d[1][1] + d[0][0] * d[0][1] - 0.01 * d[0][2],), 1.5),
    Case("Allen-Cahn", _scalar("dt(u) = 1e-4*dxx(u) + 5*(u - u^3)"), 1, (2, 1),
         lambda d: (d[1][1] - 1e-4 * d[0][2] - 5 * (d[0][0] - d[0][0] ** 3),), 1.5),
    Case("KdV", _scalar("dt(u) + u*dx(u) + 0.0025*dxxx(u) = 0"), 1, (3, 1),
         lambda d: (d[1][1] + d[0][0] * d[0][1] + 0.0025 * d[0][3],), 3.0),
    Case("Kuramoto-Sivashinsky", _scalar("dt(u) + u*dx(u) + dxx(u) + dxxxx(u) = 0"), 1, (4, 1),
         lambda d: (d[1][1] + d[0][0] * d[0][1] + d[0][2] + d[0][4],), 3.0),
    Case("Navier-Stokes 2-D",
         _spec("x in [-1, 1] periodic; y in [-1, 1] periodic", "u, v, p",
               "dt(u) + u*dx(u) + v*dy(u) + dx(p) = 0.01*laplacian(u); "
               "dt(v) + u*dx(v) + v*dy(v) + dy(p) = 0.01*laplacian(v); dx(u) + dy(v) = 0"),
         3, (2, 2, 1), _navier_stokes, 4.0, "DeepXDE"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """A case with its network and points [n, axes]: space, then time."""

    case: Case
    net: eqx.nn.MLP
    points: Array


def setting(case: Case) -> Setting:
    axes = len(case.orders)
    net = eqx.nn.MLP(axes, case.components, WIDTH, DEPTH, jnp.tanh, key=jax.random.key(0))
    low = jnp.array([-1.0] * (axes - 1) + [0.0])
    points = low + (1 - low) * jax.random.uniform(jax.random.key(1), (POINTS, axes))
    return Setting(case, net, points)


def by_grad(net: Net, z: Array, axis: int, order: int) -> list[Array]:
    """[order + 1] derivatives [components]: nested `jax.grad` of every component."""

    def of(component: int) -> list[Array]:
        def value(p: Array) -> Array:
            return net(p)[component]

        along: Callable[[Array], Array] = value
        found = [along(z)]
        for _ in range(order):
            along = (lambda f: lambda p: jax.grad(f)(p)[axis])(along)
            found.append(along(z))
        return found

    count = jax.eval_shape(net, z).shape[0]
    return [jnp.stack(same) for same in zip(*(of(i) for i in range(count)), strict=True)]


def by_jvp(net: Net, z: Array, axis: int, order: int) -> list[Array]:
    """Nested `jax.jvp`."""
    direction = jnp.zeros_like(z).at[axis].set(1)
    found, along = [net(z)], net
    for _ in range(order):
        along = (lambda f: lambda p: jax.jvp(f, (p,), (direction,))[1])(along)
        found.append(along(z))
    return found


def by_jet(net: Net, z: Array, axis: int, order: int) -> list[Array]:
    """One jet for all orders."""
    direction = jnp.zeros_like(z).at[axis].set(1)
    value, series = jet.jet(net, (z,), ([direction, *[jnp.zeros_like(z)] * (order - 1)],))
    return [value, *series]


def by_hand(s: Setting, how: Callable[[Net, Array, int, int], list[Array]]) -> Step:
    params, rest = eqx.partition(s.net, eqx.is_inexact_array)

    def loss(own: PyTree) -> Array:
        net = eqx.combine(own, rest)

        def at(z: Array) -> Array:
            along = [how(net, z, axis, order) for axis, order in enumerate(s.case.orders)]
            return jnp.concatenate(s.case.by_hand(along))

        return jnp.sum(jnp.mean(jax.vmap(at)(s.points) ** 2, axis=0))

    return stepper(loss, params)


def by_nablax(s: Setting) -> Step:
    problem = nablax.parse(s.case.text)
    field = nablax.field(problem, s.net)
    losses = problem.losses(field)
    return stepper(lambda own: sum_of(losses(own, {"equation": s.points})), field.params)


def sum_of(terms: Mapping[str, Array]) -> Array:
    return jnp.sum(jnp.stack(list(terms.values())))


def stepper(loss: Callable[[PyTree], Array], params: PyTree) -> Step:
    """Adam under jit. Gives the loss before the step."""
    rule = optax.adam(RATE)

    @jax.jit
    def step(params: PyTree, state: PyTree) -> tuple[PyTree, PyTree, Array]:
        value, slope = jax.value_and_grad(loss)(params)
        updates, state = rule.update(slope, state, params)
        return optax.apply_updates(params, updates), state, value

    at = [(params, rule.init(params))]

    def advance() -> Array:
        params, state, value = jax.block_until_ready(step(*at[0]))
        at[0] = (params, state)
        found: Array = value
        return found

    return advance


def contenders(s: Setting) -> dict[str, Step]:
    made = {
        OURS: by_nablax(s),
        "nested grad": by_hand(s, by_grad),
        "nested jvp": by_hand(s, by_jvp),
        "jet": by_hand(s, by_jet),
    }
    if find_spec("deepxde") is not None and find_spec("flax") is not None:
        os.environ.setdefault("DDE_BACKEND", "jax")
        from benchmarks import by_deepxde

        made["DeepXDE"] = by_deepxde.step(s)
    if find_spec("jinns") is not None:
        from benchmarks import by_jinns

        made["jinns"] = by_jinns.step(s)
    return made


def measure(case: Case) -> tuple[dict[str, float], dict[str, Times]]:
    """(CPU seconds of the first step, times of later ones) by contender; all begin with the same loss."""
    programs = contenders(setting(case))
    first: dict[str, float] = {}
    losses: dict[str, float] = {}
    for name, program in programs.items():
        taken = interleaved({name: partial(_keep, losses, name, program)}, 1)
        first[name] = taken[name].cpu[0]
    for name, value in losses.items():
        assert abs(value - losses[OURS]) <= 1e-3 * abs(losses[OURS]), (case.name, name, losses)
    return first, interleaved(programs, ROUNDS)


def _keep(losses: dict[str, float], name: str, program: Step) -> None:
    losses[name] = float(jnp.asarray(program()))


def report(names: Sequence[str]) -> None:
    """Times of the others over this project's, of CPU round by round, and of the first step."""
    rows, firsts = [], []
    for case in CASES:
        if names and case.name not in names:
            continue
        first, times = measure(case)
        ours = times[OURS].cpu
        over = {n: ratio(t.cpu, ours) for n, t in times.items() if n != OURS}
        wall = median(times[OURS].wall)
        rows.append([case.name, f"{1e3 * median(ours):.1f} ({1e3 * wall:.1f})", *map(ranged, over.values())])
        firsts.append([case.name, f"{first[OURS]:.2f}", *(f"{first[n] / first[OURS]:.2f}" for n in over)])
        print(table(["step", "ms of CPU (wall)", *over], rows[-1:]), flush=True)
        print(table(["first step", "s of CPU", *over], firsts[-1:]), flush=True)
