"""Expressions as a mathematician writes them: `∂xx u`, `u²`, and LaTeX."""

from collections.abc import Sequence

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from nablax.families import FamilyLaplacian, FamilySum, MemberDerivative, laplacians_of
from nablax.fractional_calculus.operators import (
    DistributedCaputo,
    FractionalOperator,
    Tempered,
    TemperedCaputo,
)
from nablax.frontend.names import greek_name
from nablax.integrals import Convolution, Running
from nablax.nonlocal_operators import (
    BALL,
    SPACE,
    BoundedRiesz,
    FractionalLaplacian,
    IntegralLaplacian,
    OneSided,
    Outside,
    RieszDerivative,
    SpectralLaplacian,
)
from nablax.reductions import Integral, Maximum, Mean, Minimum
from nablax.system import Boundary, Evolution, FluxTerm, LinearTerm, System, Terms, root_of, wavenumbers

LONG = 10**6  # a denominator
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_WORDS = {Integral: "integral", Mean: "mean", Maximum: "max", Minimum: "min"}


class _Unicode(StrPrinter):
    """One line of plain text; every method prints one kind of node."""

    def _print_Symbol(self, node: sp.Symbol) -> str:
        return greek_name(node.name)

    def _print_AppliedUndef(self, node: AppliedUndef) -> str:
        return str(node.func.__name__)

    def _print_Function(self, node: sp.Function) -> str:
        if isinstance(node, AppliedUndef):
            return self._print_AppliedUndef(node)
        if isinstance(node, FractionalOperator):
            return self._fractional(node)
        name = _WORDS.get(node.func, node.func.__name__.lower())
        return f"{name}({', '.join(self._print(a) for a in node.args)})"

    _print_Integral = _print_Function  # noqa: N815 - SymPy looks the name up

    def _print_Running(self, node: Running) -> str:
        integrand, inner, _, lower, upper = (self._print(a) for a in node.args)
        return f"∫[{lower}, {upper}] {integrand} d{inner}"

    def _print_Convolution(self, node: Convolution) -> str:
        return f"convolve({self._print(node.args[0])}, {self._print(node.args[1])})"

    def _print_Derivative(self, node: sp.Derivative) -> str:
        letters = "".join(greek_name(s.name) * int(n) for s, n in node.variable_count)
        inner = self._print(node.expr)
        return f"∂{letters} {inner}" if isinstance(node.expr, AppliedUndef) else f"∂{letters}({inner})"

    def _print_Pow(self, node: sp.Pow, rational: bool = False) -> str:
        if node.exp.is_Integer and node.exp > 0 and not isinstance(node.base, sp.Derivative):
            base = self.parenthesize(node.base, PRECEDENCE["Pow"])
            return str(base) + str(node.exp).translate(_SUPERSCRIPTS)
        return str(super()._print_Pow(node, rational))

    def _print_Abs(self, node: sp.Abs) -> str:
        return f"|{self._print(node.args[0])}|"

    def _print_conjugate(self, node: sp.conjugate) -> str:
        return f"conj({self._print(node.args[0])})"

    def _print_Mul(self, node: sp.Mul) -> str:
        return str(super()._print_Mul(node)).replace("**", "^")

    def _print_Exp1(self, node: sp.Expr) -> str:
        del node
        return "e"

    def _print_Pi(self, node: sp.Expr) -> str:
        del node
        return "π"

    def _print_ImaginaryUnit(self, node: sp.Expr) -> str:
        del node
        return "i"

    def _print_FractionalLaplacian(self, node: FractionalLaplacian) -> str:
        return f"(-Δ)^({self._print(node.args[1])}) {self._print(node.args[0])}"

    def _print_RieszDerivative(self, node: RieszDerivative) -> str:
        return f"riesz({', '.join(self._print(a) for a in node.args)})"

    def _fractional(self, node: FractionalOperator) -> str:
        operand, variable, order, _, side, _, *further = node.args
        shown = [operand, variable, *([] if isinstance(node, DistributedCaputo) else [order]), *further]
        ending = ", side=right" if side == -1 else ""
        if isinstance(node, Tempered | TemperedCaputo) and shown.pop() == 1:
            ending += ", normalised=yes"
        if isinstance(node, TemperedCaputo):
            ending += ", kind=caputo"
        return f"{node.word}({', '.join(self._print(a) for a in shown)}{ending})"

    def _print_IntegralLaplacian(self, node: IntegralLaplacian) -> str:
        value, order, support = node.args
        where = {BALL: ", support=ball", SPACE: ", support=space"}.get(support, "")
        return f"fraclap({self._print(value)}, {self._print(order)}, kind=integral{where})"

    def _print_Outside(self, node: Outside) -> str:
        value, order, _, name = node.args
        return f"fraclap({name} = {self._print(value)} outside, {self._print(order)}, kind=integral)"

    def _print_BoundedRiesz(self, node: BoundedRiesz) -> str:
        return f"riesz({', '.join(self._print(a) for a in node.args)})"

    def _print_OneSided(self, node: OneSided) -> str:
        value, axis, order, side, _, caputo, rate = node.args
        name = "tempered" if rate != 0 else "caputo" if caputo == 1 else "rl"
        shown = [value, axis, order, *([rate] if rate != 0 else [])]
        return f"{name}({', '.join(self._print(a) for a in shown)}{', side=right' if side == -1 else ''})"

    def _print_SpectralLaplacian(self, node: SpectralLaplacian) -> str:
        value, order, diffusivity = node.args
        further = f", diffusivity={self._print(diffusivity)}" if diffusivity != 1 else ""
        return f"fraclap({self._print(value)}, {self._print(order)}, kind=spectral{further})"

    def _print_FamilySum(self, node: FamilySum) -> str:
        body, bound = node.args[:2]
        if laplacians_of(node) is not None:
            return f"Δ {self._print(body.args[0])}"
        return f"Σ_{bound.name.partition('[')[2][:-1]} {self.parenthesize(body, PRECEDENCE['Mul'])}"

    def _print_FamilyLaplacian(self, node: FamilyLaplacian) -> str:
        families = [family.name for family, _ in node.along]
        names = dict.fromkeys(families)
        powers = [
            ("Δ" if len(names) == 1 else f"Δ_{name}")
            + (str(count).translate(_SUPERSCRIPTS) if (count := families.count(name)) > 1 else "")
            for name in names
        ]
        return f"{' '.join(powers)} {self._print(node.args[0])}"

    def _print_MemberDerivative(self, node: MemberDerivative) -> str:
        value, place, order = node.args
        return (
            f"∂{place.name}{str(order).translate(_SUPERSCRIPTS) if order != 1 else ''} {self._print(value)}"
        )

    def _print_Piecewise(self, node: sp.Piecewise) -> str:
        (value, condition), *rest = node.args
        if not rest:
            return str(self._print(value))
        otherwise = self._print(sp.Piecewise(*rest)) if len(rest) > 1 else self._print(rest[0][0])
        return f"where({self._print(condition)}, {self._print(value)}, {otherwise})"


class _Latex(LatexPrinter):
    """Fields without their arguments, derivatives as ∂ with a subscript."""

    def _print_Function(self, node: sp.Function, exp: str | None = None) -> str:
        if isinstance(node, AppliedUndef):
            name, _, component = str(node.func.__name__).partition(".")
            body = self._print(sp.Symbol(name)) + (f"_{{{component}}}" if component else "")
            return body if exp is None else f"{body}^{{{exp}}}"
        return str(super()._print_Function(node, exp))

    def _print_FamilyLaplacian(self, node: FamilyLaplacian, exp: str | None = None) -> str:
        families = "".join(rf"\Delta_{{{self._print(family)}}} " for family, _ in node.along)
        body = families + str(self._print(node.args[0]))
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"

    def _print_Integral(self, node: Integral, exp: str | None = None) -> str:
        along = "".join(rf"\,\mathrm{{d}}{self._print(a)}" for a in node.args[1:])
        body = rf"\left(\int {self._inside(node.args[0])}{along}\right)"
        return body if exp is None else f"{body}^{{{exp}}}"

    def _print_Running(self, node: Running, exp: str | None = None) -> str:
        integrand, inner, _, lower, upper = node.args
        bounds = rf"_{{{self._print(lower)}}}^{{{self._print(upper)}}}"
        body = rf"\left(\int{bounds} {self._inside(integrand)}\,\mathrm{{d}}{self._print(inner)}\right)"
        return body if exp is None else f"{body}^{{{exp}}}"

    def _print_Convolution(self, node: Convolution, exp: str | None = None) -> str:
        left, right = (self._inside(a) for a in node.args[:2])
        body = rf"\left({left} \ast {right}\right)"
        return body if exp is None else f"{body}^{{{exp}}}"

    def _inside(self, node: sp.Expr) -> str:
        shown = str(self._print(node))
        return rf"\left({shown}\right)" if isinstance(node, sp.Add) else shown

    def _print_Derivative(self, node: sp.Derivative) -> str:
        letters = "".join(self._print(s) * int(n) for s, n in node.variable_count)
        inner = self._print(node.expr)
        if not isinstance(node.expr, AppliedUndef):
            inner = rf"\left({inner}\right)"
        return rf"\partial_{{{letters}}} {inner}"


def text(expression: sp.Basic) -> str:
    """One line of Unicode; fractions that came of long decimals as decimals."""
    long = {
        r: sp.Float(str(float(r)), 17)
        for r in expression.atoms(sp.Rational)
        if r.q > LONG and sp.Rational(repr(float(r))) == r
    }
    expression = expression.xreplace(long) if long else expression
    return str(_Unicode({"order": None}).doprint(expression)).replace("**", "^")


def latex(expression: sp.Basic) -> str:
    return str(_Latex().doprint(expression))


def _operator(system: System, orders: Sequence[int]) -> str:
    letters = "".join(greek_name(a.name) * n for a, n in zip(system.axes, orders, strict=True))
    return f"∂{letters}" if letters else ""


def _joined(signed: Sequence[str]) -> str:
    """Terms with their own signs to one sum."""
    if not signed:
        return "0"
    first, *rest = signed
    return first + "".join(f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in rest)


def _scaled(coefficient: sp.Expr, body: str) -> str:
    if coefficient == 1:
        return body
    if coefficient == -1:
        return f"-{body}"
    shown = text(coefficient)
    if isinstance(coefficient, sp.Add):
        negative = coefficient.could_extract_minus_sign()
        return f"-({text(-coefficient)})·{body}" if negative else f"({shown})·{body}"
    return f"{shown}·{body}"


def linear_term(system: System, term: LinearTerm) -> str:
    name = system.unknowns[term.unknown].name
    if term.operator is not None:
        return _scaled(term.coefficient, text(term.operator))
    operator = _operator(system, term.orders)
    if term.multiplier != 1:
        operator = f"F⁻¹[{text(term.multiplier)}] {operator}".strip()
    return _scaled(term.coefficient, f"{operator} {name}".strip())


def flux_term(system: System, term: FluxTerm) -> str:
    operator = _operator(system, term.orders)
    if not operator:
        return _joined([text(a) for a in sp.Add.make_args(sp.expand_mul(term.coefficient * term.flux))])
    return _scaled(term.coefficient, f"{operator}({text(term.flux)})")


def right_side(system: System, terms: Terms) -> str:
    """The sum of all terms, nonlinear ones in conservative form."""
    return _joined(
        [
            *(linear_term(system, t) for t in terms.linear),
            *(flux_term(system, t) for t in terms.conservative),
            *(flux_term(system, t) for t in terms.forcing),
        ]
    )


def memory(system: System, equation: Evolution) -> str:
    """`caputo(u, t, α) + 2·∂t u`, the left side of an equation that remembers its past."""
    name = system.unknowns[root_of(equation.unknown, system.unknowns)].name
    time = "t" if system.time is None else greek_name(system.time.name)
    words = {"caputo": "caputo", "riemann-liouville": "rl", "exponential": "cf", "mittag-leffler": "abc"}
    found = []
    for m in equation.memory:
        arguments = f"{name}, {time}, {text(m.order)}"
        if m.order.is_Integer:
            body = f"∂{time * int(m.order)} {name}"
        elif m.scale is not None:
            hadamard = m.kind == "riemann-liouville"
            body = f"hadamard({arguments})" if hadamard else f"psicaputo({arguments}, {text(m.scale)})"
        elif m.rate != 0:
            kind = ", kind=caputo" if m.kind == "caputo" else ""
            body = f"tempered({arguments}, {text(m.rate)}{kind})"
        else:
            body = f"{words[m.kind if m.kernel == 'power' else m.kernel]}({arguments})"
        found.append(_scaled(m.coefficient, body))
    return _joined(found)


def condition(system: System, boundary: Boundary) -> str:
    """`x = 0: u = 1`."""
    axis = system.axes[boundary.axis]
    name = system.unknowns[boundary.unknown].name
    place = text((axis.lower, axis.upper)[boundary.side])
    if boundary.dynamic:
        name = f"∂t {name}"
    terms = [
        _scaled(t.coefficient, f"∂{greek_name(axis.name) * t.order} {name}" if t.order else name)
        for t in boundary.terms
    ]
    return f"{greek_name(axis.name)} = {place}: {_joined(terms)} = {text(boundary.data)}"


def fourier_symbol(system: System, equation_index: int) -> sp.Expr | None:
    """λ(k) of an equation whose linear terms hold its own unknown only, with constant coefficients."""
    equation = system.evolution[equation_index]
    k = wavenumbers(system)
    moving = {a.symbol for a in system.axes} | ({system.time.symbol} if system.time else set())
    total = sp.S.Zero
    for term in equation.terms.linear:
        if term.unknown != equation.unknown or term.coefficient.free_symbols & moving:
            return None
        if term.operator is not None:
            return None
        factor = sp.Mul(*((sp.I * s) ** n for s, n in zip(k, term.orders, strict=True)))
        total += term.coefficient * factor * term.multiplier
    return sp.simplify(total) if len(equation.terms.linear) < 8 else total
