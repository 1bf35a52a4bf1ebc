"""The problem a spec states, as SymPy: names resolved, shapes agreed, components written out.

Coordinates and parameters are real symbols. Every scalar unknown is an applied function of the space
axes in declared order, then time, so that SymPy's own calculus applies to it. A derivative of a
composite stays unevaluated (`Derivative(u**2/2, x)`): the form as written is worth keeping.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.source import Source, Span

Side = Literal[0, 1]
Coordinates = Literal["cartesian", "polar", "cylindrical", "spherical"]


@dataclass(frozen=True, slots=True)
class Axis:
    """A coordinate and its interval. The ends may hold parameters; those are static.

    An indexed family `x[1..100]` is one axis with a `size`; its symbol stands for all its members, the first
    of which has the index `first` (see `nablax.families`).
    """

    name: str
    symbol: sp.Symbol
    lower: sp.Expr
    upper: sp.Expr
    periodic: bool
    span: Span
    size: int | None = None
    first: int = 1


@dataclass(frozen=True, slots=True)
class Component:
    """One scalar function to be determined: `u`, or `U.x` of the vector field `U`."""

    name: str
    field: str
    value: AppliedUndef
    complex: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """A field as declared: rank 0 has one component, rank 1 one per space axis."""

    name: str
    rank: int
    complex: bool
    components: tuple[Component, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named number. `interval` and `unknown` are set for `D ~ 0.1 in [0, 1]`.

    `formula` is the value in terms of earlier parameters, where the text writes it so.
    """

    name: str
    symbol: sp.Symbol
    value: sp.Expr
    unknown: bool
    interval: tuple[sp.Expr, sp.Expr] | None
    span: Span
    formula: sp.Expr | None = None


@dataclass(frozen=True, slots=True)
class Coefficient:
    """An unknown field `C(x) ~ 0.5 in [0.1, 2]`: a function to be found that no equation determines.

    `value` is the function of its own arguments, coordinates of the problem.
    """

    name: str
    value: AppliedUndef
    start: sp.Expr
    interval: tuple[sp.Expr, sp.Expr] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Summand:
    """A signed additive term of a statement, with its place in the text."""

    value: sp.Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Equation:
    """A scalar equation, 0 = sum of the summands (left side minus right side)."""

    name: str
    summands: tuple[Summand, ...]
    span: Span

    @property
    def residual(self) -> sp.Expr:
        return sp.Add(*(s.value for s in self.summands))


@dataclass(frozen=True, slots=True)
class InitialCondition:
    """The `order`-th time derivative of a component at the start of time."""

    component: str
    order: int
    value: sp.Expr
    span: Span


@dataclass(frozen=True, slots=True)
class BoundaryCondition:
    """0 = residual on one side of one bounded axis. Normal derivatives are already axis derivatives."""

    axis: str
    side: Side
    residual: sp.Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Cut:
    """A relation that holds in the region: `value` < 0, in space coordinates and static parameters.

    `name` is that of the curve (in space: the surface) where `value` is 0, which cuts may share; `mark` is
    its own.
    """

    name: str
    mark: str
    value: sp.Expr
    span: Span


@dataclass(frozen=True, slots=True)
class EdgeCondition:
    """0 = residual on the curve of one of the problem's cuts, normal derivatives written out."""

    cut: int
    residual: sp.Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Expectation:
    """`left relation right` on data of the run: one frame (`at`), every frame (`always`) or the last.

    Sides are SymPy expressions over fields, coordinates and the reductions of `nablax.reductions`.
    """

    left: sp.Basic  # an expression, or a tuple of the components of a vector
    relation: Literal["≈", "<", ">", "<=", ">="]
    right: sp.Basic
    within: sp.Expr | None
    always: bool
    at: sp.Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Option:
    """An entry of `solve`, `train` or `output`: a word, a number, a list of numbers or a call.

    `given` is the flag that an option from outside the text came with (`--solve n=512`).
    """

    name: str
    value: "OptionValue"
    span: Span
    given: str = ""


@dataclass(frozen=True, slots=True)
class OptionCall:
    """`heatmap(u)`, `adam(20000, lr=1e-3)`."""

    name: str
    arguments: tuple["OptionValue", ...]
    options: tuple[tuple[str, "OptionValue"], ...] = ()


OptionValue: TypeAlias = str | sp.Expr | OptionCall | tuple["OptionValue", ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A table of measurements: the file, its columns of coordinates, and the column of the quantity.

    `value` is the quantity as an expression of the fields; `sigma` its standard error, where the text has it.
    """

    name: str
    path: str
    axes: tuple[str, ...]
    quantity: str
    span: Span
    value: sp.Expr = sp.S.Zero
    sigma: sp.Expr | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A resolved spec. True of it: every symbol declared, ranks agree, no user text left.

    `arrays` are definitions that a solver takes as arrays: their values stand for them in the statements.
    All `cuts` hold in the region, the whole box where there are none; `edges` are conditions on their curves.
    """

    source: Source
    title: str
    coordinates: Coordinates
    axes: tuple[Axis, ...]
    time: Axis | None
    fields: tuple[Field, ...]
    parameters: tuple[Parameter, ...]
    equations: tuple[Equation, ...]
    initial: tuple[InitialCondition, ...]
    boundary: tuple[BoundaryCondition, ...]
    expectations: tuple[Expectation, ...]
    solve: tuple[Option, ...]
    output: tuple[Option, ...]
    train: tuple[Option, ...]
    data: tuple[Measurement, ...]
    span: Span
    coefficients: tuple[Coefficient, ...] = ()
    arrays: tuple[Coefficient, ...] = ()
    cuts: tuple[Cut, ...] = ()
    edges: tuple[EdgeCondition, ...] = ()

    @property
    def families(self) -> tuple[Axis, ...]:
        """The axes that are indexed families."""
        return tuple(a for a in self.axes if a.size is not None)

    @property
    def components(self) -> tuple[Component, ...]:
        return tuple(c for f in self.fields for c in f.components)

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """Space symbols, then time: the arguments of every component."""
        space = tuple(a.symbol for a in self.axes)
        return space if self.time is None else (*space, self.time.symbol)
