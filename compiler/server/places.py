"""Places in a document as an editor counts them, and in the source that the compiler reads.

An editor counts lines from 0 and, in a line, UTF-16 units of the text as it is on its screen. The compiler
counts characters of the text after NFC, with `\\n` for every line break (`read_source`).
"""

from dataclasses import dataclass
from functools import cached_property
from unicodedata import normalize

from lsprotocol.types import Position, Range

from nablax.frontend.source import Source, Span, read_source


@dataclass(frozen=True)
class Document:
    """An open text, as the editor holds it."""

    uri: str
    text: str

    @cached_property
    def source(self) -> Source:
        return read_source(self.uri, self.text)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines as the editor shows them, without their breaks."""
        return tuple(self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))

    def range(self, span: Span) -> Range:
        return Range(self.position(span.start), self.position(span.end))

    @property
    def whole(self) -> Range:
        last = len(self.lines) - 1
        return Range(Position(0, 0), Position(last, _units(self.lines[last])))

    def position(self, offset: int) -> Position:
        """Where the character at an offset of the source begins."""
        line, column = self.source.position(min(offset, len(self.source.text)))
        return Position(line - 1, _units(self.lines[line - 1][: self._written(line - 1, column - 1)]))

    def offset(self, position: Position) -> int:
        """The offset in the source of a position; one beyond a line or the text is that of its end."""
        if position.line >= len(self.lines):
            return len(self.source.text)
        written = self.lines[position.line]
        units = characters = 0
        for character in written:
            if units >= position.character:
                break
            units += _units(character)
            characters += 1
        before = _read(position.line, written[:characters])
        return self.source.line_starts[position.line] + len(before)

    def _written(self, number: int, column: int) -> int:
        """Characters of a line as written that make so many of the source's."""
        line = self.lines[number]
        if _read(number, line) == line:
            return column
        return max(k for k in range(len(line) + 1) if len(_read(number, line[:k])) <= column)


def _read(number: int, text: str) -> str:
    """A piece of a line as the source holds it."""
    return normalize("NFC", text.removeprefix("\ufeff") if number == 0 else text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
