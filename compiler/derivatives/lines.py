"""What a residual needs to know at other points of a line, and the rules of its sums over them."""

from dataclasses import dataclass, replace
from typing import Literal

import sympy as sp

from nablax.derivatives.quadrature import Nodes

TAU = sp.Dummy("τ", positive=True)
"""The share of the way back to the base."""

REST = sp.Dummy("1 - τ", positive=True)
"""What is left of the way, exact where τ is close to 1."""

Style = Literal["quotient", "slope"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How history integrals are taken: `count` nodes where the order is one number, else `varying`, in the
    form `style`; orders below 1 that are no number take `varying_style`.

    With `graded` nodes gather at the base too, where a field may start like a fractional power. A quotient
    over a step below `cut` times the axis is replaced by its Taylor polynomial of `terms` terms.
    Points nearer to the base than `nearest` times the axis are taken to be that far from it. Where `lean` is
    not 0, slopes of orders above 1 that are numbers are taken at so many nodes, lower derivatives with them.
    Where all points lie on the line, a batch of them interpolates between `shared` nodes, 0 for never.
    """

    style: Style
    count: int
    varying: int
    terms: int
    cut: float
    nearest: float
    graded: bool = False
    varying_style: Style = "slope"
    lean: int = 0
    shared: int = 0


SINGLE = Rule("slope", 5, 6, 3, 1e-2, 1e-6, varying_style="quotient", lean=3, shared=32)
DOUBLE = Rule("slope", 12, 16, 0, 0.0, 1e-12, shared=64)


@dataclass(frozen=True, slots=True)
class Place:
    """Other points: `coordinate` along `axis`; one for each node where it holds `TAU` or `REST`."""

    axis: sp.Symbol
    coordinate: sp.Expr
    nodes: Nodes | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """A jet at a place."""

    jet: sp.Expr
    place: Place
    stand_in: sp.Dummy


@dataclass(frozen=True, slots=True)
class Moment:
    """∫_0^1 τ^exponent inside dτ by a sum over nodes.

    Where nodes read antiderivatives too it is a part of the sum: that of the `depth`-th antiderivative of the
    integrand, `inside`, on a line that is a `share` of its axis.
    """

    exponent: sp.Expr
    inside: sp.Expr
    nodes: Nodes
    stand_in: sp.Dummy
    depth: int = 0
    share: sp.Expr = sp.S.One


@dataclass(frozen=True, slots=True)
class Histories:
    """What stands for the fractional operators of some statements."""

    remotes: tuple[Remote, ...] = ()
    moments: tuple[Moment, ...] = ()


NO_HISTORIES = Histories()


def rule_of(style: Style | None, count: int | None, graded: int | None, single: bool) -> Rule:
    """The rule for a precision, with what was asked for in it; `graded` is a number of nodes."""
    rule = SINGLE if single else DOUBLE
    if graded is not None:
        style = rule.style
        return replace(rule, count=graded, varying=graded, graded=True, varying_style=style, lean=0, shared=0)
    if style is None:
        return rule
    nodes = rule.count if count is None else count
    varying = max(nodes, rule.varying)
    shared = max(rule.shared, 4 * nodes)
    return replace(
        rule, style=style, count=nodes, varying=varying, varying_style=style, lean=0, shared=shared
    )
