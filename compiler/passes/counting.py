"""As many equations as unknowns, and an unknown for every equation to determine."""

from collections.abc import Sequence

import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.integrals import INTEGRALS, fields_in
from nablax.nonlocal_operators import Nonlocal, conditions_along
from nablax.passes.expansion import Expanded
from nablax.passes.jets import base, jets, orders_of
from nablax.passes.matching import matched
from nablax.problem import Component, Problem


def counted(problem: Problem, expanded: Sequence[Expanded], report: Report) -> bool:
    """As many equations as unknowns, and an unknown for every equation to determine."""
    components = problem.components
    match = matching(problem, expanded)
    left_over = [c for c in components if c not in match.values()]
    if not left_over and len(expanded) == len(components):
        return True
    counts = (
        f"{len(expanded)} equation{'' if len(expanded) == 1 else 's'} for {len(components)} "
        f"unknown{'' if len(components) == 1 else 's'}"
    )
    if left_over:
        names = ", ".join(f"`{c.name}`" for c in left_over)
        report.error(
            "P302",
            left_over[0].span,
            f"nothing determines {names}: there {'is' if len(expanded) == 1 else 'are'} {counts}",
            label="no equation is left for this one",
            help=f"add an equation for {names}, or remove it from `fields`",
        )
    else:
        extra = next(i for i in range(len(expanded)) if i not in match)
        report.error(
            "P302",
            problem.equations[extra].span,
            f"there are {counts}",
            label="no unknown is left for this equation",
            notes=(
                Note(
                    f"the only unknown is `{components[0].name}`"
                    if len(components) == 1
                    else f"the unknowns are {', '.join(f'`{c.name}`' for c in components)}"
                ),
            ),
            help="remove an equation, or declare the field that it determines",
        )
    return False


def matching(problem: Problem, expanded: Sequence[Expanded]) -> dict[int, Component]:
    """A largest assignment of equations to components they contain; time derivatives go first."""
    by_value = {c.value: c for c in problem.components}
    t = problem.time.symbol if problem.time else None
    wishes: list[list[Component]] = []
    for summands in expanded:
        found: dict[Component, int] = {}
        for jet in sorted((j for s in summands for j in jets(s.value)), key=sp.default_sort_key):
            if isinstance(jet, INTEGRALS):
                for component in (c for c in problem.components if c.name in fields_in(jet)):
                    found.setdefault(component, 1)
                continue
            component = by_value[base(jet)]
            moving = t is not None and (
                conditions_along(jet, t) or (not isinstance(jet, Nonlocal) and orders_of(jet, (t,))[0])
            )
            found[component] = min(found.get(component, 1), 0 if moving else 1)
        wishes.append(sorted(found, key=lambda c: (found[c], problem.components.index(c))))
    return matched(wishes)
