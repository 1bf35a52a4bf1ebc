"""The equations as they stand, by name: what residuals are made of."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import sympy as sp

from nablax.passes.expansion import Expanded
from nablax.problem import Component, Problem
from nablax.system import Balance


def balances(
    problem: Problem, determined: Mapping[int, Component], expanded: Sequence[Expanded]
) -> tuple[Balance, ...]:
    """One balance per statement of the text, in order; every name once.

    `determined` says which component each equation determines.
    """
    found: list[Balance] = []
    rows = zip(range(len(expanded)), problem.equations, expanded, strict=True)
    for span, group in groupby(rows, key=lambda row: row[1].span):
        members = list(group)
        first, equation, _ = members[0]
        vector = len(members) > 1 or "." in equation.name
        values = tuple(sp.Add(*(s.value for s in summands)) for _, _, summands in members)
        component = determined.get(first)
        name = equation.name.partition(".")[0] or (
            f"{first + 1}" if component is None else component.field if vector else component.name
        )
        if any(b.name == name for b in found):
            name = f"{name} {len(found) + 1}"
        found.append(Balance(name, values, vector, span))
    return tuple(found)
