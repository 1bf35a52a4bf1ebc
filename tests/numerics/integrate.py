"""Classical Runge–Kutta on any semidiscretisation, and errors against exact solutions: tests only."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from nablax.backends.interface import Parameters, Semidiscretisation, Vector
from nablax.plan import Plan
from tests.numerics.systems import t


def nominal(plan: Plan) -> dict[str, jax.Array]:
    """The parameters' values as float64 scalars."""
    return {p.name: jnp.asarray(float(p.value)) for p in plan.system.parameters}


def rk4(scheme: Semidiscretisation, params: Parameters, end: float, steps: int) -> Vector:
    """The state at `end` after equal steps from t = 0, in one compiled loop."""
    h = end / steps

    def shifted(y: Vector, c: float, k: Vector) -> Vector:
        return jax.tree.map(lambda a, b: a + c * b, y, k)

    def rate(time: jax.Array, y: Vector) -> Vector:
        return scheme.rate(time, scheme.embed(time, y, params), params)

    def step(i: jax.Array, y: Vector) -> Vector:
        time = i * h
        k1 = rate(time, y)
        k2 = rate(time + h / 2, shifted(y, h / 2, k1))
        k3 = rate(time + h / 2, shifted(y, h / 2, k2))
        k4 = rate(time + h, shifted(y, h, k3))
        y = jax.tree.map(lambda y, a, b, c, d: y + h / 6 * (a + 2 * b + 2 * c + d), y, k1, k2, k3, k4)
        return scheme.finish(time + h, y, params)

    def run() -> Vector:
        return jax.lax.fori_loop(0, steps, step, scheme.initial(params, {}))

    return jax.jit(run)()


def on_grid(plan: Plan, expression: sp.Expr, time: float) -> np.ndarray:
    """A SymPy expression at the nodes, evaluated by SymPy's own NumPy printer."""
    lines = [a.lower + a.spacing * np.arange(a.points) for a in plan.grid]
    mesh = np.meshgrid(*lines, indexing="ij")
    values = {p.symbol: p.value for p in plan.system.parameters}
    function = sp.lambdify([a.symbol for a in plan.system.axes], expression.subs(values).subs(t, time))  # noqa: TID251
    return np.broadcast_to(function(*mesh), plan.shape)


def error(plan: Plan, y: Vector, exact: Mapping[str, sp.Expr], time: float) -> float:
    """Largest deviation at the nodes over the unknowns given."""
    names = [u.name for u in plan.system.unknowns]
    return max(
        float(np.max(np.abs(np.asarray(y[names.index(name)]) - on_grid(plan, value, time))))
        for name, value in exact.items()
    )


def measured_orders(sizes: Sequence[int], errors: Sequence[float]) -> list[float]:
    """log(e₁/e₂) / log(n₂/n₁) of neighbours."""
    n, e = np.log(np.asarray(sizes, float)), np.log(np.asarray(errors))
    return list(-np.diff(e) / np.diff(n))
