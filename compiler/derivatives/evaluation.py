"""How the statements of one place are evaluated: a plan for each network, and what is sampled."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.derivatives.drawing import SAMPLED_ABOVE, Draws, Sampling, choose_draws
from nablax.derivatives.histories import expand_histories
from nablax.derivatives.integral_terms import IntegralTerm, take_integrals
from nablax.derivatives.lines import Place, Remote, Style, rule_of
from nablax.derivatives.needs import Form, Needs, needs
from nablax.derivatives.plans import Candidate, DerivativePlan, plan_derivatives
from nablax.derivatives.statements import Statement
from nablax.derivatives.surroundings import expand_surroundings, rays_of
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.jets import base, own_orders
from nablax.problem import OptionCall, Problem

DRAWN = 16
MOST_NODES = 512  # of a quadrature
STARTED = 24  # graded nodes for fields that start like a fractional power, where nothing else is asked for
QUADRATURES = (
    "`quadrature` in `train` is quotient(n), slope(n), graded(n), points(n), rays(n) or rays(n, directions), "
    f"or a list, n from 1 to {MOST_NODES}"
)


@dataclass(frozen=True, slots=True)
class Group:
    """The unknowns that one network gives, and how their derivatives are had."""

    unknowns: tuple[AppliedUndef, ...]
    plan: DerivativePlan


@dataclass(frozen=True, slots=True)
class RemoteGroup:
    """The jets of one network that are taken at other points, and how they are had there.

    The network of a field of the place's axis alone sees one line whatever the point: many places on it are
    had from `shared` ones, 0 where they are not.
    """

    place: Place
    remotes: tuple[Remote, ...]
    plan: DerivativePlan
    shared: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Statements with all it takes to evaluate them. Where there are `draws`, values are estimates.

    `single` is what takes its place in single precision, where quadrature has to mind
    cancellation; None where it is the same. `integrals` are the terms that stand for integrals, each with the
    evaluation of its integrand.
    """

    needs: Needs
    groups: tuple[Group, ...]
    draws: Draws | None
    remote: tuple[RemoteGroup, ...] = ()
    single: "Evaluation | None" = None
    integrals: "tuple[tuple[IntegralTerm, Evaluation], ...]" = ()

    @property
    def random(self) -> bool:
        """Whether values are estimates, from members or directions that are drawn."""
        return self.draws is not None or self.needs.surroundings.drawn > 0


class OptionError(ValueError):
    """A way to have derivatives that is not there. `option` is the option of `train` that asks for it."""

    option = "derivatives"


class QuadratureError(OptionError):
    """A quadrature that is not there."""

    option = "quadrature"


def make_evaluation(problem: Problem, statements: Sequence[Statement], asked: str | None) -> Evaluation:
    """The cheapest evaluation, or the one `asked` for: `exact`, `nested`, `stochastic(16)`,
    `stochastic(16, dense)`; by default what the `train` block says.

    Raises `OptionError` for anything else, `SpecError` where nonlinear terms would be biased.
    """
    found = _evaluation(problem, statements, asked, single=False)
    values = [v for s in statements for v in s.values]
    if not any(v.has(*Nonlocal) for v in values):
        return found
    return replace(found, single=_evaluation(problem, statements, asked, single=True))


def _evaluation(
    problem: Problem, statements: Sequence[Statement], asked: str | None, single: bool
) -> Evaluation:
    asked_for = _quadrature(problem)
    rule = rule_of(asked_for.style, asked_for.count, asked_for.graded, single)
    statements, terms = take_integrals(problem, statements, asked_for.points)
    mode, sampling = _mode(problem, asked)
    inside = "nested" if mode == "nested" else "exact"  # integrals enter nonlinear terms as they like
    integrals = tuple((t, _evaluation(problem, (t.integrand,), inside, single)) for t in terms)
    values = [v for s in statements for v in s.values]
    back, histories = expand_histories(problem, values, rule)
    around, surroundings = expand_surroundings(problem, values, rays_of(asked_for.rays, single))
    wanted = needs(
        statements, back | around, histories, surroundings, _numbers(problem), mode != "stochastic"
    )
    draws = choose_draws(problem, wanted, sampling)
    exact = [f for f in wanted.functionals if draws is None or f not in draws.functionals]
    networks = [tuple(c.value for c in problem.components), *((c.value,) for c in problem.coefficients)]
    groups = []
    remote = []
    remotes = wanted.histories.remotes
    for unknowns in networks:
        forms = tuple(dict.fromkeys(f.form for f in exact if f.value in unknowns))
        if forms:
            groups.append(Group(unknowns, _plan(forms, mode)))
        for place in dict.fromkeys(r.place for r in remotes if base(r.jet) in unknowns):
            own = tuple(r for r in remotes if r.place == place and base(r.jet) in unknowns)
            jets = tuple(dict.fromkeys(((own_orders(r.jet), sp.S.One),) for r in own))
            alone = place.nodes is not None and unknowns[0].args == (place.axis,)
            remote.append(RemoteGroup(place, own, _plan(jets, mode), rule.shared if alone else 0))
    return Evaluation(wanted, tuple(groups), draws, tuple(remote), integrals=integrals)


def _numbers(problem: Problem) -> dict[sp.Symbol, sp.Expr]:
    """The values of the parameters that no unknown one moves."""
    moving: set[sp.Symbol] = set()
    for p in problem.parameters:
        if p.unknown or (p.formula is not None and p.formula.free_symbols & moving):
            moving.add(p.symbol)
    return {p.symbol: p.value for p in problem.parameters if p.symbol not in moving}


def _plan(forms: tuple[Form, ...], mode: str) -> DerivativePlan:
    plan = plan_derivatives(forms)
    return plan.by(_is_nested) if mode == "nested" else plan


def _is_nested(candidate: Candidate) -> bool:
    return candidate.algebra is None


@dataclass(frozen=True, slots=True)
class _Quadrature:
    """What `quadrature` in the `train` block asks for; None where it is left to us."""

    style: Style | None = None
    count: int | None = None
    points: int | None = None
    graded: int | None = None
    rays: tuple[int, int | None] | None = None


def _quadrature(problem: Problem) -> _Quadrature:
    """`quotient(8)`, `slope(8)` or `graded(24)` looking back along a line, `points(24)` along the axes of an
    integral, `rays(12)` or `rays(12, 32)` looking around; several as a list."""
    option = next((o for o in problem.train if o.name == "quadrature"), None)
    trial = next((o for o in problem.train if o.name == "trial"), None)
    found = _Quadrature(graded=STARTED if trial is not None and trial.value == "on" else None)
    if option is None:
        return found
    for value in option.value if isinstance(option.value, tuple) else (option.value,):
        name = value.name if isinstance(value, OptionCall) else value
        counts = value.arguments if isinstance(value, OptionCall) else ()
        numbers = [int(c) for c in counts if isinstance(c, sp.Integer) and 1 <= c <= MOST_NODES]
        if len(numbers) != len(counts) or (isinstance(value, OptionCall) and value.options):
            raise QuadratureError(QUADRATURES)
        if name in ("quotient", "slope") and len(numbers) <= 1:
            style: Style = "quotient" if name == "quotient" else "slope"
            found = replace(found, style=style, count=numbers[0] if numbers else None, graded=None)
        elif name == "points" and len(numbers) == 1:
            found = replace(found, points=numbers[0])
        elif name == "graded" and len(numbers) == 1:
            found = replace(found, graded=numbers[0])
        elif name == "rays" and 1 <= len(numbers) <= 2:
            found = replace(found, rays=(numbers[0], numbers[1] if len(numbers) == 2 else None))
        else:
            raise QuadratureError(QUADRATURES)
    return found


def _mode(problem: Problem, asked: str | None) -> tuple[str, Sampling | None]:
    """(exact, nested, stochastic or planned, what is sampled)."""
    if asked is not None:
        if asked in ("exact", "nested"):
            return asked, None
        match = re.fullmatch(r"stochastic\((\d+)(, *(sparse|dense))?\)", asked)
        if match is None or int(match[1]) < 1:
            raise OptionError(
                f"`{asked}` is no way to have derivatives: exact, nested, stochastic(16) or "
                "stochastic(16, dense)"
            )
        return "stochastic", Sampling(int(match[1]), match[3] == "dense")
    option = next((o for o in problem.train if o.name == "derivatives"), None)
    if option is None:
        return "planned", Sampling(DRAWN, above=SAMPLED_ABOVE)
    if option.value in ("exact", "nested"):
        return str(option.value), None
    if isinstance(option.value, OptionCall) and option.value.name == "stochastic" and option.value.arguments:
        words = ", ".join(str(a) for a in option.value.arguments)
        return _mode(problem, f"stochastic({words})")
    raise OptionError("`derivatives` in `train` is exact, nested, stochastic(16) or stochastic(16, dense)")
