"""The last layer of a residual adaptive network, fitted to the initial data before training begins.

While its blocks are closed such a network is linear in its last layer, so that the best fit is a linear least
squares problem: the initial state at all times (S. Wang, B. Li, Y. Chen, P. Perdikaris, arXiv:2402.00326,
section 4).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from nablax.backends.lowering import evaluate
from nablax.backends.networks.affine import Affine
from nablax.backends.networks.build import Joint
from nablax.backends.networks.factorised import Factorised
from nablax.backends.networks.started import Started
from nablax.backends.residuals.environment import coordinates, parameters
from nablax.backends.residuals.field import Field, PyTree, outputs, parts
from nablax.backends.residuals.layout import columns, layout
from nablax.backends.residuals.networks import networks
from nablax.backends.training.optimisers import usual_promotion
from nablax.passes.jets import jets
from nablax.problem import Problem

POINTS = 1024


def fitted(field: Field, params: PyTree, key: Array) -> PyTree:
    """The parameters with a last layer that gives the initial state, as well as it can, at random points of
    space and time; as they are where no initial data are stated, or where these hold an unknown field. Pure
    in `params` and `key`."""
    problem = field.problem
    net, unknown = parts(field, params)
    stated = [c for c in problem.initial if c.order == 0]
    if problem.time is None or not stated or any(jets(c.value) for c in stated):
        return params
    assert isinstance(net, Joint | Started)
    layer = _last(net)
    slots = layout(problem)
    dtype = layer.bias.dtype
    low = jnp.concatenate([jnp.full((1, s.size), s.low, dtype) for s in slots], axis=1)
    high = jnp.concatenate([jnp.full((1, s.size), s.high, dtype) for s in slots], axis=1)
    z = low + (high - low) * jax.random.uniform(key, (POINTS, columns(problem)), dtype)
    weight = layer.weight
    leaf = weight.direction if isinstance(weight, Factorised) else weight
    flat, unravel = ravel_pytree((leaf, layer.bias))

    def placed(values: Array) -> Joint | Started:
        own, bias = unravel(values)
        held = eqx.tree_at(lambda n: n.direction, weight, own) if isinstance(weight, Factorised) else own
        moved: Joint | Started = eqx.tree_at(lambda n: (_last(n).weight, _last(n).bias), net, (held, bias))
        return moved

    def misfit(values: Array, point: Array) -> Array:
        found = networks(field, placed(values), unknown)[0].call(point)
        by_name = {c.name: v for c, v in outputs(problem.components, found).items()}
        return _halves([by_name[name] - v for name, v in _initial(problem, unknown, point).items()])

    r = jax.vmap(misfit, (None, 0))(flat, z).reshape(-1)
    rows = jax.vmap(jax.jacrev(misfit), (None, 0))(flat, z).reshape(-1, flat.size)
    with usual_promotion():
        best = placed(flat - jnp.linalg.lstsq(rows, r)[0])
    return {"net": best, "eq": unknown} if unknown else best


def _last(net: Joint | Started) -> Affine:
    joint = net.network if isinstance(net, Started) else net
    assert isinstance(joint, Joint)
    return joint.body.last


def _initial(problem: Problem, unknown: object, z: Array) -> dict[str, Array]:
    """The stated values of components at the start, at a point of space."""
    slot = layout(problem)[-1]
    start = jnp.where(jnp.arange(len(z)) == slot.start, slot.low, z)
    assert isinstance(unknown, dict)
    environment = {**coordinates(problem, start), **parameters(problem, unknown)}
    stated = [c for c in problem.initial if c.order == 0]
    found = evaluate([c.value for c in stated], environment)
    return {c.component: jnp.asarray(v) for c, v in zip(stated, found, strict=True)}


def _halves(values: list[Array]) -> Array:
    """Real numbers in a row, two for a complex one."""
    return jnp.stack([h for v in values for h in ((v.real, v.imag) if jnp.iscomplexobj(v) else (v,))])
