"""A token of a text, and places in a row of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from nablax.frontend.source import Span


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is a terminal of `pde.lark`, or one of those that no statement takes.

    These are NEWLINE, COMMENT, SEMICOLON, LBRACE, RBRACE, PRIME, UNEXPECTED and END. `text` is canonical (`≤`
    reads `<=`, `ν` reads `nu`); the spelling is the source text under `span`.
    """

    kind: str
    text: str
    span: Span


CLOSER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}


def closing(tokens: Sequence[Token], opening: int) -> int | None:
    """The index of the bracket that closes the one at index `opening`; None where none does."""
    depth = 0
    for at in range(opening, len(tokens)):
        if tokens[at].kind in CLOSER:
            depth += 1
        elif tokens[at].kind in CLOSER.values():
            depth -= 1
            if depth == 0:
                return at
    return None


def arguments(tokens: Sequence[Token], opening: int, end: int) -> tuple[tuple[int, int], ...]:
    """The ranges of indices between the commas of a pair of brackets at `opening` and `end`."""
    found, depth, start = [], 0, opening + 1
    for at in range(opening + 1, end):
        depth += (tokens[at].kind in CLOSER) - (tokens[at].kind in CLOSER.values())
        if tokens[at].kind == "_COMMA" and depth == 0:
            found.append((start, at))
            start = at + 1
    if start < end or found:
        found.append((start, end))
    return tuple(found)
