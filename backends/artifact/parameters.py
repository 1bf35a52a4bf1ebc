"""The parameters that a compiled spec is called with, completed and checked."""

from collections.abc import Callable, Mapping
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.checks import Number, Numbers, check_names, check_orders, check_scalar, check_values
from nablax.backends.precision import traced
from nablax.outline import Outline


def number(outline: Outline, value: float) -> Array:
    """In the artifact's precision. A NumPy scalar: to JAX as good as an array, and no program makes it."""
    return cast(Array, np.dtype(outline.dtype).type(value))


def defaults(outline: Outline) -> dict[str, float]:
    """Values as the spec gives them."""
    return {p.name: p.value for p in outline.parameters}


def shapes(outline: Outline, values: Mapping[str, float]) -> dict[str, Array]:
    """What every program is called with, as far as tracing needs it: shapes alone of coefficients."""
    kind = np.dtype(outline.dtype)
    coefficients = jax.eval_shape(lambda: {a.name: jnp.zeros(a.shape, kind) for a in outline.arrays})
    return {n: number(outline, v) for n, v in values.items()} | cast(dict[str, Array], coefficients)


def complete(
    outline: Outline, programs: Mapping[str, Callable[..., object]], params: Numbers | None
) -> Mapping[str, Array]:
    """Every parameter and every coefficient on the grid in the artifact's precision.

    Parameters that follow from others follow by the program `derive`, coefficients that are not given by
    `coefficients`. Raises ValueError for an unknown name or another shape, `ArtifactError` for another value
    of a static one.
    """
    derive = programs.get("derive")
    given = dict(params or {})
    check_names(given, [*defaults(outline), *(a.name for a in outline.arrays)])
    found: dict[str, Array] = {}
    for p in outline.parameters:
        if p.name in given:
            found[p.name] = _given(outline, p.name, given[p.name], p.value if p.static else None)
        else:
            found[p.name] = number(outline, p.value)
    if given and derive is not None:
        chosen = {name: np.asarray(name in given) for name in found}
        found = dict(cast(Mapping[str, Array], derive(found, chosen)))
    if outline.arrays:
        found |= dict(cast(Mapping[str, Array], programs["coefficients"](found)))
    for array in outline.arrays:
        if array.name in given:
            value = given[array.name]
            check_values(array.name, array.shape, array.axes, value)
            values = value if isinstance(value, jax.Array) else np.asarray(value)
            found[array.name] = cast(Array, values.astype(outline.dtype))
    if given:
        try:
            check_orders(outline, found)
        except ValueError as error:
            raise ArtifactError(str(error), "R734") from None
    return found


def _given(outline: Outline, name: str, value: Number, static: float | None) -> Array:
    check_scalar(name, value)
    if static is not None and (traced(value) or float(value) != static):
        raise ArtifactError(
            f"`{name}` shapes the grid and is compiled in: compile the spec again with --set {name}=...",
            "R734",
        )
    return value if isinstance(value, jax.Array) else number(outline, float(value))
