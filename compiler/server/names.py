"""What a spec declares, where, and where it is named: for hovers, jumps and the outline of an editor."""

from collections.abc import Iterator
from dataclasses import dataclass

from lsprotocol import types

from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse
from nablax.frontend.source import Source, Span
from nablax.frontend.syntax import (
    Argument,
    Block,
    Call,
    Clause,
    Domain,
    Item,
    Module,
    Name,
    Relation,
    Statement,
    Unknown,
)
from nablax.frontend.walk import walk
from nablax.server.places import Document

KINDS = {
    "space": types.SymbolKind.Key,
    "time": types.SymbolKind.Key,
    "fields": types.SymbolKind.Variable,
    "params": types.SymbolKind.Constant,
    "let": types.SymbolKind.Function,
}
"""The blocks that declare names, and what an editor draws beside one."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """`name` as it is declared in `block`; `statement` is the text that does it."""

    name: str
    block: str
    place: Span
    statement: Span


def read(source: Source) -> Module | None:
    """The syntax of a text, as far as it has one."""
    return parse(source, Report(source))


def declarations(module: Module) -> tuple[Declaration, ...]:
    return tuple(
        Declaration(name.id, block.name.id, name.span, statement.span)
        for block in module.blocks
        if block.name.id in KINDS
        for statement in block.statements
        for name in _declared(block, statement)
    )


def _declared(block: Block, statement: Statement) -> Iterator[Name]:
    # `U, V: vector` declares what stands before the colon.
    clauses = statement.where if block.name.id == "fields" and statement.where else statement.clauses
    for clause in clauses:
        target = _target(clause)
        if isinstance(target, Name):
            yield target


def _target(clause: Clause) -> Clause:
    match clause:
        case Domain(target) | Unknown(target):
            inner: Clause = target
        case Relation(left):
            inner = left
        case _:
            inner = clause
    match inner:
        case Call(function):
            return function
        case Item(base):
            return base
        case _:
            return inner


def name_at(module: Module, offset: int) -> Name | None:
    """The name that an offset lies in or just behind, an operator's included."""
    found = [n for n in names(module) if n.span.start <= offset <= n.span.end]
    return min(found, key=lambda n: n.span.end - n.span.start, default=None)


def names(module: Module) -> Iterator[Name]:
    """All names in the text but those of options in calls, whose meaning is the call's."""
    options = {n.name.span for n in walk(module) if isinstance(n, Argument) and n.name is not None}
    return (n for n in walk(module) if isinstance(n, Name) and n.span not in options)


def named(module: Module, name: str) -> tuple[Span, ...]:
    """Every place where a name stands, in order."""
    return tuple(sorted(n.span for n in names(module) if n.id == name))


def outline(document: Document, module: Module) -> list[types.DocumentSymbol]:
    """The blocks, and in them what is declared, or the statements as they are written."""
    return [_block(document, block) for block in module.blocks]


def _block(document: Document, block: Block) -> types.DocumentSymbol:
    inner = [
        types.DocumentSymbol(
            name=" ".join(document.source.slice(s.span).split()),
            kind=KINDS.get(block.name.id, types.SymbolKind.Field),
            range=document.range(s.span),
            selection_range=document.range(s.span),
        )
        for s in block.statements
    ]
    return types.DocumentSymbol(
        name=block.name.id,
        kind=types.SymbolKind.Namespace,
        range=document.range(block.span),
        selection_range=document.range(block.name.span),
        children=inner,
    )
