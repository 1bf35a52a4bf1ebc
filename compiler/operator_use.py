"""What an entry of the operator table is, and what it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy as sp

from nablax.frontend.source import Span
from nablax.geometry import Geometry
from nablax.meaning.scope import Scope
from nablax.meaning.values import Value, VectorValue, fault


@dataclass(frozen=True, slots=True)
class Use:
    """One use of an operator: its arguments, evaluated, with their places."""

    name: str
    arguments: tuple[tuple[Value, Span], ...]
    options: Mapping[str, tuple[Value | str, Span]]
    scope: Scope
    span: Span

    def value(self, index: int) -> Value:
        return self.arguments[index][0]

    def scalar(self, index: int) -> sp.Expr:
        value, span = self.arguments[index]
        if isinstance(value, VectorValue):
            raise fault(
                "P202",
                span,
                f"`{self.name}` takes a scalar here, and this is a vector",
                f"give one component, such as `.{self.scope.axes[0].name}`, or use an operator of vectors",
                label="a vector",
            )
        return value

    def vector(self, index: int) -> VectorValue:
        value, span = self.arguments[index]
        if not isinstance(value, VectorValue):
            raise fault(
                "P202",
                span,
                f"`{self.name}` takes a vector here, and this is a scalar",
                "declare the field as `U: vector`, or write the vector out as `(a, b)`",
                label="a scalar",
            )
        return value

    def axis(self, index: int) -> sp.Symbol:
        value, span = self.arguments[index]
        if value in self.scope.symbols:
            return value
        raise fault(
            "P109",
            span,
            f"`{self.scope.source.slice(span)}` is not an axis",
            f"name one of the axes: {', '.join(a.name for a in self.scope.all_axes)}",
            label="an axis is wanted here",
        )

    @property
    def geometry(self) -> Geometry:
        return self.scope.geometry


@dataclass(frozen=True, slots=True)
class Operator:
    """`least` to `most` positional arguments; `options` are the names it takes after them.

    `binds` is the argument that may be a name of its own, bound in the first argument: `y` in
    `integral(k(x, y)*u, y, 0, x)`; None where there is none.
    """

    name: str
    signature: str
    sugar: str
    summary: str
    least: int
    most: int
    apply: Callable[[Use], Value]
    options: tuple[str, ...] = ()
    binds: int | None = None
