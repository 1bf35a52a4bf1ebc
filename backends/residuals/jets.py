"""The value of one jet at one point."""

import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.residuals import nested
from nablax.backends.residuals.networks import Part
from nablax.passes.jets import base, own_orders


def jet_at(part: Part, jet: sp.Expr, point: Array) -> Array:
    """The jet at one point [axes]."""
    orders = own_orders(jet)
    own = point[np.array(part.columns)]
    if not any(orders):
        return part.values(part.call(own))[base(jet)]
    (found,) = nested.derivatives(part.call, own, [((orders, sp.S.One),)], part.starts)
    return part.values(found)[base(jet)]
