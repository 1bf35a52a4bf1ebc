"""Syntax without spelling: two texts mean the same when their canonical forms are equal."""

from nablax.frontend.syntax import (
    Argument,
    Binary,
    Call,
    Module,
    Name,
    Number,
    Partial,
    Relation,
    Statement,
    String,
)
from nablax.frontend.walk import Node, children

Entry = tuple[str | int, ...]


def canonical(node: Node) -> tuple[Entry, ...]:
    """The tree in prefix order without spans and sugar: `∂t u` equals `dt(u)`, `Δu` equals `laplacian(u)`."""
    entries: list[Entry] = []
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, Partial):
            function = Name("d" + current.letters.id, current.letters.span)
            operand = Argument(None, current.operand, current.operand.span)
            current = Call(function, (operand,), current.span)
        inside = children(current)
        entries.append((type(current).__name__, len(inside), *_own(current)))
        stack.extend(reversed(inside))
    return tuple(entries)


def _own(node: Node) -> Entry:
    """What a node holds besides its children, and which of the optional ones are there."""
    match node:
        case Number(value):
            return (str(value),)
        case Name(id):
            return (id,)
        case String(value):
            return (value,)
        case Binary(operator):
            return (operator,)
        case Argument(name):
            return (name is not None,)
        case Relation(_, operator, _, always):
            return (operator, always)
        case Statement(label, where):
            return (label is not None, len(where))
        case Module(edition, title):
            return (edition is not None, title is not None)
        case _:
            return ()
