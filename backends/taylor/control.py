"""Loops, branches, calls and custom rules: the coefficients of what they carry, carried along."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import zip_longest

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core as jex

from nablax.backends.taylor.derivation import derived
from nablax.backends.taylor.element import Element
from nablax.backends.taylor.interpreter import Rule, Scope, function_of, interpret, shaped, value_of, zeros
from nablax.derivatives.algebra import Algebra

Inputs = Sequence[Element]
Shape = tuple[bool, ...]
"""Which coefficients of an element are there."""

PROGRAMS = ("jaxpr", "call_jaxpr", "fun_jaxpr")


def call(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    """A call runs in line."""
    program = next(equation.params[name] for name in PROGRAMS if name in equation.params)
    return run(scope, program, inputs)


def run(scope: Scope, program: jex.Jaxpr | jex.ClosedJaxpr, inputs: Inputs) -> list[Element]:
    if isinstance(program, jex.ClosedJaxpr):
        return interpret(scope, program.jaxpr, program.consts, inputs)
    return interpret(scope, program, [], inputs)


def rematerialised(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    """What is computed again in reverse mode stays so, with the same policy."""
    params = equation.params
    program = jax.checkpoint(
        partial(run, scope, params["jaxpr"]), prevent_cse=params["prevent_cse"], policy=params["policy"]
    )
    result: list[Element] = program(list(inputs))
    return result


def custom_jvp(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    return derived(scope, equation, inputs, function_of(equation))


def custom_vjp(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    """The derivative is the transpose of the reverse rule."""
    function = function_of(equation)

    @jax.custom_jvp
    def forward(*values: jax.Array) -> list[jax.Array]:
        return function(*values)

    @forward.defjvp
    def tangent(
        primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]
    ) -> tuple[list[jax.Array], list[jax.Array]]:
        moving = [n for n, x in enumerate(primals) if jnp.issubdtype(jnp.result_type(x), jnp.inexact)]

        def of_moving(*values: jax.Array) -> list[jax.Array]:
            arguments = list(primals)
            for n, value in zip(moving, values, strict=True):
                arguments[n] = value
            return function(*arguments)

        outputs, pullback = jax.vjp(of_moving, *(primals[n] for n in moving))
        (pushed,) = jax.linear_transpose(pullback, outputs)(tuple(tangents[n] for n in moving))
        return outputs, pushed

    return derived(scope, equation, inputs, forward)


def branches(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    index, *operands = inputs
    programs = equation.params["branches"]
    runs = [partial(run, scope, program) for program in programs]
    shapes = [[_shape(x) for x in jax.eval_shape(branch, operands)] for branch in runs]
    common = [_union(of_output) for of_output in zip(*shapes, strict=True)]
    avals = [shaped(v) for v in equation.outvars]
    filled = [lambda x, branch=branch: _filled(scope.algebra, branch(x), common, avals) for branch in runs]
    which = value_of(index, equation.invars[0])
    result: list[Element] = lax.switch(which, filled, operands)
    return result


def scan(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    params = equation.params
    constants, carried = _counts(equation)
    fixed, start, sliced = (
        list(inputs[:constants]),
        list(inputs[constants : constants + carried]),
        list(inputs[constants + carried :]),
    )
    algebra, program = scope.algebra, params["jaxpr"]
    avals = [shaped(v) for v in program.jaxpr.outvars[:carried]]

    def body(carry: Sequence[Element], x: Sequence[Element]) -> tuple[list[Element], list[Element]]:
        outputs = run(scope, program, [*fixed, *carry, *x])
        return outputs[:carried], outputs[carried:]

    # The loop's own axis comes before the lanes.
    sliced = [_moved(algebra, x, 1, 0) for x in sliced]
    first = jax.eval_shape(lambda xs: jax.tree.map(lambda c: c[0], xs), sliced)
    shapes = _steady(algebra, lambda carry, x: body(carry, x)[0], start, avals, first)

    def step(carry: Sequence[Element], x: Sequence[Element]) -> tuple[list[Element], list[Element]]:
        after, emitted = body(carry, x)
        return _filled(algebra, after, shapes, avals), emitted

    initial = _filled(algebra, start, shapes, avals)
    end, stacked = lax.scan(
        step, initial, sliced, length=params["length"], reverse=params["reverse"], unroll=params["unroll"]
    )
    return [*end, *(_moved(algebra, x, 0, 1) for x in stacked)]


def _counts(scanned: jex.JaxprEqn) -> tuple[int, int]:
    """How many operands of a scan are constants, and how many are carried."""
    if "num_consts" in scanned.params:
        return int(scanned.params["num_consts"]), int(scanned.params["num_carry"])
    constants, carried, _ = scanned.params["ft_in"].unpack()  # from JAX 0.12 on
    return len(constants), len(carried)


def loop(scope: Scope, equation: jex.JaxprEqn, inputs: Inputs) -> list[Element]:
    """The condition sees the values alone."""
    params = equation.params
    of_condition, of_body = params["cond_nconsts"], params["body_nconsts"]
    condition_constants = [value_of(x, v) for x, v in zip(inputs, equation.invars, strict=True)][
        :of_condition
    ]
    fixed = list(inputs[of_condition : of_condition + of_body])
    start = list(inputs[of_condition + of_body :])
    avals = [shaped(v) for v in equation.outvars]
    condition = jex.jaxpr_as_fun(params["cond_jaxpr"])

    def body(carry: Sequence[Element]) -> list[Element]:
        return run(scope, params["body_jaxpr"], [*fixed, *carry])

    shapes = _steady(scope.algebra, body, start, avals)
    result: list[Element] = lax.while_loop(
        lambda carry: condition(*condition_constants, *(x[0] for x in carry))[0],
        lambda carry: _filled(scope.algebra, body(carry), shapes, avals),
        _filled(scope.algebra, start, shapes, avals),
    )
    return result


def _steady(
    algebra: Algebra,
    body: Callable[..., Sequence[Element]],
    start: Sequence[Element],
    avals: Sequence[jax.core.ShapedArray],
    *slices: object,
) -> list[Shape]:
    """The coefficients a loop carries once its body adds no others."""
    shapes = [_shape((x[0] if x[0] is not None else 0, *x[1:])) for x in start]
    while True:
        carry = _filled(algebra, start, shapes, avals)
        after = [_shape(x) for x in jax.eval_shape(body, carry, *slices)]
        wider = [_union(both) for both in zip(shapes, after, strict=True)]
        if wider == shapes:
            return shapes
        shapes = wider


def _shape(x: Sequence[object]) -> Shape:
    return tuple(c is not None for c in x)


def _union(shapes: Sequence[Shape]) -> Shape:
    return tuple(any(column) for column in zip_longest(*shapes, fillvalue=False))


def _filled(
    algebra: Algebra, xs: Sequence[Element], shapes: Sequence[Shape], avals: Sequence[jax.core.ShapedArray]
) -> list[Element]:
    """The elements with zeros where these shapes have a coefficient and they have none."""
    result: list[Element] = []
    for x, shape, aval in zip(xs, shapes, avals, strict=True):
        coefficients: list[jax.Array | None] = []
        for k, (c, there) in enumerate(zip_longest(x, shape)):
            lanes = (algebra.lanes,) if algebra.has_lanes(k) else ()
            coefficients.append(zeros(aval, lanes) if there and c is None else c)
        result.append(tuple(coefficients))
    return result


def _moved(algebra: Algebra, x: Element, source: int, target: int) -> Element:
    return tuple(
        jnp.moveaxis(c, source, target) if c is not None and algebra.has_lanes(k) else c
        for k, c in enumerate(x)
    )


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("jit", "pjit", "closed_call", "core_call", "call", "custom_lin"), call),
    **dict.fromkeys(("checkpoint", "remat", "remat2"), rematerialised),
    "custom_jvp_call": custom_jvp,
    "custom_vjp_call": custom_vjp,
    "custom_vjp_call_jaxpr": custom_vjp,
    "cond": branches,
    "scan": scan,
    "while": loop,
}
