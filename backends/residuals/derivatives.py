"""`problem.derivatives(field)`: the table of derivatives, for losses of one's own."""

from dataclasses import dataclass

import sympy as sp
from jax import Array

from nablax.backends.residuals.evaluate import values_at
from nablax.backends.residuals.field import Field, FieldError, PyTree
from nablax.backends.residuals.points import Points, gather
from nablax.derivatives.evaluation import Evaluation
from nablax.derivatives.statements import INSIDE, Statement
from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS
from nablax.meaning.scope import splits
from nablax.passes.jets import base, derivative, jets, orders_of
from nablax.problem import Problem
from nablax.system import System


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False, repr=False)
class Derivatives:
    """table(params, points): every derivative by its name in the language, of the points' shape."""

    field: Field
    evaluation: Evaluation

    def __call__(self, params: PyTree, points: Points) -> dict[str, Array]:
        return values_at(self.field, self.evaluation, params, gather(self.field.problem, points, INSIDE), {})

    def __repr__(self) -> str:
        return f"<Derivatives {', '.join(self.names)} of {self.field!r}>"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(s.name for s in self.evaluation.needs.statements)


def wanted(system: System, names: tuple[str, ...] | None) -> tuple[Statement, ...]:
    """A statement for every derivative: those asked for, or those that the equations hold.

    Raises `FieldError` for a name that is no derivative of a field.
    """
    problem = system.problem
    if names is None:
        whole = {j for b in system.balances for v in b.values for j in jets(v)}
        found = {j for j in whole if not isinstance(j, INTEGRALS)}
        ordered = sorted(found, key=lambda j: (str(base(j)), orders_of(j, problem.symbols)))
        chosen = {_name(problem, jet): jet for jet in ordered}
    else:
        chosen = {name: _read(problem, name) for name in names}
    return tuple(Statement(name, INSIDE, (jet,), False, Span(0, 0)) for name, jet in chosen.items())


def _name(problem: Problem, jet: sp.Expr) -> str:
    component = base(jet).func.__name__
    axes = (*problem.axes, *((problem.time,) if problem.time else ()))
    letters = "".join(a.name * n for a, n in zip(axes, orders_of(jet, problem.symbols), strict=True))
    return f"d{letters}({component})" if letters else str(component)


def _read(problem: Problem, name: str) -> sp.Expr:
    by_name = {c.name: c.value for c in problem.components} | {c.name: c.value for c in problem.coefficients}
    if name in by_name:
        return by_name[name]
    word, bracket, rest = name.replace(" ", "").partition("(")
    axes = (*problem.axes, *((problem.time,) if problem.time else ()))
    own = by_name[rest[:-1]].args if rest[:-1] in by_name else ()
    along = tuple(a.name for a in axes if a.symbol in own)
    ways = splits(word[1:], along) if word.startswith("d") else []
    if not bracket or not rest.endswith(")") or rest[:-1] not in by_name or len(ways) != 1 or not ways[0]:
        example = f"d{axes[0].name}({next(iter(by_name))})"
        raise FieldError(
            f"`{name}` is no derivative of a field: write `{next(iter(by_name))}` or `{example}`"
        )
    return derivative(by_name[rest[:-1]], problem.symbols, tuple(ways[0].count(a.name) for a in axes))
