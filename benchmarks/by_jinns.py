"""jinns' side of a training step: an equation over `jax.grad`, as those it ships, in its loss."""

from collections.abc import MutableMapping
from types import new_class
from typing import TYPE_CHECKING, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

if TYPE_CHECKING:
    from benchmarks.steps import Setting, Step
    from nablax.backends.residuals.field import PyTree


class Network(Protocol):
    """What jinns hands an equation: values at one point, time first."""

    def __call__(self, t_x: Array, params: "PyTree") -> Array: ...


def step(s: "Setting") -> "Step":
    """Time comes first in jinns' points, so that the columns of the first layer change places."""
    import jinns

    from benchmarks.steps import by_grad, stepper

    space = len(s.case.orders) - 1
    order = [space, *range(space)]
    first = s.net.layers[0]
    turned = eqx.tree_at(lambda net: net.layers[0].weight, s.net, first.weight[:, jnp.array(order)])
    u, weights = jinns.nn.PINN_MLP.create(eqx_network=turned, eq_type="PDENonStatio")
    params = jinns.parameters.Params(nn_params=weights, eq_params={})

    def equation(self: object, t_x: Array, u: Network, params: "PyTree") -> Array:
        along = [
            by_grad(lambda z: u(z, params), t_x, order.index(axis), highest)
            for axis, highest in enumerate(s.case.orders)
        ]
        return jnp.concatenate(s.case.by_hand(along))

    def body(namespace: MutableMapping[str, object]) -> None:
        namespace["equation"] = equation

    # Made by a call, since a checker does not know the base: jinns is optional and has no types.
    made = new_class("Equation", (jinns.loss.PDENonStatio,), exec_body=body)
    loss = jinns.loss.LossPDENonStatio(
        u=u, dynamic_loss=made(), params=params,
        loss_weights=jinns.loss.LossWeightsPDENonStatio(dyn_loss=1.0),
        derivative_keys=jinns.parameters.DerivativeKeysPDENonStatio(params=params),
    )  # fmt: skip
    batch = jinns.data.PDENonStatioBatch(
        domain_batch=s.points[:, jnp.array(order)], border_batch=None, initial_batch=None
    )
    own, rest = eqx.partition(params, eqx.is_inexact_array)

    def total(own: "PyTree") -> Array:
        found: Array = loss.evaluate(eqx.combine(own, rest), batch)[0]
        return found

    return stepper(total, jax.tree.map(jnp.asarray, own))
