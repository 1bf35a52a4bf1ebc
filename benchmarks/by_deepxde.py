"""DeepXDE's side of a training step, on its JAX backend: `dde.grad.jacobian` again for every order."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

if TYPE_CHECKING:
    from benchmarks.steps import Setting, Step

Output: TypeAlias = tuple[Array, Callable[[Array], Array]]
"""What DeepXDE's JAX backend hands an equation: values at all points, and their function."""


def step(s: "Setting") -> "Step":
    """The model's own `train_step`, from the weights of the setting's network; gives the loss before."""
    import deepxde as dde

    axes, components = len(s.case.orders), s.case.components

    def pde(x: Array, y: Output) -> list[Array]:
        def along(axis: int, order: int) -> list[Array]:
            found = [y[0]]
            each = [dde.grad.jacobian(y, x, i=i, j=axis) for i in range(components)]
            found.append(jnp.concatenate([d[0] for d in each], axis=-1))
            for _ in range(order - 1):
                each = [dde.grad.jacobian(d, x, i=0, j=axis) for d in each]
                found.append(jnp.concatenate([d[0] for d in each], axis=-1))
            return found

        return list(s.case.by_hand([along(a, n) for a, n in enumerate(s.case.orders)]))

    box = dde.geometry.Hypercube([-1.0] * (axes - 1) + [0.0], [1.0] * axes)
    points = np.asarray(s.points)
    data = dde.data.PDE(box, pde, [], num_domain=0, num_boundary=0, anchors=points)
    widths = [layer.out_features for layer in s.net.layers]
    model = dde.Model(data, dde.nn.FNN([axes, *widths], "tanh", "Glorot normal"))
    model.compile("adam", lr=1e-3, verbose=0)
    given = {
        f"denses_{i}": {"kernel": layer.weight.T, "bias": layer.bias} for i, layer in enumerate(s.net.layers)
    }
    params = [{"params": given}, model.params[1]]
    shapes: list[object] = [jax.tree.structure(tree) for tree in (params, model.params)]
    assert shapes[0] == shapes[1]
    at = [(params, model.opt.init(params))]
    losses: Sequence[float] = [float(jnp.sum(model.outputs_losses_train(params, points, None)[1]))]

    def advance() -> float:
        at[0] = jax.block_until_ready(model.train_step(*at[0], points, None))
        return losses[0]

    return advance
