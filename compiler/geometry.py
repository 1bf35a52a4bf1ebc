"""Vector calculus in orthogonal coordinates, written out in components.

Scale factors h_i give every operator (Batchelor, An Introduction to Fluid Dynamics, appendix 2). Space
derivatives of expressions that hold an unknown stay unevaluated; known expressions are differentiated.
"""

from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax import families
from nablax.continuity import check_differentiable
from nablax.limits import DIFFERENTIATED_NODES, checked
from nablax.meaning.values import VectorValue
from nablax.problem import Coordinates


def differentiate(expression: sp.Expr, symbol: sp.Symbol, order: int = 1) -> sp.Expr:
    """The derivative: evaluated for known expressions, kept as written where an unknown is inside.

    Raises `Jump` where there is none, and `TooLarge`.
    """
    if order == 0:
        return expression
    if not expression.has(symbol) and not expression.has(AppliedUndef):
        return sp.S.Zero
    check_differentiable(expression, symbol, order)
    if expression.has(AppliedUndef):
        return sp.Derivative(expression, (symbol, order))
    for _ in range(order):
        expression = sp.diff(checked(expression, DIFFERENTIATED_NODES), symbol)
    return expression


@dataclass(frozen=True, slots=True)
class Geometry:
    """The space axes with their scale factors."""

    coordinates: Coordinates
    symbols: tuple[sp.Symbol, ...]
    sizes: tuple[int | None, ...] = ()  # of indexed families, None elsewhere; () where there is none

    @property
    def families(self) -> dict[sp.Symbol, sp.Integer]:
        """Symbol and size of the axes that are indexed families."""
        return {
            s: sp.Integer(n)
            for s, n in zip(self.symbols, self.sizes or (None,) * self.dimension, strict=True)
            if n is not None
        }

    @property
    def dimension(self) -> int:
        return len(self.symbols)

    @property
    def scales(self) -> tuple[sp.Expr, ...]:
        """h_i: arc length per unit of coordinate i."""
        if self.coordinates == "cartesian":
            return (sp.S.One,) * self.dimension
        r = self.symbols[0]
        if self.coordinates == "spherical":
            full: tuple[sp.Expr, ...] = (
                sp.S.One,
                r,
                r * sp.sin(self.symbols[1]) if self.dimension > 1 else r,
            )
        elif self.axial:
            full = (sp.S.One, sp.S.One)
        else:
            full = (sp.S.One, r, sp.S.One)
        return full[: self.dimension]

    @property
    def axial(self) -> bool:
        """Whether the axes are the radius and the height `z` of a cylinder, with nothing around the axis."""
        return self.coordinates == "cylindrical" and self.dimension == 2 and self.symbols[1].name == "z"

    @property
    def angle(self) -> int | None:
        """The axis that goes all around the centre; None where fields do not depend on it."""
        if self.coordinates == "cartesian" or self.axial:
            return None
        index = 2 if self.coordinates == "spherical" else 1
        return index if index < self.dimension else None

    @property
    def volume(self) -> sp.Expr:
        """The Jacobian: product of all scale factors, those of axes left out by symmetry included."""
        if self.coordinates == "cartesian":
            return sp.S.One
        r = self.symbols[0]
        if self.coordinates == "spherical":
            return r**2 * (sp.sin(self.symbols[1]) if self.dimension > 1 else 1)
        return r

    def gradient(self, f: sp.Expr) -> VectorValue:
        if self.families:
            raise families.IndexRuleError("a vector with a component for each member of a family")
        return VectorValue(
            tuple(differentiate(f, x) / h for x, h in zip(self.symbols, self.scales, strict=True))
        )

    def divergence(self, u: VectorValue) -> sp.Expr:
        if self.coordinates == "cartesian":
            return sp.Add(*(differentiate(c, x) for c, x in zip(u.items, self.symbols, strict=True)))
        volume = self.volume
        return sp.Add(
            *(
                differentiate(volume / h * c, x) / volume
                for c, x, h in zip(u.items, self.symbols, self.scales, strict=True)
            )
        )

    def laplacian(self, f: sp.Expr) -> sp.Expr:
        if self.coordinates == "cartesian":
            many = self.families
            return sp.Add(
                *(
                    families.laplacian(f, x, many[x]) if x in many else differentiate(f, x, 2)
                    for x in self.symbols
                )
            )
        return self.divergence(self.gradient(f))

    def vector_laplacian(self, u: VectorValue) -> VectorValue:
        """Componentwise in cartesian coordinates; grad div - curl curl elsewhere."""
        if self.coordinates == "cartesian":
            return VectorValue(tuple(self.laplacian(c) for c in u.items))
        first = self.gradient(self.divergence(u)).items
        if self.dimension == 1:
            return VectorValue(first)
        curl = self.curl(u)
        second = self.rotated_gradient(curl) if not isinstance(curl, VectorValue) else self.curl(curl)
        assert isinstance(second, VectorValue)
        return VectorValue(tuple(a - b for a, b in zip(first, second.items, strict=True)))

    def curl(self, u: VectorValue) -> sp.Expr | VectorValue:
        """The vector in three dimensions, its one component across the plane in two."""
        h, x, c = self.scales, self.symbols, u.items

        def component(i: int, j: int) -> sp.Expr:
            return (differentiate(h[j] * c[j], x[i]) - differentiate(h[i] * c[i], x[j])) / (h[i] * h[j])

        if self.dimension == 2:
            return component(0, 1)
        return VectorValue((component(1, 2), component(2, 0), component(0, 1)))

    def rotated_gradient(self, f: sp.Expr) -> VectorValue:
        """The curl of f e₃ in two dimensions: (∂₂(h₃f)/h₂, -∂₁(h₃f)/h₁)/h₃, h₃ that of the axis left out."""
        x, h = self.symbols, self.scales
        across = self.volume / (h[0] * h[1])
        return VectorValue(
            (
                differentiate(across * f, x[1]) / (h[1] * across),
                -differentiate(across * f, x[0]) / (h[0] * across),
            )
        )

    def advect(self, u: VectorValue, f: sp.Expr) -> sp.Expr:
        """(u·∇) f of a scalar."""
        return sp.Add(
            *(c / h * differentiate(f, x) for c, h, x in zip(u.items, self.scales, self.symbols, strict=True))
        )

    def advect_vector(self, u: VectorValue, w: VectorValue) -> VectorValue:
        """(u·∇) w of a vector, with the terms that turning unit vectors bring."""
        h, x = self.scales, self.symbols
        n = self.dimension

        def turning(i: int) -> sp.Expr:
            return sp.Add(
                *(
                    w.items[j]
                    / (h[i] * h[j])
                    * (u.items[i] * sp.diff(h[i], x[j]) - u.items[j] * sp.diff(h[j], x[i]))
                    for j in range(n)
                    if j != i
                )
            )

        return VectorValue(tuple(self.advect(u, w.items[i]) + turning(i) for i in range(n)))
