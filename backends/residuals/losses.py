"""Losses and residual vectors of a batch of points: every statement of a problem, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array
from jax.typing import ArrayLike

from nablax.backends.residuals.evaluate import values_at
from nablax.backends.residuals.field import Field, FieldError, PyTree
from nablax.backends.residuals.points import Points, check_balls, check_wall, gather
from nablax.derivatives.evaluation import Evaluation
from nablax.derivatives.statements import MEASURED

Batch: TypeAlias = Mapping[str, Points]
"""Points by place: `equation`, `initial`, `boundary/x=0`, `data/sensors` (there with the column `value`)."""
Weights: TypeAlias = Mapping[str, ArrayLike]
"""Per point [points] or one number, by the name of a statement or of a place."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False, repr=False)
class Losses:
    """losses(params, batch): the weighted mean square of every statement the batch has points for, by name.

    Pure; vectors sum over their components, complex values count with their squared modulus. Where directions
    are drawn, a loss is the mean product of two independent draws, R₁·R₂: its expectation, and that of its
    gradient, is the exact one, which the square of one draw's is not. Such a loss needs a `key` and may be
    negative. Statements that a field meets by construction (`field.exact`) have no loss.
    """

    field: Field
    places: Mapping[str, Evaluation]

    def __call__(
        self, params: PyTree, batch: Batch, key: Array | None = None, weights: Weights | None = None
    ) -> dict[str, Array]:
        _check_weights(self.places, weights)
        keys = (None, None) if key is None else tuple(jax.random.split(key))
        found = statement_values(self.field, self.places, params, batch, keys[0])
        sampled = {p: points for p, points in batch.items() if p in self.places and self.places[p].random}
        second = statement_values(self.field, self.places, params, sampled, keys[1]) if sampled else {}
        return {
            name: jnp.mean(
                _weighted(_product(values, second.get(name, found[name])[1], points), name, place, weights)
            )
            for name, (place, values, points) in found.items()
        }

    def __repr__(self) -> str:
        return f"<Losses {', '.join(self.names)} of {self.field!r}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that losses can have."""
        return tuple(s.name for e in self.places.values() for s in e.needs.statements)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False, repr=False)
class ResidualVector:
    """vector(params, batch): all residuals [m], scaled so that the sum of squares is the sum of the losses.

    What least-squares methods want. Real and imaginary parts are entries of their own.
    """

    field: Field
    places: Mapping[str, Evaluation]

    def __repr__(self) -> str:
        return f"<ResidualVector of {', '.join(self.places)} of {self.field!r}>"

    def __call__(self, params: PyTree, batch: Batch, weights: Weights | None = None) -> Array:
        drawn = [place for place in batch if place in self.places and self.places[place].random]
        if drawn:
            raise FieldError(
                f"the residuals of `{drawn[0]}` are drawn at random, and their squares would be biased: use "
                'losses, or derivatives="exact"'
            )
        _check_weights(self.places, weights)
        found = statement_values(self.field, self.places, params, batch, None)
        parts = []
        for name, (place, values, points) in found.items():
            scale = jnp.sqrt(_weighted(jnp.ones(points, values.real.dtype), name, place, weights))
            scale = scale / jnp.sqrt(jnp.asarray(max(scale.size, 1), scale.dtype))
            scale = scale.reshape(points + (1,) * (values.ndim - len(points)))
            halves = (values.real, values.imag) if jnp.iscomplexobj(values) else (values,)
            parts += [half * scale for half in halves]
        return jnp.concatenate([p.ravel() for p in parts]) if parts else jnp.zeros(0)


def statement_values(
    field: Field, places: Mapping[str, Evaluation], params: PyTree, batch: Batch, key: Array | None
) -> dict[str, tuple[str, Array, tuple[int, ...]]]:
    """Every statement's (place, values, shape of its points). Raises `FieldError` for an unknown place."""
    found: dict[str, tuple[str, Array, tuple[int, ...]]] = {}
    for place, points in batch.items():
        if place not in places:
            raise FieldError(f"the batch has points for `{place}`, and the places are {', '.join(places)}")
        extra: dict[sp.Basic, Array] = {}
        if place.startswith("data/"):
            if not isinstance(points, Mapping) or "value" not in points:
                raise FieldError(f"the batch of `{place}` needs the coordinates and `value`")
            extra[MEASURED] = jnp.asarray(points["value"])
            points = {name: column for name, column in points.items() if name != "value"}
        z = gather(field.problem, points, place)
        check_wall(field.problem, z, place)
        check_balls(field.problem, places[place], z, place)
        if extra:
            extra[MEASURED] = extra[MEASURED].astype(z.dtype).reshape(-1)
        for name, values in values_at(field, places[place], params, z, extra, key).items():
            found[name] = (place, values, z.shape[:-1])
    return found


def _check_weights(places: Mapping[str, Evaluation], weights: Weights | None) -> None:
    """Raises `FieldError` for a weight that belongs to nothing."""
    names = dict.fromkeys((*places, *(s.name for e in places.values() for s in e.needs.statements)))
    for name in weights or ():
        if name not in names:
            raise FieldError(f"the weights name `{name}`, and these have weights: {', '.join(names)}")


def _product(a: Array, b: Array, points: tuple[int, ...]) -> Array:
    """Re a b*, summed over components: the square where a is b, unbiased where they are two draws."""
    products = a.real * b.real + a.imag * b.imag if jnp.iscomplexobj(a) else a * b
    return products if products.ndim == len(points) else products.sum(axis=-1)


def _weighted(values: Array, name: str, place: str, weights: Weights | None) -> Array:
    """Values [points] times the weights of their statement and of their place."""
    for key in dict.fromkeys((place, name)):
        if weights is not None and key in weights:
            weight = jnp.asarray(weights[key], values.dtype)
            if weight.ndim and weight.shape != values.shape:
                raise FieldError(
                    f"the weights of `{key}` have shape {list(weight.shape)}, and its points "
                    f"{list(values.shape)}"
                )
            values = values * weight
    return values
