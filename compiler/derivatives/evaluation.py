"""How the statements of one place are evaluated: a plan for each network, and what is sampled."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.derivatives.histories import expand_histories, operators_in
from nablax.derivatives.integral_terms import IntegralTerm, take_integrals
from nablax.derivatives.lines import Place, Remote, Style, rule_of
from nablax.derivatives.needs import Form, Needs, needs
from nablax.derivatives.plans import Candidate, DerivativePlan, plan_derivatives
from nablax.derivatives.statements import Statement
from nablax.passes.jets import base
from nablax.problem import OptionCall, Problem

SAMPLED_ABOVE = 512  # members of a family: exact sums of a thousand are too slow to be a default
DRAWN = 16
MOST_NODES = 64  # of a quadrature that looks back


@dataclass(frozen=True, slots=True)
class Sampling:
    """`count` members of each family per evaluation, or random directions when `dense`."""

    count: int
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The unknowns that one network gives, and how their derivatives are had."""

    unknowns: tuple[AppliedUndef, ...]
    plan: DerivativePlan


@dataclass(frozen=True, slots=True)
class RemoteGroup:
    """The jets of one network that are taken at other points, and how they are had there."""

    place: Place
    remotes: tuple[Remote, ...]
    plan: DerivativePlan


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Statements with all it takes to evaluate them. Where `sampling` is set, values are estimates.

    `single` is what takes its place in single precision, where quadrature that looks back has to mind
    cancellation; None where it is the same. `integrals` are the terms that stand for integrals, each with the
    evaluation of its integrand.
    """

    needs: Needs
    groups: tuple[Group, ...]
    sampling: Sampling | None
    remote: tuple[RemoteGroup, ...] = ()
    single: "Evaluation | None" = None
    integrals: "tuple[tuple[IntegralTerm, Evaluation], ...]" = ()


class OptionError(ValueError):
    """A way to have derivatives that is not there. `option` is the option of `train` that asks for it."""

    option = "derivatives"


class QuadratureError(OptionError):
    """A quadrature that is not there."""

    option = "quadrature"


def make_evaluation(problem: Problem, statements: Sequence[Statement], asked: str | None) -> Evaluation:
    """The cheapest evaluation, or the one `asked` for: `exact`, `nested`, `stochastic(16)`,
    `stochastic(16, dense)`; by default what the `train` block says.

    Raises `OptionError` for anything else.
    """
    found = _evaluation(problem, statements, asked, single=False)
    if not operators_in([v for s in statements for v in s.values]):
        return found
    return replace(found, single=_evaluation(problem, statements, asked, single=True))


def _evaluation(
    problem: Problem, statements: Sequence[Statement], asked: str | None, single: bool
) -> Evaluation:
    style, count = _quadrature(problem)
    along = count if style == "points" else None
    rule = rule_of(None, None, single) if style == "points" else rule_of(style, count, single)
    statements, terms = take_integrals(problem, statements, along)
    integrals = tuple((t, _evaluation(problem, (t.integrand,), asked, single)) for t in terms)
    values = [v for s in statements for v in s.values]
    wanted = needs(statements, *expand_histories(problem, values, rule))
    mode, sampling = _mode(problem, asked)
    large = max((s.size for s in wanted.sums), default=0)
    if mode == "planned" and large > SAMPLED_ABOVE:
        sampling = Sampling(DRAWN)
    if not wanted.sums or (sampling is not None and sampling.count >= large):
        sampling = None
    networks = [tuple(c.value for c in problem.components), *((c.value,) for c in problem.coefficients)]
    groups = []
    remote = []
    remotes = wanted.histories.remotes
    for unknowns in networks:
        forms = tuple(dict.fromkeys(f.form for f in wanted.functionals if f.value in unknowns))
        if forms:
            groups.append(Group(unknowns, _plan(forms, mode)))
        for place in dict.fromkeys(r.place for r in remotes if base(r.jet) in unknowns):
            own = tuple(r for r in remotes if r.place == place and base(r.jet) in unknowns)
            jets = tuple(dict.fromkeys(((r.orders, sp.S.One),) for r in own))
            remote.append(RemoteGroup(place, own, _plan(jets, mode)))
    return Evaluation(wanted, tuple(groups), sampling, tuple(remote), integrals=integrals)


def _plan(forms: tuple[Form, ...], mode: str) -> DerivativePlan:
    plan = plan_derivatives(forms)
    return plan.by(_is_nested) if mode == "nested" else plan


def _is_nested(candidate: Candidate) -> bool:
    return candidate.algebra is None


def _quadrature(problem: Problem) -> tuple[Style | Literal["points"] | None, int | None]:
    """What `quadrature` in the `train` block asks for: `quotient(8)`, `slope(8)` or `points(24)`."""
    option = next((o for o in problem.train if o.name == "quadrature"), None)
    if option is None:
        return None, None
    value = option.value
    called = isinstance(value, OptionCall) and len(value.arguments) == 1
    name = value.name if isinstance(value, OptionCall) else value
    count = value.arguments[0] if isinstance(value, OptionCall) and called else None
    if isinstance(count, sp.Integer) and 1 <= count <= MOST_NODES:
        if name == "points":
            return "points", int(count)
        if name in ("quotient", "slope"):
            return ("quotient" if name == "quotient" else "slope"), int(count)
    if value in ("quotient", "slope"):
        return ("quotient" if value == "quotient" else "slope"), None
    raise QuadratureError(
        f"`quadrature` in `train` is quotient(n), slope(n) or points(n), n from 1 to {MOST_NODES}"
    )


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
        return "planned", None
    if option.value in ("exact", "nested"):
        return str(option.value), None
    if isinstance(option.value, OptionCall) and option.value.name == "stochastic" and option.value.arguments:
        words = ", ".join(str(a) for a in option.value.arguments)
        return _mode(problem, f"stochastic({words})")
    raise OptionError("`derivatives` in `train` is exact, nested, stochastic(16) or stochastic(16, dense)")
