"""Evaluating a jaxpr on the elements of an algebra.

An equation whose inputs no direction moves is evaluated as it stands; one with a rule by its rule; any
other one exactly, by `derivation`. Public JAX API only: sub-programs of an equation run through
`jaxpr_as_fun`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax.extend import core as jex

from nablax.backends.taylor.element import Element, constant, is_constant, padded
from nablax.derivatives.algebra import Algebra, truncated


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule needs to know: the algebra, the other rules, and what to do where there is none."""

    algebra: Algebra
    rules: "Mapping[str, Rule]"
    fallback: "Rule"


Rule: TypeAlias = Callable[[Scope, jex.JaxprEqn, Sequence[Element]], Sequence[Element]]
"""Elements of an equation's inputs ↦ those of its outputs. Inputs may be shorter than the algebra."""


AlgebraRule: TypeAlias = Callable[[Algebra, jex.JaxprEqn, Sequence[Element]], Element]


def interpret(
    scope: Scope, jaxpr: jex.Jaxpr, consts: Sequence[jax.Array], arguments: Sequence[Element]
) -> list[Element]:
    """The outputs of a program at these elements; equations that no output needs are left out."""
    elements: dict[jex.Var, Element] = {}
    for variable, value in zip(jaxpr.constvars, consts, strict=True):
        elements[variable] = constant(value)
    elements.update(zip(jaxpr.invars, arguments, strict=True))

    def read(atom: jex.Var | jex.Literal) -> Element:
        if isinstance(atom, jex.Literal):
            return constant(jnp.asarray(atom.val, dtype=shaped(atom).dtype))
        return elements[atom]

    for equation in _needed(jaxpr):
        outputs = evaluate(scope, equation, [read(atom) for atom in equation.invars])
        elements.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def evaluate(scope: Scope, equation: jex.JaxprEqn, inputs: Sequence[Element]) -> Sequence[Element]:
    if all(is_constant(x) for x in inputs):
        return [constant(value) for value in bind(equation, [x[0] for x in inputs if x[0] is not None])]
    size = max(len(x) for x in inputs)
    if size < scope.algebra.size:
        scope = Scope(truncated(scope.algebra, size), scope.rules, scope.fallback)
    rule = scope.rules.get(equation.primitive.name, scope.fallback)
    return rule(scope, equation, inputs)


def bind(equation: jex.JaxprEqn, values: Sequence[jax.Array]) -> list[jax.Array]:
    """The equation's own value."""
    return function_of(equation)(*values)


def function_of(equation: jex.JaxprEqn) -> Callable[..., list[jax.Array]]:
    """The equation as a function of its inputs, its custom derivative rule with it."""
    primitive, params = equation.primitive, equation.params
    if any(_is_program(value) for value in params.values()):
        return _program(equation)
    if primitive.multiple_results:
        several: Callable[..., list[jax.Array]] = primitive.bind
        return lambda *values: list(several(*values, **params))
    one: Callable[..., jax.Array] = primitive.bind
    return lambda *values: [one(*values, **params)]


def operation_of(equation: jex.JaxprEqn) -> Callable[..., jax.Array]:
    """As `function_of`, for an equation with one output."""
    function = function_of(equation)
    return lambda *values: function(*values)[0]


def _is_program(value: object) -> bool:
    """Whether a parameter holds a program: some of these primitives take more than parameters to bind."""
    if isinstance(value, jex.Jaxpr | jex.ClosedJaxpr):
        return True
    return isinstance(value, tuple | list) and any(_is_program(item) for item in value)


def _program(equation: jex.JaxprEqn) -> Callable[..., list[jax.Array]]:
    """A program of this one equation: how its parameters bind is JAX's own affair.

    Every operand is an input, those too that the equation holds as numbers, or twice: what it acts on here
    are coefficients, not those values.
    """
    operands = [zeros(shaped(v)) for v in equation.invars]
    empty = jax.make_jaxpr(lambda *values: values)(*operands).jaxpr
    own = equation.replace(invars=list(empty.invars))
    program = jex.jaxpr_as_fun(jex.ClosedJaxpr(empty.replace(eqns=[own], outvars=list(equation.outvars)), []))
    return lambda *values: list(program(*values))


def _needed(jaxpr: jex.Jaxpr) -> list[jex.JaxprEqn]:
    """The equations the outputs depend on, and those with effects, in order."""
    wanted = {atom for atom in jaxpr.outvars if not isinstance(atom, jex.Literal)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if equation.effects or not wanted.isdisjoint(equation.outvars):
            kept.append(equation)
            wanted.update(atom for atom in equation.invars if not isinstance(atom, jex.Literal))
    return kept[::-1]


def algebraic(rule: AlgebraRule) -> Rule:
    """A rule on elements as long as the algebra, for an equation with one output."""

    def padding(scope: Scope, equation: jex.JaxprEqn, inputs: Sequence[Element]) -> list[Element]:
        # One element for one variable, so that a product can see that it is a square.
        size = scope.algebra.size
        longer: dict[int, Element] = {id(x): padded(x, size) for x in inputs}
        return [rule(scope.algebra, equation, [longer[id(x)] for x in inputs])]

    return padding


def value_of(x: Element, like: jex.Var | jex.Literal) -> jax.Array:
    """The value; zeros for an element that is a tangent and has none."""
    return zeros(shaped(like)) if x[0] is None else x[0]


def shaped(atom: jex.Var | jex.Literal) -> jax.core.ShapedArray:
    aval = atom.aval
    assert isinstance(aval, jax.core.ShapedArray), "elements are made of arrays"
    return aval


def zeros(aval: jax.core.ShapedArray, lanes: tuple[int, ...] = ()) -> jax.Array:
    return jnp.zeros((*lanes, *aval.shape), aval.dtype)
