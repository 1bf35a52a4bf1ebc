"""From a problem and a model to a field: networks of the right inputs and outputs, with drawn weights."""

from collections.abc import Callable, Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.networks.affine import Affine, Draw, Hidden, full
from nablax.backends.networks.factorised import factorised
from nablax.backends.networks.fourier import FourierFeatures
from nablax.backends.networks.inputs import Coordinate, Inputs
from nablax.backends.networks.mlp import Mlp
from nablax.backends.networks.modified_mlp import ModifiedMlp
from nablax.backends.networks.pirate import Pirate
from nablax.backends.networks.separable import Separable
from nablax.backends.networks.started import Started, powers_of
from nablax.backends.networks.ternary import ternary
from nablax.backends.residuals.field import Field, make_field
from nablax.backends.residuals.keys import checked_key
from nablax.backends.residuals.layout import Slot, layout
from nablax.models import Activation, Architecture, Fourier, Model
from nablax.problem import Problem

ACTIVATIONS: Mapping[Activation, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "sin": jnp.sin,
    "gelu": jax.nn.gelu,
    "swish": jax.nn.swish,
    "softplus": jax.nn.softplus,
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
}


JOINT: Mapping[Architecture, type[Mlp] | type[ModifiedMlp] | type[Pirate]] = {
    "mlp": Mlp,
    "modified_mlp": ModifiedMlp,
    "pirate": Pirate,
}


class Joint(eqx.Module):
    """A network of all coordinates together."""

    inputs: Inputs
    features: FourierFeatures | None
    body: Mlp | ModifiedMlp | Pirate

    def __call__(self, z: Array) -> Array:
        x = self.inputs(z)
        return self.body(x if self.features is None else self.features(x))


class ByAxis(eqx.Module):
    """A network of every coordinate for itself."""

    inputs: Inputs
    features: tuple[FourierFeatures, ...] | None
    body: Separable

    def __call__(self, z: Array) -> Array:
        parts = self.inputs.parts(z)
        if self.features is not None:
            parts = [f(x) for f, x in zip(self.features, parts, strict=True)]
        return self.body(parts)


def build_field(problem: Problem, model: Model, key: Array) -> Field:
    """Networks for the fields, and for every unknown field, as one `Field`.

    Real outputs, two for each complex component. Unknown fields begin at their start value. Pure in `key`:
    under `vmap`, `build_field(problem, model, key).params` are those of an ensemble, for the `call` of
    any one of its members. Raises `FieldError` for what is no key.
    """
    slots = layout(problem)
    net_key, *keys = jax.random.split(checked_key(key), 1 + len(problem.coefficients))
    unknown: dict[str, object] = {}
    for coefficient, own in zip(problem.coefficients, keys, strict=True):
        mine = [next(s for s in slots if s.axis.symbol == a) for a in coefficient.value.args]
        unknown[coefficient.name] = _silent(build_network(_placed(mine), 1, model, own))
    net = build_network(_placed(slots), model.outputs(problem), model, net_key)
    if not model.starts:
        return make_field(problem, net, None, unknown)
    started = Started(net, powers_of(problem, model.starts), _placed(slots)[-1])
    return make_field(problem, started, None, unknown)


def build_network(
    coordinates: Sequence[Coordinate], outputs: int, model: Model, key: Array
) -> Joint | ByAxis:
    """The network that maps one point of these coordinates to `outputs` numbers."""
    inputs = Inputs(tuple(coordinates), model.harmonics)
    hidden = Hidden(model.width, model.depth, ACTIVATIONS[model.activation], *_draws(model))
    feature_key, key = jax.random.split(key)
    features = model.features
    if features is None and model.architecture == "pirate":
        features = Fourier(max(model.width // 2, 1))
    if model.architecture == "separable":
        each = _features(features, inputs.sizes, feature_key)
        sizes = inputs.sizes if features is None else (2 * features.count,) * len(inputs.sizes)
        body = Separable(key, sizes, outputs, hidden, model.rank)
        return ByAxis(inputs, each, body)
    total = sum(inputs.sizes)
    one = _features(features, (total,), feature_key)
    size = total if features is None else 2 * features.count
    kind = JOINT[model.architecture]
    joint = kind(key, size, outputs, hidden)
    return Joint(inputs, None if one is None else one[0], joint)


def _features(wanted: Fourier | None, sizes: Sequence[int], key: Array) -> tuple[FourierFeatures, ...] | None:
    if wanted is None:
        return None
    keys = jax.random.split(key, len(sizes))
    return tuple(FourierFeatures(k, n, wanted.count, wanted.scale) for k, n in zip(keys, sizes, strict=True))


def _draws(model: Model) -> tuple[Draw, Draw]:
    """Weights of the first and last layers, and of those between."""
    if model.factorised is None:
        return full, ternary if model.ternary else full
    mean, deviation = model.factorised.mean, model.factorised.deviation
    outer = factorised(full, mean, deviation)
    return outer, ternary if model.ternary else outer


def _placed(slots: Sequence[Slot]) -> list[Coordinate]:
    """Coordinates of a network whose arguments are these axes, one after the other."""
    found: list[Coordinate] = []
    start = 0
    for slot in slots:
        found.append(Coordinate(start, slot.size, slot.low, slot.high, slot.axis.periodic))
        start += slot.size
    return found


def _silent(net: Joint | ByAxis) -> Joint | ByAxis:
    """The network with zeros for its last layer (of one body, where they are multiplied): 0 everywhere."""

    def last(network: Joint | ByAxis) -> Affine:
        body = network.body.bodies[0] if isinstance(network.body, Separable) else network.body
        return body.last

    quiet: Joint | ByAxis = eqx.tree_at(last, net, jax.tree.map(jnp.zeros_like, last(net)))
    return quiet
