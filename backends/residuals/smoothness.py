"""How often a network can be differentiated, read off its program."""

from collections.abc import Mapping, Sequence
from math import inf

import jax
from jax import Array
from jax.extend import core

KINKS = frozenset({"max", "min", "abs", "clamp"})
JUMPS = frozenset({"sign", "floor", "ceil", "round"})
LINEAR = frozenset({
    "add", "sub", "mul", "neg", "convert_element_type", "broadcast_in_dim", "reshape", "squeeze", "copy",
    "select_n", "gt", "lt", "ge", "le", "eq", "stop_gradient",
})  # fmt: skip
ORDINALS = ("no", "no first", "no second", "no third", "no fourth", "no fifth", "no sixth")


def continuous_derivatives(program: core.ClosedJaxpr, still: int = 0) -> tuple[float, str]:
    """How many derivatives of the outputs are continuous (inf: all, -1: a jump), and what limits them.

    The first `still` inputs are constants: what is done to weights alone is no matter of smoothness.
    A bound for what is known to have kinks (`max`, so relu, `abs`, `clamp`) and jumps, powers of them
    included; branches chosen by values are taken to be smooth.
    """
    known: dict[core.Var, tuple[float, str]] = {}
    count = len(program.jaxpr.invars)
    moving = [k >= still for k in range(count)]
    outputs = _walk(program.jaxpr, [(inf, "")] * count, known, moving)
    return min(outputs, default=(inf, ""))


def _walk(
    jaxpr: core.Jaxpr,
    inputs: Sequence[tuple[float, str]],
    known: dict[core.Var, tuple[float, str]],
    moved: Sequence[bool],
) -> list[tuple[float, str]]:
    moving = {v for v, moves in zip(jaxpr.invars, moved, strict=True) if moves}
    known |= dict(zip(jaxpr.invars, inputs, strict=True))

    def read(atom: object) -> tuple[float, str]:
        return known.get(atom, (inf, "")) if isinstance(atom, core.Var) else (inf, "")

    for equation in jaxpr.eqns:
        if not any(isinstance(v, core.Var) and v in moving for v in equation.invars):
            continue
        moving |= set(equation.outvars)
        result = min((read(v) for v in equation.invars), default=(inf, ""))
        name = equation.primitive.name
        inner = _inner(equation.params)
        if inner is not None and len(inner.invars) == len(equation.invars):
            if name.startswith("custom_") and not _piecewise_linear(inner):
                found = [result] * len(equation.outvars)  # softplus: its rule is smooth, its parts are not
            else:
                inner_moved = [isinstance(v, core.Var) and v in moving for v in equation.invars]
                found = _walk(inner, [read(v) for v in equation.invars], {}, inner_moved)
        elif name in KINKS:
            found = [min(result, (0.0, name))]
        elif name in JUMPS:
            found = [min(result, (-1.0, name))]
        elif name == "integer_pow" and result[0] == 0 and equation.params["y"] > 1:
            found = [(equation.params["y"] - 1.0, result[1])]  # a kink at zero, as that of relu
        elif name == "square" and result[0] == 0:
            found = [(1.0, result[1])]
        else:
            found = [result] * len(equation.outvars)
        known |= dict(zip(equation.outvars, found, strict=False))
    return [read(v) for v in jaxpr.outvars]


def _inner(params: Mapping[str, object]) -> core.Jaxpr | None:
    for key in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        value = params.get(key)
        if isinstance(value, core.ClosedJaxpr):
            inner: core.Jaxpr = value.jaxpr
            return inner
        if isinstance(value, core.Jaxpr):
            return value
    return None


def _piecewise_linear(jaxpr: core.Jaxpr) -> bool:
    """Whether nothing but pieces of straight lines is computed: relu, not softplus."""
    for equation in jaxpr.eqns:
        inner = _inner(equation.params)
        if inner is not None:
            if not _piecewise_linear(inner):
                return False
        elif equation.primitive.name not in KINKS | LINEAR:
            return False
    return True


def roughness(call: object, params: object, point: Array, order: int) -> str | None:
    """Why a network cannot be differentiated `order` times in a meaningful way; None where it can."""
    if order < 1 or not callable(call):
        return None
    program = jax.make_jaxpr(call)(params, point)
    smooth, culprit = continuous_derivatives(program, len(jax.tree.leaves(params)))
    if smooth >= order - 1:
        return None
    missing = int(smooth) + 2
    word = ORDINALS[missing] if missing < len(ORDINALS) else f"no {missing}th"
    what = "`max` (as in relu)" if culprit == "max" else f"`{culprit}`"
    return (
        f"the network is not smooth enough: with {what} it has {word} derivative that a residual could use, "
        f"and derivatives of order {order} are needed; use tanh, gelu or another smooth activation"
    )
