"""Windows of time: a problem cut into intervals, each beginning with the state that the one before ends with.

C. L. Wight, J. Zhao, Solving Allen-Cahn and Cahn-Hilliard equations using the adaptive physics informed
neural networks, Commun. Comput. Phys. 29 (2021) 930 (time marching); A. S. Krishnapriyan et al.,
Characterizing possible failure modes in physics-informed neural networks, NeurIPS 2021.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.ansatz.derive import Ansatz, derive, derive_onward
from nablax.problem import Problem
from nablax.system import System
from nablax.training.records import Training

State = Mapping[sp.Symbol, tuple[AppliedUndef, int]]
"""Symbols for initial values: the component and the order of its derivative in time."""


@dataclass(frozen=True, slots=True)
class Window:
    """One interval of time as a problem of its own. `begins` has the symbols that stand for its initial data,
    none in the first window; `ansatz` builds conditions in, where the run does."""

    system: System
    begins: State
    ansatz: Ansatz | None


def windows_of(system: System, training: Training) -> tuple[Window, ...]:
    """The windows of a run in the order of time; the whole problem where there is one."""
    first = Window(_cut(system, 0, training.windows), {}, derive(system) if training.hard else None)
    return (first, *(_onward(system, k, training.windows, training.hard) for k in range(1, training.windows)))


def left_later(system: System, first: Ansatz, windows: int) -> dict[str, str]:
    """What is built into the first window and stays a term of the loss in later ones, with the reason."""
    if windows == 1:
        return {}
    later = derive_onward(_onward(system, 1, windows).system)
    return {name: reason for name, reason in later.left if name in first.exact}


def _onward(system: System, number: int, windows: int, hard: bool = False) -> Window:
    cut = _cut(system, number, windows)
    components = {c.name: c for c in cut.problem.components}
    begins: dict[sp.Symbol, tuple[AppliedUndef, int]] = {}
    initial = []
    for condition in cut.problem.initial:
        component = components[condition.component]
        rate = f"d{'t' * condition.order}({component.name})" if condition.order else component.name
        symbol = sp.Dummy(f"{rate} before", real=None if component.complex else True)
        begins[symbol] = (component.value, condition.order)
        initial.append(replace(condition, value=symbol))
    window = replace(cut, problem=replace(cut.problem, initial=tuple(initial)))
    return Window(window, begins, derive_onward(window) if hard else None)


def spanning(windows: Sequence[Window]) -> Problem:
    """The problem from the start of the first of these windows to the end of the last."""
    first, last = (w.system.problem for w in (windows[0], windows[-1]))
    if first.time is None or last.time is None:
        return first
    return replace(first, time=replace(first.time, upper=last.time.upper))


def _cut(system: System, number: int, count: int) -> System:
    """The same equations on the interval of one of `count` equal windows."""
    problem = system.problem
    if count == 1 or problem.time is None:
        return system
    length = problem.time.upper - problem.time.lower
    lower, upper = (problem.time.lower + length * sp.Rational(k, count) for k in (number, number + 1))
    return replace(system, problem=replace(problem, time=replace(problem.time, lower=lower, upper=upper)))
