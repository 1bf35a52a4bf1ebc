"""What a spatial scheme hands a stepper, and what a solver carries.

A scheme turns a `Plan` into a semidiscretisation: an ordinary differential equation for a tuple of
arrays `y`, one per evolving unknown, in whatever space suits it (nodes, or Fourier coefficients). A
stepper is a pure function on the semidiscretisation; it never sees the PDE.

Parameters travel as a mapping from their names to scalars, always traced; arrays that a scheme makes of
them, or of the grid (`Prepared`, `Tabled`), travel beside them.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from jax import Array

from nablax.frontend.source import Span
from nablax.plan import Plan

Parameters = Mapping[str, Array]
Vector = tuple[Array, ...]
"""The evolving unknowns in system order, in the scheme's own representation."""
Carry = TypeVar("Carry")
"""What a time loop carries: `Vector` itself, or the arrays with their ghost cells attached."""


class State(NamedTuple):
    """A pytree: time, the unknowns, and the step the controller would take next (0: none yet)."""

    t: Array
    y: Vector
    dt: Array


class Opening(NamedTuple):
    """The start of time: the state, and nodal values by component name of what it does not hold whole."""

    state: State
    given: dict[str, Array]


class Semidiscretisation(Protocol[Carry]):
    """dy/dt = rate(t, y). All methods are pure and jittable."""

    @property
    def plan(self) -> Plan: ...

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        """y at the start of time; `fields` (nodal arrays by component name) replaces the spec's data."""
        ...

    def embed(self, t: Array, y: Vector, params: Parameters) -> Carry:
        """Attach what the rate reads around y (ghost cells)."""
        ...

    def core(self, carry: Carry) -> Vector:
        """The inverse of `embed`."""
        ...

    def rate(self, t: Array, carry: Carry, params: Parameters) -> Vector:
        """The whole right-hand side."""
        ...

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """At the end of each step: pins boundary values, restores a constraint; else the identity."""
        ...

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        """Nodal arrays of shape `plan.shape` by component name; algebraic unknowns, but no rates."""
        ...


class Split(Semidiscretisation[Carry], Protocol[Carry]):
    """rate = L y + explicit_rate, with L linear, constant in time, and cheap to invert in I - shift·L."""

    def explicit_rate(self, t: Array, carry: Carry, params: Parameters) -> Vector:
        """Everything that is not L y: nonlinear terms, forcing, inhomogeneous boundary data."""
        ...

    def linear(self, y: Vector, params: Parameters) -> Vector:
        """L y."""
        ...

    def solve(self, shift: Array, right: Vector, params: Parameters) -> Vector:
        """The y with y - shift · L y = right."""
        ...


class Block(NamedTuple):
    """Unknowns whose linear parts are alike, or coupled.

    Not coupled: `symbol` has the shape of a mode array (or broadcasts to it) and holds for each member by
    itself. Coupled: `symbol` is [n, n, modes...], the rows and columns in the order of `members`.
    """

    members: tuple[int, ...]
    coupled: bool
    symbol: Array


class Exponential(Split[Carry], Protocol[Carry]):
    """A split whose L is diagonal, or block diagonal, in the representation of y."""

    def symbol(self, params: Parameters) -> tuple[Block, ...]:
        """L, every evolving unknown in exactly one block."""
        ...


class Eigenmodes(NamedTuple):
    """What takes a linear operator on one array of y apart: `values` has the shape of what `forward` makes of
    such an array (or broadcasts to it), and `backward` is its inverse, zero where nothing evolves."""

    values: Array
    forward: Callable[[Array], Array]
    backward: Callable[[Array], Array]


@runtime_checkable
class Diagonal(Split[Vector], Protocol):
    """A split whose equations, where each holds one field, have eigenvectors that are known."""

    def eigenmodes(self, equation: int, field: int, params: Parameters) -> Eigenmodes:
        """Those of the part of L that acts on `field` in an equation. Raises `Unsupported`."""
        ...


class Extensible(Protocol):
    """A scheme on arrays that reach beyond the grid, by `depth` times the radius of its stencils."""

    @property
    def most(self) -> int:
        """The largest depth."""
        ...

    def extend(self, y: Vector, depth: int) -> Vector: ...

    def crop(self, arrays: Vector, depth: int, to: int) -> Vector:
        """Arrays of a depth, cut to a smaller one."""
        ...

    def rate(self, depth: int, t: Array, arrays: Vector, params: Parameters) -> Vector:
        """The whole right-hand side, of depth - 1, from arrays of `depth`."""
        ...


@runtime_checkable
class Linearised(Protocol):
    """A scheme that inverts the derivative of its rate: what Newton's method needs."""

    def solve_linearised(
        self, shift: Array, t: Array, y: Vector, right: Vector, params: Parameters
    ) -> Vector:
        """The z with z - shift · J z = right, J the derivative of `rate` at (t, y)."""
        ...


@runtime_checkable
class Courant(Semidiscretisation[Vector], Protocol):
    """A scheme that knows how long a step may be from a given state."""

    def stable_step(self, t: Array, y: Vector, params: Parameters) -> Array:
        """The longest stable step, from the wave speeds of y; inf where nothing moves."""
        ...

    def admissible(self, t: Array, before: Vector, after: Vector, params: Parameters) -> Array:
        """Whether a step led to a state that makes sense."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A scheme whose y is not nodal and that knows the size of the fields behind it."""

    def norm(self, y: Vector) -> tuple[Array, ...]:
        """Root mean square over the grid, per evolving unknown."""
        ...


@runtime_checkable
class Truncating(Protocol):
    """A scheme that may start from less than the initial data."""

    def given(self, params: Parameters, fields: Mapping[str, Array]) -> dict[str, Array]:
        """The data at the nodes, of the components that `initial` cuts: what the first frame shows."""
        ...


@runtime_checkable
class Prepared(Protocol):
    """A scheme with quantities that depend on the parameters alone."""

    def prepare(self, params: Parameters) -> Parameters:
        """The parameters, and beside them what is worth computing once before a time loop.

        Every method accepts the result in place of the bare parameters.
        """
        ...


Inverse = Literal["split", "jacobian"]
"""What a stepper inverts: `Split.solve`, or `Linearised.solve_linearised`."""


@runtime_checkable
class Tabled(Protocol):
    """A scheme whose solves take dense matrices that follow from the grid alone."""

    def tables(self, inverse: Inverse | None) -> Mapping[str, np.ndarray]:
        """Those of its own equations and of one inverse, by names that no parameter has.

        Every method looks for them among the parameters: there they are arguments of a program, whose size
        and compile time they leave alone; where they are missing they are constants in it.
        """
        ...


@runtime_checkable
class Iterated(Protocol):
    """A split scheme that can tell whether a stage, its `solve` above all, holds an iteration, so that a copy
    of it for every stage takes long to compile."""

    @property
    def iterated(self) -> bool: ...


@runtime_checkable
class Affine(Protocol):
    """A split scheme that can tell whether `explicit_rate` depends on t and the parameters alone."""

    @property
    def affine(self) -> bool: ...


class Rest(NamedTuple):
    """A steady solution: nodal arrays of shape `plan.shape` by component name, NaN if nothing converged.

    `residuals` are root mean squares, the first guess's first, NaN beyond the last iteration. `defects`
    holds, per component determined up to a constant, what the data lack to be compatible.
    """

    fields: dict[str, Array]
    residuals: Array
    converged: Array
    defects: dict[str, Array]


class Equilibrium(Protocol):
    """The equations of a steady problem, discretised."""

    @property
    def plan(self) -> Plan: ...

    def solve(self, params: Parameters, fields: Mapping[str, Array]) -> Rest:
        """Pure, jittable, differentiable in the parameters; `fields` replaces the first guess."""
        ...


class Unsupported(Exception):
    """A plan this backend cannot build, with the place of the term that prevents it."""

    def __init__(self, message: str, span: Span | None = None) -> None:
        self.span = span
        super().__init__(message)
