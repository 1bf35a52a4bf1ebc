"""What a spatial scheme hands a stepper, and what a solver carries.

A scheme turns a `Plan` into a semidiscretisation: an ordinary differential equation for a tuple of
arrays `y`, one per evolving unknown, in whatever space suits it (nodes, or Fourier coefficients). A
stepper is a pure function on the semidiscretisation; it never sees the PDE.

Parameters travel as a mapping from their names to scalars, always traced.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeVar

from jax import Array

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


class Semidiscretisation(Protocol[Carry]):
    """dy/dt = rate(t, y). All methods are pure and jittable."""

    plan: Plan

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
        """Called at the end of each step: pins boundary values, restores a constraint; else the identity."""
        ...

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        """Nodal arrays of shape `plan.shape` by component name, algebraic unknowns included, rates left out."""
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
