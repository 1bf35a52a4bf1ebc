"""Names and what they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.source import Source, Span
from nablax.geometry import Geometry
from nablax.meaning.values import Value
from nablax.problem import Axis, Field, Parameter, Side

Role = Literal["constant", "let", "equations", "initial", "boundary", "expect"]


@dataclass(frozen=True, slots=True)
class Definition:
    """`let { r2 = ...; q(s) = ... }`: pure substitution; `parameters` is None for a plain name."""

    name: str
    parameters: tuple[str, ...] | None
    body: syntax.Expression
    span: Span


Entity = Axis | Field | Parameter | Definition


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything an expression may speak of, at one place of the spec.

    `wall` is set inside a boundary condition, where `dn` has a meaning. `bound` holds the arguments of
    the definitions being expanded, `expanding` their names (a definition must not reach itself).
    """

    source: Source
    geometry: Geometry
    axes: tuple[Axis, ...]
    time: Axis | None
    entities: Mapping[str, Entity]
    role: Role
    wall: tuple[int, Side] | None = None
    bound: tuple[tuple[str, Value], ...] = ()
    expanding: tuple[str, ...] = ()

    def at(self, role: Role, wall: tuple[int, Side] | None = None) -> "Scope":
        return replace(self, role=role, wall=wall)

    def expand(self, definition: Definition, arguments: tuple[tuple[str, Value], ...]) -> "Scope":
        return replace(self, bound=arguments, expanding=(*self.expanding, definition.name))

    @property
    def all_axes(self) -> tuple[Axis, ...]:
        return self.axes if self.time is None else (*self.axes, self.time)

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        return tuple(a.symbol for a in self.all_axes)

    def similar(self, name: str, further: tuple[str, ...] = ()) -> str | None:
        """The declared name that the misspelt one most likely means."""
        found = get_close_matches(name, (*self.entities, *further), n=1, cutoff=0.6)
        if not found and (matches := [n for n in self.entities if n.lower() == name.lower()]):
            return matches[0]
        return found[0] if found else None


def describe(entity: Entity) -> str:
    match entity:
        case Axis():
            return "an axis"
        case Field(rank=1):
            return "a vector field"
        case Field():
            return "a field"
        case Parameter():
            return "a parameter"
        case Definition():
            return "a definition"


def splits(letters: str, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every way to write `letters` as a sequence of axis names (`xxt` with x and t: one way)."""
    ways: list[list[tuple[str, ...]]] = [[()]]
    for end in range(1, len(letters) + 1):
        ways.append(
            [
                (*way, name)
                for name in names
                if len(name) <= end and letters[end - len(name) : end] == name
                for way in ways[end - len(name)]
            ][:2]
        )
    return ways[-1]
