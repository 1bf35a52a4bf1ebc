"""Fractional operators of unknowns as sums over other points of a line: what a residual needs to know there.

With y the distance from the base, f a function of y, τ = (y - s)/y and n - 1 < α < n, the identities are

    Caputo, n = 1:   y^(-α)/Γ(1-α) [q(1) + α ∫_0^1 τ^(-α) q(τ) dτ],  q(τ) = (f(y) - f(y - yτ))/τ  (quotient)
    Caputo:          y^(n-α)/Γ(n-α) ∫_0^1 τ^(n-1-α) f⁽ⁿ⁾(y - yτ) dτ  (slope)
    Riemann–Liouville: Caputo's and Σ_{k<n} f⁽ᵏ⁾(0) y^(k-α)/Γ(k+1-α)

(I. Podlubny, Fractional Differential Equations, 1999, sections 2.3 and 2.4; the first by parts). The
integrals are taken by Gauss and Jacobi, which converge exponentially for smooth fields. Where the difference
of the quotient would cancel, its Taylor polynomial about y stands for it. Slopes above the first come with
the derivatives below them, which are antiderivatives: rules that read them all need fewer nodes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp
from numpy.polynomial.legendre import leggauss
from sympy.core.function import AppliedUndef

from nablax.derivatives import birkhoff, quadrature
from nablax.derivatives.lines import REST, TAU, Histories, Moment, Place, Remote, Rule
from nablax.derivatives.quadrature import Nodes
from nablax.fractional_calculus.operators import (
    AtanganaBaleanu,
    Caputo,
    CaputoFabrizio,
    DistributedCaputo,
    FractionalIntegral,
    FractionalOperator,
    GrunwaldLetnikov,
    Hadamard,
    PsiCaputo,
    RiemannLiouville,
    Tempered,
    TemperedCaputo,
    VariableCaputo,
)
from nablax.fractional_calculus.special import MittagLeffler
from nablax.passes.jets import jets
from nablax.problem import Problem

START = 4  # the wanted power of a field's start in the graded variable
STEEPEST = 8  # most that nodes are graded
LEAN, LOWEST = 0.2, -0.9  # how nodes of several exponents lean to 0
LOWER = 2  # derivatives below that of the integral that lean rules read
ORDERS = 8  # Gauss–Legendre nodes in a distributed order


def operators_in(values: Sequence[sp.Expr]) -> tuple[FractionalOperator, ...]:
    """The operators of unknowns that look at other points of a line."""
    found = {n for v in values for n in v.atoms(FractionalOperator) if n.has(AppliedUndef)}
    return tuple(sorted(found, key=sp.default_sort_key))


def expand_histories(
    problem: Problem, values: Sequence[sp.Expr], rule: Rule
) -> tuple[dict[sp.Basic, sp.Expr], Histories]:
    """Every operator in the values in jets at the point and the stand-ins of what is needed elsewhere."""
    operators = operators_in(values)
    writing = _Writing(problem, rule, _shared_nodes(problem, operators, rule))
    written: dict[sp.Basic, sp.Expr] = {op: _RULES[type(op)](writing.line(op)) for op in operators}
    return written, Histories(tuple(writing.remotes.values()), tuple(writing.moments.values()))


def has_rule(operator: sp.Basic) -> bool:
    """Whether a residual can hold it."""
    if not isinstance(operator, FractionalOperator):
        return False
    return type(operator) in _RULES and _inverse(operator, TAU) is not None


def _line(op: FractionalOperator) -> tuple[sp.Basic | bool, ...]:
    return (op.variable, op.base, op.side, _scale(op), isinstance(op, AtanganaBaleanu))


def _shared_nodes(
    problem: Problem, operators: Sequence[FractionalOperator], rule: Rule
) -> dict[tuple[sp.Basic | bool, ...], Nodes]:
    """The nodes of every line: Gauss's own where all operators along it have one order, a number."""
    nominal = {p.symbol: p.value for p in problem.parameters}
    axes = (*problem.axes, *((problem.time,) if problem.time else ()))
    nominal |= {a.symbol: (a.lower + a.upper).subs(nominal) / 2 for a in axes}
    lines: dict[tuple[sp.Basic | bool, ...], list[FractionalOperator]] = {}
    for op in operators:
        lines.setdefault(_line(op), []).append(op)
    found = {}
    for line, members in lines.items():
        if isinstance(members[0], AtanganaBaleanu):
            found[line] = _kernel_nodes(members, nominal, rule)
            continue
        exponents = [_main_exponent(op).subs(nominal) for op in members]
        one = len(set(exponents)) == 1 and not any(_varies(problem, op) for op in members)
        middle = float(sum(exponents) / len(exponents))
        if one and rule.lean and all(_has_lower_slopes(op) for op in members):
            found[line] = Nodes(birkhoff.nodes(rule.lean, middle, LOWER), below=LOWER)
            continue
        count = rule.count if one else rule.varying
        free = one or all(_by_quotient(problem, op, rule) for op in members)
        if not one:
            # Weights gather at 0 as orders near 1: nodes of a lower exponent serve an interval evenly.
            middle = max(middle - LEAN, LOWEST) if free else middle
        places = quadrature.nodes(count, middle) if free else quadrature.with_end(count, middle)
        found[line] = Nodes(places, _grade(members, nominal) if rule.graded else 1)
    return found


def _grade(operators: Sequence[FractionalOperator], nominal: Mapping[sp.Basic, sp.Expr]) -> int:
    """How nodes gather at the base: a field that starts like y^α has the slope y^(α-1) there, which becomes
    a power of about 3 in the graded variable; the orders of equations are those of their solutions."""
    lowest = min(float(_order_of(op).subs(nominal)) - op.ceiling + 1 for op in operators)
    return min(max(int(sp.ceiling(START / lowest)), 1), STEEPEST)


def _kernel_nodes(
    operators: Sequence[FractionalOperator], nominal: Mapping[sp.Basic, sp.Expr], rule: Rule
) -> Nodes:
    """Nodes for a kernel that starts like 1 - τ^α, which becomes a power of 2 at least."""
    lowest = min(float(_order_of(op).subs(nominal)) for op in operators)
    grade = min(max(int(sp.ceiling(2 / lowest)), 1), STEEPEST)
    return Nodes(quadrature.nodes(max(2 * rule.count, 20), 0.0), grade, near=True)


def _order_of(op: FractionalOperator) -> sp.Expr:
    return (op.further[1] + op.further[2]) / 2 if isinstance(op, DistributedCaputo) else op.order


def _varies(problem: Problem, op: FractionalOperator) -> bool:
    """Whether the order is no fixed number."""
    if isinstance(op, DistributedCaputo):
        return True
    fixed = {p.symbol for p in problem.parameters if not p.unknown}
    return bool(op.order.free_symbols - fixed)


def _main_exponent(op: FractionalOperator) -> sp.Expr:
    if isinstance(op, FractionalIntegral):
        return op.order - 1
    if isinstance(op, CaputoFabrizio):
        return sp.S.Zero
    return op.ceiling - 1 - _order_of(op)


def _has_lower_slopes(op: FractionalOperator) -> bool:
    """Whether it is an integral of a derivative of second order or above."""
    return not isinstance(op, FractionalIntegral | CaputoFabrizio) and op.ceiling >= LOWER


def _by_quotient(problem: Problem, op: FractionalOperator, rule: Rule) -> bool:
    style = rule.varying_style if _varies(problem, op) else rule.style
    return op.ceiling == 1 and style == "quotient"


@dataclass(slots=True)
class _Writing:
    """Collects what operators need while they are written out."""

    problem: Problem
    rule: Rule
    nodes: Mapping[tuple[sp.Basic | bool, ...], Nodes]
    remotes: dict[tuple[sp.Basic, Place], Remote] = field(default_factory=dict)
    moments: dict[tuple[sp.Expr, sp.Expr, Nodes, int], Moment] = field(default_factory=dict)

    def at(self, place: Place, value: sp.Expr) -> sp.Expr:
        """An expression in jets, taken at another place."""
        moved: dict[sp.Basic, sp.Expr] = {place.axis: place.coordinate}
        for jet in jets(value):
            key = (jet, place)
            if key not in self.remotes:
                real = all(u.is_real for u in jet.atoms(AppliedUndef)) or None
                self.remotes[key] = Remote(jet, place, sp.Dummy("far", real=real))
            moved[jet] = self.remotes[key].stand_in
        return value.xreplace(moved)

    def moment(
        self, op: FractionalOperator, exponent: sp.Expr, inside: sp.Expr, depth: int, share: sp.Expr
    ) -> sp.Expr:
        nodes = self.nodes[_line(op)]
        key = (exponent, inside, nodes, depth)
        if key not in self.moments:
            self.moments[key] = Moment(exponent, inside, nodes, sp.Dummy("moment"), depth, share)
        return self.moments[key].stand_in

    def line(self, op: FractionalOperator) -> "_Line":
        problem, x = self.problem, op.variable
        axis = next(a for a in (*problem.axes, problem.time) if a is not None and a.symbol == x)
        scale = _scale(op)
        at_base = scale.subs(x, op.base)
        end = axis.upper if op.side == 1 else axis.lower
        length = sp.Abs(scale.subs(x, end) - at_base)
        distance = sp.Max(op.side * (scale - at_base), self.rule.nearest * length)
        # Beside a base that is not zero, shares that rounding takes to 1 have to be kept from it.
        left = REST if at_base == 0 else 1 - TAU
        coordinate = _inverse(op, at_base + op.side * distance * left)
        assert coordinate is not None, "a scale without an inverse"
        return _Line(self, op, distance, length, Place(x, coordinate, self.nodes[_line(op)]))


@dataclass(frozen=True, slots=True)
class _Line:
    """What an operator looks back along: f as a function of the distance y, in the operator's scale."""

    writing: _Writing
    op: FractionalOperator
    y: sp.Expr
    length: sp.Expr
    nodes: Place

    def here(self, order: int) -> sp.Expr:
        """f⁽ᵏ⁾(y)."""
        return self._derivative(order).xreplace({_OWN: self.y})

    def base(self, order: int) -> sp.Expr:
        """f⁽ᵏ⁾(0)."""
        place = Place(self.op.variable, self.op.base)
        return self.writing.at(place, self._derivative(order)).xreplace({_OWN: self.y})

    def back(self, order: int) -> sp.Expr:
        """f⁽ᵏ⁾(y - yτ)."""
        return self.writing.at(self.nodes, self._derivative(order)).xreplace({_OWN: self.y})

    def moment(self, exponent: sp.Expr, inside: sp.Expr) -> sp.Expr:
        """∫_0^1 τ^exponent inside dτ."""
        return self.writing.moment(self.op, exponent, inside, 0, sp.S.One)

    def slopes(self, exponent: sp.Expr) -> sp.Expr:
        """∫_0^1 τ^exponent f⁽ⁿ⁾(y - yτ) dτ; f⁽ⁿ⁾ has the antiderivatives f⁽ⁿ⁻ᵏ⁾(y - yτ) / (-y)^k."""
        n, below = self.op.ceiling, self.nodes.nodes.below if self.nodes.nodes else 0
        share = self.y / self.length if below else sp.S.One
        parts = (
            self.writing.moment(self.op, exponent, self.back(n - k), k, share) / (-self.y) ** k
            for k in range(below + 1)
        )
        return sp.Add(*parts)

    def _derivative(self, order: int) -> sp.Expr:
        x, scale = self.op.variable, _scale(self.op)
        value = self.op.operand
        if isinstance(self.op, Tempered | TemperedCaputo):
            value *= sp.exp(self.op.further[0] * (self.op.side * (x - self.op.base) - _OWN))
        for _ in range(order):
            value = self.op.side * sp.diff(value, x) / sp.diff(scale, x)
        return value

    def quotient(self, share: sp.Expr, earlier: sp.Expr) -> sp.Expr:
        """(f(y) - f(y - y·share)) / share, where `earlier` is the second value."""
        rule = self.writing.rule
        exact = (self.here(0) - earlier) / share
        if not rule.terms:
            return exact
        step = self.y * share
        series = sp.Add(*((-step) ** k * self.here(k + 1) / sp.factorial(k + 1) for k in range(rule.terms)))
        return sp.Piecewise((self.y * series, step < rule.cut * self.length), (exact, True))


def _scale(op: FractionalOperator) -> sp.Expr:
    """ψ, in which the operator measures distance."""
    if isinstance(op, Hadamard):
        return sp.log(op.variable)
    return op.further[0] if isinstance(op, PsiCaputo) else op.variable


def _inverse(op: FractionalOperator, target: sp.Expr) -> sp.Expr | None:
    """The coordinate where ψ has a value: ψ = c + m x, c + m x^p, c + m exp(k x) or c + m log(k x)."""
    x = op.variable
    shift, rest = _scale(op).as_independent(x, as_Add=True)
    factor, core = rest.as_independent(x, as_Add=False)
    value = (target - shift) / factor
    if core == x:
        return value
    if isinstance(core, sp.Pow) and core.base == x and not core.exp.has(x):
        return value ** (1 / core.exp)
    if isinstance(core, sp.exp | sp.log) and core.args[0].diff(x, 2) == 0:
        inner = core.args[0]
        slope = inner.diff(x)
        level = sp.log(value) if isinstance(core, sp.exp) else sp.exp(value)
        return (level - inner.subs(x, 0)) / slope
    return None


def _caputo(line: _Line, order: sp.Expr) -> sp.Expr:
    n, y = line.op.ceiling, line.y
    if _by_quotient(line.writing.problem, line.op, line.writing.rule):
        whole = line.quotient(sp.S.One, line.base(0))
        rest = line.moment(-order, line.quotient(TAU, line.back(0)))
        return y**-order / sp.gamma(1 - order) * (whole + order * rest)
    return y ** (n - order) / sp.gamma(n - order) * line.slopes(n - 1 - order)


def _riemann_liouville(line: _Line, order: sp.Expr) -> sp.Expr:
    starts = (line.base(k) * line.y ** (k - order) / sp.gamma(k + 1 - order) for k in range(line.op.ceiling))
    return sp.Add(_caputo(line, order), *starts)


def _tempered(line: _Line) -> sp.Expr:
    rate, normalised = line.op.further
    plain = _caputo if isinstance(line.op, TemperedCaputo) else _riemann_liouville
    value = plain(line, line.op.order)
    if normalised == 0:
        return value
    order, operand = line.op.order, line.op.operand
    value -= rate**order * operand
    if line.op.ceiling == 2:
        value -= order * rate ** (order - 1) * line.op.side * sp.diff(operand, line.op.variable)
    return value


def _integral(line: _Line) -> sp.Expr:
    order = line.op.order
    return line.y**order / sp.gamma(order) * line.moment(order - 1, line.back(0))


def _distributed(line: _Line) -> sp.Expr:
    """Gauss and Legendre over the orders; all of them read the same values."""
    weight, low, high = line.op.further
    values = []
    for z, w in zip(*(rule.tolist() for rule in leggauss(ORDERS)), strict=True):
        order = (low + high) / 2 + (high - low) / 2 * z
        values.append(w * weight.subs(line.op.order, order) * _caputo(line, order))
    return (high - low) / 2 * sp.Add(*values)


def _caputo_fabrizio(line: _Line) -> sp.Expr:
    """By parts, so that no derivative is left: [u(y) - e^(-ry) u(0) - r ∫ u(s) e^(-r(y-s)) ds] / (1-α)."""
    order, y = line.op.order, line.y
    rate = order / (1 - order)
    memory = y * line.moment(sp.S.Zero, line.back(0) * sp.exp(-rate * y * TAU))
    return (line.here(0) - sp.exp(-rate * y) * line.base(0) - rate * memory) / (1 - order)


def _atangana_baleanu(line: _Line) -> sp.Expr:
    order, y = line.op.order, line.y
    kernel = MittagLeffler(order, 1, -order / (1 - order) * (y * TAU) ** order)
    return y / (1 - order) * line.moment(sp.S.Zero, line.back(1) * kernel)


_OWN = sp.Dummy("y", positive=True)
"""The distance of the point itself from the base, under a weight that is differentiated."""

_RULES: Mapping[type[FractionalOperator], Callable[[_Line], sp.Expr]] = {
    Caputo: lambda line: _caputo(line, line.op.order),
    VariableCaputo: lambda line: _caputo(line, line.op.order),
    PsiCaputo: lambda line: _caputo(line, line.op.order),
    RiemannLiouville: lambda line: _riemann_liouville(line, line.op.order),
    GrunwaldLetnikov: lambda line: _riemann_liouville(line, line.op.order),
    Hadamard: lambda line: _riemann_liouville(line, line.op.order),
    Tempered: _tempered,
    TemperedCaputo: _tempered,
    FractionalIntegral: _integral,
    DistributedCaputo: _distributed,
    CaputoFabrizio: _caputo_fabrizio,
    AtanganaBaleanu: _atangana_baleanu,
}
