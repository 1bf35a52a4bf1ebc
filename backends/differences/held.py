"""Wall nodes that do not evolve by the equation: their values and their rates.

A Dirichlet node holds its data, and its rate is their time derivative: along the flow, where the data hold
traces. An equation for the trace itself (`u + u^3 = t`) is kept by Newton's method and differentiated for
the rate. A dynamic node evolves by its condition.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array, lax

from nablax.backends.differences.halo import Scalars
from nablax.backends.differences.nodes import Nodes
from nablax.backends.differences.traces import on_wall, wall_region
from nablax.backends.differences.walls import Wall
from nablax.backends.interface import Unsupported, Vector
from nablax.backends.lowering import Operand
from nablax.integrals import INTEGRALS
from nablax.passes.jets import bases, jets
from nablax.plan import Plan
from nablax.traces import frozen

NEWTON_STEPS = 4  # from the value after a step, which is as accurate as the step
NEWTON_STEPS_AT_FIRST = 50
SWEEPS = 12  # where integrals see the walls: each gains a factor of the spacing


@dataclass(frozen=True, slots=True)
class HeldWall:
    """A wall of one unknown whose values are computed from traces.

    `slope` is the derivative of value - data by the trace itself: 1 unless the data hold it.
    """

    unknown: int
    wall: Wall
    expression: sp.Expr
    dynamic: bool
    slope: sp.Expr

    @property
    def implicit(self) -> bool:
        """Whether the value's own trace stands in its data."""
        return bool(self.slope != 1)

    @property
    def circular(self) -> bool:
        """Whether an integral in the data sees the wall itself, with a weight of the size of the spacing."""
        return any(isinstance(j, INTEGRALS) for j in jets(self.expression))


def traced_walls(plan: Plan, nodes: Nodes) -> tuple[HeldWall, ...]:
    """The held walls whose data hold traces, each after those whose values it reads."""
    found: list[HeldWall] = []
    for u, place in enumerate(nodes.places):
        own = plan.system.unknowns[u].value
        for wall in place.held:
            dynamic = wall.moving is not None
            expression = wall.moving if dynamic else wall.pinned
            assert expression is not None
            if jets(expression):
                slope = sp.S.One if dynamic else sp.S.One - _slope(expression, own)
                found.append(HeldWall(u, wall, expression, dynamic, slope))
    return tuple(_sorted(found, plan))


def _slope(expression: sp.Expr, own: sp.Expr) -> sp.Expr:
    inner, names = frozen(expression)
    if own not in names:
        return sp.S.Zero
    return sp.diff(inner, names[own]).xreplace({name: jet for jet, name in names.items()})


def _sorted(walls: list[HeldWall], plan: Plan) -> list[HeldWall]:
    values = [u.value for u in plan.system.unknowns]
    done: list[HeldWall] = []
    waiting = list(walls)
    while waiting:
        for item in waiting:
            place = (item.wall.axis, item.wall.side)
            reads = {values.index(v) for v in bases(item.expression)} - {item.unknown}
            if item.dynamic or not any(
                w.unknown in reads and (w.wall.axis, w.wall.side) == place and not w.dynamic for w in waiting
            ):
                waiting.remove(item)
                done.append(item)
                break
        else:
            raise Unsupported("values on a wall are given by each other in a circle")
    return done


def replaced(nodes: Nodes, array: Array, unknown: int, values: Mapping[Wall, Array]) -> Array:
    """A nodal array with new values on some held walls; the first axis owns the corners."""
    plan = nodes.plan
    present = {
        wall: lax.slice(array, *zip(*wall_region(plan, wall), strict=True))
        for wall in nodes.places[unknown].held
    }
    return nodes.surround(nodes.inside(array, unknown), unknown, {**present, **values}, {})


def with_values(
    walls: tuple[HeldWall, ...], nodes: Nodes, y: Vector, scalars: Scalars, at_first: bool
) -> Vector:
    """Nodal arrays whose Dirichlet walls hold what their traces give."""
    steps = NEWTON_STEPS_AT_FIRST if at_first else NEWTON_STEPS

    def moved(_: int, arrays: Vector, items: tuple[HeldWall, ...]) -> Vector:
        result = list(arrays)
        for item in items:
            state = dict(enumerate(result))
            here = nodes.valued(scalars, state)
            own = nodes.plan.system.unknowns[item.unknown].value
            data, slope, value = on_wall(
                (item.expression, item.slope, own), item.wall, nodes.plan, state, here
            )
            new = value - (value - data) / slope if item.implicit else data
            result[item.unknown] = _set(nodes, result[item.unknown], item, new)
        return tuple(result)

    prescribed = tuple(w for w in walls if not w.dynamic)
    if any(w.circular for w in prescribed):
        return _repeated(partial(moved, items=prescribed), steps + SWEEPS, y)
    for item in prescribed:
        y = _repeated(partial(moved, items=(item,)), steps if item.implicit else 1, y)
    return y


def with_rates(
    walls: tuple[HeldWall, ...], nodes: Nodes, y: Vector, rates: Vector, scalars: Scalars
) -> Vector:
    """Rates completed on the walls, where they are zero so far."""
    plan = nodes.plan
    time = plan.system.time

    def completed(_: int, rates: Vector) -> Vector:
        result = list(rates)
        for item in walls:
            if item.dynamic:
                (found,) = on_wall((item.expression,), item.wall, plan, dict(enumerate(y)), scalars)
                result[item.unknown] = _set(nodes, result[item.unknown], item, found)
                continue

            def data(t: Operand, arrays: Vector, item: HeldWall = item) -> Array:
                here = scalars if time is None else {**scalars, time.symbol: t}
                here = nodes.valued(here, dict(enumerate(arrays)))
                (value,) = on_wall((item.expression,), item.wall, plan, dict(enumerate(arrays)), here)
                return jnp.asarray(value)

            t = jnp.zeros((), plan.dtype) if time is None else jnp.asarray(scalars[time.symbol])
            moved = tuple(r.astype(a.dtype) for a, r in zip(y, result, strict=True))
            _, along = jax.jvp(data, (t, y), (jnp.ones_like(t), moved))
            if item.implicit:
                # r = along with r in it: the trace's own share is taken out and solved for.
                own = plan.system.unknowns[item.unknown].value
                (slope,) = on_wall((item.slope,), item.wall, plan, dict(enumerate(y)), scalars)
                (rate,) = on_wall((own,), item.wall, plan, dict(enumerate(moved)), scalars)
                along = (along - (1 - slope) * rate) / slope
            result[item.unknown] = _set(nodes, result[item.unknown], item, along)
        return tuple(r.astype(a.dtype) for a, r in zip(y, result, strict=True))

    return _repeated(completed, SWEEPS if any(w.circular for w in walls) else 1, rates)


def _repeated(step: Callable[[int, Vector], Vector], times: int, start: Vector) -> Vector:
    if times == 1:
        return step(0, start)
    found: Vector = lax.fori_loop(0, times, step, start)
    return found


def _set(nodes: Nodes, array: Array, item: HeldWall, value: Operand) -> Array:
    return replaced(nodes, array, item.unknown, {item.wall: jnp.asarray(value)})
