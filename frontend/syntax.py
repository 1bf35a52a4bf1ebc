"""The syntax of a spec: frozen nodes with spans, meaning left to the compiler.

Names are canonical (`ν` is `nu`); how they were written is the source text under their span.
"""

from dataclasses import dataclass
from fractions import Fraction

from nablax.frontend.source import Span


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `value` is exact."""

    value: Fraction
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    id: str
    span: Span


@dataclass(frozen=True, slots=True)
class String:
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Negate:
    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`operator` is one of + - * / ^ · × (a superscript power is `^`)."""

    operator: str
    left: "Expression"
    right: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call; `name` is set for an option (`base=0`)."""

    name: Name | None
    value: "Clause"
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, b, option=c)`. Sugar becomes a call of the operator's name with `sugar` set to its spelling."""

    function: Name
    arguments: tuple[Argument, ...]
    span: Span
    sugar: str | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """`∂xx u`: `letters` is the suffix, split into axes by the compiler."""

    letters: Name
    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Component:
    """`U.x`."""

    base: "Expression"
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Item:
    """`x[k]`, `x[1..100]`."""

    base: "Expression"
    index: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`1..100`, inside an index only."""

    lower: "Expression"
    upper: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Vector:
    """`(a, b)`."""

    items: tuple["Expression", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class List:
    """`[a, b]`."""

    items: tuple["Expression", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Absolute:
    """`|a|`."""

    operand: "Expression"
    span: Span


Expression = (
    Number
    | Name
    | String
    | Negate
    | Binary
    | Call
    | Partial
    | Component
    | Item
    | Range
    | Vector
    | List
    | Absolute
)


@dataclass(frozen=True, slots=True)
class Relation:
    """`left operator right`, operator one of = < > <= >= ≈; `always` and `within` only in `expect`."""

    left: Expression
    operator: str
    right: Expression
    always: bool
    within: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Inside:
    """`inside x^2 + y^2 < 1`."""

    relation: Relation
    span: Span


@dataclass(frozen=True, slots=True)
class Domain:
    """`x in [0, 1] periodic`; `qualifier` is the word after the interval."""

    target: Expression
    interval: List
    qualifier: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class Unknown:
    """`D ~ 0.1 in [1e-3, 1]`."""

    target: Expression
    start: Expression
    interval: List | None
    span: Span


Clause = Expression | Relation | Inside | Domain | Unknown


@dataclass(frozen=True, slots=True)
class Statement:
    """`[label] where : clauses`; `where` is empty when the statement has no colon.

    `fields { U: vector }` reads as `where` = U and `clauses` = vector.
    """

    label: Name | None
    where: tuple[Clause, ...]
    clauses: tuple[Clause, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """`space polar { ... }`; `modifier` is the word between the name and the brace."""

    name: Name
    modifier: Name | None
    statements: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Module:
    """A whole spec."""

    edition: Number | None
    title: String | None
    blocks: tuple[Block, ...]
    span: Span

    def block(self, name: str) -> Block | None:
        return next((b for b in self.blocks if b.name.id == name), None)
