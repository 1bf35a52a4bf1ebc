"""Walks over syntax nodes, without recursion."""

from collections.abc import Iterator

from nablax.frontend.syntax import (
    Absolute,
    Argument,
    Binary,
    Block,
    Call,
    Component,
    Domain,
    Expression,
    Inside,
    Item,
    List,
    Module,
    Name,
    Negate,
    Number,
    Partial,
    Range,
    Relation,
    Statement,
    String,
    Unknown,
    Vector,
)

Node = Expression | Argument | Relation | Inside | Domain | Unknown | Statement | Block | Module


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside `node`, in the order of the text (an operator's name first)."""
    match node:
        case Number() | Name() | String():
            return ()
        case Negate(operand) | Absolute(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Argument(name, value):
            return (value,) if name is None else (name, value)
        case Call(function, arguments):
            return (function, *arguments)
        case Partial(letters, operand):
            return (letters, operand)
        case Component(base, name):
            return (base, name)
        case Item(base, index):
            return (base, index)
        case Range(lower, upper):
            return (lower, upper)
        case Vector(items) | List(items):
            return items
        case Relation(left, _, right, _, within):
            return (left, right) if within is None else (left, right, within)
        case Inside(relation):
            return (relation,)
        case Domain(target, interval, qualifier):
            return (target, interval) if qualifier is None else (target, interval, qualifier)
        case Unknown(target, start, interval):
            return (target, start) if interval is None else (target, start, interval)
        case Statement(label, where, clauses):
            return (*where, *clauses) if label is None else (label, *where, *clauses)
        case Block(name, modifier, statements):
            return (name, *statements) if modifier is None else (name, modifier, *statements)
        case Module(edition, title, blocks):
            return tuple(part for part in (edition, title) if part is not None) + blocks


def walk(node: Node) -> Iterator[Node]:
    """`node` and every node under it, parents first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))
