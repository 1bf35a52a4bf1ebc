"""A linear layer with a fractional gradient in its weights, for equinox models."""

from typing import Literal

import equinox as eqx
import jax
from jax import Array

from nablax.backends.fractional_gradients.rule import Mode, affine

MODES: tuple[Mode, ...] = ("exact", "published", "caputo")


class FLinear(eqx.Module):
    """W x + b like `equinox.nn.Linear`; the gradient in W is the fractional one of `rule.affine`.

    X. Zhou et al., Fractional-order Jacobian matrix differentiation and its application in artificial neural
    networks, arXiv:2506.07408. Takes x [..., in] and gives [..., out]: one point under vmap or a batch.

    Raises ValueError for an order outside (0, 1] or an unknown mode.
    """

    weight: Array
    bias: Array | None
    order: float = eqx.field(static=True)
    mode: Mode = eqx.field(static=True)
    clip: float | None = eqx.field(static=True)

    def __init__(
        self,
        in_features: int,
        out_features: int | Literal["scalar"],
        use_bias: bool = True,
        *,
        order: float = 0.9,
        mode: Mode = "exact",
        clip: float | None = None,
        key: Array,
    ) -> None:
        """The weights are those that `equinox.nn.Linear` draws from the same key."""
        plain = eqx.nn.Linear(in_features, out_features, use_bias, key=key)
        _check(order, mode, clip)
        self.weight, self.bias = plain.weight, plain.bias
        self.order, self.mode, self.clip = order, mode, clip

    def __call__(self, x: Array, *, key: Array | None = None) -> Array:
        return affine(self.weight, self.bias, x, self.order, self.mode, self.clip)


def with_fractional_layers(
    model: eqx.Module, order: float, mode: Mode = "exact", clip: float | None = None
) -> eqx.Module:
    """The model with every `equinox.nn.Linear` in it as an `FLinear` of the same weights."""
    _check(order, mode, clip)

    def plain(node: object) -> bool:
        return isinstance(node, eqx.nn.Linear)

    def turned(node: object) -> object:
        if not isinstance(node, eqx.nn.Linear):
            return node
        fresh = object.__new__(FLinear)
        for name, value in (
            ("weight", node.weight), ("bias", node.bias), ("order", order), ("mode", mode), ("clip", clip),
        ):  # fmt: skip
            object.__setattr__(fresh, name, value)
        return fresh

    result: eqx.Module = jax.tree.map(turned, model, is_leaf=plain)
    return result


def _check(order: float, mode: str, clip: float | None) -> None:
    if not 0 < order <= 1:
        raise ValueError(f"the order of an FLinear layer is above 0 and at most 1, and this one is {order}")
    if mode not in MODES:
        raise ValueError(f"`{mode}` is no mode of an FLinear layer: choose one of {', '.join(MODES)}")
    if clip is not None and not clip > 0:
        raise ValueError(f"`clip` bounds one part of the gradient by the other, and {clip} leaves nothing")
