"""How the statements of one place are evaluated: a plan for each network, and what is sampled."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sympy.core.function import AppliedUndef

from nablax.derivatives.needs import Needs, needs
from nablax.derivatives.plans import Candidate, DerivativePlan, plan_derivatives
from nablax.derivatives.statements import Statement
from nablax.problem import OptionCall, Problem

SAMPLED_ABOVE = 512  # members of a family: exact sums of a thousand are too slow to be a default
DRAWN = 16


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
class Evaluation:
    """Statements with all it takes to evaluate them. Where `sampling` is set, values are estimates."""

    needs: Needs
    groups: tuple[Group, ...]
    sampling: Sampling | None


class OptionError(ValueError):
    """A way to have derivatives that is not there."""


def make_evaluation(problem: Problem, statements: Sequence[Statement], asked: str | None) -> Evaluation:
    """The cheapest evaluation, or the one `asked` for: `exact`, `nested`, `stochastic(16)`,
    `stochastic(16, dense)`; by default what the `train` block says.

    Raises `OptionError` for anything else.
    """
    wanted = needs(statements)
    mode, sampling = _mode(problem, asked)
    large = max((s.size for s in wanted.sums), default=0)
    if mode == "planned" and large > SAMPLED_ABOVE:
        sampling = Sampling(DRAWN)
    if not wanted.sums or (sampling is not None and sampling.count >= large):
        sampling = None
    networks = [tuple(c.value for c in problem.components), *((c.value,) for c in problem.coefficients)]
    groups = []
    for unknowns in networks:
        forms = tuple(dict.fromkeys(f.form for f in wanted.functionals if f.value in unknowns))
        if forms:
            plan = plan_derivatives(forms)
            groups.append(Group(unknowns, plan.by(_is_nested) if mode == "nested" else plan))
    return Evaluation(wanted, tuple(groups), sampling)


def _is_nested(candidate: Candidate) -> bool:
    return candidate.algebra is None


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
