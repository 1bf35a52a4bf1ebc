"""The fractional Jacobian of an affine map in its weights, as a rule for reverse mode.

z_o = Σ_i W_oi x_i + b_o. The Riemann–Liouville derivative of order 0 < α < 1 of z_o in W_oi, from base 0
(right-sided, with its sign, where the weight is negative), is

    x_i |W_oi|^(1-α)/Γ(2-α) + (z_o - W_oi x_i) sgn(W_oi) |W_oi|^(-α)/Γ(1-α):

the power rule for the term that holds the weight, and the derivative of a constant, which is not zero, for
the rest (X. Zhou et al., arXiv:2506.07408, section 3; there for an outer affine map, contracted with the
ordinary gradient from above: no fractional chain rule is meant).

Summed against that gradient G over a batch, both parts are linear in Σ G x and Σ G z. The rule therefore
acts on the weights alone: `split` hands on the weights and a zero per output, `affine` adds zero times z,
and their two cotangents are the two sums. No further matrix product, and nothing to keep per sample.
"""

import math
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.fractional_gradients.powers import positive_power

Mode = Literal["exact", "published", "caputo"]
FLOOR = 1e-8  # |W| is never taken smaller: |W|^(-α) is unbounded


def affine(
    weight: Array, bias: Array | None, x: Array, order: float, mode: Mode = "exact", clip: float | None = None
) -> Array:
    """W x + b for weight [out, in], bias [out] or None, x [..., in]; its gradient in W is of order `order`.

    `exact` is the formula above; `published` uses the weights and the value of the first output in it for
    every output, as the authors' code does; `caputo` leaves out the derivative of the constant. `clip`
    bounds the Frobenius norm of the constant's part by that many times the other part's. The gradients in b
    and x are the ordinary ones; so is everything at order 1, bit for bit.
    """
    if order == 1:
        return _value(weight, bias, x)
    seen, zeros = _split(weight, order, mode, clip)
    z = _value(seen, bias, x)
    if mode == "caputo":
        return z
    constant = lax.stop_gradient(z[..., :1] if mode == "published" else z)
    return z + jnp.broadcast_to(zeros, z.shape) * constant


def _value(weight: Array, bias: Array | None, x: Array) -> Array:
    z = weight @ x if x.ndim == 1 else x @ weight.T
    return z if bias is None else z + jnp.broadcast_to(bias, z.shape)


@partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _split(weight: Array, order: float, mode: Mode, clip: float | None) -> tuple[Array, Array]:
    return weight, jnp.zeros(weight.shape[:1], weight.dtype)


def _split_forward(
    weight: Array, order: float, mode: Mode, clip: float | None
) -> tuple[tuple[Array, Array], Array]:
    return _split(weight, order, mode, clip), weight


def _split_backward(
    order: float, mode: Mode, clip: float | None, weight: Array, sums: tuple[Array, Array]
) -> tuple[Array]:
    products, values = sums  # Σ G x [out, in], Σ G z [out]
    w = weight[:1] if mode == "published" else weight
    size = jnp.maximum(jnp.abs(w), FLOOR)
    power = positive_power(size, 1 - order)
    own = power / math.gamma(2 - order) * products
    if mode == "caputo":
        return (own,)
    # |W|^(-α) from the power at hand: one division in place of a second power.
    steep = jnp.sign(w) * power / size / math.gamma(1 - order)
    constant = steep * (values[:, None] - w * products)
    if clip is not None:
        bound = clip * jnp.linalg.norm(own)
        length = jnp.linalg.norm(constant)
        constant = constant * jnp.where(length > bound, bound / jnp.maximum(length, FLOOR), 1.0)
    return (own + constant,)


_split.defvjp(_split_forward, _split_backward)
