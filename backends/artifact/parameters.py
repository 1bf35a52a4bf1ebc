"""The parameters that a compiled spec is called with, completed and checked."""

from collections.abc import Callable, Mapping
from typing import cast

import jax
import numpy as np
from jax import Array

from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.checks import Number, Numbers, check_names, check_orders, check_scalar
from nablax.backends.precision import traced
from nablax.outline import Outline


def number(outline: Outline, value: float) -> Array:
    """In the artifact's precision. A NumPy scalar: to JAX as good as an array, and no program makes it."""
    return cast(Array, np.dtype(outline.dtype).type(value))


def defaults(outline: Outline) -> dict[str, float]:
    """Values as the spec gives them."""
    return {p.name: p.value for p in outline.parameters}


def complete(
    outline: Outline, derive: Callable[..., object] | None, params: Numbers | None
) -> Mapping[str, Array]:
    """Every parameter in the artifact's precision; those that follow from others follow, by `derive`.

    Raises ValueError for an unknown name, `ArtifactError` for another value of a static one.
    """
    given = dict(params or {})
    check_names(given, defaults(outline))
    found: dict[str, Array] = {}
    for p in outline.parameters:
        if p.name in given:
            found[p.name] = _given(outline, p.name, given[p.name], p.value if p.static else None)
        else:
            found[p.name] = number(outline, p.value)
    if given and derive is not None:
        chosen = {name: np.asarray(name in given) for name in found}
        found = dict(cast(Mapping[str, Array], derive(found, chosen)))
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
