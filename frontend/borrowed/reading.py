"""A statement as its tokens, with what a spec declares, and what is found in it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nablax.frontend.diagnostics import Edit
from nablax.frontend.source import Source, Span
from nablax.frontend.tokens import CLOSER, Token, closing


@dataclass(frozen=True, slots=True)
class Declared:
    """Names of a spec, told from its tokens: `others` are parameters and definitions."""

    axes: tuple[str, ...] = ()
    families: frozenset[str] = frozenset()
    time: str | None = None
    fields: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    @property
    def coordinates(self) -> tuple[str, ...]:
        return (*self.axes, *((self.time,) if self.time else ()))

    def __contains__(self, name: str) -> bool:
        return name in (*self.coordinates, *self.families) or name in self.fields or name in self.others


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement's tokens, the block that it stands in, and the names of its spec."""

    tokens: tuple[Token, ...]
    block: str
    names: Declared
    source: Source

    def kind(self, at: int) -> str:
        return self.tokens[at].kind if 0 <= at < len(self.tokens) else ""

    def text(self, at: int) -> str:
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def span(self, start: int, end: int) -> Span:
        """The text of the tokens `start` to `end - 1`."""
        return self.tokens[start].span.join(self.tokens[end - 1].span)

    def slice(self, start: int, end: int) -> str:
        return self.source.slice(self.span(start, end))

    def operand_end(self, at: int) -> int | None:
        """Behind the value that begins at `at`: a name with components and arguments, or a bracket."""
        if self.kind(at) == "LPAR":
            end = closing(self.tokens, at)
            return None if end is None else end + 1
        if self.kind(at) != "NAME":
            return None
        at += 1
        while self.kind(at) == "DOT" and self.kind(at + 1) == "NAME":
            at += 2
        if self.kind(at) == "LPAR":
            end = closing(self.tokens, at)
            return None if end is None else end + 1
        return at

    def power(self, at: int) -> tuple[int, int]:
        """The power that stands at `at`, 1 if none does, and where it ends."""
        if self.kind(at) == "SUPER" and self.text(at).isdigit():
            return int(self.text(at)[:3]), at + 1
        if self.kind(at) == "CARET" and self.kind(at + 1) == "NUMBER" and self.text(at + 1).isdigit():
            return int(self.text(at + 1)[:3]), at + 2
        return 1, at


@dataclass(frozen=True, slots=True)
class Found:
    """What is said about the tokens from where it was found to `end`."""

    code: str
    end: int
    message: str
    help: str
    edits: tuple[Edit, ...] = ()
    label: str = ""


def declared_in(blocks: Iterable[tuple[str, Sequence[Sequence[Token]]]]) -> Declared:
    """The names that the statements of blocks declare, each block given by its name and its statements."""
    axes: list[str] = []
    families: set[str] = set()
    time = None
    fields: set[str] = set()
    others: set[str] = set()
    for block, statements in blocks:
        for tokens in statements:
            first = tokens[0]
            if first.kind != "NAME":
                continue
            if block == "space" and len(tokens) > 1 and tokens[1].kind == "LSQB":
                families.add(first.text)
            elif block == "space":
                axes.append(first.text)
            elif block == "time":
                time = first.text
            elif block == "fields":
                fields.update(_listed(tokens))
            elif block in ("params", "let"):
                others.add(first.text)
    return Declared(tuple(axes), frozenset(families), time, frozenset(fields), frozenset(others))


def _listed(tokens: Sequence[Token]) -> Iterator[str]:
    """The names before the colon: `u, v: vector`, and `u(x, t)` of those who write so."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.kind == "COLON":
            return
        depth += (token.kind in CLOSER) - (token.kind in CLOSER.values())
        if token.kind == "NAME" and depth == 0 and (at == 0 or tokens[at - 1].kind == "_COMMA"):
            yield token.text
