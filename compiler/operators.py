"""The operator table: one entry per named operator of the language.

The grammar knows no operator by name; sugar arrives here as a call. An entry says what it takes, what
it makes and how; documentation and messages read the same entry. Operators that a later backend brings
are entries too (`Planned`), so that using one is a located message.
"""

from collections.abc import Callable, Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import Jump, may_jump
from nablax.fractional_operators import FRACTIONAL
from nablax.frontend.diagnostics import Note
from nablax.geometry import differentiate
from nablax.limits import DIFFERENTIATED_NODES, checked
from nablax.meaning.integral_terms import convolution, reduction, running
from nablax.meaning.values import Value, VectorValue, fault
from nablax.operator_use import Operator, Use
from nablax.reductions import Integral, Mean
from nablax.region import outward_normal
from nablax.space_fractional import SPACE_FRACTIONAL


def _each(value: Value, f: Callable[[sp.Expr], sp.Expr]) -> Value:
    return VectorValue(tuple(f(c) for c in value.items)) if isinstance(value, VectorValue) else f(value)


def _gradient(use: Use) -> Value:
    return use.geometry.gradient(use.scalar(0))


def _divergence(use: Use) -> Value:
    return use.geometry.divergence(use.vector(0))


def _curl(use: Use) -> Value:
    if use.geometry.dimension == 1:
        axis = use.scope.axes[0].name
        raise fault(
            "P202", use.span, "`curl` needs two or three space axes, and there is one", f"use `d{axis}(...)`"
        )
    value = use.value(0)
    if not isinstance(value, VectorValue):
        if use.geometry.dimension == 2:
            return use.geometry.rotated_gradient(value)
        return use.vector(0)
    return use.geometry.curl(value)


def _laplacian(use: Use) -> Value:
    value = use.value(0)
    if isinstance(value, VectorValue):
        return use.geometry.vector_laplacian(value)
    return use.geometry.laplacian(value)


def _biharmonic(use: Use) -> Value:
    return _each(use.value(0), lambda c: use.geometry.laplacian(use.geometry.laplacian(c)))


def _dot(use: Use) -> Value:
    a, b = use.vector(0), use.vector(1)
    return sp.Add(*(p * q for p, q in zip(a.items, b.items, strict=True)))


def _cross(use: Use) -> Value:
    a, b = use.vector(0).items, use.vector(1).items
    if use.geometry.dimension == 2:
        return a[0] * b[1] - a[1] * b[0]
    if use.geometry.dimension == 1:
        raise fault(
            "P202",
            use.span,
            "a cross product needs two or three space axes, and there is one",
            "use a product",
        )
    return VectorValue(tuple(a[j] * b[k] - a[k] * b[j] for j, k in ((1, 2), (2, 0), (0, 1))))


def _advect(use: Use) -> Value:
    velocity, value = use.vector(0), use.value(1)
    if isinstance(value, VectorValue):
        return use.geometry.advect_vector(velocity, value)
    return use.geometry.advect(velocity, value)


def _normal_derivative(use: Use) -> Value:
    if use.scope.cut is not None:
        normal = outward_normal(use.scope.cut, use.geometry.symbols)
        if normal is None:
            raise fault(
                "P309",
                use.span,
                f"the curve `{use.scope.cut.name}` may have corners, where no normal is",
                "write the region by smooth relations, one `inside` for each smooth piece",
                label="a normal derivative",
                notes=(Note("this relation has a kink", use.scope.cut.span),),
            )
        pairs = tuple(zip(normal, use.geometry.symbols, strict=True))
        return _each(use.value(0), lambda c: sp.Add(*(n * differentiate(c, x) for n, x in pairs)))
    if use.scope.wall is None:
        raise fault(
            "P307",
            use.span,
            "`dn` is the derivative along the outward normal, and there is no wall here",
            f"use `dn` in the `boundary` block, or name the axis: `d{use.scope.axes[0].name}(u)`",
            label="no wall here",
        )
    axis, side = use.scope.wall
    if use.scope.axes[axis].size is not None:
        raise fault(
            "P402",
            use.span,
            "the normal derivative at the walls of a family is not available yet",
            "prescribe the value",
        )
    sign = -1 if side == 0 else 1
    symbol, scale = use.geometry.symbols[axis], use.geometry.scales[axis]
    return _each(use.value(0), lambda c: sign * differentiate(c, symbol) / scale)


def _variation(use: Use) -> Value:
    """The Euler operator: Σ (-1)^|α| D^α ∂F/∂(D^α u) (Olver, Applications of Lie Groups, 4.1)."""
    density, unknown = use.scalar(0), use.value(1)
    targets = unknown.items if isinstance(unknown, VectorValue) else (unknown,)
    for target in targets:
        if not isinstance(target, AppliedUndef):
            raise fault(
                "P109",
                use.arguments[1][1],
                "a variational derivative is taken with respect to a field, and this is none",
                "name a field or a component as the second argument",
                label="no field",
            )
    weight = use.geometry.volume
    density = checked(weight * sp.expand(checked(density).doit()), DIFFERENTIATED_NODES)
    jets = sorted(
        (a for a in density.atoms(sp.Derivative, AppliedUndef)),
        key=sp.default_sort_key,
    )
    stand_ins = {jet: sp.Dummy() for jet in jets}
    frozen = density.xreplace(stand_ins)

    def euler(target: AppliedUndef) -> sp.Expr:
        total = sp.S.Zero
        for jet in jets:
            base = jet.expr if isinstance(jet, sp.Derivative) else jet
            if base != target:
                continue
            if may_jump(frozen, stand_ins[jet]):
                raise Jump
            slope = checked(sp.diff(frozen, stand_ins[jet])).xreplace({d: j for j, d in stand_ins.items()})
            orders = jet.variable_count if isinstance(jet, sp.Derivative) else ()
            for symbol, count in orders:
                slope = (-1) ** int(count) * differentiate(slope, symbol, int(count))
            total += slope
        return total if weight == 1 else total / weight

    results = tuple(euler(t) for t in targets)
    return VectorValue(results) if isinstance(unknown, VectorValue) else results[0]


def _integral(use: Use) -> Value:
    bounds = [use.scalar(i) for i in range(2, len(use.arguments))]
    variable = use.value(1) if len(use.arguments) == 2 else None
    if bounds or (isinstance(variable, sp.Dummy) and use.scalar(0).has(variable)):
        return running(use.scope, use.scalar(0), use.arguments[1], use.arguments[2:], use.span)
    return _reduction(use, Integral)


def _mean(use: Use) -> Value:
    return _reduction(use, Mean)


def _reduction(use: Use, kind: type[sp.Function]) -> Value:
    axes = tuple(use.axis(i) for i in range(1, len(use.arguments)))
    return reduction(use.scope, use.name, kind, use.scalar(0), axes, use.span)


def _convolution(use: Use) -> Value:
    return _each(use.value(1), lambda c: convolution(use.scope, use.scalar(0), c, use.span))


_ENTRIES = (
    Operator("grad", "scalar → vector", "∇p", "gradient", 1, 1, _gradient),
    Operator("div", "vector → scalar", "∇·U", "divergence", 1, 1, _divergence),
    Operator("curl", "vector → vector (scalar in 2-D)", "∇×U", "curl", 1, 1, _curl),
    Operator("laplacian", "any → same", "Δu, ∇²u", "Laplacian", 1, 1, _laplacian),
    Operator("biharmonic", "any → same", "Δ²u", "Laplacian twice", 1, 1, _biharmonic),
    Operator("dot", "vector, vector → scalar", "a·b", "inner product", 2, 2, _dot),
    Operator("cross", "vector, vector → vector (scalar in 2-D)", "a×b", "cross product", 2, 2, _cross),
    Operator("advect", "vector, any → same", "(U·∇)w", "derivative along the first", 2, 2, _advect),
    Operator("dn", "any → same", "", "outward normal derivative, at a wall", 1, 1, _normal_derivative),
    Operator("vary", "density, field → same", "δF/δu", "variational derivative", 2, 2, _variation),
    Operator(
        "integral",
        "scalar[, axis…], or scalar, y, a, b → scalar",
        "",
        "integral over the box, or running",
        1,
        4,
        _integral,
        binds=1,
    ),
    Operator("mean", "scalar[, axis…] → scalar", "", "mean over the box", 1, 4, _mean),
    Operator("convolve", "kernel, any → same", "", "convolution over the box", 2, 2, _convolution),
    *SPACE_FRACTIONAL,
    *FRACTIONAL,
)

OPERATORS: Mapping[str, Operator] = {entry.name: entry for entry in _ENTRIES}
