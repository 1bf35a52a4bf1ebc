"""Names and what they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.source import Source, Span
from nablax.geometry import Geometry
from nablax.meaning.values import Value
from nablax.problem import Axis, Coefficient, Cut, Field, Parameter, Side

Role = Literal["constant", "let", "space", "equations", "initial", "boundary", "expect"]


@dataclass(frozen=True, slots=True)
class Definition:
    """`let { r2 = ...; q(s) = ... }`: pure substitution; `parameters` is None for a plain name."""

    name: str
    parameters: tuple[str, ...] | None
    body: syntax.Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Failed:
    """A name whose declaration is in the report; what uses it raises no further message."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A name the spec declares that this place cannot see: an axis inside `params`, say."""

    name: str
    kind: str
    span: Span


Entity = Axis | Field | Parameter | Coefficient | Definition | Failed


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything an expression may speak of, at one place of the spec.

    `wall`, or `cut` on a curve, is set inside a boundary condition, where `dn` has a meaning. `bound` holds
    the arguments of the definitions being expanded, `expanding` their names (a definition must not reach
    itself). Where `incomplete`, some declarations could not be read, and a name that is not known says
    nothing. `indices` are the bound indices of the sums around; `folder` is where files are looked for.
    """

    source: Source
    geometry: Geometry
    axes: tuple[Axis, ...]
    time: Axis | None
    entities: Mapping[str, Entity]
    role: Role
    wall: tuple[int, Side] | None = None
    cut: Cut | None = None
    bound: tuple[tuple[str, Value], ...] = ()
    expanding: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    incomplete: bool = False
    indices: tuple[str, ...] = ()
    folder: Path | None = None

    def at(self, role: Role, wall: tuple[int, Side] | None = None, cut: Cut | None = None) -> "Scope":
        return replace(self, role=role, wall=wall, cut=cut)

    def expand(self, definition: Definition, arguments: tuple[tuple[str, Value], ...]) -> "Scope":
        return replace(self, bound=arguments, expanding=(*self.expanding, definition.name), indices=())

    @property
    def all_axes(self) -> tuple[Axis, ...]:
        return self.axes if self.time is None else (*self.axes, self.time)

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        return tuple(a.symbol for a in self.all_axes)

    @property
    def nominal(self) -> dict[sp.Symbol, sp.Expr]:
        """The value of every parameter."""
        return {p.symbol: p.value for p in self.entities.values() if isinstance(p, Parameter)}

    def similar(self, name: str, further: tuple[str, ...] = (), cutoff: float = 0.6) -> str | None:
        """The declared name that the misspelt one most likely means."""
        known = (*self.entities, *further)
        if matches := [n for n in known if n.lower() == name.lower()]:
            return matches[0]
        found = get_close_matches(name, known, n=1, cutoff=cutoff)
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
        case Coefficient():
            return "an unknown field"
        case Definition():
            return "a definition"
        case Failed():
            return "a name"


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
