"""Integral terms of the initial data as numbers, for bounds and warnings at compile time."""

from collections.abc import Mapping

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.integrals import Convolution, Running, whole
from nablax.problem import Axis
from nablax.reductions import Integral
from nablax.sampling import sample

NODES = {1: 64, 2: 20, 3: 10}  # of Gauss and Legendre, per axis


def at_start(expression: sp.Expr, states: Mapping[sp.Basic, sp.Expr]) -> sp.Expr:
    """The expression with initial values in place of the unknowns, whatever their arguments are."""
    by_name = {unknown.func: (unknown.args, value) for unknown, value in states.items()}
    found: dict[sp.Basic, sp.Expr] = {}
    for field in expression.atoms(AppliedUndef):
        arguments, value = by_name[field.func]
        found[field] = value.subs(list(zip(arguments, field.args, strict=True)))
    return expression.xreplace(found).doit()


def estimate(
    jet: sp.Expr,
    states: Mapping[sp.Basic, sp.Expr],
    axes: tuple[Axis, ...],
    values: Mapping[sp.Basic, np.ndarray],
) -> sp.Expr:
    """The number that an integral over the whole box is at the start; nan for any other, which is a field.

    `values` holds the parameters and the time.
    """
    space = tuple(a.symbol for a in axes)
    if isinstance(jet, Running | Convolution) or not whole(jet, space):
        return sp.nan
    points, weights = np.polynomial.legendre.leggauss(NODES[len(axes)])
    lines, scales = [], []
    for axis in axes:
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        lines.append(low + (high - low) * (points + 1) / 2)
        scales.append(weights * (high - low) / 2)
    grids = np.meshgrid(*lines, indexing="ij")
    scale = np.prod(np.meshgrid(*scales, indexing="ij"), axis=0)
    integrand = at_start(jet.args[0], states)
    inner = {node: estimate(node, states, axes, values) for node in integrand.atoms(Integral)}
    known = {**values, **{a.symbol: g for a, g in zip(axes, grids, strict=True)}}
    found = complex(np.sum(scale * sample(integrand.xreplace(inner), known)))
    if not np.isfinite(found):
        return sp.nan
    return sp.Float(found.real) if found.imag == 0 else sp.Float(found.real) + sp.I * sp.Float(found.imag)
