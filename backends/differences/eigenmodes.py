"""The eigenvectors of one equation on a grid, where the axes have bases that take it apart."""

import jax.numpy as jnp
from jax import Array

from nablax.backends.differences import modal, modes
from nablax.backends.differences.halo import Scalars
from nablax.backends.differences.implicit import LinearOperator, mean
from nablax.backends.differences.kernels import plus
from nablax.backends.interface import Eigenmodes, Unsupported
from nablax.backends.lowering import Operand


def eigenmodes_of(operator: LinearOperator, equation: int, field: int, scalars: Scalars) -> Eigenmodes:
    """Those of what acts on `field` in an equation. Raises `Unsupported` where the bases miss a part."""
    nodes = operator.nodes
    group = next(g for g in operator.groups if equation in g.members)
    unknown = nodes.plan.system.unknowns[field]
    if not operator.direct(group) or group.lines is not None:
        raise Unsupported(f"the equation of `{unknown.name}` has no eigenvectors on this grid", unknown.span)
    dtype, real = jnp.dtype(nodes.plan.dtype), not unknown.complex
    half = modal.is_half(group, real)
    spectra = modal.spectra_of(group, half, dtype)
    total: Operand = jnp.zeros((1,) * len(group.region), dtype)
    for entry in operator.of(group):
        if (entry.coupling.equation, entry.coupling.unknown) == (equation, field):
            value = modal.symbol(group, entry.coupling, mean(entry, nodes, scalars, {}), spectra, half)
            assert value is not None
            total = plus(total, value)
    shape = tuple(b - a for a, b in group.region)

    def forward(array: Array) -> Array:
        return modes.forward(group, nodes.inside(array, field), half, dtype)

    def backward(hat: Array) -> Array:
        return nodes.surround(nodes.cast(modes.backward(group, hat, shape, half, dtype, real), field), field)

    return Eigenmodes(jnp.asarray(total), forward, backward)
