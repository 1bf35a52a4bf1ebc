"""Fractional derivatives in space: entries of the operator table for fields.

On periodic boxes they have a Fourier symbol; where an axis has walls there are several meanings, and the
text says which (`kind=`).
"""

from collections.abc import Callable

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.fractional_orders import check_order
from nablax.meaning.values import Value, VectorValue, fault
from nablax.nonlocal_operators import (
    BALL,
    BOX,
    SUPPORTS,
    BoundedRiesz,
    FractionalLaplacian,
    IntegralLaplacian,
    Outside,
    RieszDerivative,
    SpectralLaplacian,
)
from nablax.operator_use import Operator, Use

KINDS = ("periodic", "spectral", "integral", "directional")


def _fractional_laplacian(use: Use) -> Value:
    """fraclap(u, s, kind=...)."""
    order = use.scalar(1)
    kind, span = use.options.get("kind", ("", use.span))
    if kind and kind not in KINDS:
        raise fault(
            "P105",
            span,
            f"`fraclap` has no kind `{kind}`",
            f"choose one of {', '.join(KINDS)}",
        )
    wall = next((a for a in use.scope.axes if not a.periodic), None)
    if "diffusivity" in use.options and (kind != "spectral" or wall is None):
        raise fault(
            "P334",
            use.options["diffusivity"][1],
            "only `fraclap` of kind `spectral` between walls has a diffusivity",
            "remove `diffusivity`, or write `kind=spectral`",
        )
    if wall is None:
        if kind in ("integral", "directional"):
            raise fault(
                "P333",
                span,
                f"`fraclap` of kind `{kind}` looks beyond the walls, and every axis is periodic",
                "leave `kind` out: a periodic field has one fractional Laplacian",
            )
        check_order(use, 1, order, 0, 2)
        return _each(use.value(0), lambda c: FractionalLaplacian(c, order))
    beyond = next((name for name in ("exterior", "support") if name in use.options), None)
    if beyond is not None and kind not in ("integral", "directional"):
        raise fault(
            "P334",
            use.options[beyond][1],
            "only `fraclap` of kind `integral` looks outside",
            f"remove `{beyond}`, or write `kind=integral`",
        )
    if not kind:
        raise fault(
            "P333",
            use.span,
            f"`fraclap` has two meanings where `{wall.name}` has walls, which differ by a fifth and more",
            "write `kind=spectral` (by the eigenfunctions of the Laplacian with the conditions on the walls) "
            "or `kind=integral` (over all of space, the field known outside)",
            label="no kind",
        )
    if kind == "periodic":
        raise fault(
            "P333",
            span,
            f"`fraclap` of kind `periodic` needs every axis to be periodic, and `{wall.name}` has walls",
            f"make `{wall.name}` periodic, or choose `kind=spectral` or `kind=integral`",
        )
    if kind == "spectral":
        _check_cartesian(use)
        diffusivity = _diffusivity(use)
        check_order(use, 1, order, 0, 2 if diffusivity == 1 else 1)
        return _each(use.value(0), lambda c: SpectralLaplacian(c, order, diffusivity))
    if not _radial(use):
        _check_cartesian(use)
    elif isinstance(use.value(0), VectorValue):
        raise fault(
            "P402",
            use.span,
            f"`fraclap` of a vector in {use.geometry.coordinates} coordinates is not available yet",
            "apply it to a scalar field",
        )
    mixed = next((a for a in use.scope.axes if a.periodic), None)
    if mixed is not None:
        raise fault(
            "P402",
            span,
            f"`fraclap` of kind `{kind}` beside the periodic axis `{mixed.name}` is not available yet",
            "use `kind=spectral`, or `riesz` along each axis",
        )
    check_order(use, 1, order, 0, 1)
    if order == 1:
        return _each(use.value(0), lambda c: -use.geometry.laplacian(c))
    exterior, support = _exterior(use), _support(use)
    if exterior != 0 and len(use.scope.axes) > 1:
        raise fault(
            "P402",
            use.options["exterior"][1],
            "`exterior` in more than one dimension is not available yet",
            "write equations for a field that is zero outside",
        )

    def whole(component: sp.Expr) -> sp.Expr:
        inside: sp.Expr = IntegralLaplacian(component, order, support)
        if exterior == 0:
            return inside
        return inside + Outside(exterior, order, wall.symbol, sp.Symbol(component.func.__name__))

    return _each(use.value(0), whole)


def _diffusivity(use: Use) -> sp.Expr:
    """a of (-div(a grad))^s: 1, or what `diffusivity` gives."""
    value, span = use.options.get("diffusivity", (sp.S.One, use.span))
    if isinstance(value, str):
        raise fault(
            "P101", span, f"`{value}` is not declared", "give a number or an expression of coordinates"
        )
    moving = {use.scope.time.symbol} if use.scope.time is not None else set()
    if isinstance(value, VectorValue) or value.atoms(AppliedUndef) or value.free_symbols & moving:
        raise fault(
            "P334",
            span,
            "the diffusivity is no known scalar function of space",
            "write `diffusivity=` an expression of coordinates and parameters",
        )
    return value


def _exterior(use: Use) -> sp.Expr:
    """The field outside the box: 0, or what `exterior` gives."""
    value, span = use.options.get("exterior", (sp.S.Zero, use.span))
    if isinstance(value, str):
        raise fault(
            "P101",
            span,
            f"`{value}` is not declared",
            "give a number or an expression of coordinates",
        )
    if isinstance(value, VectorValue) or value.atoms(AppliedUndef):
        raise fault(
            "P334",
            span,
            "the field outside is no known scalar function",
            "write `exterior=` a number, or an expression of coordinates, time and parameters",
        )
    if value != 0 and not isinstance(use.value(0), AppliedUndef):
        raise fault(
            "P402",
            span,
            "`exterior` for anything but a scalar field is not available yet",
            "apply `fraclap` to the field itself",
        )
    return value


def _support(use: Use) -> sp.Integer:
    """Where the field may differ from zero."""
    word, span = use.options.get("support", ("box", use.span))
    if not isinstance(word, str) or word not in SUPPORTS:
        raise fault(
            "P105", span, "the support of a field is `box`, `ball` or `space`", "choose one of the three"
        )
    if word != "box" and "exterior" in use.options:
        raise fault(
            "P334",
            span,
            f"the support `{word}` says already what the field is outside",
            "remove `exterior` or `support`",
        )
    support = SUPPORTS[word]
    return BOX if support == BALL and len(use.scope.axes) == 1 and not use.geometry.families else support


def _riesz(use: Use) -> Value:
    """riesz(u, x, β)."""
    symbol, order = use.axis(1), use.scalar(2)
    axis = next(a for a in use.scope.all_axes if a.symbol == symbol)
    if axis not in use.scope.axes:
        raise fault("P109", use.arguments[1][1], "`riesz` acts along a space axis", "name one of them")
    if not all(a.periodic for a in use.scope.axes):
        _check_cartesian(use)
        check_order(use, 2, order, 0, 2)
        if order == 2 and not axis.periodic:
            return _each(use.value(0), lambda c: sp.Derivative(c, (symbol, 2)))
        return _each(use.value(0), lambda c: BoundedRiesz(c, symbol, order))
    check_order(use, 2, order, 0, 4)
    return _each(use.value(0), lambda c: RieszDerivative(c, symbol, order))


def _radial(use: Use) -> bool:
    """Whether fields are functions of the distance from the centre of a disc or a ball."""
    axes = use.scope.axes
    return use.geometry.coordinates != "cartesian" and len(axes) == 1 and axes[0].lower == 0


def _check_cartesian(use: Use) -> None:
    if use.geometry.coordinates != "cartesian":
        raise fault(
            "P402",
            use.span,
            f"`{use.name}` in {use.geometry.coordinates} coordinates is not available yet",
            "use cartesian coordinates",
        )


def _each(value: Value, f: Callable[[sp.Expr], sp.Expr]) -> Value:
    return VectorValue(tuple(map(f, value.items))) if isinstance(value, VectorValue) else f(value)


SPACE_FRACTIONAL = (
    Operator(
        "fraclap",
        "any, s → same",
        "(-Δ)^s u",
        "fractional Laplacian",
        2,
        2,
        _fractional_laplacian,
        ("kind", "exterior", "support", "diffusivity"),
    ),
    Operator("riesz", "any, axis, β → same", "", "Riesz derivative -(-∂xx)^(β/2)", 3, 3, _riesz),
)
