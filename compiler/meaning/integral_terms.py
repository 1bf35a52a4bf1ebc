"""`integral`, `mean`, running integrals and convolutions, checked and made into integral terms."""

from collections.abc import Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.source import Span
from nablax.integrals import Convolution, Running, split_kernel
from nablax.meaning.scope import Scope
from nablax.meaning.values import Value, VectorValue, fault, shown
from nablax.problem import Axis
from nablax.reductions import Integral

ROLES = ("equations", "boundary", "expect")


def _check_role(scope: Scope, name: str, span: Span) -> None:
    if scope.role not in ROLES:
        raise fault(
            "P402",
            span,
            f"`{name}` inside `{scope.role}` is not available yet",
            "integrals stand in equations, boundary conditions and `expect`",
        )


def _check_field_role(scope: Scope, name: str, span: Span) -> None:
    """Those that make fields are for equations and conditions."""
    _check_role(scope, name, span)
    if scope.role == "expect":
        raise fault(
            "P402",
            span,
            f"`{name}` that varies along an axis is not available yet inside `expect`",
            "compare a whole integral, or the field itself",
        )


def _check_rates(scope: Scope, value: sp.Expr, span: Span) -> None:
    time = scope.time
    if time is not None and any(time.symbol in d.variables for d in value.atoms(sp.Derivative)):
        raise fault(
            "P402",
            span,
            "a time derivative under an integral is not available yet",
            "differentiate the integral: it is an equation of its own for a field",
        )


def reduction(
    scope: Scope, name: str, kind: type[sp.Function], value: sp.Expr, axes: tuple[sp.Symbol, ...], span: Span
) -> Value:
    """An integral or a mean over all axes, or over those named."""
    _check_role(scope, name, span)
    if scope.time is not None and scope.time.symbol in axes:
        raise _over_time(span)
    volume, space = scope.geometry.volume, tuple(a.symbol for a in scope.axes)
    if len(set(axes)) < len(axes):
        raise fault("P324", span, f"`{name}` names an axis twice", "name each axis once")
    if volume != 1 and axes and set(axes) != set(space):
        raise fault(
            "P402",
            span,
            f"`{name}` over one axis in {scope.geometry.coordinates} coordinates is not available yet",
            "leave the axes out: the whole domain is integrated with its volume element",
        )
    if scope.role == "expect":
        if volume == 1:
            return kind(value, *axes)
        whole = Integral(value * volume)
        return whole if kind is Integral else whole / Integral(volume)
    _check_rates(scope, value, span)
    along = axes or space
    whole = Integral(value * volume, *along)
    if kind is Integral:
        return whole
    if volume != 1:
        return whole / Integral(volume, *along)
    return whole / sp.Mul(*(a.upper - a.lower for a in scope.axes if a.symbol in along))


def _over_time(span: Span) -> Exception:
    return fault(
        "P402",
        span,
        "an integral over time remembers the whole past, which is not available yet",
        "add a field for the integral: `dt(w) = u`",
    )


def running(
    scope: Scope, value: sp.Expr, name: tuple[Value, Span], bounds: Sequence[tuple[Value, Span]], span: Span
) -> Value:
    """`integral(k(x, y)*u, y, 0, x)`: over y, with the fields at y; or along an axis under its own name."""
    _check_field_role(scope, "integral", span)
    variable, place = name
    ends: list[sp.Expr] = []
    for bound, where in bounds:
        if isinstance(bound, VectorValue) or bound.has(AppliedUndef):
            raise fault(
                "P324",
                where,
                "a bound of an integral depends on a field",
                "integrate from an end of the axis to its other end, or to the axis itself",
            )
        ends.append(bound)
    if bounds and len(bounds) != 2:
        raise fault(
            "P324", span, "an integral along one axis has two bounds, and one is given",
            "write `integral(u, x, a, b)`",
        )  # fmt: skip
    if not isinstance(variable, sp.Symbol):
        raise fault("P324", place, "this names no variable of integration", "name an axis, or a new letter")
    time = scope.time
    if time is not None and (variable == time.symbol or any(e.has(time.symbol) for e in ends)):
        raise _over_time(span)
    _check_rates(scope, value, span)
    if scope.geometry.volume != 1:
        raise fault(
            "P402",
            span,
            f"a running integral in {scope.geometry.coordinates} coordinates is not available yet",
            "use cartesian coordinates",
        )
    axis = _axis(scope, variable, ends, span)
    lower, upper = ends or (axis.lower, axis.upper)
    for bound, (_, where) in zip(ends, bounds, strict=True):
        if bound != axis.symbol and not any(_same(bound, end, scope) for end in (axis.lower, axis.upper)):
            raise fault(
                "P324",
                where,
                f"the bound {shown(bound)} is neither an end of `{axis.name}` nor `{axis.name}` itself",
                f"`{axis.name}` runs from {shown(axis.lower)} to {shown(axis.upper)}",
            )
    if axis.periodic and axis.symbol in ends:
        raise fault(
            "P324",
            span,
            f"a running integral along the periodic axis `{axis.name}` does not close",
            "integrate over the whole period, or give the axis walls",
        )
    inner = sp.Symbol(f"{variable.name}'" if variable == axis.symbol else variable.name, real=True)
    if variable == axis.symbol:
        integrand = value.xreplace({axis.symbol: inner})
    else:
        fields = value.atoms(AppliedUndef) | {
            d for d in value.atoms(sp.Derivative) if isinstance(d.expr, AppliedUndef)
        }
        moved = {f: f.xreplace({axis.symbol: inner}) for f in fields}
        integrand = value.xreplace(moved).xreplace({variable: inner})
    others = {a.symbol for a in scope.axes} - {axis.symbol}
    if any(kernel.free_symbols & others for kernel, _ in split_kernel(integrand, axis.symbol, inner)):
        raise fault(
            "P402",
            span,
            f"a kernel that depends on `{axis.name}` and on another axis is not available yet",
            "take the other axis out of the factor that holds both",
        )
    return Running(integrand, inner, axis.symbol, lower, upper)


def _same(bound: sp.Expr, end: sp.Expr, scope: Scope) -> bool:
    return bool(sp.expand(bound - end).subs(scope.nominal).equals(0))


def _axis(scope: Scope, variable: sp.Symbol, ends: Sequence[sp.Expr], span: Span) -> Axis:
    """The axis that is integrated along: the one named, the one in a bound, or the only one."""
    for axis in scope.axes:
        if axis.symbol == variable:
            return axis
    found = [a for a in scope.axes if a.symbol in ends]
    if len(found) == 1:
        return found[0]
    if len(scope.axes) == 1 and not found:
        return scope.axes[0]
    raise fault(
        "P324",
        span,
        f"nothing says which axis `{variable.name}` runs along",
        f"integrate from an end to an axis, as in `integral(u, {variable.name}, "
        f"{shown(scope.axes[0].lower)}, {scope.axes[0].name})`",
    )


def convolution(scope: Scope, kernel: sp.Expr, value: sp.Expr, span: Span) -> sp.Expr:
    """∫ k(x - y) u(y) dy: over the periodic box with wrapped offsets, or along one bounded axis."""
    _check_field_role(scope, "convolve", span)
    _check_rates(scope, value, span)
    if kernel.has(AppliedUndef):
        raise fault(
            "P324",
            span,
            "the kernel of a convolution holds a field",
            "write the kernel with coordinates alone",
        )
    if scope.geometry.volume != 1:
        raise fault(
            "P402",
            span,
            f"`convolve` in {scope.geometry.coordinates} coordinates is not available yet",
            "use cartesian coordinates",
        )
    space = tuple(a.symbol for a in scope.axes)
    if all(a.periodic for a in scope.axes):
        return Convolution(kernel, value, *space)
    if len(scope.axes) > 1:
        raise fault(
            "P402",
            span,
            "`convolve` on a box with walls is available along one axis only",
            "make every axis periodic, or write `integral(k*u, y, a, b)` along one of them",
        )
    (axis,) = scope.axes
    inner = sp.Symbol(f"{axis.name}'", real=True)
    shifted = kernel.xreplace({axis.symbol: axis.symbol - inner})
    return Running(shifted * value.xreplace({axis.symbol: inner}), inner, axis.symbol, axis.lower, axis.upper)
