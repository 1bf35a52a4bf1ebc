"""Fields: a network tied to the unknowns of a problem, with its parameters as a pytree of arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array
from jax.typing import ArrayLike

from nablax.ansatz.derive import Ansatz
from nablax.backends.residuals.layout import columns
from nablax.backends.residuals.smoothness import roughness
from nablax.problem import Coefficient, Component, Problem

PyTree: TypeAlias = object
Call = Callable[[PyTree, Array], Array]
"""(parameters, one point [axes]) to the outputs at that point."""


@runtime_checkable
class Applied(Protocol):
    """A network whose parameters live outside of it, as those of flax do."""

    def apply(self, values: PyTree, z: Array) -> ArrayLike: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What the data of conditions hold besides coordinates and parameters: `at` maps one point [axes] to the
    values of the `symbols`."""

    symbols: tuple[sp.Symbol, ...]
    at: Callable[[Array], tuple[Array, ...]]

    def values(self, z: Array) -> dict[sp.Basic, Array]:
        return dict(zip(self.symbols, self.at(z), strict=True))


class FieldError(ValueError):
    """A network, or parameters or points given with it, that do not fit the problem."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False, repr=False)
class Field:
    """The unknowns of a problem as functions with parameters.

    `call` maps the network's parameters and one point (space axes in declared order, then time) to the
    components in declared order. A complex component is one complex output, or two real ones (real part,
    imaginary part). `params` holds inexact arrays only, so that `jax.grad` and optimisers take it as it is:
    the network's own pytree, or `{"net": ..., "eq": {"D": 0.1}}` where the spec has unknowns. It is None
    for a function without parameters of its own to offer; the caller brings them.

    `coefficients` are the networks of unknown fields `C(x) ~ 0.5 in [0.1, 2]`, from (their parameters, their
    own arguments [n]) to one number. Their parameters are `params["eq"]["C"]`.

    With an `ansatz` (`problem.hard`) the field is a function of the network that `call` evaluates. `known`
    is the state that a window of time begins with.
    """

    problem: Problem
    call: Call
    params: PyTree
    coefficients: Mapping[str, Call]
    ansatz: Ansatz | None = None
    known: Known | None = None

    @property
    def exact(self) -> tuple[str, ...]:
        """The statements that hold whatever the parameters: losses leave them out."""
        return () if self.ansatz is None else self.ansatz.exact

    @property
    def left(self) -> dict[str, str]:
        """The conditions that `problem.hard` could not build in, each with the reason."""
        return {} if self.ansatz is None else dict(self.ansatz.left)

    def __repr__(self) -> str:
        names = ", ".join(c.name for c in self.problem.components)
        numbers = sum(leaf.size for leaf in jax.tree.leaves(self.params))
        exact = f"; exact: {', '.join(self.exact)}" if self.exact else ""
        symbols = ", ".join(str(s) for s in self.problem.symbols)
        return f"<Field {names}({symbols}), {numbers} parameters{exact}>"


def make_field(
    problem: Problem, net: object, params: PyTree = None, coefficients: Mapping[str, object] | None = None
) -> Field:
    """A field from an equinox module, something with `init` and `apply` (flax), or a plain `net(params, z)`.

    `params` are the parameters of a network that does not carry its own; `coefficients` has a network for
    every unknown field. Raises `FieldError` for anything that cannot be called, or is missing, and for
    networks that do not fit the problem at the parameters they come with.
    """
    if isinstance(net, Field):
        return net
    call, params = _callable(net, params)
    names = [c.name for c in problem.coefficients]
    given = coefficients or {}
    if set(given) != set(names):
        wanted = ", ".join(names) or "none"
        raise FieldError(
            f"the unknown fields are {wanted}, and coefficients has {', '.join(given) or 'none'}: "
            "nablax.field(problem, net, coefficients={...})"
        )
    unknown: dict[str, PyTree] = {
        p.name: jnp.asarray(float(p.value)) for p in problem.parameters if p.unknown
    }
    calls: dict[str, Call] = {}
    for name in names:
        calls[name], unknown[name] = _callable(given[name], ())
    for coefficient in problem.coefficients:
        _check_coefficient(coefficient, calls[coefficient.name], unknown[coefficient.name])
    if params is not None:
        _check_call(problem, call, params, jnp.result_type(float))
        params = {"net": params, "eq": unknown} if unknown else params
    return Field(problem, call, params, calls)


def _callable(net: object, params: PyTree) -> tuple[Call, PyTree]:
    """A network as a function of (parameters, point), and its parameters."""
    call: Call
    if isinstance(net, eqx.Module):
        own, static = eqx.partition(net, eqx.is_inexact_array)
        params = own if params is None or params == () else params

        def call(values: PyTree, z: Array) -> Array:
            return jnp.asarray(eqx.combine(values, static)(z))

    elif isinstance(net, Applied):
        apply = net.apply

        def call(values: PyTree, z: Array) -> Array:
            return jnp.asarray(apply(values, z))

    elif callable(net):

        def call(values: PyTree, z: Array) -> Array:
            return jnp.asarray(net(values, z))

    else:
        raise FieldError(f"a network is called with a point, and {type(net).__name__} cannot be called")
    return call, params


def parts(field: Field, params: PyTree) -> tuple[PyTree, Mapping[str, PyTree]]:
    """(the network's parameters, the unknowns of the equations). Raises `FieldError`."""
    names = {p.name for p in field.problem.parameters if p.unknown} | set(field.coefficients)
    if not names:
        return params, {}
    if not (isinstance(params, Mapping) and set(params) == {"net", "eq"}):
        raise FieldError(
            'the spec has unknown parameters, so params is {"net": ..., "eq": {...}}: see field.params'
        )
    if set(params["eq"]) != names:
        given, wanted = ", ".join(sorted(params["eq"])) or "none", ", ".join(sorted(names))
        raise FieldError(f'the unknowns are {wanted}, and params["eq"] has {given}')
    return params["net"], params["eq"]


def outputs(components: tuple[Component, ...], values: Array) -> dict[Component, Array]:
    """The components of network outputs [..., n]. Raises `FieldError` where the number is wrong."""
    paired = not jnp.iscomplexobj(values)
    wanted = sum(2 if paired and c.complex else 1 for c in components)
    count = values.shape[-1] if values.ndim else 1
    if count != wanted:
        names = ", ".join(c.name for c in components)
        halves = " (two for each complex component)" if wanted > len(components) else ""
        raise FieldError(f"the network has {count} outputs, and {names} need {wanted}{halves}")
    found: dict[Component, Array] = {}
    k = 0
    for component in components:
        if component.complex and paired:
            found[component] = jax.lax.complex(values[..., k], values[..., k + 1])
            k += 2
        else:
            found[component] = values[..., k] if component.complex or paired else values[..., k].real
            k += 1
    return found


def check_network(field: Field, params: PyTree, dtype: jnp.dtype, order: int) -> None:
    """Two abstract calls: the network takes a point, gives a vector of as many outputs as are needed, and
    has derivatives of this order. Raises `FieldError`."""
    point = _check_call(field.problem, field.call, params, dtype)
    within = 0 if field.ansatz is None else field.ansatz.order
    rough = roughness(field.call, params, point, order + within)
    if rough is not None:
        raise FieldError(rough)


def _check_call(problem: Problem, call: Call, params: PyTree, dtype: jnp.dtype) -> Array:
    """A point that the network was called with, abstractly. Raises `FieldError`."""
    axes = columns(problem)
    point = jnp.zeros((axes,), dtype)
    found = _shape(call, params, point, "the network", f"({', '.join(str(s) for s in problem.symbols)})")
    if len(found.shape) != 1:
        raise FieldError(
            f"the network maps one point to an array of shape {list(found.shape)}, and a vector "
            f"[{len(problem.components)}] of the components is wanted: batching is not its task"
        )
    outputs(problem.components, jnp.zeros(found.shape, found.dtype))
    return point


def _check_coefficient(coefficient: Coefficient, call: Call, params: PyTree) -> None:
    """An unknown field's network gives one number at one point of its own arguments."""
    arguments = coefficient.value.args
    point = jnp.zeros((len(arguments),), jnp.result_type(float))
    what = f"the network of {coefficient.name}"
    found = _shape(call, params, point, what, f"({', '.join(str(a) for a in arguments)})")
    if found.size != 1:
        raise FieldError(f"{what} maps one point to an array of shape {list(found.shape)}, not to one number")


def _shape(call: Call, params: PyTree, point: Array, what: str, arguments: str) -> jax.ShapeDtypeStruct:
    try:
        found: jax.ShapeDtypeStruct = jax.eval_shape(call, params, point)
    except (TypeError, ValueError) as error:
        raise FieldError(
            f"{what} cannot be called with one point of shape {list(point.shape)}, {arguments}: "
            f"{_first_line(error)}"
        ) from error
    return found


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
