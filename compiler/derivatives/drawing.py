"""What a residual draws at random, and what it has to have exactly.

A drawn sum is right on average, and so is what depends on it linearly. A power or a function of one is not:
its expectation is not that of the sum, and the product of two draws of the residual does not mend that. So
only sums, powers of Laplacians and functionals are drawn that every statement is linear in, each with a key
of its own (a product of two different ones is then right on average as well); the others are exact.

Z. Hu, Z. Shi, G. Karniadakis, K. Kawaguchi, Hutchinson trace estimation for high-dimensional and high-order
physics-informed neural networks, 2024; Z. Shi, Z. Hu, M. Lin, K. Kawaguchi, Stochastic Taylor derivative
estimator, 2024.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from nablax.continuity import decided_by
from nablax.derivatives.needs import Functional, Needs, homogeneous
from nablax.derivatives.statements import Statement
from nablax.derivatives.waring import PowerSum, is_rotation_invariant, some_power_sum
from nablax.frontend.diagnostics import Report
from nablax.passes.jets import FOLDED
from nablax.problem import Problem

SAMPLED_ABOVE = 512  # members or directions: exact sums of a thousand are too slow to be a default


@dataclass(frozen=True, slots=True)
class Sampling:
    """`count` members or directions of each sum per evaluation, random directions when `dense`; sums of more
    than `above` terms are drawn."""

    count: int
    dense: bool = False
    above: int = 0


@dataclass(frozen=True, slots=True)
class DrawnForm:
    """A functional of which directions are drawn: some of a sum of powers of linear forms.

    Where it is a power of the Laplacian along `axes`, indices of arguments, random vectors may take their
    place; `axes` is empty elsewhere.
    """

    functional: Functional
    power: PowerSum
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Draws:
    """What is drawn: functionals; sums over families and powers of Laplacians there, by stand-in."""

    sampling: Sampling
    forms: tuple[DrawnForm, ...]
    members: frozenset[sp.Dummy]

    @property
    def functionals(self) -> frozenset[Functional]:
        return frozenset(f.functional for f in self.forms)


def choose_draws(problem: Problem, wanted: Needs, sampling: Sampling | None) -> Draws | None:
    """What `sampling` draws of these needs; None for nothing.

    Raises `SpecError` (P559) where a nonlinear term holds what has no exact rule, or one of too many terms.
    """
    report = Report(problem.source)
    for rays in wanted.surroundings.rays:
        if rays.drawn and (statement := _nonlinear(wanted, rays.stand_in)) is not None:
            report.error(
                "P559",
                statement.span,
                f"a nonlinear term holds an operator along {rays.drawn} random directions, "
                "which would bias it",
                help="make the operator's value a field with an equation of its own, `v = fraclap(u, s)`",
            )
    forms: list[DrawnForm] = []
    members: list[sp.Dummy] = []
    least = None if sampling is None else max(sampling.count, sampling.above)
    for stand_in, size, form in () if least is None else _sums(wanted, least):
        statement = _nonlinear(wanted, stand_in)
        if statement is None:
            if form is None:
                members.append(stand_in)
            else:
                forms.append(form)
        elif size > SAMPLED_ABOVE:
            report.error(
                "P559",
                statement.span,
                f"a nonlinear term holds `{stand_in.name}`, a sum of {size} terms, and drawing some of them "
                "would bias it",
                help="make the sum a field with an equation of its own, or write `derivatives = exact` in "
                "`train`",
            )
    report.check()
    if sampling is None or not (forms or members):
        return None
    return Draws(sampling, tuple(forms), frozenset(members))


def _sums(wanted: Needs, above: int) -> Iterator[tuple[sp.Dummy, int, DrawnForm | None]]:
    """What has more terms than that: its stand-in, how many they are, its form for a functional."""
    for whole in wanted.sums:
        if whole.size > above:
            yield whole.stand_in, whole.size, None
    for power in wanted.powers:
        if (size := max(size for _, size in power.along)) > above:
            yield power.stand_in, size, None
    for functional in wanted.functionals:
        # One direction carries a first derivative; few monomials are not many directions.
        if functional.order < 2 or len(homogeneous(functional.form)) > 1:
            continue
        if above < SAMPLED_ABOVE or len(functional.form) > above:
            drawn = _drawn(functional)
            if (size := len(drawn.power.directions)) > above:
                yield functional.stand_in, size, drawn


def _drawn(functional: Functional) -> DrawnForm:
    form = functional.form
    axes = tuple(i for i in range(len(form[0][0])) if any(orders[i] for orders, _ in form))
    invariant = functional.order % 2 == 0 and is_rotation_invariant(form, axes, functional.order)
    return DrawnForm(functional, some_power_sum(form), axes if invariant else ())


def _nonlinear(wanted: Needs, stand_in: sp.Dummy) -> Statement | None:
    """A statement that is not linear in what the stand-in stands for; None where all are, provably."""
    bodies = [(s.stand_in, s.body) for s in wanted.sums]
    bodies += [(m.stand_in, m.inside) for m in wanted.histories.moments]
    holders = [name for name, body in bodies if body.has(stand_in)]
    for statement in wanted.statements:
        for value in statement.values:
            if value.has(*holders) if holders else not _is_linear(value, stand_in):
                return statement
    return None


def _is_linear(value: sp.Expr, name: sp.Dummy) -> bool:
    if not value.has(name):
        return True
    if not name.is_real and any(node.has(name) for node in value.atoms(*FOLDED)):
        return False
    if any(side.has(name) for side in decided_by(value)):
        return False
    slope = sp.diff(value, name)
    return not slope.has(name) or not sp.expand(slope).has(name)
