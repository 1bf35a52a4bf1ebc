"""The normal form both exits start from: M · d/dt u = L u + N(u) + f, and constraints 0 = ...

First order in time (a second-order field brings its rate `dt(w)` as an unknown of its own), scalar
components only, every term with its place in the text. Linear terms are linear by proof: their second
variation vanishes. Nonlinear terms are kept twice, expanded (derivatives of bare unknowns only) and
conservative (derivatives of pointwise fluxes), equal in value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import Kernel, Kind
from nablax.frontend.source import Span
from nablax.problem import Axis, Parameter, Problem, Side, Summand

Orders = tuple[int, ...]
"""Derivative orders, one per space axis in declared order."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A scalar function the system determines.

    `value` is the applied function that stands for it in every expression of the system; for a rate it
    is a function of its own (`Function("dt(w)")(x, t)`) and `rate_of` is the index of the unknown it
    is the time derivative of. `algebraic` unknowns have no evolution equation (a pressure).
    """

    name: str
    value: AppliedUndef
    complex: bool
    rate_of: int | None
    algebraic: bool
    span: Span


def root_of(unknown: int, unknowns: Sequence[Unknown]) -> int:
    """The index of the component whose rate (of whatever order) this is; its own for a component."""
    parent = unknowns[unknown].rate_of
    return unknown if parent is None else root_of(parent, unknowns)


@dataclass(frozen=True, slots=True)
class LinearTerm:
    """coefficient · D^orders · multiplier of one unknown.

    `coefficient` holds coordinates, time and parameters, never an unknown. `multiplier` is a further
    Fourier symbol in `wavenumbers(system)` (1 for ordinary derivatives, |k|^(2s) for (-Δ)^s). `operator` is
    set where the term is an operator between walls (`nablax.nonlocal_operators`): the applied operator.
    """

    coefficient: sp.Expr
    unknown: int
    orders: Orders
    multiplier: sp.Expr
    span: Span
    operator: sp.Expr | None = None

    @property
    def local(self) -> bool:
        """Whether the term is a derivative of whole order."""
        return self.multiplier == 1 and self.operator is None


@dataclass(frozen=True, slots=True)
class FluxTerm:
    """coefficient · D^orders [ flux ].

    `coefficient` is free of space coordinates and unknowns, so it commutes with D. `flux` is pointwise
    in coordinates, time, parameters, unknowns `u(x, t)` and their space derivatives
    `Derivative(u(x, t), (x, 2))`.
    """

    coefficient: sp.Expr
    orders: Orders
    flux: sp.Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Terms:
    """A right-hand side by kind; the sum of linear + nonlinear + forcing is its value.

    `nonlinear` has orders 0 throughout; `conservative` is its equal with the fewest transforms.
    `forcing` terms hold no unknown. `written` is the whole right-hand side as it stands in the text,
    derivatives of composites closed; empty where that form is lost.
    """

    linear: tuple[LinearTerm, ...] = ()
    nonlinear: tuple[FluxTerm, ...] = ()
    conservative: tuple[FluxTerm, ...] = ()
    forcing: tuple[FluxTerm, ...] = ()
    written: tuple[Summand, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """coefficient · e^(-rate t) D^order e^(rate t) of a field in time, from the start of time on.

    `coefficient` and `order` hold numbers and parameters, and an order below 1 may hold the time (its
    value is that at the time of the derivative). An order of 1 or 2 is the classical derivative. `kernel` is
    what u' is weighted with: t^(-α)/Γ(1-α), or the bounded ones e^(-αt/(1-α))/(1-α) (Caputo and Fabrizio)
    and E_α(-αt^α/(1-α))/(1-α) (Atangana and Baleanu). `scale` is the ψ(t) that the power kernel measures the
    time by, None for t itself.
    """

    coefficient: sp.Expr
    order: sp.Expr
    kind: Kind
    span: Span
    kernel: Kernel = "power"
    rate: sp.Expr = sp.S.Zero
    scale: sp.Expr | None = None

    @property
    def strength(self) -> sp.Expr:
        """The power of the frequency that it grows like: the order, and 0 for a bounded kernel."""
        return self.order if self.kernel == "power" else sp.S.Zero


@dataclass(frozen=True, slots=True)
class Evolution:
    """mass(d/dt unknowns) = terms, for the unknown with index `unknown`.

    `mass` is a linear operator on the time derivatives; plain d/dt is one term with coefficient 1. Where
    `memory` is not empty, the sum of its derivatives, of the field that `unknown` is or is a rate of, stands
    in the place of d/dt.
    """

    name: str
    unknown: int
    mass: tuple[LinearTerm, ...]
    terms: Terms
    span: Span
    memory: tuple[Memory, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why equations have no normal form for grids, a sentence that `not available yet` ends, and where."""

    reason: str
    span: Span


@dataclass(frozen=True, slots=True)
class Constraint:
    """0 = terms, an equation without a time derivative.

    `unknown` is the index of the algebraic unknown that it determines; None where it holds evolving
    unknowns only, and a multiplier in their equations makes it true (a divergence, and the pressure).
    """

    name: str
    terms: Terms
    span: Span
    unknown: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """An equation as it stands: 0 = every value, sums of products of jets, solved for nothing.

    Where the normal form is for time steppers, this is for residuals: no division, no rates, and time
    derivatives of any order. A vector equation has one value per axis. `name` is the label, else the field
    (or component) that the equation determines.
    """

    name: str
    values: tuple[sp.Expr, ...]
    vector: bool
    span: Span


@dataclass(frozen=True, slots=True)
class BoundaryTerm:
    """coefficient · d^order/d(axis)^order of the unknown the condition speaks of."""

    coefficient: sp.Expr
    order: int


@dataclass(frozen=True, slots=True)
class Boundary:
    """Σ terms = data on a side, for one unknown; Σ terms of d/dt unknown where it is `dynamic`.

    `coefficient`s hold the other coordinates, time and parameters. `data` may hold traces besides
    (`nablax.traces`): unknowns and their space derivatives on the wall, those of other unknowns included.
    A Dirichlet condition is one term of order 0; it is an equation for the trace where its data hold the
    unknown itself. A dynamic one is a term of order 0 too, and its wall evolves by it. `derived` conditions
    are time derivatives of those that the text states. `axis` and `unknown` are indices.
    """

    unknown: int
    axis: int
    side: Side
    terms: tuple[BoundaryTerm, ...]
    data: sp.Expr
    span: Span
    dynamic: bool = False
    derived: bool = False

    @property
    def dirichlet(self) -> bool:
        return not self.dynamic and all(t.order == 0 for t in self.terms)


@dataclass(frozen=True, slots=True)
class System:
    """The normal form. `initial[i]` belongs to `unknowns[i]`; None for algebraic unknowns.

    `balances` are the same equations before anything is solved for, the start of every residual. `refusal`
    says why there is nothing else.
    """

    problem: Problem
    unknowns: tuple[Unknown, ...]
    evolution: tuple[Evolution, ...]
    constraints: tuple[Constraint, ...]
    initial: tuple[sp.Expr | None, ...]
    boundary: tuple[Boundary, ...]
    balances: tuple[Balance, ...] = ()
    refusal: Refusal | None = None

    @property
    def has_memory(self) -> bool:
        """Whether a derivative in time remembers the past."""
        return any(e.memory for e in self.evolution)

    @property
    def balances_alone(self) -> bool:
        """Whether there is no normal form: residuals take such equations, and no grid does."""
        return not self.evolution and not self.constraints

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self.problem.axes

    @property
    def right_sides(self) -> tuple[Terms, ...]:
        """The terms of every evolution equation, then of every constraint."""
        return (*(e.terms for e in self.evolution), *(c.terms for c in self.constraints))

    @property
    def time(self) -> Axis | None:
        return self.problem.time

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.problem.parameters


def wavenumbers(system: System) -> tuple[sp.Symbol, ...]:
    """The symbols k_x, k_y, ... that Fourier symbols are written in (real; d/dx ↔ i k_x)."""
    return tuple(sp.Symbol(f"k_{a.name}", real=True) for a in system.axes)
