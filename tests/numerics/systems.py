"""Systems and plans built by hand from SymPy expressions, for tests of the numerics alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.source import Source, Span
from nablax.plan import Dtype, GridAxis, Method, Plan, StepperName, Stepping
from nablax.problem import Axis, Component, Field, Parameter, Problem, Side
from nablax.system import (
    Boundary,
    BoundaryTerm,
    Constraint,
    Evolution,
    FluxTerm,
    LinearTerm,
    System,
    Terms,
    Unknown,
)

NOWHERE = Span(0, 0)
t = sp.Symbol("t", real=True)


@dataclass(frozen=True)
class Line:
    """An axis: bounds, cells (or points, if periodic)."""

    name: str
    lower: float
    upper: float
    n: int
    periodic: bool = False

    @property
    def symbol(self) -> sp.Symbol:
        return sp.Symbol(self.name, real=True)


@dataclass(frozen=True)
class Wall:
    """A condition `Σ coefficient · d^order u = data` for one unknown on one side of an axis."""

    unknown: str
    axis: str
    side: Side
    terms: Sequence[tuple[sp.Expr | float, int]]
    data: sp.Expr | float = 0


def dirichlet(unknown: str, axis: str, side: Side, data: sp.Expr | float = 0) -> Wall:
    return Wall(unknown, axis, side, [(1, 0)], data)


def neumann(unknown: str, axis: str, side: Side, data: sp.Expr | float = 0) -> Wall:
    return Wall(unknown, axis, side, [(1, 1)], data)


def both(make: Callable[..., Wall], unknown: str, axis: str, data: sp.Expr | float = 0) -> tuple[Wall, Wall]:
    return make(unknown, axis, 0, data), make(unknown, axis, 1, data)


def function(name: str, lines: Sequence[Line]) -> AppliedUndef:
    """The applied function that stands for an unknown."""
    return sp.Function(name)(*(line.symbol for line in lines), t)


def build_system(
    lines: Sequence[Line],
    rates: Mapping[str, sp.Expr],
    *,
    initial: Mapping[str, sp.Expr] | None = None,
    walls: Sequence[Wall] = (),
    parameters: Mapping[str, float] | None = None,
    complex_unknowns: Sequence[str] = (),
    rate_of: Mapping[str, str] | None = None,
    conservative: Mapping[str, Sequence[tuple[sp.Expr, Mapping[str, int], sp.Expr]]] | None = None,
    multipliers: Mapping[str, Sequence[tuple[sp.Expr, str, sp.Expr]]] | None = None,
    algebraic: Sequence[str] = (),
    constraints: Mapping[str, sp.Expr] | None = None,
) -> System:
    """`d/dt unknown = rate` for every item of `rates`; terms are told apart as the compiler would.

    `conservative[unknown]` lists (coefficient, {axis: order}, flux) and has to equal the nonlinear part.
    `multipliers[unknown]` lists (coefficient, unknown it acts on, Fourier symbol). `parameters` become
    real symbols of that name. Algebraic unknowns are listed after the evolving ones.
    """
    names = [*rates, *algebraic]
    values = [function(name, lines) for name in names]
    axes = tuple(
        Axis(a.name, a.symbol, sp.Float(a.lower), sp.Float(a.upper), a.periodic, NOWHERE) for a in lines
    )
    unknowns = tuple(
        Unknown(
            name,
            value,
            name in complex_unknowns,
            names.index(rate_of[name]) if rate_of and name in rate_of else None,
            name in algebraic,
            NOWHERE,
        )
        for name, value in zip(names, values, strict=True)
    )
    evolution = []
    for i, (name, rate) in enumerate(rates.items()):
        given = (conservative or {}).get(name)
        terms = classify(sp.Add(rate), values, axes)
        fluxes = (
            tuple(
                FluxTerm(sp.Add(c), tuple(orders.get(a.name, 0) for a in lines), flux, NOWHERE)
                for c, orders, flux in given
            )
            if given is not None
            else terms.nonlinear
        )
        extra = tuple(
            LinearTerm(sp.Add(c), names.index(on), (0,) * len(lines), symbol, NOWHERE)
            for c, on, symbol in (multipliers or {}).get(name, ())
        )
        terms = Terms((*terms.linear, *extra), terms.nonlinear, fluxes, terms.forcing)
        mass = (LinearTerm(sp.Integer(1), i, (0,) * len(lines), sp.Integer(1), NOWHERE),)
        evolution.append(Evolution(name, i, mass, terms, NOWHERE))
    stated = tuple(
        Constraint(name, classify(sp.Add(e), values, axes), NOWHERE)
        for name, e in (constraints or {}).items()
    )
    boundary = tuple(
        Boundary(
            names.index(w.unknown),
            [a.name for a in lines].index(w.axis),
            w.side,
            tuple(BoundaryTerm(sp.Add(c), order) for c, order in w.terms),
            sp.Add(w.data),
            NOWHERE,
        )
        for w in walls
    )
    components = tuple(
        Component(u.name, u.name, u.value, u.complex, NOWHERE) for u in unknowns if u.rate_of is None
    )
    problem = Problem(
        source=Source("test", ""),
        title="",
        coordinates="cartesian",
        axes=axes,
        time=Axis("t", t, sp.Integer(0), sp.Integer(1), False, NOWHERE),
        fields=tuple(Field(c.name, 0, c.complex, (c,), NOWHERE) for c in components),
        parameters=tuple(
            Parameter(name, sp.Symbol(name, real=True), sp.Float(value), False, None, NOWHERE)
            for name, value in (parameters or {}).items()
        ),
        equations=(),
        initial=(),
        boundary=(),
        expectations=(),
        solve=(),
        output=(),
        train=(),
        data=(),
        span=NOWHERE,
    )
    start = tuple(None if u.algebraic else sp.Add((initial or {}).get(u.name, 0)) for u in unknowns)
    return System(problem, unknowns, tuple(evolution), stated, start, boundary)


def classify(rate: sp.Expr, values: Sequence[AppliedUndef], axes: Sequence[Axis]) -> Terms:
    """Summands by kind: linear when the only unknown is one factor, itself or a derivative of it."""
    linear, nonlinear, forcing = [], [], []
    zero = (0,) * len(axes)
    for summand in sp.Add.make_args(sp.expand(rate.doit())):
        held = [v for v in values if summand.has(v)]
        factors = [f for f in sp.Mul.make_args(summand) if any(f.has(v) for v in values)]
        if not held:
            if summand != 0:
                forcing.append(FluxTerm(sp.Integer(1), zero, summand, NOWHERE))
            continue
        (factor, *more) = factors
        inner = factor.expr if isinstance(factor, sp.Derivative) else factor
        if not more and inner in values:
            counts = dict(factor.variable_count) if isinstance(factor, sp.Derivative) else {}
            orders = tuple(int(counts.get(a.symbol, 0)) for a in axes)
            index = list(values).index(inner)
            linear.append(LinearTerm(sp.cancel(summand / factor), index, orders, sp.Integer(1), NOWHERE))
        else:
            nonlinear.append(FluxTerm(sp.Integer(1), zero, summand, NOWHERE))
    return Terms(tuple(linear), tuple(nonlinear), tuple(nonlinear), tuple(forcing))


def build_plan(
    system: System,
    lines: Sequence[Line],
    *,
    method: Method = "fd",
    order: int = 2,
    stepper: StepperName = "rk4",
    dt: float | None = None,
    frames: Sequence[float] = (0.0, 1.0),
    dealias: float = 2 / 3,
    dtype: Dtype = "float64",
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> Plan:
    """A plan on the lines' grid."""
    grid = tuple(GridAxis(a.name, a.lower, a.upper, a.n, a.periodic) for a in lines)
    return Plan(
        system=system,
        method=method,
        grid=grid,
        order=order if method == "fd" else 0,
        dealias=(dealias,) * len(grid),
        stepping=Stepping(stepper, 4, dt, rtol, atol),
        frames=tuple(frames),
        dtype=dtype,
        choices=(),
    )
